package signin

import (
	"net/url"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// loginPage is the form of a sign-in.
type loginPage struct {
	frame.Page
	Login, ReturnTo, Provider, ProviderPath string
	// Passkeys is set where there can be some.
	Passkeys bool
	// Open is set when people may make accounts for themselves.
	Open bool
}

func (r *room) loginPage(c *frame.Call, login, returnTo string) (loginPage, error) {
	open, err := r.Accounts.SignUpOpen(c.R.Context())
	page := loginPage{Page: c.Page("signin.title"), Login: login, ReturnTo: frame.LocalPath(returnTo), Open: open, Passkeys: r.Factors.HasPasskeys()}
	if r.Provider != nil {
		page.Provider = r.ProviderName
		page.ProviderPath = outsidePath + "?" + url.Values{"return_to": {page.ReturnTo}}.Encode()
	}
	return page, err
}

func (r *room) loginForm(c *frame.Call) error {
	if c.Who.AccountID != 0 {
		return c.Redirect(frame.LocalPath(c.Query("return_to")))
	}
	page, err := r.loginPage(c, "", c.Query("return_to"))
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "login", page)
}

func (r *room) login(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	login, returnTo := form.Get("login"), form.Get("return_to")
	who, second, err := r.Credentials.ByPassword(c.R.Context(), c.R, login, form.Get("password"))
	switch {
	case err == nil && second:
		err = r.wait(c, who, returnTo)
	case err == nil:
		err = r.start(c, who, account.Way{}, returnTo)
	}
	switch {
	case err == nil:
		return nil
	case errs.Is(err, errs.Unauthenticated):
		if err := r.failed(c, login, account.Way{}); err != nil {
			return err
		}
		err = errs.Wrap(errs.Unauthenticated, err, "the user name or the password is not right")
	}
	return r.loginAgain(c, login, returnTo, err)
}

// loginAgain shows the form of a sign-in with the reason why it did not succeed;
// faults have their own page.
func (r *room) loginAgain(c *frame.Call, login, returnTo string, cause error) error {
	if !mayTryAgain(cause) {
		return cause
	}
	page, err := r.loginPage(c, login, returnTo)
	if err != nil {
		return err
	}
	page.Page = c.Failed(page.Page, cause)
	return c.Again(cause, r.Room, "login", page)
}

// mayTryAgain reports whether a form is shown again for a failure of it.
func mayTryAgain(err error) bool {
	return errs.Is(err, errs.Unauthenticated) || errs.Is(err, errs.RateLimited) || errs.Is(err, errs.Unavailable)
}

// failed records a sign-in that did not succeed, under the login only if there
// is such an account: people type their password into the wrong field.
func (r *room) failed(c *frame.Call, login string, way account.Way) error {
	a, err := r.Accounts.Get(c.R.Context(), login)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return c.Frame.Sessions.Failed(c.R.Context(), a.Login, way, c.Browser())
}

// joinPage is the form of a sign-up.
type joinPage struct {
	frame.Page
	Login string
	Open  bool
}

func (r *room) joinForm(c *frame.Call) error {
	open, err := r.Accounts.SignUpOpen(c.R.Context())
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "join", joinPage{c.Page("signin.join-title"), "", open})
}

// join makes an account of a login and a password. No other field is read.
func (r *room) join(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	login, password := form.Get("login"), form.Get("password")
	var who access.Principal
	if _, err = r.Credentials.Attempt(c.R); err == nil { // each try counts, so that nobody makes accounts by the thousand
		who, err = r.Accounts.SignUp(c.R.Context(), login, password)
	}
	if err == nil {
		return r.start(c, who, account.Way{}, "/")
	}
	open, failure := r.Accounts.SignUpOpen(c.R.Context())
	if failure != nil {
		return failure
	}
	return c.Again(err, r.Room, "join", joinPage{c.Failed(c.Page("signin.join-title"), err), login, open})
}
