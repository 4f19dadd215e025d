package signin

import (
	"net/url"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// loginPage is the form of a sign-in.
type loginPage struct {
	frame.Page
	Login, ReturnTo, Provider, ProviderPath string
	// Open is set when people may make accounts for themselves.
	Open bool
}

func (r *room) loginPage(c *frame.Call, login, returnTo string) (loginPage, error) {
	open, err := r.Accounts.SignUpOpen(c.R.Context())
	page := loginPage{Page: c.Page("signin.title"), Login: login, ReturnTo: frame.LocalPath(returnTo), Open: open}
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
	who, err := r.Credentials.ByPassword(c.R.Context(), c.R, login, form.Get("password"))
	if err == nil {
		err = r.start(c, who, "", returnTo)
	}
	switch {
	case err == nil:
		return nil
	case errs.Is(err, errs.Unauthenticated):
		if err := r.failed(c, login); err != nil {
			return err
		}
		err = errs.Wrap(errs.Unauthenticated, err, "the user name or the password is not right")
	case !errs.Is(err, errs.RateLimited) && !errs.Is(err, errs.Unavailable):
		return err
	}
	page, failure := r.loginPage(c, login, returnTo)
	if failure != nil {
		return failure
	}
	page.Page = c.Failed(page.Page, err)
	return c.Again(err, r.Room, "login", page)
}

// failed records a sign-in that did not succeed, under the login only if there
// is such an account: people type their password into the wrong field.
func (r *room) failed(c *frame.Call, login string) error {
	a, err := r.Accounts.Get(c.R.Context(), login)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return c.Frame.Sessions.Failed(c.R.Context(), a.Login, "", c.Browser())
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
		return r.start(c, who, "", "/")
	}
	open, failure := r.Accounts.SignUpOpen(c.R.Context())
	if failure != nil {
		return failure
	}
	return c.Again(err, r.Room, "join", joinPage{c.Failed(c.Page("signin.join-title"), err), login, open})
}
