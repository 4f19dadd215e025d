package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/config"
	"packhouse/internal/httpx"
)

// running is a server under test.
type running struct {
	Addresses
	app   *App   // what is served; nil: handlers of the test
	addr  string // of the registry
	log   *syncBuffer
	stop  context.CancelFunc
	hurry chan struct{}
	ended chan error
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// testConfig listens on free ports and stops at once.
func testConfig(t *testing.T) *config.Config {
	t.Helper()
	c := config.Default()
	c.Data = t.TempDir()
	c.Listen = "127.0.0.1:0"
	c.MetricsListen = "127.0.0.1:0"
	c.URL = "http://packages.test.example"
	return c
}

func start(t *testing.T, cfg *config.Config, h Handlers, change func(*Serving)) *running {
	t.Helper()
	r := &running{log: &syncBuffer{}, hurry: make(chan struct{}), ended: make(chan error, 1)}
	log, flush := NewLogger(cfg.Log, r.log)
	var count atomic.Int64
	started := make(chan Addresses, 1)
	s := Serving{
		Handlers: h, Log: log, Metrics: NewMetrics("test"), Hurry: r.hurry,
		NewID:   func() string { return fmt.Sprint("id-", count.Add(1)) },
		Started: func(a Addresses) { started <- a },
	}
	if change != nil {
		change(&s)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := Serve(ctx, cfg, s)
		flush()
		r.ended <- err
	}()
	t.Cleanup(func() {
		stop()
		select {
		case <-r.hurry:
		default:
			close(r.hurry)
		}
		<-done
	})
	select {
	case r.Addresses = <-started:
		r.addr = r.Registry[0]
	case err := <-r.ended:
		t.Fatalf("the server did not start: %v", err)
	}
	return r
}

// wait returns what Serve returned.
func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-t.Context().Done():
		t.Fatal("the server never ended")
		return nil
	}
}

// lastWords stops the server and returns its log.
func (r *running) lastWords(t *testing.T) string {
	t.Helper()
	r.stop()
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
	return r.log.String()
}

// raw sends text on a connection of its own.
func (r *running) raw(t *testing.T, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

func readAnswer(t *testing.T, c io.Reader) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("half an answer: %v", err)
	}
	return res, string(body)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// echo says which handler it is and which path it was given.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpx.EventFrom(w).Route = r.Method + " /" + name
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s %d", name, r.Method, r.RequestURI, n)
	})
}

func TestDispatchTakesPathsAsTheyAre(t *testing.T) {
	t.Parallel()
	r := start(t, testConfig(t), Handlers{Registry: echo("registry"), Token: echo("token")}, nil)
	tests := []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "/v2/", 200, "registry GET /v2/ 0"},
		{"GET", "/v2", 200, "registry GET /v2 0"},
		{"PUT", "/v2/a//b/../../x", 200, "registry PUT /v2/a//b/../../x 0"},
		{"GET", "/v2/%2e%2e/%2e%2e/etc/passwd", 200, "registry GET /v2/%2e%2e/%2e%2e/etc/passwd 0"},
		{"POST", "/token", 200, "token POST /token 0"},
		{"GET", "/token/", 404, "There is nothing at this address.\n"},
		{"GET", "/../v2/", 404, "There is nothing at this address.\n"},
		{"GET", "//v2/", 404, "There is nothing at this address.\n"},
		{"GET", "/", 404, "There is nothing at this address.\n"},
		{"GET", "/healthz", 200, "ok\n"},
		{"HEAD", "/healthz", 200, ""},
		{"POST", "/healthz", 405, "The method is not supported here.\n"},
		{"GET", "/metrics", 404, "There is nothing at this address.\n"}, // on its own listener only
	}
	for _, tt := range tests {
		c := r.raw(t, tt.method+" "+tt.target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		body, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		head, text, _ := strings.Cut(string(body), "\r\n\r\n")
		if !strings.HasPrefix(head, fmt.Sprintf("HTTP/1.1 %d ", tt.status)) || text != tt.body {
			t.Errorf("%s %s: %s\n%q", tt.method, tt.target, head, text)
		}
		if strings.Contains(head, "Location:") {
			t.Errorf("%s %s is redirected:\n%s", tt.method, tt.target, head)
		}
	}
}

