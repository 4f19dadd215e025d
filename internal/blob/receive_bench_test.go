package blob_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"packhouse/internal/blob"
)

// BenchmarkReceive moves bodies of several sizes from a pipe, as they come from
// a connection, to a file that is not synced.
func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{16 << 10, 256 << 10, 1 << 20, 64 << 20} {
		body := random(size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "f"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				r, w, err := os.Pipe()
				if err != nil {
					b.Fatal(err)
				}
				go func() {
					_, _ = w.Write(body)
					_ = w.Close()
				}()
				if n, err := blob.Receive(f, sha256.New(), r); n != int64(size) || err != nil {
					b.Fatal(n, err)
				}
				_ = r.Close()
			}
		})
	}
}
