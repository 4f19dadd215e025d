package app

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// CreateUser makes a user; an empty password is none. The server may run or not.
func CreateUser(ctx context.Context, cfg *config.Config, login, password string, siteAdmin bool) error {
	return administer(ctx, cfg, func(a *App) error {
		_, err := a.Accounts.CreateUser(ctx, audit.Operator, account.NewUser{Login: login, Password: password, SiteAdmin: siteAdmin})
		return err
	})
}

// CreateOrganization makes an organization that the user owner owns.
func CreateOrganization(ctx context.Context, cfg *config.Config, login, owner string) error {
	return administer(ctx, cfg, func(a *App) error {
		_, err := a.Accounts.CreateOrganization(ctx, audit.Operator, login, owner)
		return err
	})
}

// TokenRequest describes a personal access token to create.
type TokenRequest struct {
	User   string
	Scopes []string
	Life   time.Duration // 0: until it is revoked
	Note   string
}

// CreateToken makes a personal access token and returns its secret, which is
// not kept anywhere.
func CreateToken(ctx context.Context, cfg *config.Config, r TokenRequest) (secret string, err error) {
	scopes, err := access.ParseScopes(strings.Join(r.Scopes, ","))
	if err != nil {
		return "", err
	}
	err = administer(ctx, cfg, func(a *App) error {
		user, err := a.Accounts.Get(ctx, r.User)
		if err != nil {
			return err
		}
		if user.Kind != account.User {
			return errs.New(errs.NotFound, "no user %q: tokens belong to users", r.User)
		}
		n := token.NewToken{AccountID: user.ID, Note: r.Note, Scopes: scopes}
		if r.Life > 0 {
			n.ExpiresAt = time.Now().Add(r.Life)
		}
		tokens := &token.PersonalTokens{Store: a.Store, Now: time.Now, Random: rand.Reader}
		made, _, err := tokens.Create(ctx, n)
		secret = made.Reveal()
		return err
	})
	return secret, err
}

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
