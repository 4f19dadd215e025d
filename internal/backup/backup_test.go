package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/backup"
	"packhouse/internal/blob"
	"packhouse/internal/blob/fs"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// stand is a store with blobs, and a database that is a text.
type stand struct {
	t       *testing.T
	root    string // of the store
	store   blob.Store
	rows    string
	blobs   []backup.Blob
	content map[oci.Digest][]byte
	current map[oci.Digest]backup.Blob // those that are elsewhere by now
	fails   error                      // of the dump
	made    int
}

func newStand(t *testing.T, n int) *stand {
	t.Helper()
	s := &stand{t: t, root: t.TempDir(), content: map[oci.Digest][]byte{}, current: map[oci.Digest]backup.Blob{}}
	store, err := fs.Open(s.root, fs.Options{})
	s.check(err)
	s.store = store
	for i := range n {
		s.add(1000 * i)
	}
	return s
}

func (s *stand) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// add stores a random blob that the rows name.
func (s *stand) add(size int) backup.Blob {
	s.t.Helper()
	content := make([]byte, size)
	_, _ = rand.Read(content)
	b := s.put(content)
	s.blobs, s.content[b.Digest] = append(s.blobs, b), content
	return b
}

func (s *stand) put(content []byte) backup.Blob {
	s.t.Helper()
	w, err := s.store.Resume(s.t.Context(), blob.Staged{ID: uuid.NewString()})
	s.check(err)
	_, err = w.Write(content)
	s.check(err)
	up, err := w.Close()
	s.check(err)
	d := oci.SHA256.FromBytes(content)
	loc, err := s.store.Publish(s.t.Context(), up, d)
	s.check(err)
	return backup.Blob{Digest: d, Size: int64(len(content)), Location: loc}
}

// path is where the store has the bytes.
func (s *stand) path(b backup.Blob) string { return filepath.Join(s.root, string(b.Location)) }

