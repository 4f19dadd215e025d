package settings

import (
	"slices"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// profilePage is what somebody says of themselves, and how they want to see the
// pages.
type profilePage struct {
	frame.OwnerPage
	Name, Email, Description string
	// Chosen is what is kept with the account; "" is what the browser asks for.
	Chosen account.Preferences
}

func (r *room) profilePage(c *frame.Call) (profilePage, error) {
	own, err := r.own(c, "profile", "settings.profile")
	if err != nil {
		return profilePage{}, err
	}
	page := profilePage{OwnerPage: own, Name: own.Owner.Name, Email: own.Owner.Email, Description: own.Owner.Description}
	page.Chosen, err = r.Accounts.Preferences(c.R.Context(), c.Who.AccountID)
	return page, err
}

func (r *room) profile(c *frame.Call) error {
	page, err := r.profilePage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "profile", page)
}

func (r *room) setProfile(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	name, email, description := form.Get("name"), form.Get("email"), form.Get("description")
	err = r.Accounts.SetProfile(c.R.Context(), audit.By(c.Who), c.Who.Login, account.Profile{Name: &name, Email: &email, Description: &description})
	if err == nil {
		return c.Done("/settings/profile", "saved")
	}
	page, failure := r.profilePage(c)
	if failure != nil {
		return failure
	}
	page.Name, page.Email, page.Description = name, email, description
	return r.again(c, err, "profile", &page.Page, func() any { return page })
}

// setPreferences keeps language and theme with the account and sets them for this
// browser.
func (r *room) setPreferences(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	language, theme := form.Get("language"), form.Get("theme")
	if language != "" && c.Frame.Locales.Named(language) == nil || theme != "" && !slices.Contains(frame.Themes(), theme) {
		return errs.New(errs.Invalid, "there is no such language or theme")
	}
	if theme == frame.Themes()[0] {
		theme = ""
	}
	err = r.Accounts.SetProfile(c.R.Context(), audit.By(c.Who), c.Who.Login, account.Profile{Language: &language, Theme: &theme})
	if err != nil {
		return err
	}
	if language == "" {
		language = "auto"
	}
	if theme == "" {
		theme = frame.Themes()[0]
	}
	c.Prefer(language, theme)
	return c.Done("/settings/profile", "saved")
}
