package jobs

import (
	"context"
	"encoding/json"
	"time"
)

// State is where a job stands.
type State string

// The states. A job that failed and will be tried again is Available.
const (
	Available State = "available"
	Running   State = "running"
	Completed State = "completed"
	Failed    State = "failed" // for good: no attempt is left
	Cancelled State = "cancelled"
)

// Insert is a job to be done.
type Insert struct {
	// Kind chooses who works it.
	Kind string
	// Args is what JSON can hold.
	Args any
	// Key, unless empty, is had by one job at most that waits or runs: to
	// insert another is no error and does nothing.
	Key string
	// RunAt is when it may begin; zero is at once.
	RunAt time.Time
	// Priority orders the jobs of one kind, the lower the sooner.
	Priority int
	// MaxAttempts is how often it is tried; zero is DefaultAttempts.
	MaxAttempts int
}

// DefaultAttempts is how often a job is tried that says nothing of it.
const DefaultAttempts = 25

// Job is one on record.
type Job struct {
	ID          int64
	Kind        string
	Args        json.RawMessage
	Key         string
	State       State
	Priority    int
	Attempt     int
	MaxAttempts int
	// Uncounted is how many attempts were none: put off by their worker, or
	// given back by a node that stopped.
	Uncounted int
	RunAt     time.Time
	// LeaseUntil is when another node may take a running job; zero otherwise.
	LeaseUntil time.Time
	Node       string
	Progress   json.RawMessage // for people; nil when there is none
	Error      string          // of the last attempt
	CreatedAt  time.Time
	StartedAt  time.Time // zero before the first attempt
	EndedAt    time.Time // zero before the end

	report Report
}

// Tries is how many attempts count, with the one under way.
func (j Job) Tries() int { return j.Attempt - j.Uncounted }

// Report keeps what people are shown of the job while it runs, such as counts:
// what JSON can hold. It writes once a second at most, so it may be called for
// every step. It returns an error when the job is another's now, and does
// nothing for a job that no Runner gave to its worker. For one goroutine.
func (j Job) Report(ctx context.Context, progress any) error {
	if j.report == nil {
		return nil
	}
	return j.report(ctx, progress)
}
