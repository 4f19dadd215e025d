package account

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// errSignIn is the one answer to every failed sign-in.
func errSignIn() error {
	return errs.New(errs.Unauthenticated, "the user name or the password is not right")
}

// SignIn returns the principal of the user, with all scopes, if the password is
// right and enough. Where there is a second factor it is not, and the one who
// knows the password is told to use a token.
func (s *Service) SignIn(ctx context.Context, login, password string, admit func() (settle func(ok bool), err error)) (access.Principal, error) {
	who, second, err := s.ByPassword(ctx, login, password, admit)
	if err == nil && second {
		return access.Principal{}, errs.New(errs.Unauthenticated,
			"this account has a second factor, so its password is not taken here: use a personal access token")
	}
	return who, err
}

// ByPassword returns the principal of the user, with all scopes, if the password
// is right, and whether it takes a second factor to sign in. Unknown logins, users without a password, suspended users and wrong
// passwords are one Unauthenticated error, after one check's time.
//
// admit is asked before a check is paid for and may refuse it, for throttling;
// its settle is told how the check ended. Passwords that were right within the
// last minute are not checked again, and admit is not asked.
func (s *Service) ByPassword(ctx context.Context, login, password string, admit func() (settle func(ok bool), err error)) (who access.Principal, second bool, err error) {
	a, err := s.Get(ctx, login)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return access.Principal{}, false, err
	}
	may := err == nil && !a.Suspended
	if may && s.recent.has(a.Login, password, a.PasswordHash, s.Now()) {
		return principal(a), a.SecondFactor, nil
	}
	settle, err := admit()
	if err != nil {
		return access.Principal{}, false, err
	}
	if !may {
		a.PasswordHash = "" // matches nothing, like that of an organization
	}
	ok, outdated, err := s.Passwords.Verify(ctx, a.PasswordHash, password)
	settle(ok || err != nil)
	if err != nil {
		return access.Principal{}, false, err
	}
	if !ok {
		return access.Principal{}, false, errSignIn()
	}
	if outdated {
		s.upgrade(ctx, &a, password)
	}
	s.recent.add(a.Login, password, a.PasswordHash, s.Now())
	return principal(a), a.SecondFactor, nil
}

// upgrade stores the password at today's cost. Its failure costs nothing: the
// old hash still holds, and the next sign-in tries again.
func (s *Service) upgrade(ctx context.Context, a *Account, password string) {
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil || s.Store.RehashPassword(ctx, a.ID, a.PasswordHash, hash) != nil {
		return
	}
	a.PasswordHash = hash
}

func principal(a Account) access.Principal {
	who := access.Principal{AccountID: a.ID, Login: a.Login, SiteAdmin: a.SiteAdmin, Scopes: access.AllScopes}
	if !a.PasswordChangedAt.IsZero() {
		who.Generation = a.PasswordChangedAt.UnixMicro()
	}
	return who
}
