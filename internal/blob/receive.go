package blob

import (
	"errors"
	"hash"
	"io"
	"runtime"
	"sync"
)

// Four buffers of 256 KiB keep the hash busy while the next bytes arrive and
// the last ones are written; BenchmarkReceive compares other sizes.
const (
	receiveBuffer  = 256 << 10
	receiveBuffers = 4
)

// buffers lets the uploads of the whole process share what is not in use.
var buffers = sync.Pool{New: func() any { return new([receiveBuffer]byte) }}

// hashers lets as many uploads hash beside their writing as there are
// processors. Where those are busy anyway a second goroutine only costs: the
// others hash in their own, one buffer at a time.
var hashers = make(chan struct{}, runtime.GOMAXPROCS(0))

// ReadError is a failure of the side that sends: the client went away, or its
// body broke a limit. Every other error of Receive is the writer's.
type ReadError struct{ Err error }

// Error returns the text of the cause.
func (e *ReadError) Error() string { return "read: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// Receive copies r to w and h until r ends and returns how many bytes w took.
// It hashes beside the write, in a goroutine that has ended when Receive
// returns; a body shorter than 256 KiB needs none, nor one among many. It holds
// at most 1 MiB, and a slow sender 256 KiB.
//
// After a nil error or a *ReadError, h and w have seen the same bytes. After
// any other error h may be ahead of w.
func Receive(w io.Writer, h hash.Hash, r io.Reader) (int64, error) {
	first := buffers.Get().(*[receiveBuffer]byte)
	n, err := fill(r, first[:])
	if err == nil {
		select {
		case hashers <- struct{}{}:
			defer func() { <-hashers }()
			return receiveLong(w, h, r, first)
		default:
		}
	}
	defer buffers.Put(first)
	return receiveAlone(w, h, r, first[:], n, err)
}

// receiveAlone goes on after the first n bytes and the error that came with
// them, in this goroutine and with this buffer.
func receiveAlone(w io.Writer, h hash.Hash, r io.Reader, buffer []byte, n int, err error) (int64, error) {
	var total int64
	for {
		if n > 0 {
			_, _ = h.Write(buffer[:n]) // a hash.Hash never returns an error
			written, writeErr := w.Write(buffer[:n])
			total += int64(written)
			if writeErr != nil {
				return total, writeErr
			}
		}
		if err != nil {
			return total, readError(err)
		}
		n, err = fill(r, buffer)
	}
}

// piece is a buffer and how much of it holds bytes.
type piece struct {
	buffer *[receiveBuffer]byte
	n      int
}

// receiveLong goes on after a first full buffer.
func receiveLong(w io.Writer, h hash.Hash, r io.Reader, first *[receiveBuffer]byte) (int64, error) {
	toHash := make(chan piece, receiveBuffers)
	free := make(chan *[receiveBuffer]byte, receiveBuffers)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p := range toHash {
			_, _ = h.Write(p.buffer[:p.n])
			free <- p.buffer
		}
	}()
	total, err := relay(w, r, piece{first, receiveBuffer}, toHash, free)
	close(toHash)
	<-done
	close(free)
	for b := range free {
		buffers.Put(b)
	}
	return total, err
}

// relay hands each piece to the hash and to w, and fills the next. Every buffer
// it got or took goes out through toHash, once for each time it was filled.
func relay(w io.Writer, r io.Reader, p piece, toHash chan<- piece, free <-chan *[receiveBuffer]byte) (int64, error) {
	var total int64
	var readErr error
	for taken := 1; ; {
		toHash <- p
		if p.n > 0 {
			n, err := w.Write(p.buffer[:p.n])
			total += int64(n)
			if err != nil {
				return total, err
			}
		}
		if readErr != nil {
			return total, readError(readErr)
		}
		select {
		case p.buffer = <-free:
		default:
			if taken < receiveBuffers {
				p.buffer = buffers.Get().(*[receiveBuffer]byte)
				taken++
			} else {
				p.buffer = <-free
			}
		}
		p.n, readErr = fill(r, p.buffer[:])
	}
}

// fill reads until b is full or r ends; it returns io.EOF or the error of r
// with what came before it.
func fill(r io.Reader, b []byte) (int, error) {
	for n := 0; ; {
		m, err := r.Read(b[n:])
		n += m
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

// readError makes the end of r no error, and any other error r's.
func readError(err error) error {
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return &ReadError{err}
}
