package organizations

import (
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// newPage makes an organization.
type newPage struct {
	frame.Page
	// Allowed is set for those who may; others are told who may.
	Allowed            bool
	Login, Name, Owner string
}

func (r *room) newPage(c *frame.Call) newPage {
	return newPage{Page: c.Page("orgs.new"), Allowed: c.Who.SiteAdmin, Owner: c.Who.Login}
}

// newForm is for everybody who is signed in: organizations are made by
// administrators of the site, which is no secret.
func (r *room) newForm(c *frame.Call) error {
	page := r.newPage(c)
	if !page.Allowed {
		return r.Show(c, frame.Status(errOnlyAdministrators()), "new", page)
	}
	return r.Show(c, frame.OK, "new", page)
}

func errOnlyAdministrators() error {
	return errs.New(errs.Denied, "administrators of the site make organizations")
}

func (r *room) create(c *frame.Call) error {
	if !c.Who.SiteAdmin {
		return errOnlyAdministrators()
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	page := r.newPage(c)
	page.Login, page.Name, page.Owner = form.Get("login"), form.Get("name"), form.Get("owner")
	a, err := r.Accounts.CreateOrganization(c.R.Context(), audit.By(c.Who), page.Login, page.Owner)
	if err == nil && page.Name != "" {
		err = r.Accounts.SetProfile(c.R.Context(), audit.By(c.Who), a.Login, account.Profile{Name: &page.Name})
	}
	if err != nil {
		return r.failed(c, err, "new", &page.Page, func() any { return page })
	}
	return c.Done(orgPath(a.Login, "people"), "org-created")
}
