package signin

import (
	"io"
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

const (
	outsidePath = "/login/oidc"
	// CallbackPath is where, below the public address, the outside provider
	// sends people back; it has to be known there.
	CallbackPath  = "/login/oidc/callback"
	attemptCookie = "packhouse-sign-in"
)

// leavePage stands between a form of ours and the provider.
type leavePage struct {
	frame.Page
	Provider, Address string
}

// begin sets out for the provider and returns its address.
func (r *room) begin(c *frame.Call, purpose, returnTo string) (string, error) {
	a := attempt{secret: make([]byte, 32), begun: c.Frame.Now(), purpose: purpose, returnTo: frame.LocalPath(returnTo)}
	if purpose != toEnter {
		a.account = c.Who.AccountID
	}
	if _, err := io.ReadFull(c.Frame.Random, a.secret); err != nil {
		return "", errs.Wrap(errs.Internal, err, "no randomness for a sign-in")
	}
	address, err := r.Provider.Address(c.R.Context(), a.provider())
	if err == nil {
		c.SetCookie(attemptCookie, a.cookie(), attemptLife)
	}
	return address, err
}

func (r *room) toProvider(c *frame.Call) error {
	address, err := r.begin(c, toEnter, c.Query("return_to"))
	if err != nil {
		return err
	}
	return c.Redirect(address)
}

// fromProvider takes back who was sent to the provider.
func (r *room) fromProvider(c *frame.Call) error {
	a, ok := parseAttempt(c.Cookie(attemptCookie))
	c.SetCookie(attemptCookie, "", -1) // one way there, one way back
	if !ok || c.Frame.Now().Sub(a.begun).Abs() > attemptLife || !a.provider().Owns(c.Query("state")) {
		return errs.New(errs.Denied, "this sign-in was not begun in this browser, or took too long; sign in again")
	}
	settle, err := r.Credentials.Attempt(c.R)
	if err != nil {
		return err
	}
	i, err := r.redeem(c, a)
	settle(err == nil)
	if err == nil {
		err = r.arrive(c, a, i)
	}
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.Unauthenticated) {
		name := ""
		if i.Subject != "" {
			name = "identity " + i.Subject
		}
		if failure := c.Frame.Sessions.Failed(c.R.Context(), name, account.Way{Issuer: r.Provider.Issuer}, c.Browser()); failure != nil {
			return failure
		}
	}
	return err
}

func (r *room) redeem(c *frame.Call, a attempt) (account.Identity, error) {
	issuer, refusal, code := c.Query("iss"), c.Query("error"), c.Query("code")
	switch {
	case issuer != "" && issuer != r.Provider.Issuer:
		return account.Identity{}, errs.New(errs.Denied, "another provider sent you here; sign in again")
	case refusal != "" || code == "":
		return account.Identity{}, errs.New(errs.Denied, "the provider did not sign you in: %s", plainName(refusal))
	}
	return r.Provider.Redeem(c.R.Context(), a.provider(), code)
}

// arrive does what the attempt was for with who the provider vouches for.
func (r *room) arrive(c *frame.Call, a attempt, i account.Identity) error {
	if a.purpose != toEnter {
		if err := stillThere(c, a); err != nil {
			return err
		}
	}
	switch a.purpose {
	case toLink:
		return r.linkTo(c, a, i)
	case toConfirm: // before SignIn, which would make an account for a stranger
		if is, err := r.Identities.Store.AccountByIdentity(c.R.Context(), i.Issuer, i.Subject); errs.Is(err, errs.NotFound) || err == nil && is.ID != a.account {
			return errSomebodyElse()
		}
	}
	who, err := r.Identities.SignIn(c.R.Context(), i)
	switch {
	case err != nil:
		return err
	case a.purpose == toEnter:
		earlier := c.Frame.Now().Sub(i.SignedInAt) >= account.SudoLife
		return r.start(c, who, account.Way{Issuer: i.Issuer, Earlier: earlier}, a.returnTo)
	case who.AccountID != a.account:
		return errSomebodyElse()
	}
	if err := r.renew(c, account.Way{Issuer: i.Issuer}); err != nil {
		return err
	}
	return c.Done(a.returnTo, "signin-confirmed")
}

func errSomebodyElse() error {
	return errs.New(errs.Denied, "at the provider you are somebody else; sign in there as who you are here")
}

// stillThere returns an error unless who set out is the one that is signed in.
func stillThere(c *frame.Call, a attempt) error {
	if c.Who.AccountID == 0 {
		return errs.New(errs.Unauthenticated, "nobody is signed in")
	}
	if c.Who.AccountID != a.account {
		return errs.New(errs.Denied, "somebody else has signed in meanwhile; start again")
	}
	return nil
}

// linkTo links the identity to the account that set out to do so.
func (r *room) linkTo(c *frame.Call, a attempt, i account.Identity) error {
	if err := r.Identities.Link(c.R.Context(), c.Who, i); err != nil {
		return err
	}
	return r.start(c, c.Who, account.Way{Issuer: i.Issuer}, a.returnTo)
}

// link sets out for the provider. A form may not lead to another site, by the
// policy of the page, so a page of ours stands between.
func (r *room) link(c *frame.Call) error {
	address, err := r.begin(c, toLink, "/settings/identities")
	if err != nil {
		return err
	}
	return r.leave(c, address)
}

func (r *room) leave(c *frame.Call, address string) error {
	c.W.Header().Set("Refresh", "0; url="+address)
	return r.Show(c, frame.OK, "leave", leavePage{c.Page("signin.leave-title"), r.ProviderName, address})
}

// plainName returns s if it is one word that may be shown, such as the code of
// an error.
func plainName(s string) string {
	if s == "" || len(s) > 60 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "unknown"
	}
	return s
}
