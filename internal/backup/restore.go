package backup

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// Restoring is what a backup is restored with.
type Restoring struct {
	// Blobs calls fn for each blob that a dump names, in the order of digests.
	Blobs func(dir string, fn func(Blob) error) error
	// Load makes the database of the dump in dir, with the blobs at the places
	// that locations tells: "" for those that are nowhere.
	Load  func(ctx context.Context, dir string, locations Locations) error
	Store blob.Store
	// NewID returns a lower-case UUID that was never used.
	NewID    func() string
	Progress func(phase string, done int64) // may be nil
}

// Locations calls fn with where the bytes of each blob are.
type Locations func(fn func(d oci.Digest, loc blob.Location) error) error

// Report is what a restore came to.
type Report struct {
	Blobs int64 // that the rows name
	// Copied were put into the store; the others were there, whole.
	Copied  int64
	Missing []string // neither in the backup nor in the store
}

// Restore puts the backup m in dir back: the bytes first, then the rows, which
// appear all at once. When it breaks off nothing has happened but that the store
// holds bytes which nothing leads to.
func Restore(ctx context.Context, dir string, m Manifest, r Restoring) (Report, error) {
	var report Report
	dump := filepath.Join(dir, m.Database)
	places, err := os.CreateTemp("", "packhouse-restore-")
	if err != nil {
		return report, err
	}
	defer os.Remove(places.Name())
	defer places.Close()
	if err := r.blobs(ctx, dir, dump, places, &report); err != nil {
		return report, err
	}
	if r.Progress != nil {
		r.Progress("database", 0)
	}
	return report, r.Load(ctx, dump, func(fn func(d oci.Digest, loc blob.Location) error) error {
		return eachPlace(places, fn)
	})
}

// blobs publishes what the store does not have and notes where everything is.
func (r Restoring) blobs(ctx context.Context, dir, dump string, places io.Writer, report *Report) error {
	from := &files{dir: dir}
	w := bufio.NewWriter(places)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(copiers)
	var mu sync.Mutex
	err := r.Blobs(dump, func(b Blob) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		group.Go(func() error {
			loc, copied, err := r.place(ctx, from, b)
			if err != nil {
				return fmt.Errorf("the blob %s: %w", b.Digest, err)
			}
			mu.Lock()
			defer mu.Unlock()
			report.Blobs++
			if copied {
				report.Copied++
			}
			if loc == "" {
				report.Missing = append(report.Missing, b.Digest.String())
			}
			if r.Progress != nil {
				r.Progress("blobs", report.Blobs)
			}
			_, err = fmt.Fprintf(w, "%s %s\n", b.Digest, loc)
			return err
		})
		return nil
	})
	if waitErr := group.Wait(); waitErr != nil {
		err = waitErr
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// place returns where the store has the bytes of b: where the row says, if they
// are whole there, else where they are put. "" when the backup has none either.
func (r Restoring) place(ctx context.Context, from *files, b Blob) (loc blob.Location, copied bool, err error) {
	whole, err := r.holds(ctx, b)
	if err != nil {
		return "", false, err
	}
	if whole {
		return b.Location, false, nil
	}
	have, err := from.has(b, true)
	if err != nil || !have {
		return "", false, err
	}
	loc, err = r.publish(ctx, from.path(b.Digest), b)
	return loc, err == nil, err
}

// holds reports whether the store has the bytes of b where the row says.
func (r Restoring) holds(ctx context.Context, b Blob) (bool, error) {
	o, err := r.Store.Open(ctx, b.Location, b.Size)
	if err != nil {
		return false, unlessGone(err)
	}
	defer o.Close()
	h := b.Digest.Algorithm().New()
	if _, err := io.Copy(h, reader{ctx, o}); err != nil {
		return false, unlessGone(err)
	}
	return b.Digest.Algorithm().Sum(h) == b.Digest, nil
}

func (r Restoring) publish(ctx context.Context, name string, b Blob) (blob.Location, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	w, err := r.Store.Resume(ctx, blob.Staged{ID: r.NewID()})
	if err != nil {
		return "", err
	}
	_, err = io.Copy(w, reader{ctx, f})
	up, closeErr := w.Close()
	if err == nil {
		err = closeErr
	}
	if err == nil && up.Size != b.Size {
		err = fmt.Errorf("%d bytes were stored of %d", up.Size, b.Size)
	}
	if err != nil {
		_ = r.Store.Discard(context.WithoutCancel(ctx), up) // the sweep gets what stays
		return "", err
	}
	return r.Store.Publish(ctx, up, b.Digest)
}

func eachPlace(places io.ReadSeeker, fn func(d oci.Digest, loc blob.Location) error) error {
	if _, err := places.Seek(0, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewScanner(places)
	for lines.Scan() {
		digest, loc, _ := strings.Cut(lines.Text(), " ")
		d, err := oci.ParseDigest(digest)
		if err != nil {
			return err
		}
		if err := fn(d, blob.Location(loc)); err != nil {
			return err
		}
	}
	return lines.Err()
}
