package httpx_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

// records returns the log as one map a line; a line that is not one JSON object
// fails the test.
func (s *server) records(t *testing.T) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.SplitSeq(strings.TrimSpace(s.log.String()), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("not one JSON object: %v\n%q", err, line)
		}
		list = append(list, m)
	}
	return list
}

// closed waits until the server has closed c, by which time it has logged.
func closed(t *testing.T, c io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOneRecordPerRequest(t *testing.T) {
	t.Parallel()
	s := serve(t, httpx.Handle(func(w http.ResponseWriter, r *http.Request) error {
		e := httpx.EventFrom(w)
		e.Route, e.Principal, e.Package = "PUT /v2/{name}/manifests/{reference}", "octocat", "octocat/app"
		if _, err := httpx.ReadBody(r, 100); err != nil {
			return err
		}
		return errs.Wrap(errs.Unavailable, errors.New("dial db: refused"), "the database does not answer")
	}, func(w http.ResponseWriter, _ *http.Request, err error) {
		w.WriteHeader(httpx.Status(errs.KindOf(err)))
		_, _ = io.WriteString(w, "sorry")
	}), nil)
	c := s.send(t, "PUT /v2/octocat/app/manifests/v1?token=secret-canary HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: docker/29\r\n"+
		"Authorization: Bearer secret-canary\r\nCookie: session=secret-canary\r\nReferer: http://a/?secret-canary\r\nContent-Length: 5\r\n\r\nhello")
	text := closed(t, c)
	if !strings.Contains(text, "503") || !strings.Contains(text, "X-Request-Id: 61626364-1\r\n") {
		t.Errorf("answer:\n%s", text)
	}
	got := s.records(t)
	if len(got) != 1 {
		t.Fatalf("%d records, want 1", len(got))
	}
	want := map[string]any{
		"level": "ERROR", "msg": "request", "id": "61626364-1", "client": "127.0.0.1", "method": "PUT", "host": "a",
		"path": "/v2/octocat/app/manifests/v1", "route": "PUT /v2/{name}/manifests/{reference}", "status": 503.0,
		"in": 5.0, "out": 5.0, "agent": "docker/29", "principal": "octocat", "package": "octocat/app",
		"kind": "unavailable", "error": "the database does not answer: dial db: refused",
	}
	for key, value := range want {
		if got[0][key] != value {
			t.Errorf("%s is %v, want %v", key, got[0][key], value)
		}
	}
	if strings.Contains(s.log.String(), "secret-canary") {
		t.Errorf("a secret is in the log: %s", s.log)
	}
}

func TestHostileTextStaysInItsRecord(t *testing.T) {
	t.Parallel()
	s := serve(t, httpx.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		return errs.New(errs.Invalid, "bad name %s\nlevel=ERROR \x1b[31m", r.URL.Path)
	}, plainText), nil)
	for _, target := range []string{
		"/a%0d%0a{\"level\":\"ERROR\"}", "/%1b[2J", "/\u202e\u009b31m", "/%00", "/\xff\xfe", "/" + strings.Repeat("x", 20000),
	} {
		closed(t, s.send(t, "GET "+target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: a\tb\x80\u009b\u2028{\"x\":1}\r\n\r\n"))
	}
	got := s.records(t)
	if len(got) != 6 {
		t.Fatalf("%d records, want 6", len(got))
	}
	for _, r := range got {
		for key, v := range r {
			if text, ok := v.(string); ok && (strings.ContainsAny(text, "\r\n\x1b\x00\u202e\u009b\u2028") || len(text) > 2100) {
				t.Errorf("%s is %q", key, text)
			}
		}
	}
}

// A host is text of the client, also where the server before us let it through.
func TestHostIsRecordedAsAsked(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	h := httpx.Wrap(http.NotFoundHandler(), httpx.Options{
		Log: slog.New(slog.NewJSONHandler(&log, nil)), NewID: func() string { return "1" },
	})
	for host, want := range map[string]string{
		"containers.packages.test:8080": "containers.packages.test:8080",
		"DOCKER.packages.test.":         "DOCKER.packages.test.",
		"a\r\n\x1b[2J\u202e":            "a\ufffd\ufffd\ufffd[2J\ufffd",
		strings.Repeat("x", 256):        strings.Repeat("x", 255) + "…",
		strings.Repeat("y", 255):        strings.Repeat("y", 255),
		"":                              "",
	} {
		log.Reset()
		r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
		r.Host = host
		h.ServeHTTP(httptest.NewRecorder(), r)
		var record struct{ Host string }
		if err := json.Unmarshal([]byte(log.String()), &record); err != nil || record.Host != want {
			t.Errorf("asked for %q: recorded %q, want %q, %v", host, record.Host, want, err)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\r\nb\x1b[0m\u202e", 10)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 0 || limit > 1<<20 {
			return
		}
		var b strings.Builder
		slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "k", httpx.Clean(s, limit))
		if !json.Valid([]byte(b.String())) || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%q became %q", s, b.String())
		}
	})
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		var none []int
		none[len(none)] = 1
	}), nil)
	res, body := answer(t, bufio.NewReader(s.send(t, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")))
	if res.StatusCode != 500 || !strings.Contains(body, "61626364-1") || strings.Contains(body, "out of range") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	e := s.event(t)
	if e.Err == nil || !strings.Contains(e.Err.Error(), "out of range") || !strings.Contains(e.Stack, "event_test.go") {
		t.Errorf("event: %v\n%s", e.Err, e.Stack)
	}
}

// A failure in the middle of a response must not look like its end.
func TestLateFailureBreaksOff(t *testing.T) {
	t.Parallel()
	handlers := map[string]http.Handler{
		"error": httpx.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			return errors.New("the disk is gone")
		}, plainText),
		"panic": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic("the disk is gone")
		}),
	}
	for name, h := range handlers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, h, nil)
			res, err := http.ReadResponse(bufio.NewReader(s.send(t, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")), nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); err == nil {
				t.Errorf("the answer %q looks whole", body)
			}
			if e := s.event(t); e.Err == nil || !strings.Contains(e.Err.Error(), "the disk is gone") {
				t.Errorf("event: %v", e.Err)
			}
		})
	}
}

