package web

import (
	"net/http"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

const (
	sessionCookie = "packhouse"
	attemptCookie = "packhouse-sign-in"
)

// cookieName returns the name under which browsers keep a cookie. Under TLS its
// prefix lets no other host, and nobody on plain HTTP, set it.
func (p *pages) cookieName(name string) string {
	if p.URL.Scheme == "https" {
		return "__Host-" + name
	}
	return name
}

// setCookie sets a cookie for so many seconds; negative removes it.
func (p *pages) setCookie(w http.ResponseWriter, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(name), Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: p.URL.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
}

// cookie returns the cookie's value, "" without it.
func (p *pages) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(p.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

func (p *pages) browser(r *http.Request) account.Browser {
	return account.Browser{
		Address: p.Client(r).String(), Agent: r.UserAgent(), Secret: p.cookie(r, sessionCookie),
	}
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

// perhaps returns who is signed in, or nobody.
func (p *pages) perhaps(w http.ResponseWriter, r *http.Request) (visitor, error) {
	v, err := p.visitor(w, r)
	if errs.Is(err, errs.Unauthenticated) {
		return visitor{}, nil
	}
	return v, err
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
			return redirect(w, loginPath(to))
		}
		if err != nil {
			return err
		}
		return h(w, r, v)
	}
}

// start signs the browser in and sends it on. Its session is always a new one.
func (p *pages) start(w http.ResponseWriter, r *http.Request, who access.Principal, issuer, to string) error {
	secret, err := p.Sessions.Start(r.Context(), who, issuer, p.browser(r))
	if err != nil {
		return err
	}
	httpx.EventFrom(w).Principal = who.Login
	p.setCookie(w, sessionCookie, secret, int(account.SessionLife.Seconds()))
	return redirect(w, localPath(to))
}

func (p *pages) logout(w http.ResponseWriter, r *http.Request) error {
	if err := p.Sessions.End(r.Context(), p.cookie(r, sessionCookie)); err != nil {
		return err
	}
	p.setCookie(w, sessionCookie, "", -1)
	return redirect(w, "/")
}

// plainName returns s if it is one word that may be shown, such as the code of
// an error.
func plainName(s string) string {
	if s == "" || len(s) > 60 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "unknown"
	}
	return s
}
