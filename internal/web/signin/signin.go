// Package signin is how people get in: with a password, a passkey or at an
// outside provider, with a second factor, by signing up, and once more before
// what is dangerous.
package signin

import (
	"context"
	"embed"
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/httpx"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Credentials checks what people sign in with; token.Authenticator does.
type Credentials interface {
	// ByPassword returns the principal of a login with its password, and whether
	// it takes a second factor to sign in. It takes nothing else, and limits the
	// tries.
	ByPassword(ctx context.Context, r *http.Request, login, password string) (who access.Principal, second bool, err error)
	// Attempt counts a try of the client that sent r against its limit, and
	// AttemptAs against that of the account too; AttemptCode is for codes that could
	// be guessed. settle gives it back when it went well.
	Attempt(r *http.Request) (settle func(ok bool), err error)
	AttemptAs(r *http.Request, login string) (settle func(ok bool), err error)
	AttemptCode(r *http.Request, login string) (settle func(ok bool), err error)
}

// Deps is what the room is made of.
type Deps struct {
	Credentials Credentials
	Accounts    *account.Service
	Factors     *account.Factors
	// Provider and Identities are nil when there is no outside provider;
	// ProviderName is what people call it.
	Provider     *account.Provider
	ProviderName string
	Identities   *account.Identities
}

type room struct {
	*frame.Room
	Deps
}

// New puts the room's pages on f. The error is that of a broken build.
func New(f *frame.Frame, d Deps) error {
	opened, err := f.Open(files)
	if err != nil {
		return err
	}
	r := &room{opened, d}
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	r.Declare("login", loginPage{})
	r.Declare("join", joinPage{})
	r.Declare("leave", leavePage{})
	r.Declare("second-factor", secondPage{})
	r.Declare("sudo", sudoPage{})
	f.On("GET /login", r.loginForm)
	f.On("POST /login", r.login)
	f.On("POST /login/passkey", r.passkey)
	f.On("POST /login/passkey/options", r.passkeyOptions)
	f.On("GET "+secondPath, r.secondForm)
	f.On("POST "+secondPath, r.second)
	f.On("POST "+secondPath+"/options", r.secondOptions)
	f.SignedIn("GET "+sudoPath, r.sudoForm)
	f.SignedIn("POST "+sudoPath, r.sudo)
	f.SignedIn("POST "+sudoPath+"/options", r.sudoOptions)
	f.Confirm(r.confirm)
	f.On("POST /logout", r.logout)
	f.On("GET /join", r.joinForm)
	f.On("POST /join", r.join)
	if r.Provider != nil {
		f.On("GET "+outsidePath, r.toProvider)
		f.On("GET "+CallbackPath, r.fromProvider)
		f.Sudo("POST /settings/identities", r.link) // whoever it is linked to signs in from then on
		f.SignedIn("POST "+sudoPath+"/provider", r.confirmOutside)
	}
}

// start signs the browser in and sends it on. Its session is always a new one. The
// browser takes the language and the theme that the person chose.
func (r *room) start(c *frame.Call, who access.Principal, way account.Way, to string) error {
	secret, err := c.Frame.Sessions.Start(c.R.Context(), who, way, c.Browser())
	if err != nil {
		return err
	}
	httpx.EventFrom(c.W).Principal = who.Login
	p, err := r.Accounts.Preferences(c.R.Context(), who.AccountID)
	if err != nil {
		return err
	}
	c.Prefer(p.Language, p.Theme)
	c.SetCookie(frame.SessionCookie, secret, account.SessionLife)
	return c.Redirect(frame.LocalPath(to))
}

func (r *room) logout(c *frame.Call) error {
	if err := c.Frame.Sessions.End(c.R.Context(), c.Cookie(frame.SessionCookie)); err != nil {
		return err
	}
	c.SetCookie(frame.SessionCookie, "", -1)
	return c.Redirect("/")
}
