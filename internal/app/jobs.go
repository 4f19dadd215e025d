package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// periodic is work that comes back. Every node may run it: each piece is safe
// to run twice.
type periodic struct {
	name  string
	every time.Duration
	run   func(ctx context.Context) error
}

// jobs lists the periodic work of a.
func (a *App) jobs() []periodic {
	return []periodic{
		{"expire uploads", time.Minute, func(ctx context.Context) error {
			n, err := a.Registry.SweepUploads(ctx)
			if n > 0 {
				a.log.InfoContext(ctx, "abandoned uploads ended", "count", n)
			}
			return err
		}},
		{"remove stray uploads", time.Hour, a.sweepStaged},
		{"note when tokens were used", 10 * time.Second, a.Tokens.FlushUses},
		{"forget workflow tokens that ended", time.Hour, func(ctx context.Context) error {
			_, err := a.workflowTokens().Sweep(ctx)
			return err
		}},
		{"forget sessions that ended", time.Hour, func(ctx context.Context) error {
			_, err := a.sessions().Sweep(ctx)
			return err
		}},
	}
}

// stagedSweeper is the ability of a blob store to find staged bytes that no
// session knows. A bucket does that by a rule of its own.
type stagedSweeper interface {
	SweepStaged(ctx context.Context, keep func(id string) bool, olderThan time.Time) (int, error)
}

// strayAge is how old staged bytes without a session must be to be removed;
// longer than any session lives.
const strayAge = 48 * time.Hour

func (a *App) sweepStaged(ctx context.Context) error {
	sweeper, ok := a.blobs.(stagedSweeper)
	if !ok {
		return nil
	}
	var failed error
	keep := func(id string) bool {
		known, err := a.Store.HasSession(ctx, id)
		failed = errors.Join(failed, err)
		return known || err != nil
	}
	n, err := sweeper.SweepStaged(ctx, keep, time.Now().Add(-strayAge))
	if n > 0 {
		a.log.InfoContext(ctx, "stray uploads removed", "count", n)
	}
	return errors.Join(err, failed)
}

// runJobs runs the periodic work until ctx ends, and returns when the last
// piece has and what was left to note is noted.
func (a *App) runJobs(ctx context.Context) {
	var wg sync.WaitGroup
	for _, job := range a.jobs() {
		wg.Go(func() { job.loop(ctx, a.log) })
	}
	wg.Wait()
	if err := a.Tokens.FlushUses(context.WithoutCancel(ctx)); err != nil {
		a.log.Error("the last use of some tokens was not noted", "error", err)
	}
}

func (p periodic) loop(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := p.run(ctx); err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "periodic work failed; it will be tried again", "job", p.name, "error", err)
			}
		}
	}
}
