package s3

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
)

// early answers when it has read some of the body, and keeps the body.
type early struct {
	read int64
	kept io.Reader
}

func (e *early) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.CopyN(io.Discard, r.Body, e.read)
	e.kept = r.Body
	return &http.Response{Body: http.NoBody}, err
}

func TestABodyIsNotReadOnceItsRequestIsOver(t *testing.T) {
	t.Parallel()
	for read, want := range map[int64]error{10: errEnded, 100: io.EOF} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://service", bytes.NewReader(make([]byte, 100)))
		if err != nil {
			t.Fatal(err)
		}
		transport := &early{read: read}
		answer, err := guard{transport}.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if n, err := transport.kept.Read(make([]byte, 10)); n != 0 || !errors.Is(err, want) {
			t.Errorf("a Read after the answer, with %d of 100 bytes read = %d, %v; want %v", read, n, err, want)
		}
	}
}
