package crash

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// mounted returns a mounted volume that the test releases.
func mounted(t *testing.T, size int64, mkfs ...string) *volume {
	t.Helper()
	dir := t.TempDir()
	v, err := newVolume(filepath.Join(dir, "disk.img"), filepath.Join(dir, "disk"), "ext4", size, mkfs...)
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

// diskSize leaves room for what the workers push in a moment, and roomSize for
// what they push once there is room again.
const diskSize, roomSize = 192 << 20, 96 << 20

// large is the size of a blob that is a file, small of one that is a row.
const large, small = 1 << 20, 8 << 10

// TestFullDisk pushes until the disk is full (T-FULL).
func TestFullDisk(t *testing.T) {
	v := mounted(t, diskSize)
	f := newFaultTest(t, filepath.Join(v.dir, "data"))
	room, slack := filepath.Join(v.dir, "room"), filepath.Join(v.dir, "slack")
	for name, size := range map[string]int{room: roomSize, slack: 512 << 10} {
		if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.perform(0, func() error { return nil })
	f.pushImage("kept")
	f.pushImage("gone")
	for pushes := 0; ; pushes++ {
		a := f.push(f.blob(large))
		if a.status != http.StatusCreated {
			f.wantStatus(http.StatusInsufficientStorage, a)
			break
		}
		if pushes == diskSize/large {
			t.Fatal("the disk does not fill up")
		}
	}
	if err := os.Remove(slack); err != nil { // a deletion is a row, and needs a few blocks
		t.Fatal(err)
	}
	f.deleteTag("gone")
	f.want(http.StatusOK, get(manifestPath(sharedPkg, "kept")))
	f.inspect()

	if err := fill(filepath.Join(v.dir, "filler")); err != nil { // to the last block
		t.Fatal(err)
	}
	f.wantPush(http.StatusInsufficientStorage, f.blob(large))
	f.fillRows()
	f.want(http.StatusOK, get(manifestPath(sharedPkg, "kept")))
	f.inspect()

	if err := os.Remove(room); err != nil {
		t.Fatal(err)
	}
	f.recover(f.blob(large))
	f.pushImage("again")
	f.survived()
	begun := 0
	for _, w := range f.workers {
		begun += len(w.unfinished)
	}
	if left, err := os.ReadDir(filepath.Join(f.server.data, "blobs", "uploads")); err != nil || len(left) > begun {
		t.Errorf("there are %d files of uploads, and %d uploads (%v)", len(left), begun, err)
	}
}

// fillRows pushes what lies in the database until that cannot grow either.
func (f *faultTest) fillRows() {
	f.t.Helper()
	for range 2000 {
		a := f.push(f.blob(small))
		if a.status != http.StatusCreated {
			f.wantStatus(http.StatusInsufficientStorage, a)
			return
		}
	}
	f.t.Error("16 MiB of rows fit on a disk without a free block")
}

// TestNoInodes takes every inode. Blobs that are rows need none.
func TestNoInodes(t *testing.T) {
	v := mounted(t, diskSize, "-N", "3000")
	f := newFaultTest(t, filepath.Join(v.dir, "data"))
	f.perform(0, func() error { return nil })
	f.pushImage("kept")
	taken := filepath.Join(v.dir, "taken")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		file, err := os.Create(filepath.Join(taken, fmt.Sprint(i)))
		if err != nil {
			break
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f.wantPush(http.StatusInsufficientStorage, f.blob(large))
	f.wantPush(http.StatusCreated, f.blob(small))
	f.want(http.StatusOK, get(manifestPath(sharedPkg, "kept")))
	f.inspect()
	if err := os.RemoveAll(taken); err != nil {
		t.Fatal(err)
	}
	f.recover(f.blob(large))
	f.survived()
}
