package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"packhouse/internal/blob"
)

// Options are what a Collector works with.
type Options struct {
	Garbage Garbage
	Ledger  Ledger
	Records Records
	Bytes   Bytes
	// Open reads published bytes, to look at them before they are taken back.
	Open Opener
	// Marker keeps a mark beside the bytes; nil for stores that cannot.
	Marker blob.Marker
	Times  Times
	// MaxShare of all bytes may be condemned in one round; see Brakes.
	MaxShare float64
	Now      func() time.Time
	// Rest is called between two batches with how long the last one took, and
	// waits a while so that pushes come first. Nil does not wait.
	Rest func(ctx context.Context, worked time.Duration) error
	Log  *slog.Logger
}

// Collector frees what nothing needs. Its rounds may run on several nodes at
// once; on one node they wait for each other. Safe for concurrent use.
type Collector struct {
	Options

	mu     sync.Mutex // held by a round
	marked time.Time  // when the mark was raised last; under mu
	figure figures
}

// NewCollector returns a Collector on o.
func NewCollector(o Options) *Collector { return &Collector{Options: o} }

// Batches are as many rows as one transaction may take.
const (
	clearBatch  = 20
	reviewBatch = 50
	purgeBatch  = 50

	// retryPurge is when a removal that failed is tried again, so that one bad
	// file holds up no other.
	retryPurge = time.Hour
)

// Run does one round: everything that is due, in short steps. It does nothing
// when a brake is on (see Round.Stopped) and ends at the first error, having
// lost nothing: what is left is due in the next round. The figures are returned
// in both cases.
func (c *Collector) Run(ctx context.Context) (Round, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	r := Round{At: now}
	err := c.round(ctx, now, &r)
	if err != nil {
		r.Error = err.Error()
	}
	r.Took = c.Now().Sub(now)
	c.figure.count(r)
	if ctx.Err() != nil {
		return r, errors.Join(err, ctx.Err())
	}
	return r, errors.Join(err, c.noteLast(ctx, r))
}

func (c *Collector) round(ctx context.Context, now time.Time, r *Round) error {
	notes, err := c.brakes(ctx, now, r)
	if err != nil || r.Stopped != nil {
		return err
	}
	if err := c.clear(ctx, now, r); err != nil {
		return err
	}
	if err := c.checkShare(ctx, now, notes, r); err != nil || r.Stopped != nil {
		return err
	}
	if err := c.review(ctx, now, r); err != nil {
		return err
	}
	return c.purge(ctx, now, r)
}

// clear takes off the records what was deleted longer ago than it can be
// restored.
func (c *Collector) clear(ctx context.Context, now time.Time, r *Round) error {
	before := now.Add(-c.Times.Restore)
	for _, step := range []func(ctx context.Context, before, now time.Time, n int) (Cleared, error){
		c.Garbage.ClearPackages, c.Garbage.ClearVersions,
	} {
		err := c.batches(ctx, func() (bool, error) {
			done, err := step(ctx, before, now, clearBatch)
			if err != nil {
				return false, err
			}
			r.Packages += done.Packages
			r.Versions += done.Versions
			r.Manifests += done.Manifests
			return done.More, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Collector) review(ctx context.Context, now time.Time, r *Round) error {
	return c.batches(ctx, func() (bool, error) {
		done, err := c.Garbage.Review(ctx, now, c.Times, reviewBatch)
		if err != nil {
			return false, err
		}
		r.Kept += done.Kept
		r.Postponed += done.Postponed
		r.Condemned.add(done.Condemned)
		r.Trashed.add(done.Trashed)
		decided := done.Kept + done.Postponed + done.Condemned.Blobs + done.Trashed.Blobs
		return done.Looked == reviewBatch && decided > 0, nil
	})
}

// purge removes bytes: marked as going, then gone, then the receipt. Whatever
// breaks in between is gone through again.
func (c *Collector) purge(ctx context.Context, now time.Time, r *Round) error {
	if r.Quarantine.After(now) {
		return nil
	}
	marked := false
	return c.batches(ctx, func() (bool, error) {
		due, err := c.Garbage.BeginPurge(ctx, now, purgeBatch)
		if err != nil || len(due) == 0 {
			return false, err
		}
		if !marked { // a database of before this round then has a lower mark
			if err := c.raiseMark(ctx, now, 0); err != nil {
				return false, err
			}
			marked = true
		}
		return len(due) == purgeBatch, c.remove(ctx, due, now, r)
	})
}

// remove removes the bytes of the entries and then the entries, up to the first
// whose bytes cannot be removed.
func (c *Collector) remove(ctx context.Context, due []Trash, now time.Time, r *Round) error {
	var failed error
	for i, t := range due {
		if t.Location == "" {
			continue
		}
		if failed = c.Bytes.Remove(ctx, t.Location); failed != nil {
			failed = errors.Join(failed, c.Garbage.DelayPurge(ctx, t.ID, now.Add(retryPurge)))
			due = due[:i]
			break
		}
	}
	gone, err := c.Garbage.EndPurge(ctx, due, now)
	for _, t := range gone {
		r.Purged.add(Amount{1, t.Size})
		c.Log.InfoContext(ctx, "bytes removed for good", "digest", t.Digest.String(), "size", t.Size, "location", string(t.Location))
	}
	return errors.Join(failed, err)
}

// batches calls step until it returns false.
func (c *Collector) batches(ctx context.Context, step func() (more bool, err error)) error {
	for {
		began := c.Now()
		more, err := step()
		if err != nil || !more {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.Rest != nil {
			if err := c.Rest(ctx, c.Now().Sub(began)); err != nil {
				return err
			}
		}
	}
}

// Due counts what a round would do now, and does nothing.
func (c *Collector) Due(ctx context.Context) (Due, error) {
	return c.Garbage.Due(ctx, c.Now(), c.Times)
}
