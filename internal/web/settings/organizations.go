package settings

import (
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/web/frame"
)

// organizationsPage is where somebody belongs.
type organizationsPage struct {
	frame.OwnerPage
	Memberships []account.MembershipIn
}

func (r *room) organizationsPage(c *frame.Call) (organizationsPage, error) {
	own, err := r.own(c, "organizations", "settings.organizations")
	if err != nil {
		return organizationsPage{}, err
	}
	list, err := r.Directory.Memberships(c.R.Context(), c.Who.AccountID)
	return organizationsPage{own, list}, err
}

func (r *room) organizations(c *frame.Call) error {
	page, err := r.organizationsPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "organizations", page)
}

// leave ends the visitor's membership. What they do not belong to is not there.
func (r *room) leave(c *frame.Call) error {
	page, err := r.organizationsPage(c)
	if err != nil {
		return err
	}
	for _, m := range page.Memberships {
		if !strings.EqualFold(m.Organization.Login, c.Param("org")) {
			continue
		}
		err := r.Accounts.RemoveMember(c.R.Context(), audit.By(c.Who), m.Organization.Login, c.Who.Login)
		if err == nil {
			return c.Done("/settings/organizations", "organization-left")
		}
		return r.again(c, err, "organizations", &page.Page, func() any { return page })
	}
	return errNotThere()
}
