package web

import (
	"net/http"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/web/frame"
)

const sessionCookie = "packhouse"

// cookieName returns the name under which browsers keep a cookie. Under TLS its
// prefix lets no other host, and nobody on plain HTTP, set it.
func (p *pages) cookieName(name string) string {
	if p.URL.Scheme == "https" {
		return "__Host-" + name
	}
	return name
}

// cookie returns the cookie's value, "" without it.
func (p *pages) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(p.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// visitor is who looks at a page.
type visitor struct {
	access.Principal
	issuer string // the outside provider that vouched for them; "" after a password
	since  time.Time
}

// visitor returns who is signed in, or Unauthenticated.
func (p *pages) visitor(w http.ResponseWriter, r *http.Request) (visitor, error) {
	session, who, err := p.Sessions.Find(r.Context(), p.cookie(r, sessionCookie))
	if err != nil {
		return visitor{}, err
	}
	httpx.EventFrom(w).Principal = who.Login
	return visitor{who, session.Issuer, session.CreatedAt}, nil
}

// signedIn serves a page to those who are signed in. Others sign in first and
// come back; a form of theirs is lost.
func (p *pages) signedIn(h func(http.ResponseWriter, *http.Request, visitor) error) httpx.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := p.visitor(w, r)
		if errs.Is(err, errs.Unauthenticated) {
			to := r.URL.EscapedPath()
			if r.Method != http.MethodGet {
				to = "/settings/tokens"
			}
			return redirect(w, frame.SignInPath(to))
		}
		if err != nil {
			return err
		}
		return h(w, r, v)
	}
}
