package lifecycle

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Opener reads published bytes.
type Opener interface {
	Open(ctx context.Context, loc blob.Location, size int64) (blob.Object, error)
}

// explained is how many of those who need a digest are listed.
const explained = 100

// Explanation says who keeps a digest, or since when nobody does.
type Explanation struct {
	Digest oci.Digest
	At     time.Time
	Needs  Needs
	Trash  []Trash
	// Receipts are of the same digest, also when it was pushed again since.
	Receipts []Receipt
	// Verdict is one sentence for people.
	Verdict string
}

// Explain tells all that is on record about a digest; NotFound when nothing is.
func (c *Collector) Explain(ctx context.Context, d oci.Digest) (Explanation, error) {
	e := Explanation{Digest: d, At: c.Now()}
	var err error
	if e.Needs, err = c.Records.Needs(ctx, d, explained); err != nil {
		return e, err
	}
	if e.Trash, err = c.Records.InTrash(ctx, d); err != nil {
		return e, err
	}
	if e.Receipts, err = c.Records.Receipts(ctx, d, 0, explained); err != nil {
		return e, err
	}
	if e.Needs.Blob == nil && !e.Needs.Manifest && len(e.Trash)+len(e.Receipts) == 0 {
		return e, errs.New(errs.NotFound, "nothing is on record about %s: it was never stored here", d)
	}
	e.Verdict = e.verdict(c.Times)
	return e, nil
}

func (e *Explanation) verdict(t Times) string {
	switch n := e.Needs; {
	case n.Manifest:
		return manifestVerdict(n.Versions, t)
	case n.Blob != nil && hasBlobNeed(n.Parents):
		return "kept: manifests need it"
	case n.Blob != nil:
		return e.blobVerdict(*n.Blob, t)
	case len(e.Trash) > 0 && e.Trash[0].Purging:
		return "going: its bytes are being removed"
	case len(e.Trash) > 0:
		return "in the trash since " + stamp(e.Trash[0].TrashedAt) + "; removed after " + stamp(e.Trash[0].PurgeAt) +
			"; packhouse undelete takes it back"
	}
	return "gone: removed for good on " + stamp(e.Receipts[0].PurgedAt)
}

func hasBlobNeed(parents []Need) bool {
	for _, p := range parents {
		if p.Kind == "blob" {
			return true
		}
	}
	return false
}

func (e *Explanation) blobVerdict(b BlobRow, t Times) string {
	trash := b.CondemnedAt.Add(t.Condemn)
	switch {
	case b.LeaseUntil.After(e.At):
		return fmt.Sprintf("kept by a lease: nothing needs it, and it is promised to pushes until %s; then condemned, in the trash %s later, removed after %s more",
			stamp(b.LeaseUntil), t.Condemn, t.Trash)
	case b.State == "suspect" && b.CondemnedAt.IsZero():
		return "damaged, and nothing needs it: due to be condemned"
	case b.CondemnedAt.IsZero() || b.State == "live":
		return "nothing has needed it since " + stamp(b.LeaseUntil) + " at least: due to be condemned"
	}
	return fmt.Sprintf("condemned on %s, as nothing needs it: a push takes it back until %s; then in the trash, removed after %s",
		stamp(b.CondemnedAt), stamp(trash), stamp(trash.Add(t.Trash)))
}

