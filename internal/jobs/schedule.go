package jobs

import (
	"context"
	"time"
)

// Schedule is work that comes back: every so often there is a job, once for all
// nodes. While the last one waits or runs there is no other.
type Schedule struct {
	// Kind of the job; each has one Schedule at most.
	Kind string
	// Every is how often; zero is never.
	Every time.Duration
	// Args is what JSON can hold.
	Args any
	// MaxAttempts is how often one is tried; zero is 3: the next comes anyway.
	MaxAttempts int
}

const scheduledAttempts = 3

func (s Schedule) insert() Insert {
	if s.MaxAttempts == 0 {
		s.MaxAttempts = scheduledAttempts
	}
	if s.Args == nil {
		s.Args = struct{}{}
	}
	return Insert{Kind: s.Kind, Args: s.Args, Key: "scheduled " + s.Kind, MaxAttempts: s.MaxAttempts}
}

// next is the first time after now that is a whole number of rounds after due.
func (s Schedule) next(due, now time.Time) time.Time {
	return due.Add((now.Sub(due)/s.Every + 1) * s.Every)
}

// plan makes the schedules known, once.
func (r *Runner) plan(ctx context.Context) error {
	if r.planned {
		return nil
	}
	for _, s := range r.Schedules {
		if s.Every <= 0 {
			continue
		}
		now := r.Now()
		if err := r.Calendar.PlanWork(ctx, s.Kind, now, now.Add(s.Every)); err != nil {
			return err
		}
	}
	r.planned = true
	return nil
}

// insertDue inserts the jobs of work that is due. What this node does not know
// is left to those that do.
func (r *Runner) insertDue(ctx context.Context, work map[string]time.Time) error {
	for _, s := range r.Schedules {
		due, ok := work[s.Kind]
		if !ok || s.Every <= 0 {
			continue
		}
		now := r.Now()
		if _, err := r.Calendar.InsertDueWork(ctx, s.Kind, due, s.next(due, now), s.insert(), now); err != nil {
			return err
		}
		r.Wake()
	}
	return nil
}
