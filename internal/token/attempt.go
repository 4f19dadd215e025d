package token

import (
	"context"
	"net/http"
	"strings"

	"packhouse/internal/access"
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

// ByPassword returns the principal of a login with its password. No token is
// taken for one: its rights are narrower than those of the pages that ask. Every
// failure counts against the limits, so a caller may record each.
func (a *Authenticator) ByPassword(ctx context.Context, r *http.Request, login, password string) (access.Principal, error) {
	if len(login) > longestLogin {
		login = ""
	}
	return a.Passwords.SignIn(ctx, login, password, func() (func(bool), error) {
		return a.throttle.admit(strings.ToLower(login), a.Client(r), a.Now())
	})
}
