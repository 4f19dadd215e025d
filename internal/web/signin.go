package web

import (
	"net/http"
	"net/url"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// loginPath is where somebody signs in who wants to go on to a page.
func loginPath(to string) string {
	return "/login?" + url.Values{"return_to": {localPath(to)}}.Encode()
}

// loginPage is the form of a sign-in.
type loginPage struct {
	oldFrame
	Login, ReturnTo, Provider, ProviderPath string
	Open                                    bool
}

func (p *pages) loginPage(r *http.Request, login, returnTo string, problem error) (loginPage, error) {
	open, err := p.Accounts.SignUpOpen(r.Context())
	page := loginPage{
		oldFrame: p.oldPage("Sign in", access.Principal{}, problem), Login: login, ReturnTo: localPath(returnTo), Open: open,
	}
	if p.Provider != nil {
		page.Provider = p.ProviderName
		page.ProviderPath = oidcPath + "?" + url.Values{"return_to": {page.ReturnTo}}.Encode()
	}
	return page, err
}

func (p *pages) loginForm(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loginPage(r, "", r.URL.Query().Get("return_to"), nil)
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "login", page)
}

func (p *pages) login(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	login, returnTo := form.Get("login"), form.Get("return_to")
	who, err := p.Credentials.ByPassword(r.Context(), r, login, form.Get("password"))
	if err == nil {
		err = p.start(w, r, who, "", returnTo)
	}
	switch {
	case err == nil:
		return nil
	case errs.Is(err, errs.Unauthenticated):
		if err := p.failed(r, login); err != nil {
			return err
		}
		err = errs.Wrap(errs.Unauthenticated, err, "the user name or the password is not right")
	case !errs.Is(err, errs.RateLimited) && !errs.Is(err, errs.Unavailable):
		return err
	}
	page, failure := p.loginPage(r, login, returnTo, err)
	if failure != nil {
		return failure
	}
	return p.again(w, err, "login", page)
}

// failed records a sign-in that did not succeed, under the login only if there
// is such an account: people type their password into the wrong field.
func (p *pages) failed(r *http.Request, login string) error {
	a, err := p.Accounts.Get(r.Context(), login)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return p.Sessions.Failed(r.Context(), a.Login, "", p.browser(r))
}

// joinPage is the form of a sign-up.
type joinPage struct {
	oldFrame
	Login string
	Open  bool
}

func (p *pages) joinForm(w http.ResponseWriter, r *http.Request) error {
	open, err := p.Accounts.SignUpOpen(r.Context())
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "join", joinPage{p.oldPage("Sign up", access.Principal{}, nil), "", open})
}

// join makes an account of a login and a password. No other field is read.
func (p *pages) join(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	login, password := form.Get("login"), form.Get("password")
	var who access.Principal
	if _, err = p.Credentials.Attempt(r); err == nil { // each try counts, so that nobody makes accounts by the thousand
		who, err = p.Accounts.SignUp(r.Context(), login, password)
	}
	if err == nil {
		return p.start(w, r, who, "", "/")
	}
	open, failure := p.Accounts.SignUpOpen(r.Context())
	if failure != nil {
		return failure
	}
	return p.again(w, err, "join", joinPage{p.oldPage("Sign up", access.Principal{}, err), login, open})
}