// Pages are served on the main host and on those nobody configured, and never on
// the host of a registry.
func TestDispatchByHost(t *testing.T) {
	t.Parallel()
	r := start(t, testConfig(t), Handlers{
		Registry: echo("main"), Token: echo("token"), Pages: echo("pages"),
		Hosts: map[string]Front{"docker.test": {Registry: echo("docker"), Token: echo("docker-token")}},
		API:   echo("api"), APIHost: "api.test",
	}, nil)
	for _, tt := range []struct{ host, path, want string }{
		{"packages.test", "/v2/a", "main GET /v2/a 0"},
		{"packages.test", "/token", "token GET /token 0"},
		{"packages.test", "/login", "pages GET /login 0"},
		{"unknown.test", "/login", "pages GET /login 0"},
		{"packages.test", "/", "pages GET / 0"},
		{"packages.test", "/settings/", "pages GET /settings/ 0"},
		{"packages.test", "//v2/", "There is nothing at this address.\n"},
		{"packages.test", "/a/../v2/", "There is nothing at this address.\n"},
		{"packages.test", "/./v2/", "There is nothing at this address.\n"},
		{"docker.test.unknown.test", "/v2/a", "main GET /v2/a 0"},
		{"docker.test", "/v2/a", "docker GET /v2/a 0"},
		{"DOCKER.test:8080", "/v2/a", "docker GET /v2/a 0"},
		{"docker.test.", "/token", "docker-token GET /token 0"},
		{"docker.test", "/login", "There is nothing at this address.\n"},
		{"docker.test", "/healthz", "ok\n"},
		{"[::1]:80", "/v2/a", "main GET /v2/a 0"},
		{"packages.test", "/api/v3", "api GET /api/v3 0"},
		{"packages.test", "/api/v3/users/a", "api GET /api/v3/users/a 0"},
		{"packages.test", "/api/v4", "pages GET /api/v4 0"},
		{"api.test", "/users//a/../b", "api GET /users//a/../b 0"},
		{"api.test", "/", "api GET / 0"},
		{"api.test", "/v2/a", "There is nothing at this address.\n"},
		{"docker.test", "/api/v3/user", "There is nothing at this address.\n"},
	} {
		if _, text := r.ask(t, "GET", tt.host, tt.path, nil, nil); text != tt.want {
			t.Errorf("%s%s: %q, want %q", tt.host, tt.path, text, tt.want)
		}
	}
}

func TestLocalhostIsBothLoopbacks(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Listen = "localhost:0"
	r := start(t, cfg, Handlers{Registry: echo("registry")}, nil)
	if len(r.Registry) != 2 {
		t.Fatalf("listens on %v", r.Registry)
	}
	for _, a := range r.Registry {
		if status, _ := get(t, "http://"+a+"/v2/"); status != 200 {
			t.Errorf("%s answers %d", a, status)
		}
	}
}

func TestTakenAddressIsAnError(t *testing.T) {
	t.Parallel()
	first := start(t, testConfig(t), Handlers{}, nil)
	cfg := testConfig(t)
	cfg.Listen = first.addr
	err := Serve(t.Context(), cfg, Serving{Log: discard(), Metrics: NewMetrics("test"), NewID: func() string { return "" }})
	if err == nil || !strings.Contains(err.Error(), "cannot listen on "+first.addr) {
		t.Errorf("error is %v", err)
	}
}

func TestSlowHeadersAreCut(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.HTTP.ReadHeaderTimeout = 100 * time.Millisecond
	r := start(t, cfg, Handlers{Registry: echo("registry")}, nil)
	c := r.raw(t, "GET /v2/ HTTP/1.1\r\nHost: a\r\nX-Slow: ")
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("the connection was not closed: %v", err)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.HTTP.IdleTimeout = 100 * time.Millisecond
	r := start(t, cfg, Handlers{Registry: echo("registry")}, nil)
	c := r.raw(t, "GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n")
	if text, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 200") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	r := start(t, testConfig(t), Handlers{Registry: echo("registry")}, nil)
	c := r.raw(t, "GET /v2/ HTTP/1.1\r\nHost: a\r\nX-Large: "+strings.Repeat("a", 40<<10)+"\r\n\r\n")
	if res, _ := readAnswer(t, c); res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", res.StatusCode)
	}
}

// gate is a handler that waits until the test lets it go on.
type gate struct {
	inside chan string
	open   chan struct{}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.inside <- r.URL.Path
	select {
	case <-g.open:
	case <-r.Context().Done():
		return
	}
	n, err := io.Copy(io.Discard, r.Body)
	_, _ = fmt.Fprintf(w, "%d bytes, %v", n, err)
}