// each reads the list that the dump has of its blobs.
func each(dir string, fn func(backup.Blob) error) error {
	text, err := os.ReadFile(filepath.Join(dir, "list"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		var digest, loc string
		var b backup.Blob
		if _, err := fmt.Sscan(line, &digest, &b.Size, &loc); err != nil {
			return err
		}
		if b.Digest, err = oci.ParseDigest(digest); err != nil {
			return err
		}
		b.Location = blob.Location(loc)
		if err := fn(b); err != nil {
			return err
		}
	}
	return nil
}

func (s *stand) make(dir string, verify bool) (backup.Manifest, error) {
	s.made++
	return backup.Make(s.t.Context(), dir, backup.Making{
		Dump: func(_ context.Context, dir string) error {
			list := ""
			for _, b := range s.blobs {
				list += fmt.Sprintln(b.Digest, b.Size, b.Location)
			}
			return errors.Join(os.WriteFile(dir+"/rows", []byte(s.rows), 0o600), os.WriteFile(dir+"/list", []byte(list), 0o600), s.fails)
		},
		Blobs: each, Store: s.store, Now: time.Now, Nonce: fmt.Sprint(s.made), Program: "test", Engine: "text", Verify: verify,
		Current: func(_ context.Context, d oci.Digest) (backup.Blob, bool, error) {
			b, ok := s.current[d]
			return b, ok, nil
		},
	})
}

// restored puts the backup into a store and returns the rows and what they name.
func (s *stand) restored(dir, root string) (rows string, content map[oci.Digest][]byte, r backup.Report) {
	s.t.Helper()
	m, err := backup.Open(dir)
	s.check(err)
	store, err := fs.Open(root, fs.Options{})
	s.check(err)
	content = map[oci.Digest][]byte{}
	r, err = backup.Restore(s.t.Context(), dir, m, backup.Restoring{
		Blobs: each, Store: store, NewID: uuid.NewString,
		Load: func(ctx context.Context, dump string, locations backup.Locations) error {
			text, err := os.ReadFile(dump + "/rows")
			rows = string(text)
			return errors.Join(err, locations(func(d oci.Digest, loc blob.Location) error {
				if loc == "" {
					return nil
				}
				o, err := store.Open(ctx, loc, int64(len(s.content[d])))
				if err != nil {
					return err
				}
				defer o.Close()
				content[d], err = io.ReadAll(o)
				return err
			}))
		},
	})
	s.check(err)
	return rows, content, r
}

// restores fails unless the backup has the rows and all blobs but those.
func (s *stand) restores(dir, rows string, but ...oci.Digest) {
	s.t.Helper()
	got, content, r := s.restored(dir, s.t.TempDir())
	if got != rows {
		s.t.Errorf("the rows are %q, want %q", got, rows)
	}
	if len(r.Missing) != len(but) {
		s.t.Errorf("%v are missing, want %v", r.Missing, but)
	}
	for _, b := range s.blobs {
		if has := bytes.Equal(content[b.Digest], s.content[b.Digest]) && content[b.Digest] != nil; has == slices.Contains(but, b.Digest) {
			s.t.Errorf("blob %s of %d bytes: restored %v", b.Digest, b.Size, has)
		}
	}
}

func TestBackupsFollowEachOther(t *testing.T) {
	t.Parallel()
	s, dir := newStand(t, 10), filepath.Join(t.TempDir(), "new", "backup")
	s.rows = "first"
	m, err := s.make(dir, false)
	s.check(err)
	if m.Blobs != 10 || len(m.Missing) != 0 {
		t.Errorf("manifest: %+v", m)
	}
	s.restores(dir, "first")

	s.fails, s.rows = errors.New("the disk is full"), "broken off"
	if _, err := s.make(dir, false); err == nil {
		t.Fatal("the dump failed and the backup did not")
	}
	s.restores(dir, "first")

	s.fails, s.rows = nil, "second"
	s.add(12_345)
	_, err = s.make(dir, false)
	s.check(err)
	s.restores(dir, "second")
	if dumps, _ := filepath.Glob(dir + "/database-*"); len(dumps) != 1 {
		t.Errorf("dumps are left: %v", dumps)
	}
}

func TestBackupOfDamagedBytes(t *testing.T) {
	t.Parallel()
	s, dir := newStand(t, 6), t.TempDir()
	flipped, gone, healed := s.blobs[2], s.blobs[3], s.blobs[4]
	s.check(os.WriteFile(s.path(flipped), make([]byte, flipped.Size), 0o600))
	s.check(os.Remove(s.path(gone)))
	s.check(os.Remove(s.path(healed)))
	s.current[healed.Digest] = s.put(s.content[healed.Digest]) // pushed again meanwhile
	m, err := s.make(dir, false)
	s.check(err)
	if m.Blobs != 4 || len(m.Missing) != 2 {
		t.Errorf("manifest: %+v", m)
	}
	s.restores(dir, "", flipped.Digest, gone.Digest)
}

func TestVerifyReplacesDamagedCopies(t *testing.T) {
	t.Parallel()
	s, dir := newStand(t, 6), t.TempDir()
	_, err := s.make(dir, false)
	s.check(err)
	b := s.blobs[3]
	copied := filepath.Join(dir, "blobs", "sha256", b.Digest.Hex()[:2], b.Digest.Hex())
	s.check(os.WriteFile(copied, make([]byte, b.Size), 0o600))
	s.restores(dir, "", b.Digest)
	_, err = s.make(dir, true)
	s.check(err)
	s.restores(dir, "")
}

// What the store has whole is not put there again; what is damaged there is.
func TestRestoreUsesWhatIsThere(t *testing.T) {
	t.Parallel()
	s, dir := newStand(t, 6), t.TempDir()
	_, err := s.make(dir, false)
	s.check(err)
	s.check(os.WriteFile(s.path(s.blobs[5]), make([]byte, s.blobs[5].Size), 0o600))
	_, content, r := s.restored(dir, s.root)
	if r.Blobs != 6 || r.Copied != 1 || len(content) != 6 {
		t.Errorf("report: %+v", r)
	}
}

func TestOpenTakesWholeBackupsAlone(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]func(s *stand, dir, dump string) error{
		"no manifest":       func(_ *stand, dir, _ string) error { return os.Remove(dir + "/packhouse-backup.json") },
		"half a manifest":   func(_ *stand, dir, _ string) error { return os.Truncate(dir+"/packhouse-backup.json", 40) },
		"a file is gone":    func(_ *stand, _, dump string) error { return os.Remove(dump + "/rows") },
		"a file is changed": func(_ *stand, _, dump string) error { return os.WriteFile(dump+"/rows", []byte("ROWS"), 0o600) },
		"a file more":       func(_ *stand, _, dump string) error { return os.WriteFile(dump+"/more", nil, 0o600) },
		"another format": func(_ *stand, dir, _ string) error {
			text, err := os.ReadFile(dir + "/packhouse-backup.json")
			return errors.Join(err, os.WriteFile(dir+"/packhouse-backup.json", bytes.Replace(text, []byte("backup 1"), []byte("backup 2"), 1), 0o600))
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, dir := newStand(t, 2), t.TempDir()
			s.rows = "rows"
			m, err := s.make(dir, false)
			s.check(err)
			s.check(harm(s, dir, filepath.Join(dir, m.Database)))
			if _, err := backup.Open(dir); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.Unsupported) {
				t.Errorf("it was opened: %v", err)
			}
		})
	}
}
