package jobs

import "context"

// Look is one look for due jobs.
func (r *Runner) Look(ctx context.Context) error { return r.poll(ctx, ctx) }

// Beat is one renewal of the leases.
func (r *Runner) Beat(ctx context.Context) { r.beat(ctx) }

// Settle waits until nothing runs.
func (r *Runner) Settle() { r.running.Wait() }
