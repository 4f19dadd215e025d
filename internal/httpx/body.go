package httpx

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"packhouse/internal/errs"
)

// BodyLimits say when the body of a request moves too slowly.
type BodyLimits struct {
	// Idle is how long no byte may arrive.
	Idle time.Duration
	// MinRate is the least average in bytes a second, once Grace has been
	// spent waiting for this body. Time that the server itself takes, writing
	// to a disk, does not count.
	MinRate int64
	Grace   time.Duration
	// MaxTime ends a body however fast it moves; 0: never.
	MaxTime time.Duration
}

// body reads a request's body within its limits. The errors of Read are errs
// errors of kind Invalid: whatever cuts a body short lies with the client or
// the network.
type body struct {
	src    io.ReadCloser
	limits *BodyLimits
	conn   *http.ResponseController
	event  *Event
	now    func() time.Time

	begin   time.Time
	renewed time.Time     // when the read deadline was set
	waited  time.Duration // spent inside Read
	err     error         // what every further Read returns
}

// newBody sets the first deadline at once, so that a body that the handler
// never reads cannot hold the connection either.
func newBody(w http.ResponseWriter, src io.ReadCloser, limits *BodyLimits, event *Event, now func() time.Time) *body {
	b := &body{src: src, limits: limits, conn: http.NewResponseController(w), event: event, now: now}
	b.begin = now()
	b.renew(b.begin)
	return b
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	start := b.now()
	b.renew(start)
	n, err := b.src.Read(p)
	end := b.now()
	b.waited += end.Sub(start)
	b.event.BytesIn += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		// What follows is our own work; the deadline would end it.
		_ = b.conn.SetReadDeadline(time.Time{})
		b.err = io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.cut(errs.Wrap(errs.Invalid, err, "no byte of the request body arrived for %s", b.limits.Idle))
	case err != nil:
		b.cut(errs.Wrap(errs.Invalid, err, "the request body ended before it was whole"))
	case b.tooSlow():
		b.cut(errs.New(errs.Invalid, "the request body arrives more slowly than %d bytes a second", b.limits.MinRate))
	case b.limits.MaxTime > 0 && end.Sub(b.begin) > b.limits.MaxTime:
		b.cut(errs.New(errs.Invalid, "the request body took longer than %s", b.limits.MaxTime))
	}
	return n, b.err
}

// Close closes the body.
func (b *body) Close() error { return b.src.Close() }

func (b *body) renew(now time.Time) {
	if now.Sub(b.renewed) > b.limits.Idle/16 {
		_ = b.conn.SetReadDeadline(now.Add(b.limits.Idle)) // on a dead connection Read says so
		b.renewed = now
	}
}

func (b *body) tooSlow() bool {
	return b.waited > b.limits.Grace &&
		float64(b.event.BytesIn) < float64(b.limits.MinRate)*b.waited.Seconds()
}

// cut makes err final. The past deadline keeps the server from waiting for the
// rest before it answers.
func (b *body) cut(err *errs.Error) {
	b.err = err
	_ = b.conn.SetReadDeadline(b.begin)
}

// ReadBody reads a whole body of up to limit bytes. A longer one is TooLarge,
// refused before it is read when its length is announced.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	tooLarge := errs.New(errs.TooLarge, "the request body is larger than %d bytes", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	size := min(r.ContentLength, 64<<10) // an announcement alone reserves no more
	if size < 0 {
		size = 4096
	}
	buf := make([]byte, 0, size+1) // one more, to meet the end without growing
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Body.Read(buf[len(buf):min(int64(cap(buf)), limit+1)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, tooLarge
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}
