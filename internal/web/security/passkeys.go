package security

import (
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/web/frame"
)

// passkeyOptions is for the script: what the authenticator is to make.
func (r *room) passkeyOptions(c *frame.Call) error {
	options, secret, err := r.Factors.BeginPasskey(c.R.Context(), account.PasskeyAdd, c.Who)
	if err != nil {
		return err
	}
	c.SetCookie(frame.ChallengeCookie, secret, account.ChallengeLife)
	c.W.Header().Set("Content-Type", "application/json; charset=utf-8")
	return httpx.WriteCompressed(c.W, c.R, frame.OK, options)
}

func (r *room) addPasskey(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	secret := c.Cookie(frame.ChallengeCookie)
	c.SetCookie(frame.ChallengeCookie, "", -1)
	codes, err := r.Factors.AddPasskey(c.R.Context(), c.Who, secret, form.Get("name"), form.Get("passkey"), c.Session)
	if errs.Is(err, errs.Unauthenticated) {
		err = errs.Wrap(errs.Invalid, err, "the passkey was not accepted; try again")
	}
	if err != nil {
		return r.again(c, err)
	}
	return r.added(c, codes, "security-passkey-added")
}

func (r *room) renamePasskey(c *frame.Call) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	if err := r.Factors.RenamePasskey(c.R.Context(), c.Who, id, form.Get("name")); err != nil {
		return r.again(c, err)
	}
	return c.Done(home, "security-passkey-renamed")
}

func (r *room) removePasskey(c *frame.Call) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := r.Factors.RemovePasskey(c.R.Context(), c.Who, id); err != nil {
		return r.again(c, err)
	}
	return c.Done(home, "security-passkey-removed")
}
