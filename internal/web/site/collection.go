package site

import (
	"strconv"
	"strings"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/web/frame"
)

// collectionPage is how garbage collection stands.
type collectionPage struct {
	sitePage
	Status lifecycle.Status
	// Rounds are the jobs of the last ones, and Under is set while one waits or
	// runs.
	Rounds []jobs.Job
	Under  bool
	// Receipts are of what was removed for good.
	Receipts      []lifecycle.Receipt
	Newest, Older string
	// Grace, Condemn and Trash are the times that nothing shortens.
	Restore, Grace, Condemn, Trash string
}

const (
	shownRounds   = 10
	shownReceipts = 20
)

func (r *room) collectionPage(c *frame.Call) (collectionPage, error) {
	p, ctx := collectionPage{sitePage: page(c, "collection", "site.collection")}, c.R.Context()
	var err error
	if p.Status, err = r.Collector.Status(ctx); err != nil {
		return p, err
	}
	if p.Rounds, err = r.Jobs.List(ctx, c.Who, jobs.Filter{Kind: lifecycle.JobCollect}, shownRounds); err != nil {
		return p, err
	}
	for _, j := range p.Rounds {
		if j.State == jobs.Running || j.State == jobs.Available {
			p.Under, p.Refresh = true, refresh
		}
	}
	before := c.After()
	if p.Receipts, err = r.Collector.Receipts(ctx, before, shownReceipts+1); err != nil {
		return p, err
	}
	if len(p.Receipts) > shownReceipts {
		p.Receipts = p.Receipts[:shownReceipts]
		p.Older = "/site/collection?after=" + strconv.FormatInt(p.Receipts[shownReceipts-1].ID, 10) + "#receipts"
	}
	if before != 0 {
		p.Newest = "/site/collection#receipts"
	}
	t := r.Collector.Times
	p.Restore, p.Grace, p.Condemn, p.Trash = span(t.Restore), span(t.Grace), span(t.Condemn), span(t.Trash)
	return p, nil
}

// span writes a duration without the parts that are zero.
func span(d time.Duration) string {
	text := d.String()
	text, _ = strings.CutSuffix(text, "m0s")
	if short, ok := strings.CutSuffix(text, "h0"); ok {
		return short + "h"
	}
	if text != d.String() {
		return text + "m"
	}
	return text
}

func (r *room) collection(c *frame.Call) error {
	p, err := r.collectionPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "collection", p)
}

func (r *room) collect(c *frame.Call) error {
	if err := r.Collector.Start(c.R.Context()); err != nil {
		return err
	}
	return c.Done("/site/collection", "site-collection-started")
}

func (r *room) resume(c *frame.Call) error {
	_, _, err := r.Collector.Resume(c.R.Context(), audit.By(c.Who))
	if err == nil {
		return c.Done("/site/collection", "site-collection-resumed")
	}
	p, failure := r.collectionPage(c)
	if failure != nil {
		return failure
	}
	return r.failed(c, err, "collection", &p.Page, func() any { return p })
}

// explainPage is what is on record about one digest.
type explainPage struct {
	sitePage
	Digest string
	// Known is nil when nothing was found.
	Known   *lifecycle.Explanation
	Verdict verdict
}

// verdict is what becomes of a digest, in a word, and when; Package is one that
// keeps it.
type verdict struct {
	Is       string
	At, Then time.Time
	Package  string
}

func (r *room) explainPage(c *frame.Call, digest string) (explainPage, error) {
	p := explainPage{sitePage: page(c, "collection", "site.explain"), Digest: strings.TrimSpace(digest)}
	if p.Digest == "" {
		return p, nil
	}
	d, err := oci.ParseDigest(p.Digest)
	if err != nil {
		return p, err
	}
	e, err := r.Collector.Explain(c.R.Context(), d)
	if err != nil {
		return p, err
	}
	p.Known, p.Verdict = &e, judge(e, r.Collector.Times)
	return p, nil
}

func (r *room) explain(c *frame.Call) error {
	p, err := r.explainPage(c, c.Query("digest"))
	if err != nil {
		return r.failed(c, err, "explain", &p.Page, func() any { return p })
	}
	return r.Show(c, frame.OK, "explain", p)
}

func (r *room) undelete(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	d, err := oci.ParseDigest(form.Get("digest"))
	if err != nil {
		return errNotThere()
	}
	at := "/site/collection/explain?digest=" + d.String()
	if _, err = r.Collector.Undelete(c.R.Context(), d, audit.By(c.Who)); err == nil {
		return c.Done(at, "site-undeleted")
	}
	p, failure := r.explainPage(c, d.String())
	if failure != nil {
		return failure
	}
	return r.failed(c, err, "explain", &p.Page, func() any { return p })
}

// judge says what becomes of a digest, as lifecycle does for commands.
func judge(e lifecycle.Explanation, t lifecycle.Times) verdict {
	switch n := e.Needs; {
	case n.Manifest:
		return judgeManifest(n.Versions, t)
	case n.Blob != nil:
		return judgeBlob(*n.Blob, n.Parents, e.At, t)
	case len(e.Trash) > 0 && e.Trash[0].Purging:
		return verdict{Is: "going"}
	case len(e.Trash) > 0:
		return verdict{Is: "trash", At: e.Trash[0].TrashedAt, Then: e.Trash[0].PurgeAt}
	case len(e.Receipts) > 0:
		return verdict{Is: "gone", At: e.Receipts[0].PurgedAt}
	}
	return verdict{}
}

func judgeManifest(versions []lifecycle.Need, t lifecycle.Times) verdict {
	var last time.Time
	for _, v := range versions {
		if v.DeletedAt.IsZero() {
			return verdict{Is: "version", Package: v.Package}
		}
		if v.DeletedAt.After(last) {
			last = v.DeletedAt
		}
	}
	if last.IsZero() {
		return verdict{Is: "orphan"}
	}
	return verdict{Is: "deleted", At: last, Then: last.Add(t.Restore)}
}

func judgeBlob(b lifecycle.BlobRow, parents []lifecycle.Need, now time.Time, t lifecycle.Times) verdict {
	for _, p := range parents {
		if p.Kind == "blob" {
			return verdict{Is: "needed", Package: p.Package}
		}
	}
	switch {
	case b.LeaseUntil.After(now):
		return verdict{Is: "leased", At: b.LeaseUntil}
	case b.State == "live" || b.CondemnedAt.IsZero():
		return verdict{Is: "due", At: b.LeaseUntil}
	}
	return verdict{Is: "condemned", At: b.CondemnedAt, Then: b.CondemnedAt.Add(t.Condemn)}
}
