package jobs

import (
	"context"
	"time"
)

// Worker does the work of one job. It returns nil when the job is done, Snooze
// when it is to be called again later, Cancel when it never will succeed, and
// any other error to be tried again, each time later, until MaxAttempts. Ctx ends
// when the lease is lost or the node stops; the job is then another's.
type Worker func(ctx context.Context, j Job) error

// Report keeps what people are shown of a running job, such as counts.
type Report func(ctx context.Context, progress any) error

// SnoozeError is the answer of Snooze.
type SnoozeError struct{ For time.Duration }

// Error implements error.
func (e *SnoozeError) Error() string { return "again in " + e.For.String() }

// Snooze has the job begin again after d; the attempt does not count.
func Snooze(d time.Duration) error { return &SnoozeError{d} }

// CancelError is the answer of Cancel.
type CancelError struct{ Cause error }

// Error returns the text of the cause.
func (e *CancelError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *CancelError) Unwrap() error { return e.Cause }

// Cancel ends the job as failed, for a cause that no attempt will mend.
func Cancel(cause error) error { return &CancelError{cause} }
