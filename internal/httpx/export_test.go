package httpx

import (
	"io"
	"net/http"
	"time"
)

// NewTestBody returns a body on a simulated clock.
func NewTestBody(w http.ResponseWriter, src io.ReadCloser, limits *BodyLimits, now func() time.Time) io.Reader {
	return newBody(w, src, limits, &Event{}, now)
}

// Clean is clean.
var Clean = clean

// FeedFraming reports whether a connection that reads stream, cut into pieces
// of the given size, is found ambiguous.
func FeedFraming(stream string, piece int) bool {
	f := &framing{}
	odd := false
	for len(stream) > 0 {
		n := min(piece, len(stream))
		odd = f.feed([]byte(stream[:n]))
		stream = stream[n:]
	}
	return odd
}
