package httpx_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"packhouse/internal/httpx"
)

// deadlines is a connection that only notes what is asked of it.
type deadlines struct {
	http.ResponseWriter
	last time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.last = t; return nil }

// link is a network of a given speed on a simulated clock.
type link struct {
	now   time.Time
	piece int           // bytes that arrive together
	every time.Duration // time between two pieces
	left  int64
	here  int // arrived and not read
	conn  *deadlines
}

func (l *link) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	if l.here == 0 {
		next := l.now.Add(l.every)
		if next.After(l.conn.last) {
			l.now = l.conn.last
			return 0, os.ErrDeadlineExceeded
		}
		l.now, l.here = next, min(l.piece, int(l.left))
	}
	n := min(len(p), l.here)
	l.here -= n
	l.left -= int64(n)
	return n, nil
}

func (l *link) Close() error { return nil }

// TestSlowBodies replays hours of slow links: drips are cut, slow links are not.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	limits := httpx.BodyLimits{Idle: 30 * time.Second, MinRate: 16 << 10, Grace: time.Minute, MaxTime: 24 * time.Hour}
	tests := []struct {
		name  string
		piece int
		every time.Duration
		size  int64
		cutAt time.Duration // 0: passes
	}{
		{"1 B/s drip", 1, time.Second, 1 << 20, 61 * time.Second},
		{"1 B in 25 s", 1, 25 * time.Second, 1 << 20, 75 * time.Second},
		{"silence", 1, time.Hour, 10, 30 * time.Second},
		{"just under the rate", 16<<10 - 1, time.Second, 1 << 30, 61 * time.Second},
		{"just over the rate", 16<<10 + 1, time.Second, 100 << 20, 0},
		{"50 KiB/s for a layer", 50 << 10, time.Second, 100 << 20, 0},
		{"1 MiB in bursts of 29 s", 1 << 20, 29 * time.Second, 200 << 20, 0},
		{"10 GiB at 1 MiB/s", 1 << 16, time.Second / 16, 10 << 30, 0},
		{"longer than a day", 1 << 16, time.Second, 10 << 30, 24*time.Hour + time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := &deadlines{}
			start := time.Unix(1e9, 0)
			l := &link{now: start, piece: tt.piece, every: tt.every, left: tt.size, conn: conn}
			n, err := io.Copy(struct{ io.Writer }{io.Discard}, httpx.NewTestBody(conn, l, &limits, func() time.Time { return l.now }))
			took := l.now.Sub(start)
			if tt.cutAt == 0 {
				if err != nil || n != tt.size {
					t.Errorf("cut after %s and %d bytes: %v", took, n, err)
				}
				if !conn.last.IsZero() {
					t.Error("a deadline is left behind, which would end the handler")
				}
				return
			}
			if err == nil || took != tt.cutAt {
				t.Errorf("ended after %s with %v, want a cut at %s", took, err, tt.cutAt)
			}
		})
	}
}

func TestSilentUploadIsCut(t *testing.T) {
	t.Parallel()
	s := serve(t, httpx.Handle(readAll, plainText), func(o *httpx.Options, _ *httpx.ListenerOptions) { o.Body.Idle = 50 * time.Millisecond })
	c := s.send(t, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
	res, body := answer(t, bufio.NewReader(c))
	if res.StatusCode != 400 || !strings.Contains(body, "no byte of the request body arrived") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if e := s.event(t); e.BytesIn != 3 {
		t.Errorf("%d bytes in, want 3", e.BytesIn)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection stays open: %v", err)
	}
}

// A handler that answers without reading must not be held by what a client
// sends on, byte by byte.
func TestUnreadDripIsCut(t *testing.T) {
	t.Parallel()
	s := serve(t, httpx.Handle(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}, plainText), func(o *httpx.Options, _ *httpx.ListenerOptions) { o.Body.Idle = 50 * time.Millisecond })
	c := s.send(t, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				_, _ = c.Write([]byte("x")) // fails once the server has had enough
			}
		}
	}()
	if res, _ := answer(t, bufio.NewReader(c)); res.StatusCode != 401 {
		t.Errorf("status %d", res.StatusCode)
	}
}

