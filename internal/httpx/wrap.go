package httpx

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"packhouse/internal/errs"
)

// Options are what Wrap needs.
type Options struct {
	// Log receives one record per request.
	Log *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// NewID returns a name for a request, of printable ASCII, never twice.
	NewID func() string
	// Proxies are believed about the client's address.
	Proxies Proxies
	// Body limits request bodies.
	Body BodyLimits
	// WriteIdle is how long an HTTP/2 stream may take no bytes; connections
	// have the same limit from their Listener.
	WriteIdle time.Duration
	// StrictTransport adds Strict-Transport-Security; set it when the public
	// address is https.
	StrictTransport bool
	// Observe is called with every finished event, before it is logged; nil:
	// nobody. It may set TraceID.
	Observe func(*http.Request, *Event)
}

// Wrap returns next behind everything that each request passes: the event and
// its record, the request id, refusal of what no transport should see, body
// limits, and an answer to panics.
func Wrap(next http.Handler, o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &wrapper{Options: o, next: next, buffers: &sync.Pool{New: func() any {
		b := make([]byte, 64<<10)
		return &b
	}}}
}

type wrapper struct {
	Options
	next    http.Handler
	buffers *sync.Pool
}

var strictTransport = []string{"max-age=31536000"}

// ServeHTTP serves one request.
func (s *wrapper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, buffers: s.buffers, idle: s.WriteIdle}
	rec.event = Event{ID: s.NewID(), Client: s.Proxies.ClientAddr(r), Method: r.Method, Start: s.Now()}
	if r.ProtoMajor == 2 {
		rec.stream = http.NewResponseController(w)
		defer rec.extend() // for what the server itself still has to send
	}
	h := w.Header()
	h["X-Request-Id"] = []string{rec.event.ID}
	if s.StrictTransport {
		h["Strict-Transport-Security"] = strictTransport
	}
	defer s.finish(rec, r)
	conn := connFrom(r.Context())
	if f := refuse(r, conn); f != nil {
		h["Connection"] = []string{"close"}
		rec.event.Err = f.asError()
		_ = http.NewResponseController(w).SetReadDeadline(s.Now().Add(s.Body.Idle)) // for a body nobody reads
		f.write(rec, r)
		return
	}
	if r.Body != http.NoBody && r.Body != nil {
		r = s.limitBody(rec, r, conn)
		if conn != nil {
			conn.uploads.Add(1)
			defer conn.uploads.Add(-1)
		}
	}
	s.next.ServeHTTP(rec, r)
}

// limitBody returns a copy of r: the server looks at the body of its own.
func (s *wrapper) limitBody(rec *recorder, r *http.Request, conn *Conn) *http.Request {
	if len(r.TransferEncoding) > 0 && r.TLS != nil && r.ProtoMajor == 1 {
		// Under TLS a Content-Length beside it could not be seen. Whatever
		// follows on this connection is therefore never read as a request.
		rec.Header()["Connection"] = []string{"close"}
	}
	limited := *r
	limited.Body = newBody(rec.ResponseWriter, r.Body, &s.Body, &rec.event, s.Now)
	return &limited
}

// finish answers a panic, then logs.
func (s *wrapper) finish(rec *recorder, r *http.Request) {
	cause := recover()
	abort := cause != nil
	if abort && cause != http.ErrAbortHandler { //nolint:errorlint // this very value, by its documentation
		rec.event.Err = errs.Wrap(errs.Internal, fmt.Errorf("panic: %v", cause), "")
		rec.event.Stack = string(debug.Stack())
		if abort = rec.started(); !abort {
			internalError(rec.event.ID).write(rec, r)
		}
	}
	if !rec.started() && !abort {
		rec.event.Status = http.StatusOK // what the server sends for a handler that says nothing
	}
	rec.event.Duration = s.Now().Sub(rec.event.Start)
	if s.Observe != nil {
		s.Observe(r, &rec.event)
	}
	rec.event.log(r.Context(), s.Log, r)
	if abort {
		panic(http.ErrAbortHandler) // the documented way to break off a response
	}
}

// NewIDs returns a source of request ids: eight random characters chosen now,
// so that two processes differ, and a count.
func NewIDs(random io.Reader) (func() string, error) {
	var seed [4]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, err
	}
	prefix := fmt.Sprintf("%x-", seed)
	var count atomic.Uint64
	return func() string { return prefix + strconv.FormatUint(count.Add(1), 36) }, nil
}
