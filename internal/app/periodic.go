package app

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// periodic is work that each node does for itself, again and again: on its own
// disk, or with what it keeps in memory. What is done once for all nodes is a job.
type periodic struct {
	name  string
	every time.Duration
	run   func(ctx context.Context) error
}

func (a *App) periodic() []periodic {
	return []periodic{
		{"remove stray uploads", time.Hour, a.sweepStaged},
		{"note when tokens were used", 10 * time.Second, a.Tokens.FlushUses},
		{"count downloads", 10 * time.Second, a.Downloads.Flush},
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
