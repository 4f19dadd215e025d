// Package security is the settings of how a person gets in: password, authenticator
// app, recovery codes and passkeys.
package security

import (
	"context"
	"embed"
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Credentials checks passwords; token.Authenticator does.
type Credentials interface {
	// ByPassword returns the principal of a login with its password, and whether
	// it takes a second factor to sign in. It limits the tries.
	ByPassword(ctx context.Context, r *http.Request, login, password string) (who access.Principal, second bool, err error)
}

// Deps is what the room is made of.
type Deps struct {
	Credentials Credentials
	Accounts    *account.Service
	Factors     *account.Factors
}

type room struct {
	*frame.Room
	Deps
}

// home is the first page of the room.
const home = "/settings/security"

// New puts the room's pages on f. The error is that of a broken build.
func New(f *frame.Frame, d Deps) error {
	opened, err := f.Open(files)
	if err != nil {
		return err
	}
	r := &room{opened, d}
	r.Declare("security", securityPage{})
	r.Declare("app", appPage{})
	r.Declare("codes", codesPage{})
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	f.SignedIn("GET "+home, r.show)
	f.Sudo("POST "+home+"/password", r.setPassword)
	f.Sudo("POST "+home+"/app", r.beginApp)
	f.Sudo("GET "+home+"/app", r.setUpApp)
	f.Sudo("POST "+home+"/app/confirm", r.confirmApp)
	f.Sudo("POST "+home+"/app/remove", r.removeApp)
	f.Sudo("POST "+home+"/recovery-codes", r.renewCodes)
	f.Sudo("POST "+home+"/passkeys/options", r.passkeyOptions)
	f.Sudo("POST "+home+"/passkeys", r.addPasskey)
	f.Sudo("POST "+home+"/passkeys/{id}/rename", r.renamePasskey)
	f.Sudo("POST "+home+"/passkeys/{id}/remove", r.removePasskey)
}

// securityPage is how somebody signs in.
type securityPage struct {
	frame.OwnerPage
	account.FactorStatus
	// HasPassword is set when there is one, and KnowsPasskeys where there can be
	// passkeys.
	HasPassword, KnowsPasskeys bool
}

// CodesLeft is how many recovery codes were not used.
func (p securityPage) CodesLeft() int64 { return int64(p.Codes) }

func (r *room) own(c *frame.Call, titleKey string) (frame.OwnerPage, error) {
	o, err := c.FindOwner(c.Who.Login)
	if err != nil {
		return frame.OwnerPage{}, err
	}
	p := c.OwnerPage(o, "settings", titleKey)
	p.Settings = "security"
	return p, nil
}

func (r *room) page(c *frame.Call) (securityPage, error) {
	own, err := r.own(c, "security.title")
	if err != nil {
		return securityPage{}, err
	}
	s, err := r.Factors.Status(c.R.Context(), c.Who.AccountID)
	return securityPage{own, s, own.Owner.PasswordHash != "", r.Factors.HasPasskeys()}, err
}

func (r *room) show(c *frame.Call) error {
	page, err := r.page(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "security", page)
}

// again shows the page once more with what was wrong. Faults have their own page,
// and so has what is not there.
func (r *room) again(c *frame.Call, cause error) error {
	if errs.Is(cause, errs.Internal) || errs.Is(cause, errs.NotFound) {
		return cause
	}
	page, err := r.page(c)
	if err != nil {
		return err
	}
	page.Page = c.Failed(page.Page, cause)
	return c.Again(cause, r.Room, "security", page)
}
