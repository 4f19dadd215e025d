package settings

import (
	"packhouse/internal/account"
	"packhouse/internal/web/frame"
)

// sessionsPage is where somebody is signed in.
type sessionsPage struct {
	frame.OwnerPage
	Sessions []session
	Provider string
}

// session is one browser.
type session struct {
	account.Session
	// Client and System are what the browser calls itself; either may be empty.
	Client, System string
	// Phone is set for what is held in a hand.
	Phone bool
	// Here is set for the browser that asks.
	Here bool
}

func (r *room) sessionsPage(c *frame.Call) (sessionsPage, error) {
	own, err := r.own(c, "sessions", "settings.sessions")
	if err != nil {
		return sessionsPage{}, err
	}
	list, err := r.Browsers.List(c.R.Context(), c.Who)
	page := sessionsPage{OwnerPage: own, Provider: r.ProviderName}
	for _, s := range list {
		one := session{Session: s, Here: s.SecretHash == c.Session.SecretHash}
		one.Client, one.System, one.Phone = readAgent(s.Agent)
		page.Sessions = append(page.Sessions, one)
	}
	return page, err
}

func (r *room) sessions(c *frame.Call) error {
	page, err := r.sessionsPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "sessions", page)
}

func (r *room) endSession(c *frame.Call) error {
	if err := r.Browsers.End(c.R.Context(), c.Who, c.Param("name")); err != nil {
		return err
	}
	if c.Param("name") == c.Session.Name() {
		return r.signedOut(c)
	}
	return c.Done("/settings/sessions", "session-ended")
}

func (r *room) endOthers(c *frame.Call) error {
	if err := r.Browsers.EndOthers(c.R.Context(), c.Who, c.Session); err != nil {
		return err
	}
	return c.Done("/settings/sessions", "sessions-ended")
}

func (r *room) endAll(c *frame.Call) error {
	if err := r.Browsers.EndAll(c.R.Context(), c.Who); err != nil {
		return err
	}
	return r.signedOut(c)
}

// signedOut is for a browser whose session ended with others.
func (r *room) signedOut(c *frame.Call) error {
	c.SetCookie(frame.SessionCookie, "", -1)
	return c.Redirect("/login")
}
