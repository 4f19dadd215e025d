package account

import (
	"context"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// maxPage is the longest page of accounts.
const maxPage = 1000

// List returns up to limit accounts of the kind in the order of their logins,
// from the first one behind after.
func (s *Service) List(ctx context.Context, k Kind, after string, limit int) ([]Account, error) {
	return s.Store.ListAccounts(ctx, k, after, min(max(limit, 1), maxPage))
}

// SetPassword gives the user a new password. Sign-ins with the old one end.
func (s *Service) SetPassword(ctx context.Context, by audit.Actor, login, password string) error {
	a, err := s.find(ctx, login, User)
	if err != nil {
		return err
	}
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.Store.SetPassword(ctx, a.ID, a.PasswordHash, hash, s.entry(by, "user.password", a.Login, nil))
}

// Suspend shuts the account out, or lets it in again. Its credentials stop
// working at once for writes, and for reads within the life of a bearer token.
// Conflict for the last site administrator.
func (s *Service) Suspend(ctx context.Context, by audit.Actor, login string, suspended bool) error {
	a, err := s.Get(ctx, login)
	if err != nil {
		return err
	}
	action := "account.suspend"
	if !suspended {
		action = "account.unsuspend"
	}
	return s.Store.SetSuspended(ctx, a.ID, suspended, s.entry(by, action, a.Login, nil))
}

// SetSiteAdmin makes the user a site administrator, or one no longer. Conflict
// for the last one.
func (s *Service) SetSiteAdmin(ctx context.Context, by audit.Actor, login string, admin bool) error {
	a, err := s.find(ctx, login, User)
	if err != nil {
		return err
	}
	return s.Store.SetSiteAdmin(ctx, a.ID, admin, s.entry(by, "user.site_admin", a.Login, map[string]any{"site_admin": admin}))
}

// Rename gives the account another login. All that it had before go on leading
// to it, in addresses and at sign-in, and nobody else can ever take them.
func (s *Service) Rename(ctx context.Context, by audit.Actor, login, to string) error {
	a, err := s.Get(ctx, login)
	if err != nil {
		return err
	}
	folded, err := newLogin(to)
	if err != nil {
		return err
	}
	return s.Store.RenameAccount(ctx, a.ID, folded, to, s.entry(by, "account.rename", a.Login, map[string]any{"to": folded}))
}

// Delete deletes the account for good: credentials and sessions end, roles and
// memberships are gone, packages in its namespace are deleted. Nobody can ever
// take its logins. Conflict for a user who is the last owner of an organization
// or the last site administrator.
func (s *Service) Delete(ctx context.Context, by audit.Actor, login string, k Kind) error {
	if k != User && k != Organization {
		return errs.New(errs.Invalid, "an account is a user or an organization")
	}
	a, err := s.find(ctx, login, k)
	if err != nil {
		return err
	}
	action := "user.delete"
	if k == Organization {
		action = "org.delete"
	}
	return s.Store.DeleteAccount(ctx, a.ID, s.entry(by, action, a.Login, nil))
}