func newGate() *gate { return &gate{inside: make(chan string, 10), open: make(chan struct{})} }

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	g := newGate()
	r := start(t, testConfig(t), Handlers{Registry: g}, nil)
	request := r.raw(t, "GET /v2/a HTTP/1.1\r\nHost: a\r\n\r\n")
	upload := r.raw(t, "PUT /v2/b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
	<-g.inside
	<-g.inside
	r.stop()
	// Readiness says no where it can still be asked.
	for {
		status, body := get(t, "http://"+r.Metrics+"/readyz")
		if status == http.StatusServiceUnavailable {
			if !strings.Contains(body, `"server":"stopping"`) {
				t.Errorf("readiness says %s", body)
			}
			break
		}
	}
	for { // nothing new is accepted
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	close(g.open)
	if _, err := io.WriteString(upload, "cd"); err != nil {
		t.Fatal(err)
	}
	if _, body := readAnswer(t, upload); body != "4 bytes, <nil>" {
		t.Errorf("the upload was answered %q", body)
	}
	if _, body := readAnswer(t, request); body != "0 bytes, <nil>" {
		t.Errorf("the request was answered %q", body)
	}
	if err := r.wait(t); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestDrainCutsRequestsAndSparesUploads(t *testing.T) {
	t.Parallel()
	g := newGate()
	cfg := testConfig(t)
	cfg.Drain.Requests = 50 * time.Millisecond
	r := start(t, cfg, Handlers{Registry: g}, nil)
	request := r.raw(t, "GET /v2/a HTTP/1.1\r\nHost: a\r\n\r\n")
	upload := r.raw(t, "PUT /v2/b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
	<-g.inside
	<-g.inside
	r.stop()
	if text, err := io.ReadAll(request); err == nil && len(text) > 0 {
		t.Errorf("the request was answered %q", text)
	}
	close(g.open)
	if _, err := io.WriteString(upload, "cd"); err != nil {
		t.Fatal(err)
	}
	if _, body := readAnswer(t, upload); body != "4 bytes, <nil>" {
		t.Errorf("the upload was answered %q", body)
	}
	if err := r.wait(t); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestDrainEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*config.Config)
		hurry  bool
		says   string
	}{
		{"by its limit", func(c *config.Config) { c.Drain.Requests, c.Drain.Uploads = 20*time.Millisecond, 50*time.Millisecond }, false, "uploads were cut"},
		{"by a second signal", func(*config.Config) {}, true, "told twice"},
		{"by a second signal while readiness says no", func(c *config.Config) { c.Drain.Delay = time.Hour }, true, "no new requests"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGate()
			cfg := testConfig(t)
			tt.change(cfg)
			r := start(t, cfg, Handlers{Registry: g}, nil)
			r.raw(t, "PUT /v2/b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
			<-g.inside
			r.stop()
			if tt.hurry {
				close(r.hurry)
			}
			if err := r.wait(t); err != nil {
				t.Errorf("ended with %v", err)
			}
			if !strings.Contains(r.log.String(), tt.says) {
				t.Errorf("the log does not say %q:\n%s", tt.says, r.log)
			}
		})
	}
}

func TestRequestsAreLoggedAndCounted(t *testing.T) {
	t.Parallel()
	r := start(t, testConfig(t), Handlers{Registry: echo("registry")}, nil)
	for range 3 {
		get(t, "http://"+r.addr+"/v2/")
	}
	c := r.raw(t, "BREW /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if _, err := io.ReadAll(c); err != nil {
		t.Fatal(err)
	}
	_, text := get(t, "http://"+r.Metrics+"/metrics")
	for _, line := range []string{
		`packhouse_http_requests_total{method="GET",route="GET /registry",status="200"} 3`,
		`packhouse_http_requests_total{method="other",route="BREW /registry",status="200"} 1`,
		`packhouse_http_request_duration_seconds_count{method="GET",route="GET /registry"} 3`,
		`packhouse_http_response_bytes_total{method="GET",route="GET /registry"} 57`,
		`packhouse_http_requests_in_flight 0`,
		`packhouse_build_info{version="test"} 1`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics does not hold %s", line)
		}
	}
	r.stop()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	records := 0
	for line := range strings.SplitSeq(strings.TrimSpace(r.log.String()), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if m["msg"] == "request" {
			records++
		}
	}
	if records != 4 {
		t.Errorf("%d records, want 4", records)
	}
}
