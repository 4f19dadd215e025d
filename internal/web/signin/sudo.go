package signin

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

const sudoPath = "/sessions/sudo"

// The fields by which people show who they are, beside those of the form that
// needs it.
const (
	sudoPassword = "sudo_password"
	sudoCode     = "sudo_code"
	sudoPasskey  = "sudo_passkey"
)

// maxCarried is how much of a form is carried along, in bytes.
const maxCarried = 16 << 10

// sudoPage asks people to show again who they are.
type sudoPage struct {
	frame.Page
	// Action is where its forms go: to what needs it, with the fields that were
	// sent there, or to the page itself.
	Action string
	Fields []field
	// Lost is set when a form could not be carried along.
	Lost bool
	// What the person can show.
	Password, App, Passkeys bool
	Provider                string
	ReturnTo                string
}

type field struct{ Name, Value string }

// sudoForm is for who wants to have shown it beforehand.
func (r *room) sudoForm(c *frame.Call) error { return r.ask(c, nil) }

func (r *room) sudo(c *frame.Call) error {
	if shown, err := r.confirm(c); shown || err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	return c.Redirect(frame.LocalPath(form.Get("return_to")))
}

// confirm implements frame.Confirm: a form that shows who sits there goes on, all
// else is asked for it.
func (r *room) confirm(c *frame.Call) (shown bool, err error) {
	if c.R.Method != http.MethodPost {
		return true, r.ask(c, nil)
	}
	form, err := c.Form()
	if err != nil {
		return true, err
	}
	if !form.Has(sudoPassword) && !form.Has(sudoCode) && !form.Has(sudoPasskey) {
		return true, r.ask(c, nil)
	}
	way, err := r.verify(c, form)
	for _, name := range []string{sudoPassword, sudoCode, sudoPasskey} {
		form.Del(name)
	}
	if err == nil {
		return false, r.renew(c, way)
	}
	if errs.Is(err, errs.Unauthenticated) {
		if err := c.Frame.Sessions.Failed(c.R.Context(), c.Who.Login, way, c.Browser()); err != nil {
			return true, err
		}
	}
	return true, r.ask(c, err)
}

// verify checks what the person shows, within the limits of tries.
func (r *room) verify(c *frame.Call, form url.Values) (way account.Way, err error) {
	ctx := c.R.Context()
	if form.Has(sudoPassword) {
		if c.Vouched() {
			return way, errs.New(errs.Unauthenticated, "you signed in with the provider; show who you are there")
		}
		who, _, err := r.Credentials.ByPassword(ctx, c.R, c.Who.Login, form.Get(sudoPassword))
		if err == nil && who.AccountID != c.Who.AccountID || errs.Is(err, errs.Unauthenticated) {
			err = errs.New(errs.Unauthenticated, "the password is not right")
		}
		return way, err
	}
	attempt := r.Credentials.AttemptCode
	if form.Has(sudoPasskey) {
		attempt = r.Credentials.AttemptAs
	}
	settle, err := attempt(c.R, c.Who.Login)
	if err != nil {
		return way, err
	}
	if form.Has(sudoPasskey) {
		way.Passkey = true
		_, err = r.Factors.ByPasskey(ctx, account.PasskeyConfirm, c.Who, c.Cookie(frame.ChallengeCookie), form.Get(sudoPasskey))
	} else {
		way.Factor = account.FactorApp
		err = r.Factors.CheckApp(ctx, c.Who.AccountID, form.Get(sudoCode))
	}
	settle(err == nil)
	return way, err
}

// renew lets the session do what is dangerous for a while, under another secret.
func (r *room) renew(c *frame.Call, way account.Way) error {
	session, secret, err := c.Frame.Sessions.Confirm(c.R.Context(), c.Session, c.Who, way, c.Browser())
	if err != nil {
		return err
	}
	c.Session = session
	c.SetCookie(frame.SessionCookie, secret, session.ExpiresAt.Sub(c.Frame.Now()))
	return nil
}

// ask shows the page, after a try that did not succeed with the reason.
func (r *room) ask(c *frame.Call, cause error) error {
	if cause != nil && !mayTryAgain(cause) {
		return cause
	}
	page, err := r.sudoPage(c)
	if err != nil {
		return err
	}
	if cause == nil {
		return r.Show(c, frame.OK, "sudo", page)
	}
	page.Page = c.Failed(page.Page, cause)
	return c.Again(cause, r.Room, "sudo", page)
}

func (r *room) sudoPage(c *frame.Call) (sudoPage, error) {
	page := sudoPage{Page: c.Page("signin.sudo-title"), Action: sudoPath, ReturnTo: "/"}
	a, err := r.Accounts.Get(c.R.Context(), c.Who.Login)
	if err != nil {
		return page, err
	}
	s, err := r.Factors.Status(c.R.Context(), c.Who.AccountID)
	if err != nil {
		return page, err
	}
	page.App, page.Passkeys = !s.AppSince.IsZero(), len(s.Passkeys) > 0 && r.Factors.HasPasskeys()
	page.Password = !c.Vouched() && a.PasswordHash != ""
	if c.Vouched() && r.Provider != nil {
		page.Provider = r.ProviderName
	}
	return page, r.carry(c, &page)
}

// carry says where the forms of the page go and what they take along.
func (r *room) carry(c *frame.Call, page *sudoPage) error {
	self := c.R.URL.Path == sudoPath
	if c.R.Method != http.MethodPost {
		page.ReturnTo = frame.LocalPath(c.R.URL.RequestURI())
		if self {
			page.ReturnTo = frame.LocalPath(c.Query("return_to"))
		}
		page.Fields = []field{{"return_to", page.ReturnTo}}
		return nil
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	if self {
		page.ReturnTo = frame.LocalPath(form.Get("return_to"))
		page.Fields = []field{{"return_to", page.ReturnTo}}
		return nil
	}
	page.ReturnTo = cameFrom(c)
	fields, ok := carried(form)
	action := frame.LocalPath(c.R.URL.RequestURI())
	if !ok || action == "/" {
		page.Lost, page.Fields = true, []field{{"return_to", page.ReturnTo}}
		return nil
	}
	page.Action, page.Fields = action, fields
	return nil
}

// carried returns the fields of a form that may stand in a page: not too many,
// and nothing that is secret.
func carried(form url.Values) (fields []field, ok bool) {
	size := 0
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if strings.Contains(name, "password") || strings.Contains(name, "secret") {
			return nil, false
		}
		for _, value := range form[name] {
			if size += len(name) + len(value); size > maxCarried {
				return nil, false
			}
			fields = append(fields, field{name, value})
		}
	}
	return fields, true
}

// cameFrom is the page of ours on which the form stood.
func cameFrom(c *frame.Call) string {
	from, err := url.Parse(c.R.Referer())
	if err != nil || from.Host != c.Frame.URL.Host || from.Scheme != c.Frame.URL.Scheme {
		return "/"
	}
	return frame.LocalPath(from.RequestURI())
}

// sudoOptions is for the script: what a passkey of the person has to sign.
func (r *room) sudoOptions(c *frame.Call) error { return r.options(c, account.PasskeyConfirm, c.Who) }

// confirmOutside lets the provider ask the person. A form cannot be carried there
// and back.
func (r *room) confirmOutside(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	address, err := r.begin(c, toConfirm, form.Get("return_to"))
	if err != nil {
		return err
	}
	return r.leave(c, address)
}
