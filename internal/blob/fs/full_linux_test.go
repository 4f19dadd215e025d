//go:build !nofsync_file && !nofsync_dir

package fs_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	blobfs "packhouse/internal/blob/fs"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// insideVar tells the test that it may mount: it runs in a mount namespace of
// its own, which takes every mount with it when it ends.
const insideVar = "PACKHOUSE_TEST_MAY_MOUNT"

// TestFullDisk runs the tests below in a namespace where they can mount small
// file systems, also without being root.
func TestFullDisk(t *testing.T) {
	if os.Getenv(insideVar) != "" {
		t.Run("blocks", testNoBlocks)
		t.Run("inodes", testNoInodes)
		t.Run("descriptors", testNoDescriptors)
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), insideVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "--- PASS"); n != 4 {
		t.Errorf("%d of 4 tests ran:\n%s", n, out)
	}
}

func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("tmpfs", dir, "tmpfs", 0, options),
	); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// push is a push as a server does it: what fails is discarded.
func push(t *testing.T, s *blobfs.Store, content []byte) (blob.Location, error) {
	t.Helper()
	up := blob.Staged{ID: blobtest.NewID()}
	w, err := s.Resume(t.Context(), up)
	if err != nil {
		return "", err
	}
	_, err = w.Write(content)
	up, closeErr := w.Close()
	if err = errors.Join(err, closeErr); err != nil {
		return "", errors.Join(err, s.Discard(t.Context(), up))
	}
	return s.Publish(t.Context(), up, oci.SHA256.FromBytes(content))
}

func wantFull(t *testing.T, dir string, err error) {
	t.Helper()
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind != errs.NoSpace {
		t.Fatalf("error = %v, want no space", err)
	}
	if strings.Contains(e.Public, dir) {
		t.Errorf("the public text %q names a path", e.Public)
	}
}

func testNoBlocks(t *testing.T) {
	dir := mount(t, "size=8m")
	s := open(t, dir)
	kept := blobtest.Random(3 << 20)
	loc := blobtest.Put(t, s, kept)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	staged := blobtest.Append(t, s, blob.Staged{ID: blobtest.NewID()}, []byte("begun before"))
	fillUp(t, filler)

	_, err := push(t, s, blobtest.Random(1<<20))
	wantFull(t, dir, err)
	wantFull(t, dir, s.Probe(t.Context()))
	blobtest.Check(t, s, loc, kept) // reading goes on
	if err := s.Discard(t.Context(), blob.Staged{ID: blobtest.NewID()}); err != nil {
		t.Errorf("Discard on a full disk: %v", err)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := s.Probe(t.Context()); err != nil {
		t.Errorf("Probe once there is room: %v", err)
	}
	more := blobtest.Random(1 << 20)
	loc, err = push(t, s, more)
	if err != nil {
		t.Fatalf("push once there is room: %v", err)
	}
	blobtest.Check(t, s, loc, more)
	staged = blobtest.Append(t, s, staged, []byte(" and ended after"))
	whole := []byte("begun before and ended after")
	blobtest.Check(t, s, blobtest.Publish(t, s, staged, whole), whole)
	if left, _ := os.ReadDir(filepath.Join(dir, "uploads")); len(left) != 0 {
		t.Errorf("the full disk left %v in uploads", left)
	}
}

func fillUp(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func testNoInodes(t *testing.T) {
	dir := mount(t, "size=8m,nr_inodes=600")
	s := open(t, dir)
	for i := 0; ; i++ {
		f, err := os.Create(filepath.Join(dir, "trash", fmt.Sprint(i)))
		if err != nil {
			break
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := push(t, s, []byte("one more file"))
	wantFull(t, dir, err)
	wantFull(t, dir, s.Probe(t.Context()))
	if err := os.Remove(filepath.Join(dir, "trash", "0")); err != nil {
		t.Fatal(err)
	}
	loc, err := push(t, s, []byte("one more file"))
	if err != nil {
		t.Fatalf("push once there is an inode: %v", err)
	}
	blobtest.Check(t, s, loc, []byte("one more file"))
}

func testNoDescriptors(t *testing.T) {
	s := open(t, t.TempDir())
	loc := blobtest.Put(t, s, []byte("hello"))
	var taken []io.Closer
	for {
		f, err := os.Open("/dev/null")
		if err != nil {
			break
		}
		taken = append(taken, f)
		if len(taken) == 64 { // no need to take a million
			var limit syscall.Rlimit
			if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
				t.Fatal(err)
			}
			limit.Cur = 64
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err := push(t, s, []byte("x"))
	if !errs.Is(err, errs.Unavailable) {
		t.Errorf("push = %v, want unavailable", err)
	}
	if _, err := s.Open(t.Context(), loc, 5); !errs.Is(err, errs.Unavailable) {
		t.Errorf("Open = %v, want unavailable", err)
	}
	for _, f := range taken {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := push(t, s, []byte("x")); err != nil {
		t.Errorf("push once there are descriptors: %v", err)
	}
}
