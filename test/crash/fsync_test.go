package crash

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// thin returns a mounted thin volume that the test releases.
func thin(t *testing.T, mountpoint string) *thinVolume {
	t.Helper()
	v, err := newThinVolume(t.TempDir(), mountpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.release(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// TestFsyncFailsForBlobs lets fsync fail below the blobs (T-FSYNC). What is a
// row goes on.
func TestFsyncFailsForBlobs(t *testing.T) {
	data := t.TempDir()
	v := thin(t, filepath.Join(data, "blobs"))
	f := newFaultTest(t, data)
	f.perform(0, v.breakDown)
	f.pushUntilUnwritten(large)
	f.pushImage("rows")
	f.inspect()
	if err := v.repair(); err != nil {
		t.Fatal(err)
	}
	f.recover(f.blob(large))
	f.survived()
}

// TestFsyncFailsForRows lets fsync fail below everything. The log of the
// database grows until it meets a block that the disk does not have.
func TestFsyncFailsForRows(t *testing.T) {
	mountpoint := filepath.Join(t.TempDir(), "disk")
	v := thin(t, mountpoint)
	f := newFaultTest(t, filepath.Join(mountpoint, "data"))
	f.perform(0, v.breakDown)
	f.pushUntilUnwritten(small)
	f.inspect()
	if err := v.repair(); err != nil {
		t.Fatal(err)
	}
	f.recover(f.blob(small))
	f.recover(f.blob(large))
	f.survived()
}

// pushUntilUnwritten pushes until the blocks that the disk has seen before are
// used up. Such a disk is full, or broken; either answer is right.
func (f *faultTest) pushUntilUnwritten(size int) {
	f.t.Helper()
	for pushed := 0; pushed < lowerSize; pushed += size {
		switch a := f.push(f.blob(size)); a.status {
		case http.StatusCreated:
		case http.StatusInsufficientStorage, http.StatusServiceUnavailable:
			f.wantClear(a)
			return
		default:
			f.t.Fatalf("answered %s, want 503 or 507", a)
		}
	}
	f.t.Fatal("a disk that takes no more blocks took more than it has")
}

// TestThinVolume breaks a disk without a registry: unless fsync fails there, the
// tests above test nothing.
func TestThinVolume(t *testing.T) {
	v := thin(t, filepath.Join(t.TempDir(), "disk"))
	if err := v.breakDown(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(v.dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(make([]byte, large)); err != nil {
		t.Fatalf("the page cache refuses: %v", err)
	}
	err = file.Sync()
	if err == nil {
		t.Fatal("fsync did not fail")
	}
	t.Log(err)
}
