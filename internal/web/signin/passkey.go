package signin

import (
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/web/frame"
)

// passkeyOptions is for the script: what a passkey of anybody has to sign. Each
// counts as a try, since nobody is signed in who could be counted.
func (r *room) passkeyOptions(c *frame.Call) error {
	if _, err := r.Credentials.Attempt(c.R); err != nil {
		return err
	}
	return r.options(c, account.PasskeySignIn, access.Principal{})
}

// options answers a script with what a passkey is asked, and lets the browser
// remember that it was.
func (r *room) options(c *frame.Call, purpose string, who access.Principal) error {
	options, secret, err := r.Factors.BeginPasskey(c.R.Context(), purpose, who)
	if err != nil {
		return err
	}
	c.SetCookie(frame.ChallengeCookie, secret, account.ChallengeLife)
	c.W.Header().Set("Content-Type", "application/json; charset=utf-8")
	return httpx.WriteCompressed(c.W, c.R, frame.OK, options)
}

// passkey signs in who shows a passkey. Nothing else is asked: it verified the
// person itself.
func (r *room) passkey(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	settle, err := r.Credentials.Attempt(c.R)
	if err != nil {
		return r.loginAgain(c, "", form.Get("return_to"), err)
	}
	who, err := r.Factors.ByPasskey(c.R.Context(), account.PasskeySignIn, access.Principal{}, c.Cookie(frame.ChallengeCookie), form.Get("passkey"))
	settle(err == nil)
	c.SetCookie(frame.ChallengeCookie, "", -time.Second)
	way := account.Way{Passkey: true}
	if err == nil {
		err = r.start(c, who, way, form.Get("return_to"))
	}
	if errs.Is(err, errs.Unauthenticated) {
		if err := c.Frame.Sessions.Failed(c.R.Context(), who.Login, way, c.Browser()); err != nil {
			return err
		}
	}
	if err != nil {
		return r.loginAgain(c, "", form.Get("return_to"), err)
	}
	return nil
}
