package app

import (
	"context"
	"net/url"

	"packhouse/internal/audit"
	"packhouse/internal/config"
)

// UnlinkIdentities takes from the user what the outside provider is to it.
func UnlinkIdentities(ctx context.Context, cfg *config.Config, login string) error {
	return administer(ctx, cfg, func(a *App) error {
		user, err := a.Accounts.Get(ctx, login)
		if err != nil {
			return err
		}
		return a.identities(cfg).Unlink(ctx, audit.Operator, user)
	})
}

// ResetSecondFactor takes all second factors from the user and ends the sessions.
func ResetSecondFactor(ctx context.Context, cfg *config.Config, login string) error {
	return administer(ctx, cfg, func(a *App) error {
		user, err := a.Accounts.Get(ctx, login)
		if err != nil {
			return err
		}
		public, err := url.Parse(cfg.URL)
		if err != nil {
			return err
		}
		factors, err := a.factors(public)
		if err != nil {
			return err
		}
		return factors.Reset(ctx, audit.Operator, user)
	})
}
