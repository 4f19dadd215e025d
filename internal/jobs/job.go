package jobs

import (
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
	RunAt       time.Time
	// LeaseUntil is when another node may take a running job; zero otherwise.
	LeaseUntil time.Time
	Node       string
	Progress   json.RawMessage // for people; nil when there is none
	Error      string          // of the last attempt
	CreatedAt  time.Time
	StartedAt  time.Time // zero before the first attempt
	EndedAt    time.Time // zero before the end
}
