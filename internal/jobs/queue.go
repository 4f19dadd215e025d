package jobs

import (
	"context"
	"strconv"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Queue is what those who run the server may see and do of jobs: the operator
// and site administrators. All others are Denied. Safe for concurrent use.
type Queue struct {
	Records Records
	Now     func() time.Time
}

// MaxPage is the longest page of a list.
const MaxPage = 1000

// List returns one page of the jobs that f chooses, the newest first. The limit
// is brought between 1 and MaxPage.
func (q *Queue) List(ctx context.Context, who access.Principal, f Filter, limit int) ([]Job, error) {
	if err := mayRun(who); err != nil {
		return nil, err
	}
	switch f.State {
	case "", Available, Running, Completed, Failed, Cancelled:
	default:
		return nil, errs.New(errs.Invalid, "the state of a job is available, running, completed, failed or cancelled, not %q", f.State)
	}
	return q.Records.JobsBy(ctx, f, min(max(limit, 1), MaxPage))
}

// Get returns one job.
func (q *Queue) Get(ctx context.Context, who access.Principal, id int64) (Job, error) {
	if err := mayRun(who); err != nil {
		return Job{}, err
	}
	return q.Records.JobByID(ctx, id)
}

// Retry has a job that failed, was cancelled or waits begin at once, with all
// its attempts. Conflict for one that runs or is done.
func (q *Queue) Retry(ctx context.Context, who access.Principal, id int64) error {
	if err := mayRun(who); err != nil {
		return err
	}
	return q.Records.RetryJob(ctx, id, q.entry(who, "job.retry", id))
}

// Cancel ends a job that waits or runs. The worker of a running one is told
// within a fraction of the lease; what it has done stays. Conflict for one that
// has ended.
func (q *Queue) Cancel(ctx context.Context, who access.Principal, id int64) error {
	if err := mayRun(who); err != nil {
		return err
	}
	return q.Records.CancelJob(ctx, id, q.entry(who, "job.cancel", id))
}

func (q *Queue) entry(who access.Principal, action string, id int64) audit.Entry {
	return audit.Entry{At: q.Now(), Actor: audit.By(who), Action: action, Target: "job " + strconv.FormatInt(id, 10)}
}

func mayRun(who access.Principal) error {
	if who.Operator || who.SiteAdmin {
		return nil
	}
	return errs.New(errs.Denied, "jobs are for the administrators of this server")
}

// How long jobs that have ended are kept, and how many are deleted at once.
const (
	keepCompleted = 24 * time.Hour
	keepFailed    = 30 * 24 * time.Hour
	sweepAtOnce   = 1000
)

// Sweep deletes jobs that ended long ago: completed ones after a day, others
// after 30 days. It is a Worker.
func (q *Queue) Sweep(ctx context.Context, _ Job) error {
	now := q.Now()
	for completed, before := range map[bool]time.Time{true: now.Add(-keepCompleted), false: now.Add(-keepFailed)} {
		for {
			n, err := q.Records.SweepJobs(ctx, completed, before, sweepAtOnce)
			if err != nil {
				return err
			}
			if n < sweepAtOnce {
				break
			}
		}
	}
	return nil
}
