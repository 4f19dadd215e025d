package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func smallOptions(t *testing.T) options {
	t.Helper()
	o, err := parseOptions([]string{"-quick", "-dir", t.TempDir(), "-size", "20", "-images", "8", "-tags", "200", "-span", "20ms", "-servers", "floor"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestRunMeasuresAServer runs every group that the floor can do, as make bench does.
func TestRunMeasuresAServer(t *testing.T) {
	t.Parallel()
	o := smallOptions(t)
	all, err := contenders(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	src, err := newSource()
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{options: o, contenders: all, src: src, logs: t.TempDir(), out: results{}}
	if err := r.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{
		"push POST", "push POST+PUT", "push POST+PATCH+PUT", "push chunked", "push 8 at once",
		"images", "pull 1", "pull 8", "manifest GET by tag", "blob HEAD", "puts, first", "puts, last", "rest, empty",
	} {
		s := r.out[step]["floor"]
		if len(s) != 1 || s[0].wall <= 0 || s[0].resident <= 0 || s[0].anonymous <= 0 {
			t.Errorf("%s: %+v", step, s)
		}
	}
	left, err := os.ReadDir(o.dir)
	if err != nil || len(left) != 0 {
		t.Errorf("data left behind: %v, %v", left, err)
	}
}

// TestHarnessRefusesAServerThatChecksNothing shows that a server cannot win by
// leaving out the digest check.
func TestHarnessRefusesAServerThatChecksNothing(t *testing.T) {
	t.Parallel()
	src, err := newSource()
	if err != nil {
		t.Fatal(err)
	}
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := map[string]int{"POST": 202, "PUT": 201, "HEAD": 404}[r.Method]
		w.Header().Set("Location", "/v2/up")
		w.WriteHeader(status)
	}))
	t.Cleanup(liar.Close)
	addr := liar.Listener.Addr().String()
	tr := &trial{instance: &instance{addr: addr, tokens: newTokens(addr, credentials{})}, src: src}
	if err := tr.checkHonest(); err == nil || !strings.Contains(err.Error(), "wrong digest") {
		t.Errorf("checkHonest = %v", err)
	}
}

// TestHarnessRefusesOpenDoors shows that a server with accounts is measured
// only if it keeps private content from strangers.
func TestHarnessRefusesOpenDoors(t *testing.T) {
	t.Parallel()
	src, err := newSource()
	if err != nil {
		t.Fatal(err)
	}
	inner, err := newFloor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token":
			_, _ = w.Write([]byte(`{"token":"t","expires_in":300}`))
		case r.URL.Path == "/v2/":
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://elsewhere.test/token",service="s"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(open.Close)
	addr := open.Listener.Addr().String()
	tr := &trial{instance: &instance{addr: addr, tokens: newTokens(addr, credentials{user: "u", secret: "s"})}, src: src}
	if err := tr.checkHonest(); err == nil || !strings.Contains(err.Error(), "without a token") {
		t.Errorf("checkHonest = %v", err)
	}
}

func TestUsageCountsProcessorTimeOfThisProcess(t *testing.T) {
	t.Parallel()
	pids := []int{os.Getpid()}
	before, err := used(pids)
	if err != nil {
		t.Fatal(err)
	}
	var after usage
	for sum := uint64(0); after.cpu-before.cpu < 3*clockTick; sum++ { // ends when the work shows
		if sum%(1<<20) == 0 {
			if after, err = used(pids); err != nil {
				t.Fatal(err)
			}
		}
	}
	if m, err := held(pids); err != nil || m.resident < m.anonymous || m.anonymous == 0 {
		t.Errorf("held = %+v, %v", m, err)
	}
}

func TestOptionsKeepWhatWasSet(t *testing.T) {
	t.Parallel()
	o, err := parseOptions([]string{"-quick", "-tags", "5000", "-dir", t.TempDir(), "-span", "1s"})
	if err != nil {
		t.Fatal(err)
	}
	if o.tags != 5000 || o.edge != 500 || o.rounds != 1 || o.size != 64<<20 || o.span != time.Second {
		t.Errorf("options are %+v", o)
	}
	for _, bad := range [][]string{{"-servers", "zot"}, {"-only", "nothing"}, {"-rounds", "0"}, {"-size", "0"}} {
		if _, err := parseOptions(append(bad, "-dir", t.TempDir())); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}

// TestStopTwice shows that an interrupted run, whose server has ended already,
// still cleans up.
func TestStopTwice(t *testing.T) {
	t.Parallel()
	floor, err := findFloor(t.Context(), options{})
	if err != nil {
		t.Fatal(err)
	}
	inst, err := launch(t.Context(), floor, t.TempDir(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := inst.stop(); err != nil {
		t.Fatal(err)
	}
	if err := inst.discard(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(inst.data); !os.IsNotExist(err) {
		t.Errorf("data is left behind: %v", err)
	}
}
