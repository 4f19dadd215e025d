package blob_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"packhouse/internal/blob"
)

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

func TestReceiveCopiesAndHashesTheSameBytes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 4096, 256<<10 - 1, 256 << 10, 256<<10 + 1, 512 << 10, 1 << 20, 5<<20 + 7} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole":  func(r io.Reader) io.Reader { return r },
			"halves": iotest.HalfReader,
			"early":  iotest.DataErrReader,
		} {
			t.Run(fmt.Sprint(n, name), func(t *testing.T) {
				t.Parallel()
				want := random(n)
				var got bytes.Buffer
				h := sha256.New()
				total, err := blob.Receive(&got, h, wrap(bytes.NewReader(want)))
				if err != nil || total != int64(n) {
					t.Fatalf("Receive = %d, %v; want %d and no error", total, err, n)
				}
				if !bytes.Equal(got.Bytes(), want) {
					t.Error("the writer got other bytes")
				}
				if sum := sha256.Sum256(want); !bytes.Equal(h.Sum(nil), sum[:]) {
					t.Error("the hash got other bytes")
				}
			})
		}
	}
}

func TestReceiveKeepsWhatCameBeforeAReadError(t *testing.T) {
	t.Parallel()
	cut := errors.New("connection reset")
	for _, n := range []int{0, 1, 256 << 10, 3<<20 + 5} {
		want := random(n)
		var got bytes.Buffer
		h := sha256.New()
		total, err := blob.Receive(&got, h, io.MultiReader(bytes.NewReader(want), iotest.ErrReader(cut)))
		var readErr *blob.ReadError
		if !errors.As(err, &readErr) || !errors.Is(err, cut) {
			t.Errorf("%d bytes: error = %v, want a ReadError of the cut", n, err)
		}
		if total != int64(n) || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d bytes: the writer got %d", n, total)
		}
		if sum := sha256.Sum256(want); !bytes.Equal(h.Sum(nil), sum[:]) {
			t.Errorf("%d bytes: the hash is not that of the bytes written", n)
		}
	}
}

func TestReceiveTellsACutBodyFromItsEnd(t *testing.T) {
	t.Parallel()
	_, err := blob.Receive(io.Discard, sha256.New(), iotest.ErrReader(io.ErrUnexpectedEOF))
	var readErr *blob.ReadError
	if !errors.As(err, &readErr) {
		t.Errorf("error = %v, want a ReadError", err)
	}
}

// full takes its capacity and then fails.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) <= f.left {
		f.left -= len(p)
		return len(p), nil
	}
	n := f.left
	f.left = 0
	return n, errFull
}

var errFull = errors.New("full")

func TestReceiveReturnsTheWritersErrorBare(t *testing.T) {
	t.Parallel()
	for _, room := range []int{0, 100, 256 << 10, 2<<20 + 9} {
		total, err := blob.Receive(&full{left: room}, sha256.New(), bytes.NewReader(random(4<<20)))
		var readErr *blob.ReadError
		if !errors.Is(err, errFull) || errors.As(err, &readErr) {
			t.Errorf("room for %d: error = %v, want the writer's own", room, err)
		}
		if total != int64(room) {
			t.Errorf("room for %d: %d bytes reported", room, total)
		}
	}
}

func TestReceiveStartsNoGoroutineForASmallBody(t *testing.T) {
	before := runtime.NumGoroutine()
	r := &watcher{Reader: strings.NewReader(strings.Repeat("x", 100_000))}
	if _, err := blob.Receive(r, sha256.New(), r); err != nil {
		t.Fatal(err)
	}
	if r.seen > before {
		t.Errorf("%d goroutines during the copy, %d before", r.seen, before)
	}
}

// watcher counts goroutines at each write.
type watcher struct {
	io.Reader
	seen int
}

func (w *watcher) Write(p []byte) (int, error) {
	w.seen = max(w.seen, runtime.NumGoroutine())
	return len(p), nil
}

// blockedReader gives zeros until it is told to end.
type blockedReader struct {
	left    int
	started chan<- struct{}
	gate    <-chan struct{}
}

func (b *blockedReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		b.started <- struct{}{}
		<-b.gate
		return 0, io.EOF
	}
	n := min(len(p), b.left)
	b.left -= n
	return n, nil
}

func TestReceiveAmongMany(t *testing.T) {
	t.Parallel()
	others := 2*runtime.GOMAXPROCS(0) + 1
	started, gate, done := make(chan struct{}), make(chan struct{}), make(chan error)
	for range others {
		go func() {
			n, err := blob.Receive(io.Discard, sha256.New(), &blockedReader{left: 3 << 20, started: started, gate: gate})
			if err == nil && n != 3<<20 {
				err = fmt.Errorf("received %d bytes", n)
			}
			done <- err
		}()
	}
	for range others {
		<-started
	}
	want := random(5<<20 + 7)
	var got bytes.Buffer
	h := sha256.New()
	n, err := blob.Receive(&got, h, bytes.NewReader(want))
	if sum := sha256.Sum256(want); err != nil || n != int64(len(want)) || !bytes.Equal(got.Bytes(), want) || !bytes.Equal(h.Sum(nil), sum[:]) {
		t.Errorf("received %d bytes, %v", n, err)
	}
	close(gate)
	for range others {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
