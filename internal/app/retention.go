package app

import (
	"context"
	"time"

	"packhouse/internal/config"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/packages"
	"packhouse/internal/store"
)

func newRetention(cfg *config.Config, s *store.Store, p *packages.Service) *lifecycle.Retention {
	return lifecycle.NewRetention(lifecycle.RetentionOptions{
		Policies: s, Stocks: s, Plans: s, Ends: s, Rights: p, RestoreWindow: cfg.Retention.RestoreWindow, Now: time.Now,
	})
}

// retentionKinds are the jobs that delete by rules, and that work out what
// versions from before are.
func (a *App) retentionKinds() map[string]jobs.Kind {
	return map[string]jobs.Kind{
		"retention":         {Work: a.runRetention},
		"versions.classify": {Work: a.classifyVersions},
	}
}

// runRetention applies all automatic policies.
func (a *App) runRetention(ctx context.Context, _ jobs.Job) error {
	d, err := a.Retention.RunDaily(ctx)
	if d.Policies > 0 {
		a.log.InfoContext(ctx, "retention policies applied", "policies", d.Policies, "versions", d.Versions, "bytes", d.Bytes, "failed", d.Failed)
	}
	return err
}

// classifyVersions goes through the versions of which nobody knows yet what they
// are.
func (a *App) classifyVersions(ctx context.Context, _ jobs.Job) error {
	const batch = 200
	for {
		n, err := a.Store.ClassifyVersions(ctx, batch)
		if err != nil || n < batch {
			return err
		}
	}
}
