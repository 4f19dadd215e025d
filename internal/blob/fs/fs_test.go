//go:build !nofsync_file && !nofsync_dir

package fs_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	blobfs "packhouse/internal/blob/fs"
	"packhouse/internal/errs"
)

func open(t *testing.T, dir string) *blobfs.Store {
	t.Helper()
	s, err := blobfs.Open(dir, blobfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Backing {
		dir := t.TempDir()
		return func(t *testing.T) blob.Store { return open(t, dir) }
	})
}

func TestNobodyElseMayReadTheFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "blobs")
	s := open(t, dir)
	blobtest.Put(t, s, []byte("published"))
	blobtest.Append(t, s, blob.Staged{ID: blobtest.NewID()}, []byte("staged"))
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBlobsLieWhereTheFormatSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	content := []byte("hello world")
	id := blobtest.NewID()
	loc := blobtest.Publish(t, s, blobtest.Append(t, s, blob.Staged{ID: id}, content), content)
	const sum = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
	if want := blob.Location("sha256/b9/" + sum + "." + id); loc != want {
		t.Errorf("location = %q, want %q", loc, want)
	}
	if got, err := os.ReadFile(filepath.Join(dir, string(loc))); err != nil || string(got) != string(content) {
		t.Errorf("the file holds %q, %v", got, err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "uploads")); len(left) != 0 {
		t.Errorf("uploads still holds %v", left)
	}
}

// net/http sends a file without copying it through memory only when it finds
// the *os.File.
func TestAnObjectIsAnOSFile(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	o, err := s.Open(t.Context(), blobtest.Put(t, s, []byte("x")), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, ok := o.(*os.File); !ok {
		t.Errorf("the object is a %T", o)
	}
}

func TestADamagedFileIsNotServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	loc := blobtest.Put(t, s, []byte("hello"))
	if err := os.Truncate(filepath.Join(dir, string(loc)), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), loc, 5); !errs.Is(err, errs.Internal) {
		t.Errorf("Open = %v, want an internal error", err)
	}
}

func TestAnUploadThatLostBytesIsUnknown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	up := blobtest.Append(t, s, blob.Staged{ID: blobtest.NewID()}, []byte("hello"))
	if err := os.Truncate(filepath.Join(dir, "uploads", up.ID), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resume(t.Context(), up); !errs.Is(err, errs.NotFound) {
		t.Errorf("Resume = %v, want not found", err)
	}
	if _, err := s.ReadStaged(t.Context(), up); !errs.Is(err, errs.NotFound) {
		t.Errorf("ReadStaged = %v, want not found", err)
	}
}

func TestALinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	loc := blobtest.Put(t, s, []byte("hello"))
	name := filepath.Join(dir, string(loc))
	if err := errors.Join(os.Remove(name), os.Symlink(secret, name)); err != nil {
		t.Fatal(err)
	}
	if o, err := s.Open(t.Context(), loc, 5); err == nil {
		got, _ := io.ReadAll(o)
		t.Errorf("Open followed a link and read %q", got)
	}
}

func TestDirectoriesThatWereLostAreMadeAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	// As a copy leaves it that skips empty directories.
	for _, name := range []string{"sha256/b9", "trash", "uploads"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	content := []byte("hello world") // b9…
	s := open(t, dir)
	blobtest.Check(t, s, blobtest.Put(t, s, content), content)
}

func TestALaterFormatIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "format"), []byte("packhouse blobs 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := blobfs.Open(dir, blobfs.Options{})
	if err == nil || !strings.Contains(err.Error(), "packhouse blobs 2") {
		t.Errorf("Open = %v, want an error that names the format", err)
	}
}

func TestSweepTakesWhatNobodyKnows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	known := blobtest.Append(t, s, blob.Staged{ID: blobtest.NewID()}, []byte("known"))
	unknown := blobtest.Append(t, s, blob.Staged{ID: blobtest.NewID()}, []byte("unknown"))
	young := blobtest.Append(t, s, blob.Staged{ID: blobtest.NewID()}, []byte("young"))
	if err := os.WriteFile(filepath.Join(dir, "uploads", "probe-1-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cutoff := time.Now().Add(-time.Hour)
	for _, name := range []string{known.ID, unknown.ID, "probe-1-1"} {
		old := cutoff.Add(-time.Minute)
		if err := os.Chtimes(filepath.Join(dir, "uploads", name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	loc := blobtest.Put(t, s, []byte("published"))
	n, err := s.SweepStaged(t.Context(), func(id string) bool { return id == known.ID }, cutoff)
	if n != 2 || err != nil {
		t.Errorf("SweepStaged = %d, %v; want 2 files and no error", n, err)
	}
	if _, err := s.Resume(t.Context(), unknown); !errs.Is(err, errs.NotFound) {
		t.Errorf("Resume of the swept upload = %v", err)
	}
	blobtest.Append(t, s, known, []byte("more"))
	blobtest.Append(t, s, young, []byte("more"))
	blobtest.Check(t, s, loc, []byte("published"))
}

// TestSabotagedBuildsAreCaught runs the negative controls: in a build without
// an fsync the simulated power cut must find that blobs are lost.
func TestSabotagedBuildsAreCaught(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{"nofsync_file", "nofsync_dir"} {
		out, err := exec.CommandContext(t.Context(), "go", "test", "-tags", tag, "-run", "^TestSabotageIsCaught$", "-v", ".").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestSabotageIsCaught") {
			t.Errorf("%s: %v\n%s", tag, err, out)
		}
	}
}