func manifestVerdict(versions []Need, t Times) string {
	var last time.Time
	for _, v := range versions {
		if v.DeletedAt.IsZero() {
			return "kept: a version of " + v.Package
		}
		if v.DeletedAt.After(last) {
			last = v.DeletedAt
		}
	}
	if last.IsZero() {
		return "no version of any package: due to be removed"
	}
	return "deleted on " + stamp(last) + "; it can be restored until " + stamp(last.Add(t.Restore))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Undelete takes a blob's bytes back from the trash, after looking whether they
// still are the blob, and has the packages hold it that did; by did so. It stays
// for one lease; a manifest that names it keeps it for longer.
func (c *Collector) Undelete(ctx context.Context, d oci.Digest, by audit.Actor) (packages int, err error) {
	list, err := c.Records.InTrash(ctx, d)
	if err != nil {
		return 0, err
	}
	err = errs.New(errs.NotFound, "%s is not in the trash", d)
	for _, t := range list {
		if err = c.look(ctx, t); err != nil {
			continue
		}
		now := c.Now()
		did := audit.Entry{At: now, Actor: by, Action: "blob.undelete", Target: d.String(), Detail: map[string]any{"size": t.Size}}
		return c.Records.Undelete(ctx, t, now.Add(c.Times.Grace), did)
	}
	return 0, err
}

// look hashes the bytes. Those in the database are hashed whenever they are read.
func (c *Collector) look(ctx context.Context, t Trash) error {
	if t.Location == "" {
		return nil
	}
	o, err := c.Open.Open(ctx, t.Location, t.Size)
	if err != nil {
		return err
	}
	defer o.Close()
	h := t.Digest.Algorithm().New()
	if _, err := io.Copy(h, o); err != nil {
		return err
	}
	if t.Digest.Algorithm().Sum(h) != t.Digest {
		return errs.New(errs.Conflict, "the bytes in the trash are damaged: they are not %s any more", t.Digest)
	}
	return nil
}

// Receipts returns up to n receipts with an id below before (0: the newest), the
// newest first.
func (c *Collector) Receipts(ctx context.Context, before int64, n int) ([]Receipt, error) {
	return c.Records.Receipts(ctx, oci.Digest{}, before, n)
}

// Status is how garbage collection stands.
type Status struct {
	// Last is the last round of any node; At is zero when there was none.
	Last Round `json:"last_round"`
	// Stopped holds everything up; nil for nothing.
	Stopped *Stop `json:"stopped,omitempty"`
	// Quarantine is until when nothing is removed for good.
	Quarantine time.Time `json:"quarantine_until,omitzero"`
	// Condemned and Trash wait for their time.
	Condemned Amount `json:"condemned"`
	Trash     Amount `json:"trash"`
	// Due is what the next round would do.
	Due Due `json:"due"`
}

// Start has a node that works jobs do a round now.
func (c *Collector) Start(ctx context.Context) error { return c.Ledger.EnqueueRound(ctx, c.Now()) }

// Status tells how garbage collection stands, for all nodes.
func (c *Collector) Status(ctx context.Context) (Status, error) {
	var s Status
	notes, err := c.Ledger.Notes(ctx)
	if err != nil {
		return s, err
	}
	if s.Last, err = notes.last(); err != nil {
		return s, err
	}
	if s.Stopped, err = notes.stop(); err != nil {
		return s, err
	}
	now := c.Now()
	if q := notes.Quarantine(); q.After(now) {
		s.Quarantine = q
	}
	if s.Condemned, s.Trash, err = c.Records.Waiting(ctx); err != nil {
		return s, err
	}
	s.Due, err = c.Garbage.Due(ctx, now, c.Times)
	return s, err
}

// figures add up what this process did.
type figures struct {
	mu  sync.Mutex
	sum Figures
}

// Figures are sums since the start of the process.
type Figures struct {
	Rounds, Failed                            int
	Manifests, Condemned, Trashed, Purged     int
	CondemnedBytes, TrashedBytes, PurgedBytes int64
	// Stopped is set when the last round found a brake on.
	Stopped bool
}

func (f *figures) count(r Round) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.sum
	s.Rounds++
	if r.Error != "" {
		s.Failed++
	}
	s.Manifests += r.Manifests
	s.Condemned += r.Condemned.Blobs
	s.Trashed += r.Trashed.Blobs
	s.Purged += r.Purged.Blobs
	s.PurgedBytes += r.Purged.Bytes
	s.CondemnedBytes += r.Condemned.Bytes
	s.TrashedBytes += r.Trashed.Bytes
	s.Stopped = r.Stopped != nil
}

// Figures returns what this process did.
func (c *Collector) Figures() Figures {
	c.figure.mu.Lock()
	defer c.figure.mu.Unlock()
	return c.figure.sum
}
