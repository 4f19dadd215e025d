package site

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/jobs"
	"packhouse/internal/web/frame"
)

// jobsPage lists jobs, the newest first.
type jobsPage struct {
	sitePage
	List          []jobs.Job
	State, Kind   string
	Newest, Older string
}

func (r *room) jobs(c *frame.Call) error {
	p := jobsPage{sitePage: page(c, "jobs", "site.jobs"), State: c.Query("state"), Kind: strings.TrimSpace(c.Query("kind"))}
	f := jobs.Filter{State: jobs.State(p.State), Kind: p.Kind, Before: c.After()}
	var err error
	if p.List, err = r.Jobs.List(c.R.Context(), c.Who, f, listed+1); err != nil {
		return err
	}
	if len(p.List) > listed {
		p.List = p.List[:listed]
		p.Older = p.pageAfter(p.List[listed-1].ID)
	}
	if f.Before != 0 {
		p.Newest = p.pageAfter(0)
	}
	return r.Show(c, frame.OK, "jobs", p)
}

func (p jobsPage) pageAfter(id int64) string {
	q := url.Values{}
	for name, value := range map[string]string{"state": p.State, "kind": p.Kind} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if id != 0 {
		q.Set("after", strconv.FormatInt(id, 10))
	}
	return "/site/jobs?" + q.Encode()
}

// jobPage is one job.
type jobPage struct {
	sitePage
	Job jobs.Job
	// Args and Progress are JSON as people read it.
	Args, Progress string
	// Ended is set for one that neither waits nor runs, Retries for one that can
	// begin again.
	Ended, Retries bool
}

// At is the address of the job, or of what is done to it.
func (p jobPage) At(what string) string { return jobPath(p.Job.ID) + "/" + what }

func jobPath(id int64) string { return "/site/jobs/" + strconv.FormatInt(id, 10) }

func (r *room) jobPage(c *frame.Call) (jobPage, error) {
	id, err := c.ID("id")
	if err != nil {
		return jobPage{}, err
	}
	j, err := r.Jobs.Get(c.R.Context(), c.Who, id)
	if err != nil {
		return jobPage{}, err
	}
	p := jobPage{sitePage: page(c, "jobs", "site.job", j.Kind), Job: j, Args: readable(j.Args), Progress: readable(j.Progress)}
	p.Crumbs = []frame.Crumb{{Text: c.Page("site.jobs").Title, Path: "/site/jobs"}}
	p.Ended = j.State != jobs.Available && j.State != jobs.Running
	p.Retries = j.State == jobs.Failed || j.State == jobs.Cancelled || j.State == jobs.Available
	if j.State == jobs.Running {
		p.Refresh = refresh
	}
	return p, nil
}

// readable is JSON in lines.
func readable(text json.RawMessage) string {
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return string(text)
	}
	return out.String()
}

func (r *room) job(c *frame.Call) error {
	p, err := r.jobPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "job", p)
}

// order makes a form's function of an order about one job.
func (r *room) order(do func(q *jobs.Queue, ctx context.Context, who access.Principal, id int64) error, done string) func(*frame.Call) error {
	return func(c *frame.Call) error {
		p, err := r.jobPage(c)
		if err != nil {
			return err
		}
		if err := do(r.Jobs, c.R.Context(), c.Who, p.Job.ID); err != nil {
			return r.failed(c, err, "job", &p.Page, func() any { return p })
		}
		return c.Done(jobPath(p.Job.ID), done)
	}
}
