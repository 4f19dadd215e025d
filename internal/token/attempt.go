package token

import "net/http"

// Attempt counts a try of the client that sent r, at something else than a
// password, against the limit for clients. RateLimited when there were too many.
// settle takes the try back when it went well; need not be called otherwise.
func (a *Authenticator) Attempt(r *http.Request) (settle func(ok bool), err error) {
	client := a.Client(r)
	return a.throttle.admit("@"+clientKey(client), client, a.Now()) // no login has an @
}
