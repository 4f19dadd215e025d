package s3_test

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/oci"
	"packhouse/internal/testkit"
)

// repeated gives one block over and over, until left bytes are given.
type repeated struct {
	block []byte
	left  int64
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.block[:min(int64(len(r.block)), r.left)])
	r.left -= int64(n)
	return n, nil
}

// peak returns the most memory that this process has held, in MiB.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	kib, err := strconv.Atoi(string(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}

// BenchmarkPush pushes blobs from eight workers at the same time and reports
// the memory of the process, whose server is another one.
func BenchmarkPush(b *testing.B) {
	for _, size := range []int64{1 << 20, 128 << 20} {
		b.Run(fmt.Sprint(size>>20, "MiB"), func(b *testing.B) {
			s := open(b, config(testkit.S3(b)))
			block := blobtest.Random(64 << 10)
			b.SetBytes(8 * size)
			for b.Loop() {
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						if err := pushStream(b, s, &repeated{block, size}); err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
			}
			b.ReportMetric(peak(b), "peak-MiB")
		})
	}
}

func pushStream(b *testing.B, s blob.Store, r io.Reader) error {
	w, err := s.Resume(b.Context(), blob.Staged{ID: blobtest.NewID()})
	if err != nil {
		return err
	}
	h := oci.SHA256.New()
	if _, err := blob.Receive(w, h, r); err != nil {
		return err
	}
	up, err := w.Close()
	if err != nil {
		return err
	}
	_, err = s.Publish(b.Context(), up, oci.SHA256.Sum(h))
	return err
}
