//go:build !nofsync_file && !nofsync_dir

package fs

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// failSync lets every fsync of the disk fail from now on.
type failSync struct {
	*memory
	broken atomic.Bool
	synced atomic.Int64
}

func (d *failSync) Sync(f file) error {
	d.synced.Add(1)
	if d.broken.Load() {
		return syscall.EIO
	}
	return d.memory.Sync(f)
}

func TestAFailedFsyncClosesTheStoreUntilTheDiskWorks(t *testing.T) {
	t.Parallel()
	disk := &failSync{memory: newMemory()}
	clock := time.Unix(1e9, 0)
	st, err := open(disk, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	s := &sim{Store: st, disk: disk.memory, acked: map[blob.Location][]byte{}}
	other, err := s.write(blob.Staged{ID: s.newID()}, "written before")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.put(oci.SHA256, "published before"); err != nil {
		t.Fatal(err)
	}

	disk.broken.Store(true)
	failed, err := s.write(blob.Staged{ID: s.newID()}, "lost")
	if !errs.Is(err, errs.Unavailable) {
		t.Fatalf("the write whose fsync failed = %v, want unavailable", err)
	}
	before := disk.synced.Load()
	if _, err := s.Resume(context.Background(), failed); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a write to the closed store = %v, want unavailable", err)
	}
	if err := s.Probe(context.Background()); !errs.Is(err, errs.Unavailable) {
		t.Errorf("Probe of the broken disk = %v, want unavailable", err)
	}
	asked := disk.synced.Load()
	for range 50 {
		if _, err := s.write(blob.Staged{ID: s.newID()}, "x"); !errs.Is(err, errs.Unavailable) {
			t.Fatalf("a write to the closed store = %v, want unavailable", err)
		}
	}
	if n := disk.synced.Load(); n != asked {
		t.Errorf("50 refused writes within a second asked the disk %d times", n-asked)
	}
	if asked-before > 2 {
		t.Errorf("a refusal and a probe synced %d times", asked-before)
	}
	if err := s.check(); err != nil {
		t.Errorf("reading from the closed store: %v", err)
	}

	disk.broken.Store(false)
	clock = clock.Add(time.Second)
	if _, err := s.put(oci.SHA256, "after"); err != nil {
		t.Fatalf("the disk works, a push does not: %v", err)
	}
	if _, err := s.publish(other, oci.SHA256, []byte("written before")); err != nil {
		t.Errorf("publishing what was synced before the failure: %v", err)
	}
	if err := s.check(); err != nil {
		t.Error(err)
	}
}

func TestTheUploadWhoseFsyncFailedIsGone(t *testing.T) {
	t.Parallel()
	s := newSim(t, newMemory())
	s.disk.steps, s.disk.fault = 0, fault{at: 4, err: syscall.EIO} // open, fstat, write, sync
	up := blob.Staged{ID: s.newID()}
	if _, err := s.write(up, "lost"); !errs.Is(err, errs.Unavailable) {
		t.Fatalf("error = %v, want unavailable", err)
	}
	if err := s.Probe(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, op := range s.disk.log[len(s.disk.log)-8:] {
		if op == "sync uploads/"+up.ID {
			t.Error("the file whose fsync failed was synced again")
		}
	}
	if _, _, n, _ := s.disk.find("uploads/" + up.ID); n != nil {
		t.Error("the file whose fsync failed is still there")
	}
}

func TestAFullDiskDoesNotCloseTheStore(t *testing.T) {
	t.Parallel()
	s := newSim(t, newMemory())
	s.disk.steps, s.disk.fault = 0, fault{at: 4, err: syscall.ENOSPC}
	if _, err := s.put(oci.SHA256, "too much"); !errs.Is(err, errs.NoSpace) {
		t.Fatalf("error = %v, want no space", err)
	}
	if _, err := s.put(oci.SHA256, "fits"); err != nil { // the clock stands still: no probe
		t.Errorf("the next push = %v", err)
	}
}

// TestPublishersShareAnFsync holds an fsync up while others come.
func TestPublishersShareAnFsync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newSharedSync()
		hold := make(chan struct{})
		var runs atomic.Int64
		var wg sync.WaitGroup
		wg.Go(func() { _ = g.do(func() error { <-hold; return nil }) })
		synctest.Wait()
		for range 5 {
			wg.Go(func() {
				if err := g.do(func() error { runs.Add(1); return syscall.EIO }); err != syscall.EIO {
					t.Errorf("a waiter got %v, want the error of the fsync that served it", err)
				}
			})
		}
		synctest.Wait()
		if n := runs.Load(); n != 0 {
			t.Errorf("%d fsyncs ran beside another", n)
		}
		close(hold)
		wg.Wait()
		if n := runs.Load(); n != 1 {
			t.Errorf("five waiters took %d fsyncs, want 1", n)
		}
	})
}

// TestManyPublishersInOneShard checks under a power cut that no publisher was
// served by an fsync that began before its rename.
func TestManyPublishersInOneShard(t *testing.T) {
	t.Parallel()
	s := newSim(t, newMemory())
	d := oci.SHA256.FromBytes([]byte("the same"))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 16 {
		up, err := s.write(blob.Staged{ID: s.newID()}, "the same")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			loc, err := s.Publish(context.Background(), up, d)
			if err != nil {
				t.Errorf("Publish: %v", err)
				return
			}
			cut := s.disk.cutPower() // as soon as it is acknowledged
			_, _, n, _ := cut.find(string(loc))
			if n == nil || string(n.data) != "the same" {
				t.Error("a power cut after Publish takes the blob")
			}
			mu.Lock()
			defer mu.Unlock()
			s.acked[loc] = []byte("the same")
		})
	}
	wg.Wait()
	if n := strings.Count(strings.Join(s.disk.log, "\n"), "syncdir "+shardOf(d)); n == 0 {
		t.Error("the shard was never synced")
	}
	if err := s.check(); err != nil {
		t.Error(err)
	}
}

func TestAWriterHeldUpByASlowDiskLosesNothing(t *testing.T) {
	t.Parallel()
	s := newSim(t, newMemory())
	if _, err := s.put(oci.SHA256, strings.Repeat(long, 50)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(strings.Join(s.disk.log, "\n"), "\nsync uploads/0"); n < 20 {
		t.Errorf("20,000 bytes were synced %d times behind the writer, want about 200", n)
	}
	s.disk = s.disk.cutPower()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if err := s.check(); err != nil {
		t.Error(err)
	}
}
