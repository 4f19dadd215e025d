package app

import (
	"context"
	"errors"
	"log/slog"

	"packhouse/internal/config"
)

// administer runs f on the services that need no blobs and no listener. Its
// errors go back to the command; there is no log.
func administer(ctx context.Context, cfg *config.Config, f func(*App) error) (err error) {
	a, err := Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return f(a)
}
