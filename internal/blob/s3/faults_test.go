package s3_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"packhouse/internal/blob/s3"
)

// fault is what a proxy does to a request instead of passing it on.
type fault func(w http.ResponseWriter, r *http.Request, pass http.Handler)

// proxy stands between the store and the real service. It may do something to
// the requests that it is told to spoil.
type proxy struct {
	address string
	pass    http.Handler

	mu    sync.Mutex
	seen  int
	spoil func(n int, r *http.Request) fault // nil, or nil for a request: none
}

func newProxy(t *testing.T, endpoint string) *proxy {
	t.Helper()
	p := &proxy{pass: forward(endpoint)}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.address = strings.TrimPrefix(server.URL, "http://")
	return p
}

// forward sends requests on as they are: their signature covers the host.
func forward(endpoint string) http.Handler {
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true} // a connection that the service closes meanwhile is no fault of ours
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI = "http", endpoint, ""
		answer, err := transport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	})
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen++
	var f fault
	if p.spoil != nil {
		f = p.spoil(p.seen, r)
	}
	p.mu.Unlock()
	if f == nil {
		f = func(w http.ResponseWriter, r *http.Request, pass http.Handler) { pass.ServeHTTP(w, r) }
	}
	f(w, r, p.pass)
}

// set counts from anew and says what to spoil.
func (p *proxy) set(spoil func(n int, r *http.Request) fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.spoil = 0, spoil
}

func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// slowDown is how S3 asks for patience.
func slowDown(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>`)
}

func fails(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.WriteHeader(http.StatusInternalServerError)
}

// reset cuts the connection before anything is done.
func reset(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// lost does what was asked and cuts the connection instead of the answer.
func lost(_ http.ResponseWriter, r *http.Request, pass http.Handler) {
	pass.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// halved sends half of what it announces.
func halved(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	recorder := httptest.NewRecorder()
	pass.ServeHTTP(recorder, r)
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes()[:recorder.Body.Len()/2])
	panic(http.ErrAbortHandler)
}

// notFound is what a service answers that does not read its own writes.
func notFound(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.WriteHeader(http.StatusNotFound)
}

func notImplemented(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusNotImplemented)
	_, _ = io.WriteString(w, `<Error><Code>NotImplemented</Code><Message>no</Message></Error>`)
}

func through(p *proxy, c s3.Config) s3.Config {
	c.Endpoint = p.address
	return c
}
