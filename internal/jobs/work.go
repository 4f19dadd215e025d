package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// work runs one attempt to its end and writes that down.
func (r *Runner) work(ctx context.Context, k Kind, a *attempt) {
	defer r.leave(a)
	began := r.Now()
	j := a.job
	var progress json.RawMessage
	j.report = r.reporter(j.held(), &progress)
	err := call(ctx, k.Work, j)
	if errors.Is(context.Cause(ctx), errLost) {
		r.Log.WarnContext(ctx, "a job was lost in the middle", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt)
		return
	}
	e := r.outcome(ctx, k, j, err)
	e.Progress = progress
	held, err := r.end(ctx, j.held(), e)
	switch {
	case err != nil:
		r.Log.ErrorContext(ctx, "the end of a job was not written; it will run again", "kind", j.Kind, "job", j.ID, "error", err)
	case !held:
		r.Log.WarnContext(ctx, "a job was lost before its end", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt)
	case e.State == Failed:
		r.Log.ErrorContext(ctx, "a job failed for good", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt, "error", e.Error)
	case e.Error != "":
		r.Log.WarnContext(ctx, "a job failed and will be tried again", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt, "at", e.RunAt, "error", e.Error)
	}
	if held && r.Observe != nil {
		r.Observe(j.Kind, e, r.Now().Sub(began))
	}
}

// call runs the worker; what it panics with is an error.
func call(ctx context.Context, w Worker, j Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return w(ctx, j)
}

// outcome says what becomes of a job whose worker returned err.
func (r *Runner) outcome(ctx context.Context, k Kind, j Job, err error) End {
	now := r.Now()
	var snooze *SnoozeError
	var cancel *CancelError
	switch {
	case err == nil:
		return End{State: Completed, At: now}
	case errors.As(err, &snooze):
		return End{State: Available, At: now, RunAt: now.Add(snooze.For), Uncounted: true}
	case errors.As(err, &cancel):
		return End{State: Failed, At: now, Error: errorText(err)}
	case errors.Is(context.Cause(ctx), errStopping):
		return End{State: Available, At: now, RunAt: now, Uncounted: true}
	case j.Tries() >= j.MaxAttempts:
		return End{State: Failed, At: now, Error: errorText(err)}
	}
	retry := k.Retry
	if retry == nil {
		retry = Backoff
	}
	return End{State: Available, At: now, RunAt: now.Add(retry(j, r.Random())), Error: errorText(err)}
}

// end writes how an attempt ended, again and again until the database takes it
// or the job is lost. A stop waits for one try.
func (r *Runner) end(ctx context.Context, h Held, e End) (held bool, err error) {
	for {
		if held, err = r.tryEnd(ctx, h, e); err == nil {
			return held, nil
		}
		pause := time.NewTimer(r.Poll)
		select {
		case <-ctx.Done():
			pause.Stop()
			return false, err
		case <-pause.C:
		}
	}
}

func (r *Runner) tryEnd(ctx context.Context, h Held, e End) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	return r.Store.EndJob(ctx, h, e)
}

// maxError is how much of an error is kept, in bytes.
const maxError = 4 << 10

// errorText is an error as both databases take it.
func errorText(err error) string {
	text := err.Error()
	return strings.ReplaceAll(strings.ToValidUTF8(text[:min(len(text), maxError)], ""), "\x00", "")
}

// Backoff is how long a job waits that failed and says nothing of it: a second,
// then 16, 81 and so on with the fourth power of what was tried, up to a day, a
// tenth less or more.
func Backoff(j Job, random float64) time.Duration {
	n := time.Duration(min(j.Tries(), 18)) // 18⁴ seconds are more than a day
	d := min(n*n*n*n*time.Second, 24*time.Hour)
	return d + time.Duration(float64(d)*(random-0.5)/5)
}
