package signin

import (
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

const (
	secondPath    = "/login/second-factor"
	pendingCookie = "packhouse-second-factor"
)

// secondPage asks for the second factor after the password.
type secondPage struct {
	frame.Page
	// App and Passkeys are set for what the person has, and Recovery when the
	// form is for a recovery code.
	App, Passkeys, Recovery bool
}

// wait sends the browser to show its second factor.
func (r *room) wait(c *frame.Call, who access.Principal, returnTo string) error {
	secret, err := r.Factors.Wait(c.R.Context(), who, frame.LocalPath(returnTo))
	if err != nil {
		return err
	}
	c.SetCookie(pendingCookie, secret, account.PendingLife)
	return c.Redirect(secondPath)
}

func (r *room) secondForm(c *frame.Call) error {
	who, _, err := r.Factors.Waiting(c.R.Context(), c.Cookie(pendingCookie))
	if errs.Is(err, errs.Unauthenticated) {
		return c.Redirect("/login")
	}
	if err != nil {
		return err
	}
	page, err := r.secondPage(c, who, c.Query("with") == "recovery-code")
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "second-factor", page)
}

func (r *room) secondPage(c *frame.Call, who access.Principal, recovery bool) (secondPage, error) {
	s, err := r.Factors.Status(c.R.Context(), who.AccountID)
	return secondPage{
		Page: c.Page("signin.second-title"), App: !s.AppSince.IsZero(), Passkeys: len(s.Passkeys) > 0 && r.Factors.HasPasskeys(), Recovery: recovery,
	}, err
}

// second takes the second factor of who waits in this browser.
func (r *room) second(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	secret := c.Cookie(pendingCookie)
	who, returnTo, err := r.Factors.Waiting(c.R.Context(), secret)
	if err != nil {
		return r.loginAgain(c, "", "/", err)
	}
	way := account.Way{Factor: account.FactorApp, Pending: secret}
	switch {
	case form.Get("passkey") != "":
		way.Factor = account.FactorPasskey
	case form.Get("recovery_code") != "":
		way.Factor = account.FactorRecovery
	}
	if err = r.checkSecond(c, who, way, form.Get); err == nil {
		err = r.start(c, who, way, returnTo)
	}
	if err == nil {
		c.SetCookie(pendingCookie, "", -time.Second)
		return nil
	}
	return r.secondAgain(c, who, way, err)
}

// checkSecond counts the try before it looks: against the limits of the account
// and of the client, and against that of this sign-in.
func (r *room) checkSecond(c *frame.Call, who access.Principal, way account.Way, field func(string) string) error {
	attempt := r.Credentials.AttemptAs
	if way.Factor == account.FactorApp {
		attempt = r.Credentials.AttemptCode
	}
	settle, err := attempt(c.R, who.Login)
	if err != nil {
		return err
	}
	ctx := c.R.Context()
	if err = r.Factors.Try(ctx, way.Pending); err == nil {
		switch way.Factor {
		case account.FactorPasskey:
			_, err = r.Factors.ByPasskey(ctx, account.PasskeySecond, who, c.Cookie(frame.ChallengeCookie), field("passkey"))
		case account.FactorRecovery:
			err = r.Factors.UseRecoveryCode(ctx, who, field("recovery_code"))
		default:
			err = r.Factors.CheckApp(ctx, who.AccountID, field("code"))
		}
	}
	settle(err == nil)
	return err
}

// secondAgain asks once more, or from the beginning after too many tries.
func (r *room) secondAgain(c *frame.Call, who access.Principal, way account.Way, cause error) error {
	if !mayTryAgain(cause) {
		return cause
	}
	if errs.Is(cause, errs.Unauthenticated) {
		if err := c.Frame.Sessions.Failed(c.R.Context(), who.Login, way, c.Browser()); err != nil {
			return err
		}
	}
	if _, _, err := r.Factors.Waiting(c.R.Context(), way.Pending); err != nil {
		return r.loginAgain(c, "", "/", err)
	}
	page, err := r.secondPage(c, who, way.Factor == account.FactorRecovery)
	if err != nil {
		return err
	}
	page.Page = c.Failed(page.Page, cause)
	return c.Again(cause, r.Room, "second-factor", page)
}

// secondOptions is for the script: what a passkey has to sign.
func (r *room) secondOptions(c *frame.Call) error {
	who, _, err := r.Factors.Waiting(c.R.Context(), c.Cookie(pendingCookie))
	if err != nil {
		return err
	}
	return r.options(c, account.PasskeySecond, who)
}
