package s3

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// guard sees to it that nobody reads the body of a request once its RoundTrip
// has returned. A transport may still do so, when the service answers before it
// has everything; by then the memory belongs to another upload, or the next try
// reads from the same place.
type guard struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return g.next.RoundTrip(r)
	}
	body := &guardedBody{body: r.Body, left: r.ContentLength}
	defer body.end()
	out := *r
	out.Body, out.GetBody = body, nil
	return g.next.RoundTrip(&out)
}

var errEnded = errors.New("the request is over")

type guardedBody struct {
	mu    sync.Mutex
	body  io.ReadCloser
	left  int64 // that many bytes were not read yet
	ended bool
}

// Read implements io.Reader. Who has read everything may ask for the end at any
// time; else the connection would count as broken.
func (b *guardedBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.left == 0:
		return 0, io.EOF
	case b.ended:
		return 0, errEnded
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	return n, err
}

// Close implements io.Closer.
func (b *guardedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.body.Close()
}

func (b *guardedBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}
