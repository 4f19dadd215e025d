package httpx

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// recorder stands between a handler and the server's ResponseWriter. It notes
// status and size, and passes io.ReaderFrom through, which the server turns
// into sendfile.
type recorder struct {
	http.ResponseWriter
	event   Event
	buffers *sync.Pool // of *[]byte, for writers without ReadFrom
	// stream is set on HTTP/2, where a slow reader is held up by the window of
	// its stream and the connection's own deadline cannot see it.
	stream *http.ResponseController
	idle   time.Duration
}

func recorderFrom(w http.ResponseWriter) *recorder {
	for w != nil {
		if rec, ok := w.(*recorder); ok {
			return rec
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
	return nil
}

// Unwrap lets http.ResponseController find the server's writer.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// started reports whether a status line is on its way.
func (rec *recorder) started() bool { return rec.event.Status != 0 }

func (rec *recorder) WriteHeader(status int) {
	if status >= 200 && !rec.started() {
		rec.event.Status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(p []byte) (int, error) {
	rec.implicitOK()
	rec.extend()
	n, err := rec.ResponseWriter.Write(p)
	rec.relax()
	return n, rec.note(int64(n), err)
}

// WriteString saves io.WriteString a copy.
func (rec *recorder) WriteString(s string) (int, error) {
	rec.implicitOK()
	rec.extend()
	n, err := io.WriteString(rec.ResponseWriter, s)
	rec.relax()
	return n, rec.note(int64(n), err)
}

// ReadFrom hands src to the server's own ReadFrom as it came: an *os.File, or
// one behind an io.LimitedReader, then goes out by sendfile.
func (rec *recorder) ReadFrom(src io.Reader) (int64, error) {
	if rf, ok := rec.ResponseWriter.(io.ReaderFrom); ok {
		rec.implicitOK()
		n, err := rf.ReadFrom(src)
		return n, rec.note(n, err)
	}
	buf := rec.buffers.Get().(*[]byte)
	defer rec.buffers.Put(buf)
	// Structs hide the methods that would lead io.CopyBuffer back here.
	return io.CopyBuffer(struct{ io.Writer }{rec}, struct{ io.Reader }{src}, *buf)
}

// Flush sends what is buffered.
func (rec *recorder) Flush() {
	rec.implicitOK()
	if f, ok := rec.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func (rec *recorder) implicitOK() {
	if !rec.started() {
		rec.event.Status = http.StatusOK
	}
}

func (rec *recorder) note(n int64, err error) error {
	rec.event.BytesOut += n
	if err != nil && rec.event.Cut == nil {
		rec.event.Cut = err
	}
	return err
}

// extend gives a stream time for one write. HTTP/1 needs none of this: Conn
// watches every write to the network.
func (rec *recorder) extend() {
	if rec.stream != nil {
		_ = rec.stream.SetWriteDeadline(time.Now().Add(rec.idle)) // an old stream refuses: the write will say so
	}
}

// relax takes the time limit back: on a stream it would also end a handler that
// is thinking.
func (rec *recorder) relax() {
	if rec.stream != nil {
		_ = rec.stream.SetWriteDeadline(time.Time{})
	}
}
