package jobs

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// beats is how often a lease is renewed before it would end.
const beats = 6

func (r *Runner) heartbeat(ctx context.Context) {
	tick := time.NewTicker(r.Lease / beats)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.beat(ctx)
		}
	}
}

// beat renews the leases of all that runs here, and ends the context of what is
// lost: what the database says is another's, and what it could not be asked
// about until the lease is nearly over.
func (r *Runner) beat(ctx context.Context) {
	held := r.held()
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.Lease/beats)
	defer cancel()
	until := r.Now().Add(r.Lease)
	kept, err := r.Store.RenewJobs(ctx, held, until)
	if err != nil {
		r.Log.ErrorContext(ctx, "the leases of jobs were not renewed", "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range held {
		a := r.attempts[h]
		switch {
		case a == nil: // it has ended meanwhile
		case slices.Contains(kept, h):
			a.until = until
		case err == nil || r.Now().Add(r.Lease/beats*2).After(a.until):
			a.cancel(errLost)
		}
	}
}

func (r *Runner) held() []Held {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.attempts))
}

func (j Job) held() Held { return Held{ID: j.ID, Attempt: j.Attempt, Node: j.Node} }

// reportEvery is how often progress is written at most.
const reportEvery = time.Second

// reporter returns the Report of one attempt, for one goroutine. What it does not
// write at once it leaves in last, for the end.
func (r *Runner) reporter(h Held, last *json.RawMessage) Report {
	var written time.Time
	return func(ctx context.Context, progress any) (err error) {
		if *last, err = json.Marshal(progress); err != nil {
			return err
		}
		now := r.Now()
		if now.Sub(written) < reportEvery {
			return ctx.Err()
		}
		held, err := r.Store.ReportJob(ctx, h, *last)
		if err != nil {
			return err
		}
		if !held {
			return errLost
		}
		written = now
		return nil
	}
}
