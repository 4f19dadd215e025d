package fs

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// counting counts what costs a disk most.
type counting struct {
	filesystem
	fileSyncs, dirSyncs atomic.Int64
}

func (c *counting) Sync(f file) error {
	c.fileSyncs.Add(1)
	return c.filesystem.Sync(f)
}

func (c *counting) SyncDir(name string) error {
	c.dirSyncs.Add(1)
	return c.filesystem.SyncDir(name)
}

// source gives left bytes as a connection would, without making them. Each
// number gives others.
type source struct {
	block  []byte
	number int64
	left   int64
}

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), int64(len(s.block)), s.left))
	copy(p, s.block[:n])
	copy(p[:n], fmt.Sprint(s.number))
	s.left -= int64(n)
	return n, nil
}

func newBlock() []byte {
	b := make([]byte, 64<<10)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// bareLoop is the floor: what any durable store has to do, and nothing else.
func bareLoop(dir, name string, r io.Reader, beside bool) error {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if beside {
		if _, err := blob.Receive(f, h, r); err != nil {
			return err
		}
	} else if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(h, f)}, r, make([]byte, 256<<10)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, fmt.Sprintf("%x", h.Sum(nil))+name)); err != nil {
		return err
	}
	return disk{dir}.SyncDir(".")
}

func storePush(s *Store, id string, r io.Reader) (blob.Location, error) {
	w, err := s.Resume(context.Background(), blob.Staged{ID: id})
	if err != nil {
		return "", err
	}
	h := oci.SHA256.New()
	if _, err := blob.Receive(w, h, r); err != nil {
		return "", err
	}
	up, err := w.Close()
	if err != nil {
		return "", err
	}
	return s.Publish(context.Background(), up, oci.SHA256.Sum(h))
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPush pushes blobs of size from workers at the same time.
func BenchmarkPush(b *testing.B) {
	for _, bench := range []struct {
		name    string
		size    int64
		workers int
	}{{"1GiB", 1 << 30, 1}, {"1MiB-8", 1 << 20, 8}, {"64KiB-8", 64 << 10, 8}} {
		for _, kind := range []string{"bare", "beside", "store"} {
			b.Run(bench.name+"/"+kind, func(b *testing.B) { benchmarkPush(b, kind, bench.size, bench.workers) })
		}
	}
}

func benchmarkPush(b *testing.B, kind string, size int64, workers int) {
	dir := b.TempDir()
	root, err := openDisk(dir)
	if err != nil {
		b.Fatal(err)
	}
	c := &counting{filesystem: root}
	s, err := open(c, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	block := newBlock()
	var next atomic.Int64
	push := func(i int64) error {
		r := &source{block: block, number: i, left: size}
		if kind == "store" {
			loc, err := storePush(s, fmt.Sprintf("00000000-0000-4000-8000-%012x", i), r)
			if err == nil && workers == 1 {
				err = s.Remove(context.Background(), loc)
			}
			return err
		}
		return bareLoop(dir, fmt.Sprint(i), r, kind == "beside")
	}
	c.fileSyncs.Store(0)
	c.dirSyncs.Store(0)
	b.SetBytes(size)
	start := cpu()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := push(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpu()-start).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(c.fileSyncs.Load())/float64(b.N), "fsync/op")
	b.ReportMetric(float64(c.dirSyncs.Load())/float64(b.N), "dirsync/op")
}
