package account

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// SignUp makes a user without any privilege, who made the account alone. Denied
// while sign-up is closed, and otherwise as CreateUser; an account made here
// always has a password.
func (s *Service) SignUp(ctx context.Context, login, password string) (access.Principal, error) {
	open, err := s.SignUpOpen(ctx)
	if err != nil {
		return access.Principal{}, err
	}
	if !open {
		return access.Principal{}, errs.New(errs.Denied, "sign-up is closed; ask the site administrator for an account")
	}
	if password == "" {
		return access.Principal{}, errs.New(errs.Invalid, "choose a password")
	}
	folded, err := newLogin(login)
	if err != nil {
		return access.Principal{}, err
	}
	a, err := s.CreateUser(ctx, audit.Actor(folded), NewUser{Login: login, Password: password})
	return principal(a), err
}
