package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"packhouse/internal/errs"
)

// packhouse runs one command line.
func packhouse(t *testing.T, stdin string, environ []string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, streams{strings.NewReader(stdin), &o, &e, environ, nil})
	return code, o.String(), e.String()
}

func TestWrongUsageIsCode2(t *testing.T) {
	t.Parallel()
	data := "--data=" + t.TempDir()
	tests := []struct {
		says string
		args []string
	}{
		{"packhouse needs a command", nil},
		{`no command "sevre"`, []string{"sevre"}},
		{"packhouse admin needs a command", []string{"admin"}},
		{`packhouse admin user has no command "destroy"`, []string{"admin", "user", "destroy"}},
		{"unknown flag: --nope", []string{"serve", "--nope"}},
		{"unknown command", []string{"serve", "extra"}},
		{"accepts 1 arg", []string{"admin", "user", "create"}},
		{"listen: must be HOST:PORT", []string{"serve", "--listen", "8080"}},
		{"/nonexistent", []string{"serve", "--config", "/nonexistent/packhouse.yaml"}},
		{"an organization needs an owner", []string{"admin", "org", "create", "acme", data}},
		{"at least one scope", []string{"admin", "token", "create", "admin", data}},
		{"no such scope", []string{"admin", "token", "create", "admin", "--scopes", "all", data}},
		{"--expires must be like 90d", []string{"admin", "token", "create", "admin", "--scopes", "read:packages", "--expires", "soon", data}},
		{"a login has letters", []string{"admin", "user", "create", "a/b", data}},
		{"no password on standard input", []string{"admin", "user", "create", "alice", "--password-stdin", data}},
	}
	for _, tt := range tests {
		code, out, errOut := packhouse(t, "", nil, tt.args...)
		if code != exitUsage || !strings.Contains(errOut, tt.says) || out != "" {
			t.Errorf("packhouse %s: code %d, %q, want 2 and %q", strings.Join(tt.args, " "), code, errOut, tt.says)
		}
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"admin", "token", "create", "--help"}, {"help"}, {"version"}} {
		if code, out, errOut := packhouse(t, "", nil, args...); code != exitOK || out == "" || errOut != "" {
			t.Errorf("%v: code %d\n%s%s", args, code, out, errOut)
		}
	}
	if _, out, _ := packhouse(t, "", nil, "serve", "--help"); !strings.Contains(out, "--s3-bucket") || !strings.Contains(out, "--url") {
		t.Errorf("serve --help does not list the settings:\n%s", out)
	}
	if _, out, _ := packhouse(t, "", nil, "admin", "user", "create", "--help"); strings.Contains(out, "--s3-bucket") {
		t.Errorf("admin commands list every setting:\n%s", out)
	}
}

func TestAdminCommands(t *testing.T) {
	t.Parallel()
	environ := []string{"PACKHOUSE_DATA=" + t.TempDir()}
	steps := []struct {
		stdin string
		args  []string
		code  int
		out   string // a pattern
		says  string
	}{
		{"correct horse battery\n", []string{"admin", "user", "create", "alice", "--password-stdin", "--site-admin"}, 0, "^created user alice\n$", ""},
		{"", []string{"admin", "user", "create", "Alice"}, 1, "^$", "taken"},
		{"", []string{"admin", "org", "create", "acme", "--owner", "alice"}, 0, "^created organization acme\n$", ""},
		{"", []string{"admin", "org", "create", "other", "--owner", "nobody"}, 1, "^$", "nobody"},
		{"", []string{"admin", "token", "create", "alice", "--scopes", "read:packages,write:packages"}, 0, "^php_[0-9A-Za-z]{36}\n$", ""},
		{"", []string{"admin", "token", "create", "alice", "--scopes", "read:packages", "--expires", "never"}, 0, "^php_[0-9A-Za-z]{36}\n$", ""},
		{"", []string{"admin", "token", "create", "acme", "--scopes", "read:packages"}, 1, "^$", "tokens belong to users"},
		{"", []string{"admin", "token", "create", "nobody", "--scopes", "read:packages"}, 1, "^$", "nobody"},
	}
	for _, s := range steps {
		code, out, errOut := packhouse(t, s.stdin, environ, s.args...)
		if code != s.code || !regexp.MustCompile(s.out).MatchString(out) || !strings.Contains(errOut, s.says) || (s.says == "") != (errOut == "") {
			t.Errorf("packhouse %s: code %d\n%s%s", strings.Join(s.args, " "), code, out, errOut)
		}
	}
}

// TestServeStartsAndStops runs the whole program, asks it, and ends it as a
// signal would.
func TestServeStartsAndStops(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "packhouse.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:0\nlog: {level: error}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read, write := io.Pipe()
	var errOut bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		defer func() { _ = write.Close() }()
		ended <- run(ctx, []string{"serve", "--data", t.TempDir(), "--log-level=info"}, streams{
			strings.NewReader(""), write, &errOut, []string{"PACKHOUSE_CONFIG=" + file, "PACKHOUSE_LISTN=x", "PACKHOUSE_ADMIN_PASSWORD=correct horse battery"}, nil})
	}()
	text := bufio.NewScanner(read)
	for text.Scan() && !strings.Contains(text.Text(), "docker login") {
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	stop()
	if code := <-ended; code != exitOK {
		t.Fatalf("code %d\n%s", code, errOut.String())
	}
	if log := errOut.String(); !strings.Contains(log, "PACKHOUSE_LISTN") || !strings.Contains(log, `"listening"`) {
		t.Errorf("log:\n%s", log)
	}
}

func TestServeFailsWithAReason(t *testing.T) {
	t.Parallel()
	taken := httpServer(t)
	code, _, errOut := packhouse(t, "", nil, "serve", "--data", t.TempDir(), "--listen", taken)
	if code != exitFailed || !strings.Contains(errOut, "cannot listen on "+taken) {
		t.Errorf("code %d\n%s", code, errOut)
	}
}

func httpServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	return l.Addr().String()
}

func TestErrorsShowTheirReason(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	printError(&b, errs.Wrap(errs.Unavailable, errors.New("connection refused"), "the database does not answer"))
	printError(&b, errors.New("bare"))
	want := "packhouse: the database does not answer\n  because: connection refused\npackhouse: bare\n"
	if b.String() != want {
		t.Errorf("got %q", b.String())
	}
}

func TestParseLife(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "1d": 24 * time.Hour, "12h": 12 * time.Hour, "never": 0} {
		if got, err := parseLife(text); err != nil || got != want {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "0d", "-1d", "-1h", "d", "1.5d", "99999d", "90"} {
		if got, err := parseLife(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// TestSignals sends this process what an operator would.
func TestSignals(t *testing.T) { // not parallel: signals are for the whole process
	ctx, hurry := signals()
	for _, ended := range []<-chan struct{}{ctx.Done(), hurry} {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
		case <-t.Context().Done():
			t.Fatal("the signal was not heard")
		}
	}
}
