package frame

import (
	"net/http"
	"slices"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

// The cookies: of the session, and of what people chose.
const (
	SessionCookie   = "packhouse"
	ChallengeCookie = "packhouse-passkey" // what a passkey was asked to sign
	languageCookie  = "packhouse-language"
	themeCookie     = "packhouse-theme"
)

// Themes returns the themes that people choose among; the first follows the
// browser.
func Themes() []string {
	return []string{"auto", "light", "dark", "light-high-contrast", "dark-high-contrast"}
}

// call finds out who sent r, and how they want to read.
func (f *Frame) call(w http.ResponseWriter, r *http.Request) (*Call, error) {
	c := f.plainCall(w, r)
	secret := c.Cookie(SessionCookie)
	if secret == "" {
		return c, nil
	}
	session, who, err := f.Sessions.Find(r.Context(), secret)
	if errs.Is(err, errs.Unauthenticated) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	c.Session, c.Who = session, who
	// On pages a person has all rights of the account, not those at the registries alone.
	c.Who.SignedOn, c.Who.Scopes = c.Vouched(), access.EveryScope
	httpx.EventFrom(w).Principal = who.Login
	return c, nil
}

// plainCall is a call of somebody who may be signed in or not.
func (f *Frame) plainCall(w http.ResponseWriter, r *http.Request) *Call {
	c := &Call{Frame: f, W: w, R: r}
	c.Locale = f.Locales.Choose(c.Cookie(languageCookie), r.Header.Get("Accept-Language"))
	if c.Theme = c.Cookie(themeCookie); !slices.Contains(Themes(), c.Theme) {
		c.Theme = Themes()[0]
	}
	return c
}

// Fresh reports whether the person lately showed that it is they who sit there.
func (c *Call) Fresh() bool { return c.Frame.Now().Before(c.Session.SudoUntil) }

// Vouched reports whether the outside provider vouched for the person in this
// session.
func (c *Call) Vouched() bool {
	return c.Frame.ProviderIssuer != "" && c.Session.Issuer == c.Frame.ProviderIssuer
}

// Browser is what is noted of where a session is started.
func (c *Call) Browser() account.Browser {
	return account.Browser{
		Address: c.Frame.Client(c.R).String(), Agent: c.R.UserAgent(), Secret: c.Cookie(SessionCookie),
	}
}

// cookieName returns the name under which browsers keep a cookie. Under TLS its
// prefix lets no other host, and nobody on plain HTTP, set it.
func (f *Frame) cookieName(name string) string {
	if f.URL.Scheme == "https" {
		return "__Host-" + name
	}
	return name
}

// SetCookie sets a cookie for so long; negative removes it.
func (c *Call) SetCookie(name, value string, life time.Duration) {
	if c.set == nil {
		c.set = map[string]string{}
	}
	c.set[name] = value
	http.SetCookie(c.W, &http.Cookie{
		Name: c.Frame.cookieName(name), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: c.Frame.URL.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
}

// Cookie returns the cookie's value, as it was sent or is being set; "" without it.
func (c *Call) Cookie(name string) string {
	if value, ok := c.set[name]; ok {
		return value
	}
	cookie, err := c.R.Cookie(c.Frame.cookieName(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

const preferenceLife = 365 * 24 * time.Hour

// Prefer sets the language and the theme for this browser; "" leaves one as it is.
// What is none of ours is forgotten.
func (c *Call) Prefer(language, theme string) {
	if c.Frame.Locales.Named(language) != nil {
		c.SetCookie(languageCookie, language, preferenceLife)
	} else if language == "auto" {
		c.SetCookie(languageCookie, "", -time.Second)
	}
	if slices.Contains(Themes(), theme) {
		c.SetCookie(themeCookie, theme, preferenceLife)
	}
}

// setPreferences is the form at the foot of each page.
func (f *Frame) setPreferences(c *Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	c.Prefer(form.Get("language"), form.Get("theme"))
	return c.Redirect(LocalPath(form.Get("return_to")))
}
