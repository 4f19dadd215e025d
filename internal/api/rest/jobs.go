package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/jobs"
)

// Jobs shows jobs and takes orders about them, and decides for whom.
type Jobs interface {
	// List returns up to limit jobs that f chooses, the newest first.
	List(ctx context.Context, who access.Principal, f jobs.Filter, limit int) ([]jobs.Job, error)
	Get(ctx context.Context, who access.Principal, id int64) (jobs.Job, error)
	Retry(ctx context.Context, who access.Principal, id int64) error
	Cancel(ctx context.Context, who access.Principal, id int64) error
}

// jobRoutes are this server's own operations on what is done beside requests.
func (h *Handler) jobRoutes() []route {
	return []route{
		{"GET", "/admin/jobs", h.listJobs, siteAdmin()},
		{"GET", "/admin/jobs/{job_id}", h.getJob, siteAdmin()},
		{"POST", "/admin/jobs/{job_id}/retry", h.orderJob((Jobs).Retry), siteAdmin()},
		{"POST", "/admin/jobs/{job_id}/cancel", h.orderJob((Jobs).Cancel), siteAdmin()},
	}
}

// jobObject is one job.
type jobObject struct {
	ID    int64           `json:"id"`
	Kind  string          `json:"kind"`
	State jobs.State      `json:"state"`
	Args  json.RawMessage `json:"args"`
	// Attempts are those that count, with the one under way.
	Attempts    int `json:"attempts"`
	MaxAttempts int `json:"max_attempts"`
	// Progress is what the job says of itself; absent for most.
	Progress json.RawMessage `json:"progress,omitempty"`
	// Error is that of the last attempt.
	Error string `json:"error"`
	// Node is the one that works it, or did.
	Node      string    `json:"node"`
	CreatedAt time.Time `json:"created_at"`
	// RunAt is when it may begin.
	RunAt     time.Time `json:"run_at"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

func jobOf(j jobs.Job) jobObject {
	return jobObject{
		ID: j.ID, Kind: j.Kind, State: j.State, Args: j.Args, Attempts: j.Tries(), MaxAttempts: j.MaxAttempts, Progress: j.Progress,
		Error: j.Error, Node: j.Node, CreatedAt: j.CreatedAt, RunAt: j.RunAt, StartedAt: j.StartedAt, EndedAt: j.EndedAt,
	}
}

// listJobs answers with a page, the newest first; before is the cursor of the
// Link header.
func (h *Handler) listJobs(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	f := jobs.Filter{State: jobs.State(c.q.Get("state")), Kind: c.q.Get("kind")}
	if f.Before, err = c.number("before"); err != nil {
		return err
	}
	all, err := h.Jobs.List(c.r.Context(), c.who, f, p.perPage+1)
	if err != nil {
		return err
	}
	if len(all) > p.perPage {
		all = all[:p.perPage]
		c.goOn("before", all[len(all)-1].ID)
	}
	list := make([]jobObject, len(all))
	for i, j := range all {
		list[i] = jobOf(j)
	}
	return c.json(http.StatusOK, list)
}

func (h *Handler) getJob(c *call) error {
	id, err := c.id("job_id")
	if err != nil {
		return err
	}
	j, err := h.Jobs.Get(c.r.Context(), c.who, id)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, jobOf(j))
}

// orderJob makes a route's function of an order about one job, which answers
// with the job.
func (h *Handler) orderJob(do func(s Jobs, ctx context.Context, who access.Principal, id int64) error) func(*call) error {
	return func(c *call) error {
		id, err := c.id("job_id")
		if err != nil {
			return err
		}
		if err := do(h.Jobs, c.r.Context(), c.who, id); err != nil {
			return err
		}
		return h.getJob(c)
	}
}