func TestClientThatLeavesIsNoFault(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	s := serve(t, httpx.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		close(began)
		<-r.Context().Done()
		return fmt.Errorf("query: %w", r.Context().Err())
	}, func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(500) }), nil)
	c := s.send(t, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
	<-began
	_ = c.Close()
	s.event(t)
	for s.log.String() == "" && t.Context().Err() == nil { // the record follows the event
		runtime.Gosched()
	}
	if got := s.records(t); got[0]["level"] != "INFO" {
		t.Errorf("record: %v", got[0])
	}
}

func TestClientAddr(t *testing.T) {
	t.Parallel()
	proxies := httpx.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{"198.51.100.1"}, "192.0.2.1"},                                      // not a proxy
		{"10.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1"},                                    // honest
		{"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},                       // spoofed on the left
		{"10.0.0.1:5", []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},                     // in a header of its own
		{"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},             // two proxies
		{"10.0.0.1:5", []string{"203.0.113.9, junk, 10.0.0.2"}, "10.0.0.2"},                         // junk ends it
		{"10.0.0.1:5", []string{"203.0.113.9,"}, "10.0.0.1"},                                        // an empty hop
		{"10.0.0.1:5", []string{""}, "10.0.0.1"},                                                    // an empty header
		{"10.0.0.1:5", []string{"10.0.0.9"}, "10.0.0.9"},                                            // proxies all the way
		{"10.0.0.1:5", []string{"198.51.100.1:4711"}, "198.51.100.1"},                               // with a port
		{"10.0.0.1:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},                             // mapped
		{"[::ffff:10.0.0.1]:5", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},                      // brackets and port
		{"[fd00::1]:5", []string{"fe80::1%eth0"}, "fe80::1"},                                        // a zone
		{"10.0.0.1:5", []string{"for=198.51.100.1"}, "10.0.0.1"},                                    // another grammar
		{"10.0.0.1:5", []string{"0x7f.1"}, "10.0.0.1"},                                              // no such spelling
		{"@", []string{"198.51.100.1"}, "invalid IP"},                                               // no TCP peer
		{"10.0.0.1:5", []string{strings.Repeat("1.1.1.1,", 5000) + "198.51.100.1"}, "198.51.100.1"}, // long
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.peer
		r.Header["X-Forwarded-For"] = tt.forwarded
		r.Header["Forwarded"] = []string{"for=203.0.113.77"}
		r.Header["X-Real-Ip"] = []string{"203.0.113.77"}
		if got := proxies.ClientAddr(r).String(); got != tt.want {
			t.Errorf("%s %.60v is %s, want %s", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}

// BenchmarkWrap is the whole cost of Wrap for a small answer, its record
// included.
func BenchmarkWrap(b *testing.B) {
	newID, err := httpx.NewIDs(strings.NewReader("abcd"))
	if err != nil {
		b.Fatal(err)
	}
	h := httpx.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e := httpx.EventFrom(w)
		e.Route, e.Principal, e.Package = "GET /v2/{name}/manifests/{reference}", "octocat", "octocat/app"
		w.WriteHeader(http.StatusOK)
	}), httpx.Options{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), NewID: newID, Body: testBody, WriteIdle: time.Minute})
	r := httptest.NewRequest(http.MethodGet, "/v2/octocat/app/manifests/v1", nil)
	r.Header.Set("User-Agent", "docker/29.0.1 go/go1.26 git-commit/abc kernel/6.1 os/linux arch/amd64")
	w := &blankWriter{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}

type blankWriter struct{ header http.Header }

func (w *blankWriter) Header() http.Header         { return w.header }
func (w *blankWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *blankWriter) WriteHeader(int)             {}
