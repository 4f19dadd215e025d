package app

import (
	"context"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
)

// CreateUser makes a user; an empty password is none. The server may run or not.
func CreateUser(ctx context.Context, cfg *config.Config, login, password string, siteAdmin bool) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		_, err := s.CreateUser(ctx, audit.Operator, account.NewUser{Login: login, Password: password, SiteAdmin: siteAdmin})
		return err
	})
}

// SetPassword gives the user a new password.
func SetPassword(ctx context.Context, cfg *config.Config, login, password string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.SetPassword(ctx, audit.Operator, login, password)
	})
}

// RenameAccount gives a user or an organization another login.
func RenameAccount(ctx context.Context, cfg *config.Config, login, to string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.Rename(ctx, audit.Operator, login, to)
	})
}

// SuspendAccount shuts an account out, or lets it in again.
func SuspendAccount(ctx context.Context, cfg *config.Config, login string, suspended bool) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.Suspend(ctx, audit.Operator, login, suspended)
	})
}

// SetSiteAdmin makes the user a site administrator, or one no longer.
func SetSiteAdmin(ctx context.Context, cfg *config.Config, login string, admin bool) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.SetSiteAdmin(ctx, audit.Operator, login, admin)
	})
}

// DeleteUser deletes the user for good.
func DeleteUser(ctx context.Context, cfg *config.Config, login string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.Delete(ctx, audit.Operator, login, account.User)
	})
}

// ListUsers returns a heading and a row for each user.
func ListUsers(ctx context.Context, cfg *config.Config) ([][]string, error) {
	rows := [][]string{{"LOGIN", "STATE", "CREATED"}}
	err := eachAccount(ctx, cfg, account.User, func(a account.Account) {
		state := "user"
		if a.SiteAdmin {
			state = "site administrator"
		}
		if a.Suspended {
			state += ", suspended"
		}
		rows = append(rows, []string{a.DisplayLogin, state, a.CreatedAt.Format(shownTime)})
	})
	return rows, err
}

// shownTime is how lists show a time, in UTC.
const shownTime = "2006-01-02 15:04:05"

func eachAccount(ctx context.Context, cfg *config.Config, k account.Kind, do func(account.Account)) error {
	const page = 1000
	return directory(ctx, cfg, func(s *account.Service) error {
		for after := ""; ; {
			list, err := s.List(ctx, k, after, page)
			if err != nil {
				return err
			}
			for _, a := range list {
				do(a)
			}
			if len(list) < page {
				return nil
			}
			after = list[len(list)-1].Login
		}
	})
}

// directory runs f on the accounts alone.
func directory(ctx context.Context, cfg *config.Config, f func(*account.Service) error) error {
	return administer(ctx, cfg, func(a *App) error { return f(a.Accounts) })
}
