package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// Making is what a backup is made of.
type Making struct {
	// Dump writes one state of all rows into an empty directory.
	Dump func(ctx context.Context, dir string) error
	// Blobs calls fn for each blob that a dump names, in the order of digests.
	Blobs func(dir string, fn func(Blob) error) error
	// Current returns where the bytes of a blob are now; false when it is on
	// record no more.
	Current func(ctx context.Context, d oci.Digest) (Blob, bool, error)
	Store   blob.Store
	Now     func() time.Time
	// Nonce is a name that no other backup has.
	Nonce           string
	Program, Engine string
	// Verify reads again what earlier backups have copied.
	Verify bool
	// Progress, which may be nil, is told how many blobs are done.
	Progress func(phase string, done int64)
}

// copiers is how many blobs are copied at the same time.
const copiers = 4

// Make makes a backup in dir, which need not be there. One process at a time may
// do so. The rows come first, so that all bytes they name are there when these
// are copied: bytes stay for days after the last row is gone. Blobs that the
// store has no whole bytes of are left out and named in the manifest.
func Make(ctx context.Context, dir string, m Making) (Manifest, error) {
	out := Manifest{
		Format: format, Begun: m.Now().UTC(), Program: m.Program, Engine: m.Engine, Missing: []string{},
		Database: "database-" + m.Now().UTC().Format("20060102T150405Z") + "-" + m.Nonce,
	}
	dump := filepath.Join(dir, out.Database)
	if err := os.MkdirAll(dump, 0o700); err != nil {
		return out, err
	}
	m.progress("database", 0)
	if err := m.Dump(ctx, dump); err != nil {
		return out, err
	}
	if err := syncTree(dump); err != nil {
		return out, err
	}
	files := &files{dir: dir, dirty: map[string]bool{}}
	if err := m.copyBlobs(ctx, dump, files, &out); err != nil {
		return out, err
	}
	if err := files.sync(); err != nil {
		return out, err
	}
	var err error
	if out.Files, err = describe(dump); err != nil {
		return out, err
	}
	out.Ended = m.Now().UTC()
	if err := out.write(dir); err != nil {
		return out, err
	}
	return out, removeOthers(dir, out.Database)
}

func (m Making) progress(phase string, done int64) {
	if m.Progress != nil {
		m.Progress(phase, done)
	}
}

func (m Making) copyBlobs(ctx context.Context, dump string, to *files, out *Manifest) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(copiers)
	var mu sync.Mutex
	seen := int64(0)
	err := m.Blobs(dump, func(b Blob) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		group.Go(func() error {
			ok, err := m.copyBlob(ctx, b, to)
			if err != nil {
				return fmt.Errorf("the blob %s: %w", b.Digest, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if seen++; !ok {
				out.Missing = append(out.Missing, b.Digest.String())
			} else {
				out.Blobs++
				out.Bytes += b.Size
			}
			m.progress("blobs", seen)
			return nil
		})
		return nil
	})
	if waitErr := group.Wait(); waitErr != nil {
		err = waitErr
	}
	slices.Sort(out.Missing)
	return err
}

// copyBlob sees to it that the directory has the bytes of b; false when the store
// has them no more, or others.
func (m Making) copyBlob(ctx context.Context, b Blob, to *files) (bool, error) {
	have, err := to.has(b, m.Verify)
	if have || err != nil {
		return have, err
	}
	ok, err := to.put(ctx, m.Store, b)
	if ok || err != nil {
		return ok, err
	}
	now, there, err := m.Current(ctx, b.Digest) // a push may have replaced it
	if err != nil || !there || now.Location == "" || now.Location == b.Location {
		return false, err
	}
	return to.put(ctx, m.Store, now)
}

// removeOthers removes the dumps of earlier backups, and of those that broke off.
func removeOthers(dir, keep string) error {
	dumps, err := filepath.Glob(filepath.Join(dir, "database-*"))
	if err != nil {
		return err
	}
	for _, d := range dumps {
		if filepath.Base(d) != keep {
			err = errors.Join(err, os.RemoveAll(d))
		}
	}
	return err
}
