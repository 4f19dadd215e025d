package security

import (
	"net/url"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// setPassword takes the old password, if there is one, and the new one twice. It
// signs the person out everywhere else. For the session that goes on here the
// provider did not vouch, whoever began the one before.
func (r *room) setPassword(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	if err := r.changePassword(c, form); err != nil {
		return r.again(c, err)
	}
	secret, err := c.Frame.Sessions.Start(c.R.Context(), c.Who, account.Way{NewPassword: true}, c.Browser())
	if err != nil {
		return err
	}
	c.SetCookie(frame.SessionCookie, secret, account.SessionLife)
	return c.Done(home, "security-password")
}

func (r *room) changePassword(c *frame.Call, form url.Values) error {
	ctx, password := c.R.Context(), form.Get("password")
	a, err := r.Accounts.Get(ctx, c.Who.Login)
	if err != nil {
		return err
	}
	if a.PasswordHash != "" {
		_, _, err := r.Credentials.ByPassword(ctx, c.R, c.Who.Login, form.Get("old_password"))
		if errs.Is(err, errs.Unauthenticated) {
			return errs.New(errs.Invalid, "the old password is not right")
		}
		if err != nil {
			return err
		}
	}
	if password != form.Get("password_again") {
		return errs.New(errs.Invalid, "the two new passwords are not the same")
	}
	return r.Accounts.SetPassword(ctx, audit.By(c.Who), c.Who.Login, password)
}
