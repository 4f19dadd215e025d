package crash

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// faultTest is a stage whose ground gives way, and a client that looks at it.
type faultTest struct {
	*stage
	t *testing.T
	c *client
	w *worker // pushes with c to a package of its own, watched by the oracle
}

// newFaultTest starts a server with its data in a directory and lets the
// workers fill it for a moment.
func newFaultTest(t *testing.T, data string, settings ...string) *faultTest {
	t.Helper()
	s := &server{program: program(t, ""), data: data, logFile: filepath.Join(t.TempDir(), "server.log"), settings: settings}
	st, err := open(t.Context(), s, given.seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	f := &faultTest{stage: st, t: t}
	if f.c, err = st.newClient(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.c.close)
	f.w = &worker{shared: st.shared, id: workers, pkg: sharedPkg, c: f.c, rng: newRand(given.seed, 99), named: map[string]bool{}, known: map[key]string{}}
	return f
}

// do sends a request that must get an answer within five seconds.
func (f *faultTest) do(req request) answer {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 5*time.Second)
	defer cancel()
	a, err := f.c.do(ctx, req)
	if err != nil {
		f.t.Fatalf("%s %s: %v\n%s", req.method, req.path, err, f.server.lastLog())
	}
	return a
}

// want sends a request and compares the status.
func (f *faultTest) want(status int, req request) answer {
	f.t.Helper()
	a := f.do(req)
	f.wantStatus(status, a)
	return a
}

// wantClear compares an error with the form of the protocol: a code and a
// sentence, which says nothing about where we keep things.
func (f *faultTest) wantClear(a answer) {
	f.t.Helper()
	var body struct {
		Errors []struct{ Code, Message string }
	}
	if err := json.Unmarshal(a.body, &body); err != nil || len(body.Errors) != 1 || body.Errors[0].Code == "" || body.Errors[0].Message == "" {
		f.t.Errorf("the error is no OCI error: %s", a)
	}
	for _, private := range []string{f.server.data, "/", "sqlite", "SQL", "packhouse.db", "errno"} {
		if strings.Contains(string(a.body), private) {
			f.t.Errorf("the error holds %q: %s", private, a)
		}
	}
}

// post is the request that pushes a blob at once.
func post(content []byte) request {
	return request{method: http.MethodPost, path: uploadsPath(sharedPkg) + "?digest=" + digestOf(content), body: content}
}

func get(path string) request {
	return request{method: http.MethodGet, path: path, header: map[string]string{"Accept": imageType}}
}

// push pushes a blob. When it is acknowledged it must be there from then on.
func (f *faultTest) push(content []byte) answer {
	f.t.Helper()
	c := f.w.begin("push", map[key]string{{blobKind, sharedPkg, digestOf(content)}: present})
	a := f.do(post(content))
	if a.status == http.StatusCreated {
		f.w.conclude(c, nil)
	}
	return a
}

// wantPush pushes a blob and compares the status.
func (f *faultTest) wantPush(status int, content []byte) answer {
	f.t.Helper()
	a := f.push(content)
	f.wantStatus(status, a)
	return a
}

// wantStatus compares the status, and the form of an error.
func (f *faultTest) wantStatus(status int, a answer) {
	f.t.Helper()
	if a.status != status {
		f.t.Errorf("answered %s, want %d", a, status)
	}
	if a.status >= 400 {
		f.wantClear(a)
	}
}

// deleteTag deletes a tag and looks for it.
func (f *faultTest) deleteTag(tag string) {
	f.t.Helper()
	path := manifestPath(sharedPkg, tag)
	c := f.w.begin("DELETE", map[key]string{{tagKind, sharedPkg, tag}: absent})
	if a := f.want(http.StatusAccepted, request{method: http.MethodDelete, path: path}); a.status == http.StatusAccepted {
		f.w.conclude(c, nil)
	}
	f.want(http.StatusNotFound, get(path))
}

// pushImage pushes an image of two parts that are rows, under a tag.
func (f *faultTest) pushImage(tag string) *manifest {
	f.t.Helper()
	var parts []descriptor
	for range 2 {
		part, err := f.w.pushBlob(f.t.Context(), sharedPkg, f.blob(small))
		if err != nil {
			f.t.Fatalf("push an image: %v %q\n%s", err, f.faults.texts, f.server.lastLog())
		}
		parts = append(parts, part)
	}
	m := newImage(parts[0], parts[1:], nil, tag)
	if err := f.w.pushManifest(f.t.Context(), sharedPkg, m, tag); err != nil {
		f.t.Fatalf("push an image: %v %q\n%s", err, f.faults.texts, f.server.lastLog())
	}
	return m
}

// perform has the workers at it until strike, which takes something away.
func (f *faultTest) perform(n uint64, strike func() error) {
	f.t.Helper()
	if err := f.stage.perform(f.t.Context(), n, 300*time.Millisecond, strike); err != nil {
		f.t.Fatal(err)
	}
}

// recover waits until a push of content works again, without a restart. Ten
// seconds are the most it may take.
func (f *faultTest) recover(content []byte) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		a := f.push(content)
		if a.status == http.StatusCreated {
			return
		}
		select {
		case <-ctx.Done():
			f.t.Fatalf("ten seconds after the repair a push answered %s\n%s", a, f.server.lastLog())
		case <-tick.C:
		}
	}
}

// survived looks for everything that was acknowledged, lets the workers go on,
// and looks again.
func (f *faultTest) survived() {
	f.t.Helper()
	f.inspect()
	if err := f.stage.resume(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	f.perform(1, func() error { return nil })
	f.inspect()
	if err := f.server.stop(); err != nil {
		f.t.Errorf("the server did not stop well: %v", err)
	}
}

// inspect compares all there is with what was acknowledged.
func (f *faultTest) inspect() {
	f.t.Helper()
	found, err := f.stage.inspect(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Logf("%d requests acknowledged, %d not; %d reads compared", found.acked, found.open, found.looks)
	for _, text := range append(found.losses, f.faults.texts...) {
		f.t.Error(text)
	}
	f.faults.texts = nil
}

// blob returns size bytes that nobody else pushes.
func (f *faultTest) blob(size int) []byte {
	content := make([]byte, size)
	_, _ = newSource(given.seed, 77, f.w.fresh()).Read(content) // cannot fail
	return content
}
