package rest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

// Garbage is what site administrators see and do of garbage collection.
type Garbage interface {
	Status(ctx context.Context) (lifecycle.Status, error)
	// Start has a round done soon, by any node.
	Start(ctx context.Context) error
	Resume(ctx context.Context, by audit.Actor) (*lifecycle.Stop, time.Time, error)
	Explain(ctx context.Context, d oci.Digest) (lifecycle.Explanation, error)
	Receipts(ctx context.Context, before int64, n int) ([]lifecycle.Receipt, error)
	Undelete(ctx context.Context, d oci.Digest, by audit.Actor) (packages int, err error)
}

// GitHub has no call for any of these.
func (h *Handler) garbageRoutes() []route {
	return []route{
		{"GET", "/admin/gc", h.garbageStatus, siteAdmin()},
		{"POST", "/admin/gc", h.collectGarbage, siteAdmin()},
		{"POST", "/admin/gc/resume", h.resumeGarbage, siteAdmin()},
		{"GET", "/admin/gc/explain/{digest}", h.explainDigest, siteAdmin()},
		{"GET", "/admin/gc/receipts", h.receipts, siteAdmin()},
		{"POST", "/admin/gc/undelete/{digest}", h.undelete, siteAdmin()},
	}
}

func (h *Handler) garbageStatus(c *call) error {
	s, err := h.Garbage.Status(c.r.Context())
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, s)
}

func (h *Handler) collectGarbage(c *call) error {
	if err := h.Garbage.Start(c.r.Context()); err != nil {
		return err
	}
	return c.json(http.StatusAccepted, map[string]string{"status": "queued"})
}

// resumed is what a stop and a quarantine were that were ended.
type resumed struct {
	Stopped    *lifecycle.Stop `json:"stopped"`
	Quarantine *time.Time      `json:"quarantine_until"`
}

func (h *Handler) resumeGarbage(c *call) error {
	stop, quarantine, err := h.Garbage.Resume(c.r.Context(), c.by())
	if err != nil {
		return err
	}
	r := resumed{Stopped: stop}
	if !quarantine.IsZero() {
		r.Quarantine = &quarantine
	}
	return c.json(http.StatusOK, r)
}

func (c *call) digest() (oci.Digest, error) {
	d, err := oci.ParseDigest(c.param("digest"))
	if err != nil {
		return d, errs.Wrap(errs.Invalid, err, "The digest parameter must be a digest such as sha256:….")
	}
	return d, nil
}

// explanation is lifecycle.Explanation for programs.
type explanation struct {
	Digest   string              `json:"digest"`
	Verdict  string              `json:"verdict"`
	Blob     *explainedBlob      `json:"blob"`
	Versions []explainedNeed     `json:"versions"`
	NeededBy []explainedNeed     `json:"needed_by"`
	HeldBy   []string            `json:"held_by"`
	More     bool                `json:"more"`
	Trash    []explainedTrash    `json:"trash"`
	Receipts []lifecycle.Receipt `json:"receipts"`
}

type explainedBlob struct {
	State       string    `json:"state"`
	Size        int64     `json:"size"`
	CreatedAt   time.Time `json:"created_at"`
	LeaseUntil  time.Time `json:"lease_until"`
	ReviewAt    time.Time `json:"review_at,omitzero"`
	CondemnedAt time.Time `json:"condemned_at,omitzero"`
}

type explainedNeed struct {
	Package   string    `json:"package"`
	Digest    string    `json:"digest"`
	Tags      []string  `json:"tags"`
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

type explainedTrash struct {
	Size      int64     `json:"size"`
	TrashedAt time.Time `json:"trashed_at"`
	PurgeAt   time.Time `json:"purge_at"`
	Purging   bool      `json:"purging"`
}

func (h *Handler) explainDigest(c *call) error {
	d, err := c.digest()
	if err != nil {
		return err
	}
	e, err := h.Garbage.Explain(c.r.Context(), d)
	if err != nil {
		return err
	}
	o := explanation{
		Digest: d.String(), Verdict: e.Verdict, Versions: explainedNeeds(e.Needs.Versions), NeededBy: explainedNeeds(e.Needs.Parents),
		HeldBy: append([]string{}, e.Needs.Holders...), More: e.Needs.More, Trash: []explainedTrash{}, Receipts: e.Receipts,
	}
	if b := e.Needs.Blob; b != nil {
		o.Blob = &explainedBlob{b.State, b.Size, b.CreatedAt, b.LeaseUntil, b.ReviewAt, b.CondemnedAt}
	}
	for _, t := range e.Trash {
		o.Trash = append(o.Trash, explainedTrash{t.Size, t.TrashedAt, t.PurgeAt, t.Purging})
	}
	return c.json(http.StatusOK, o)
}

func explainedNeeds(list []lifecycle.Need) []explainedNeed {
	needs := make([]explainedNeed, 0, len(list))
	for _, n := range list {
		needs = append(needs, explainedNeed{n.Package, n.Digest.String(), append([]string{}, n.Tags...), n.DeletedAt})
	}
	return needs
}

// receipts answers with a page, the newest first; before is the cursor of the
// Link header.
func (h *Handler) receipts(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	var before int64
	if c.q.Has("before") {
		if before, err = strconv.ParseInt(c.q.Get("before"), 10, 64); err != nil || before <= 0 {
			return errs.New(errs.Invalid, "before is a cursor of a Link header")
		}
	}
	list, err := h.Garbage.Receipts(c.r.Context(), before, p.perPage+1)
	if err != nil {
		return err
	}
	if len(list) > p.perPage {
		list = list[:p.perPage]
		next := c.at(url.Values{"before": {strconv.FormatInt(list[p.perPage-1].ID, 10)}})
		c.w.Header().Set("Link", "<"+next+`>; rel="next"`)
	}
	return c.json(http.StatusOK, list)
}

func (h *Handler) undelete(c *call) error {
	d, err := c.digest()
	if err != nil {
		return err
	}
	n, err := h.Garbage.Undelete(c.r.Context(), d, c.by())
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, map[string]any{"digest": d.String(), "packages": n})
}