// A client that asks first, with Expect, gets its refusal at once.
func TestExpectIsRefusedWithoutBody(t *testing.T) {
	t.Parallel()
	s := serve(t, httpx.Handle(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}, plainText), nil) // limits of a minute: the test would hang on a wait
	c := s.send(t, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
	if res, _ := answer(t, bufio.NewReader(c)); res.StatusCode != 401 {
		t.Errorf("status %d", res.StatusCode)
	}
}

// The deadline of the body must not end a handler that works on after it.
func TestWorkAfterTheBodyIsNotCut(t *testing.T) {
	t.Parallel()
	const idle = 30 * time.Millisecond
	s := serve(t, httpx.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return err
		}
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-time.After(3 * idle): // the work
			return nil
		}
	}, plainText), func(o *httpx.Options, _ *httpx.ListenerOptions) { o.Body.Idle = idle })
	c := s.send(t, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
	if res, body := answer(t, bufio.NewReader(c)); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestSlowReaderIsCut(t *testing.T) {
	t.Parallel()
	f := sparseFile(t, 1<<30)
	s := serve(t, fileHandler(f), func(_ *httpx.Options, o *httpx.ListenerOptions) { o.WriteIdle = 100 * time.Millisecond })
	s.send(t, "GET /blob HTTP/1.1\r\nHost: a\r\n\r\n")
	if e := s.event(t); e.Cut == nil || e.BytesOut >= 1<<30 {
		t.Errorf("%d bytes out, cut: %v", e.BytesOut, e.Cut)
	}
}

func TestWholeDownload(t *testing.T) {
	t.Parallel()
	f := sparseFile(t, 5<<20+17)
	s := serve(t, fileHandler(f), nil)
	for _, c := range []struct {
		header string
		status int
		size   int64
	}{{"", 200, 5<<20 + 17}, {"Range: bytes=1000000-2999999\r\n", 206, 2_000_000}} {
		conn := s.send(t, "GET /blob HTTP/1.1\r\nHost: a\r\n"+c.header+"\r\n")
		res, body := answer(t, bufio.NewReader(conn))
		if res.StatusCode != c.status || int64(len(body)) != c.size {
			t.Errorf("%q: %d, %d bytes", c.header, res.StatusCode, len(body))
		}
		if e := s.event(t); e.BytesOut != c.size || e.Cut != nil {
			t.Errorf("%q: recorded %d bytes, cut %v", c.header, e.BytesOut, e.Cut)
		}
	}
}

// TestSendfile looks at the stack of a blocked download: it must wait in the
// kernel's copy, below Conn and the recorder.
func TestSendfile(t *testing.T) {
	t.Parallel()
	f := sparseFile(t, 1<<30)
	s := serve(t, fileHandler(f), nil)
	s.send(t, "GET /blob HTTP/1.1\r\nHost: a\r\n\r\n")
	buf := make([]byte, 1<<20)
	for t.Context().Err() == nil {
		for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(stack, "httpx.(*Conn).ReadFrom") && strings.Contains(stack, "internal/poll.SendFile") &&
				strings.Contains(stack, "httpx.(*recorder).ReadFrom") {
				return
			}
			if strings.Contains(stack, "httpx.(*Conn).ReadFrom") && strings.Contains(stack, "poll.(*FD).Write(") {
				t.Fatal("the file is copied through user space:\n" + stack)
			}
		}
		runtime.Gosched()
	}
	t.Fatal("no download was seen in sendfile")
}

func sparseFile(t *testing.T, size int64) *os.File {
	t.Helper()
	f, err := os.Create(t.TempDir() + "/blob")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return f
}

func fileHandler(f *os.File) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		own, err := os.Open(f.Name()) // an offset for each request
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer func() { _ = own.Close() }()
		http.ServeContent(w, r, "", time.Time{}, own)
	})
}

var _ net.Conn = (*httpx.Conn)(nil)
