package token

import (
	"context"
	"net/http"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// longestLogin bounds the logins that the throttle remembers.
const longestLogin = 100

// Attempt counts a try of the client that sent r, at something else than a
// password, against the limit for clients. RateLimited when there were too many.
// settle takes the try back when it went well; need not be called otherwise.
func (a *Authenticator) Attempt(r *http.Request) (settle func(ok bool), err error) {
	client := a.Client(r)
	return a.throttle.admit("@"+clientKey(client), client, a.Now()) // no login has an @
}

// CountRefusal does what takes an identity token that came with r. If that is
// Unauthenticated it counts against the limit for clients, and after too many
// nothing is done: RateLimited. Jobs share addresses, so those that are let in
// do not count, however many there are at once. Nor does a login: it may be any.
func (a *Authenticator) CountRefusal(r *http.Request, do func() error) error {
	client := clientKey(a.Client(r))
	if wait := a.throttle.clients.wait(client, a.Now()); wait > 0 {
		return tooMany(wait)
	}
	err := do()
	if errs.Is(err, errs.Unauthenticated) {
		a.throttle.clients.take(client, a.Now())
	}
	return err
}

// AttemptAs is Attempt at signing in to the account of that login: it counts
// against the limit of the account too.
func (a *Authenticator) AttemptAs(r *http.Request, login string) (settle func(ok bool), err error) {
	return a.throttle.admit(throttled(login), a.Client(r), a.Now())
}

// AttemptCode is AttemptAs with a code that could be guessed, since it has six
// digits: far fewer of them are tried than of passwords.
func (a *Authenticator) AttemptCode(r *http.Request, login string) (settle func(ok bool), err error) {
	key := throttled(login)
	if wait := a.throttle.codes.take(key, a.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	counted, err := a.AttemptAs(r, login)
	if err != nil {
		a.throttle.codes.giveBack(key)
		return nil, err
	}
	return func(ok bool) {
		if counted(ok); ok {
			a.throttle.codes.giveBack(key)
		}
	}, nil
}

// ByPassword returns the principal of a login with its password, and whether it
// takes a second factor to sign in. No token is taken for a password: its rights
// are narrower than those of the pages that ask. Every failure counts against the
// limits, so a caller may record each.
func (a *Authenticator) ByPassword(ctx context.Context, r *http.Request, login, password string) (who access.Principal, second bool, err error) {
	if len(login) > longestLogin {
		login = ""
	}
	return a.Passwords.ByPassword(ctx, login, password, func() (func(bool), error) {
		return a.AttemptAs(r, login)
	})
}

func throttled(login string) string { return strings.ToLower(login[:min(len(login), longestLogin)]) }
