package app

import (
	"context"
	"time"

	"packhouse/internal/config"
	"packhouse/internal/lifecycle"
)

// QuarantineGarbage has nothing removed for good for d from now on, and returns
// until when. It makes no quarantine shorter.
func QuarantineGarbage(ctx context.Context, cfg *config.Config, d time.Duration) (until time.Time, err error) {
	err = administer(ctx, cfg, func(a *App) error {
		notes, err := a.Store.Notes(ctx)
		if err != nil {
			return err
		}
		if until = time.Now().Add(d); notes.Quarantine().After(until) {
			until = notes.Quarantine()
			return nil
		}
		return a.Store.Note(ctx, lifecycle.QuarantineUntil(until))
	})
	return until, err
}
