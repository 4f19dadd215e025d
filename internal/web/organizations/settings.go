package organizations

import (
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/web/frame"
)

func (r *room) settingRoutes(f *frame.Frame) {
	const at = "/organizations/{org}/settings"
	to := func(page string) func(c *frame.Call) error {
		return func(c *frame.Call) error { return c.Redirect(settingsPath(c.Param("org"), page)) }
	}
	f.On("GET "+at, to("profile"))
	f.SignedIn("GET "+at+"/profile", r.profile)
	f.SignedIn("POST "+at+"/profile", r.setProfile)
	f.Sudo("POST "+at+"/rename", r.rename)
	f.Sudo("POST "+at+"/delete", r.remove)

	f.On("GET "+at+"/member_privileges", to("packages"))
	f.SignedIn("GET "+at+"/packages", r.packages)
	f.SignedIn("POST "+at+"/packages", r.setPackages)
	f.SignedIn("POST "+at+"/packages/immutable_tags", r.setImmutable)
	f.Sudo("POST "+at+"/packages/single_sign_on", r.setSignOn)

	f.SignedIn("GET "+at+"/deleted_packages", r.deleted)
	f.SignedIn("POST "+at+"/deleted_packages", r.restore)

	f.SignedIn("GET "+at+"/audit-log", r.auditLog)
}

func settingsPath(org, page string) string {
	return frame.Owner{Account: account.Account{Login: org, Kind: account.Organization}}.Settings(page)
}

// settingsPage is the frame of a page of the settings.
func (r *room) settingsPage(c *frame.Call, o frame.Owner, page, titleKey string) frame.OwnerPage {
	p := c.OwnerPage(o, "settings", titleKey, o.DisplayLogin)
	p.Settings = page
	return p
}

// profilePage is what an organization says of itself, and its end.
type profilePage struct {
	frame.OwnerPage
	// Fields are those of the form, NewLogin of the one that renames.
	Name, Email, Description, NewLogin string
}

func (r *room) profilePage(c *frame.Call, o frame.Owner) profilePage {
	return profilePage{
		OwnerPage: r.settingsPage(c, o, "profile", "orgs.profile"), Name: o.Name, Email: o.Email, Description: o.Description,
	}
}

func (r *room) profile(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "profile", r.profilePage(c, o))
}

func (r *room) setProfile(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	page := r.profilePage(c, o)
	page.Name, page.Email, page.Description = strings.TrimSpace(form.Get("name")), strings.TrimSpace(form.Get("email")), form.Get("description")
	change := account.Profile{Name: &page.Name, Email: &page.Email, Description: &page.Description}
	if err := r.Accounts.SetProfile(c.R.Context(), audit.By(c.Who), o.Login, change); err != nil {
		return r.failed(c, err, "profile", &page.Page, func() any { return page })
	}
	return c.Done(o.Settings("profile"), "saved")
}

func (r *room) rename(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	page := r.profilePage(c, o)
	page.NewLogin = strings.TrimSpace(form.Get("login"))
	if err = c.Typed(o.Login); err == nil {
		err = r.Accounts.Rename(c.R.Context(), audit.By(c.Who), o.Login, page.NewLogin)
	}
	if err != nil {
		return r.failed(c, err, "profile", &page.Page, func() any { return page })
	}
	return c.Done(settingsPath(strings.ToLower(page.NewLogin), "profile"), "org-renamed")
}

// remove deletes the organization.
func (r *room) remove(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	if err = c.Typed(o.Login); err == nil {
		err = r.Accounts.Delete(c.R.Context(), audit.By(c.Who), o.Login, account.Organization)
	}
	if err != nil {
		page := r.profilePage(c, o)
		return r.failed(c, err, "profile", &page.Page, func() any { return page })
	}
	return c.Done("/settings/organizations", "org-deleted")
}

// auditPage is what was done to an organization and in its namespace.
type auditPage struct {
	frame.OwnerPage
	List frame.AuditList
}

func (r *room) auditLog(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	page := auditPage{OwnerPage: r.settingsPage(c, o, "audit-log", "orgs.audit-log")}
	if page.List, err = c.AuditList(r.Audit, o.ID); err != nil {
		return err
	}
	return r.Show(c, frame.OK, "audit", page)
}
