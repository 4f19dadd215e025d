package fs_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	blobfs "packhouse/internal/blob/fs"
)

func TestLockIsForOne(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "blobs")
	for range 2 { // the file of the first round does not matter to the second
		first, err := blobfs.Lock(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := blobfs.Lock(dir); !errors.Is(err, blobfs.ErrLocked) {
			t.Errorf("a second lock: %v", err)
		}
		if _, err := blobfs.Open(dir, blobfs.Options{}); err != nil {
			t.Errorf("a locked directory cannot be opened: %v", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "lock"))
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 0 {
		t.Errorf("the file of the lock: %v, %v", info, err)
	}
}

func TestLockFollowsNoLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	if l, err := blobfs.Lock(dir); err == nil {
		t.Errorf("a link was locked, %v", l.Close())
	}
}
