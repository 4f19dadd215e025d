package httpx_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/internal/httpx"
)

// server is a real HTTP server behind Wrap, on a port of its own.
type server struct {
	addr     string
	listener *httpx.Listener
	log      *logBuffer
	done     chan httpx.Event
}

type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var testBody = httpx.BodyLimits{Idle: time.Minute, Grace: time.Minute, MinRate: 1}

func serve(t *testing.T, h http.Handler, change func(*httpx.Options, *httpx.ListenerOptions)) *server {
	t.Helper()
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: tcp.Addr().String(), log: &logBuffer{}, done: make(chan httpx.Event, 100)}
	newID, err := httpx.NewIDs(strings.NewReader("abcd"))
	if err != nil {
		t.Fatal(err)
	}
	o := httpx.Options{
		Log: slog.New(slog.NewJSONHandler(s.log, nil)), NewID: newID, Body: testBody, WriteIdle: time.Minute,
		Observe: func(_ *http.Request, e *httpx.Event) { s.done <- *e },
	}
	lo := httpx.ListenerOptions{WriteIdle: time.Minute, Places: make(chan struct{}, 10), Plain: true}
	if change != nil {
		change(&o, &lo)
	}
	s.listener = httpx.NewListener(tcp, lo)
	srv := &http.Server{
		Handler: httpx.Wrap(h, o), ConnContext: httpx.ConnContext, ReadHeaderTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(s.listener) // ErrServerClosed
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-served
	})
	return s
}

// send opens a connection and writes raw text to it.
func (s *server) send(t *testing.T, raw string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	return c
}

// answer reads one response, body and all.
func answer(t *testing.T, r *bufio.Reader) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("half an answer: %v", err)
	}
	return res, string(body)
}

// event waits for the next finished request.
func (s *server) event(t *testing.T) httpx.Event {
	t.Helper()
	select {
	case e := <-s.done:
		return e
	case <-t.Context().Done():
		t.Fatal("the request never ended")
		return httpx.Event{}
	}
}

// readAll is a handler that takes the whole body and says how long it was.
func readAll(w http.ResponseWriter, r *http.Request) error {
	n, err := io.Copy(io.Discard, r.Body)
	if err == nil {
		_, err = fmt.Fprintf(w, "%d bytes", n)
	}
	return err
}

func plainText(w http.ResponseWriter, _ *http.Request, err error) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, err.Error())
}

func TestListenerBoundsConnections(t *testing.T) {
	t.Parallel()
	s := serve(t, httpx.Handle(readAll, plainText), func(_ *httpx.Options, o *httpx.ListenerOptions) { o.Places = make(chan struct{}, 1) })
	first := s.send(t, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
	answer(t, bufio.NewReader(first))
	s.event(t)
	second := s.send(t, "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
	select {
	case e := <-s.done:
		t.Fatalf("a second connection was served beside the first: %+v", e)
	default:
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if res, _ := answer(t, bufio.NewReader(second)); res.StatusCode != 200 {
		t.Errorf("the waiting connection got %d", res.StatusCode)
	}
}

func TestDropSparesUploads(t *testing.T) {
	t.Parallel()
	began := make(chan struct{}, 2)
	s := serve(t, httpx.Handle(func(w http.ResponseWriter, r *http.Request) error {
		began <- struct{}{}
		if r.Method == http.MethodGet {
			<-r.Context().Done()
			return context.Cause(r.Context())
		}
		return readAll(w, r)
	}, plainText), nil)
	s.send(t, "GET /forever HTTP/1.1\r\nHost: a\r\n\r\n")
	upload := s.send(t, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
	<-began
	<-began
	if n := s.listener.DropWithoutUpload(); n != 1 {
		t.Errorf("%d connections were dropped, want 1", n)
	}
	if e := s.event(t); e.Method != http.MethodGet {
		t.Errorf("%s was dropped", e.Method)
	}
	if _, err := io.WriteString(upload, "cd"); err != nil {
		t.Fatal(err)
	}
	if _, body := answer(t, bufio.NewReader(upload)); body != "4 bytes" {
		t.Errorf("the upload was answered %q", body)
	}
}
