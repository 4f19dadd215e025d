package backup

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// files are the blobs in a backup's directory. Safe for concurrent use.
type files struct {
	dir string

	mu    sync.Mutex
	dirty map[string]bool // directories with new names
}

func (f *files) path(d oci.Digest) string {
	return filepath.Join(f.dir, "blobs", string(d.Algorithm()), d.Hex()[:2], d.Hex())
}

// has reports whether the bytes are there, with read by their hash.
func (f *files) has(b Blob, read bool) (bool, error) {
	info, err := os.Stat(f.path(b.Digest))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil || info.Size() != b.Size || !read {
		return err == nil && info.Size() == b.Size, err
	}
	file, err := os.Open(f.path(b.Digest))
	if err != nil {
		return false, err
	}
	defer file.Close()
	h := b.Digest.Algorithm().New()
	_, err = io.Copy(h, file)
	return err == nil && b.Digest.Algorithm().Sum(h) == b.Digest, err
}

// put copies the bytes of b from the store; false when the store has none, or
// others.
func (f *files) put(ctx context.Context, store blob.Store, b Blob) (bool, error) {
	o, err := store.Open(ctx, b.Location, b.Size)
	if err != nil {
		return false, unlessGone(err)
	}
	defer o.Close()
	name := f.path(b.Digest)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return false, err
	}
	staged, err := os.CreateTemp(filepath.Dir(name), ".new-")
	if err != nil {
		return false, err
	}
	defer os.Remove(staged.Name()) // of no effect once it has its name
	h := b.Digest.Algorithm().New()
	n, err := io.Copy(io.MultiWriter(staged, h), reader{ctx, o})
	whole := n == b.Size && b.Digest.Algorithm().Sum(h) == b.Digest
	if err == nil && whole {
		err = staged.Sync()
	}
	if closeErr := staged.Close(); err == nil {
		err = closeErr
	}
	if err != nil || !whole {
		return false, unlessGone(err)
	}
	if err := os.Rename(staged.Name(), name); err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for dir := filepath.Dir(name); len(dir) >= len(f.dir); dir = filepath.Dir(dir) {
		f.dirty[dir] = true
	}
	return true, nil
}

// unlessGone drops errors that say that the bytes are gone or damaged.
func unlessGone(err error) error {
	var e *errs.Error
	if errors.As(err, &e) && (e.Kind == errs.NotFound || e.Kind == errs.Internal) {
		return nil
	}
	return err
}

// sync makes the names of the new files durable; the bytes are.
func (f *files) sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for dir := range f.dirty {
		if err := syncFile(dir); err != nil {
			return err
		}
	}
	return nil
}

// reader ends with ctx.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
