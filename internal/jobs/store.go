package jobs

import (
	"context"
	"encoding/json"
	"time"

	"packhouse/internal/audit"
)

// Store keeps the jobs that Runners work.
type Store interface {
	// DueJobs reads what there is to do at now. It writes nothing, and costs
	// the same whatever waits.
	DueJobs(ctx context.Context, now time.Time) (Due, error)
	// StartJobs gives up to n due jobs of a line to the node, the longest due
	// first. No job is given to two.
	StartJobs(ctx context.Context, l Line, n int, node string, now, lease time.Time) ([]Job, error)
	// RenewJobs moves the leases of what one node holds, and returns those that
	// it holds still.
	RenewJobs(ctx context.Context, held []Held, lease time.Time) ([]Held, error)
	// ReportJob keeps progress, which is JSON. It is false for one who does not
	// hold the job.
	ReportJob(ctx context.Context, h Held, progress json.RawMessage) (bool, error)
	// EndJob writes how an attempt ended. It is false, and changes nothing, for
	// one who does not hold the job.
	EndJob(ctx context.Context, h Held, e End) (bool, error)
	// RecoverJobs takes the jobs whose lease is over from their nodes, and
	// returns how many. Those without another attempt have failed.
	RecoverJobs(ctx context.Context, now time.Time) (int64, error)
}

// Calendar keeps when work that comes back is due, for all nodes.
type Calendar interface {
	// PlanWork makes the work known, due first at now, and never later than
	// latest.
	PlanWork(ctx context.Context, name string, now, latest time.Time) error
	// InsertDueWork inserts j, and has the work due again at next, in one
	// transaction. It is false, and does nothing, when it was not due at due:
	// another node was first.
	InsertDueWork(ctx context.Context, name string, due, next time.Time, j Insert, now time.Time) (bool, error)
}

// Records shows jobs to those who run the server, and takes their orders.
type Records interface {
	// InsertJob returns the id of the new job, or of the one that has the key.
	InsertJob(ctx context.Context, j Insert, now time.Time) (int64, error)
	// JobByID may return NotFound.
	JobByID(ctx context.Context, id int64) (Job, error)
	// JobsBy returns up to n jobs that f chooses, the newest first.
	JobsBy(ctx context.Context, f Filter, n int) ([]Job, error)
	// WaitingJobs counts the available jobs by their kinds.
	WaitingJobs(ctx context.Context) (map[string]int64, error)
	// RetryJob makes a failed, a cancelled or a waiting job available at once,
	// with all its attempts, and records e; one that was cancelled as it ran, when
	// its lease is over. Conflict for another, and while another has its key.
	RetryJob(ctx context.Context, id int64, e audit.Entry) error
	// CancelJob ends a job that waits or runs, and records e. Conflict for one
	// that has ended.
	CancelJob(ctx context.Context, id int64, e audit.Entry) error
	// SweepJobs deletes up to n jobs that ended before: those completed, or
	// those failed and cancelled. It returns how many.
	SweepJobs(ctx context.Context, completed bool, before time.Time, n int) (int64, error)
}

// Line is the jobs of one kind and one priority.
type Line struct {
	Kind     string
	Priority int
}

// Due is what there is to do.
type Due struct {
	// Lines are those with a job that may begin, in the order of priorities.
	Lines []Line
	// Expired is whether any job's lease is over.
	Expired bool
	// Work is the names of what comes back and is due, with the time it was due.
	Work map[string]time.Time
}

// Held is one attempt at a job by one node. A later attempt has a higher number,
// so whoever lost the job can be told from whoever has it.
type Held struct {
	ID      int64
	Attempt int
	Node    string
}

// End is how an attempt ended.
type End struct {
	State State
	At    time.Time
	// RunAt is when it is tried again, if State is Available.
	RunAt time.Time
	// Uncounted says that this attempt was none.
	Uncounted bool
	Error     string
	// Progress is the last that was reported; nil leaves what is there.
	Progress json.RawMessage
}

// Filter chooses jobs; what is empty chooses all.
type Filter struct {
	State State
	Kind  string
	// Before is the id of the last job of the page before.
	Before int64
}
