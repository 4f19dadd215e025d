package repositories

import (
	"net/url"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// accessPage is who was given a role on a repository.
type accessPage struct {
	frame.RepositorySettings
	People, Teams []grantRow
	// Organization is set where teams may be given roles, Choices are those that
	// the visitor may know of.
	Organization bool
	Choices      []account.Team
	// BaseRole is what members of the organization have without a grant.
	BaseRole string
	// Login and Role are of a form that did not succeed.
	Login, Role string
}

// grantRow is one role.
type grantRow struct{ Name, Role string }

func (r *room) accessPage(c *frame.Call) (accessPage, error) {
	own, err := r.settings(c, "access", "repositories.access-title")
	if err != nil {
		return accessPage{}, err
	}
	page := accessPage{RepositorySettings: own, Organization: own.Repository.Owner.Kind == account.Organization, Role: access.RepositoryRead.String()}
	page.BaseRole = own.Repository.Owner.Settings.BaseRole.String()
	grants, err := r.Accounts.RepositoryGrants(c.R.Context(), own.Repository.Name.String())
	if err != nil {
		return page, err
	}
	for _, g := range grants {
		if g.Team != "" {
			page.Teams = append(page.Teams, grantRow{g.Team, g.Role.String()})
		} else {
			page.People = append(page.People, grantRow{g.User, g.Role.String()})
		}
	}
	if page.Organization {
		page.Choices, err = r.teams(c, own.Repository.Owner.Login)
	}
	return page, err
}

// teams are those of the organization, for those who may see them: an outside
// collaborator may administer a repository and not know its teams.
func (r *room) teams(c *frame.Call, login string) ([]account.Team, error) {
	o, err := c.FindOwner(login)
	if err != nil || !o.Member {
		return nil, err
	}
	return r.Accounts.Teams(c.R.Context(), login)
}

func (r *room) access(c *frame.Call) error {
	page, err := r.accessPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "access", page)
}

func (r *room) grant(c *frame.Call) error {
	return r.changeAccess(c, "repository-granted", func(page accessPage, form url.Values) error {
		role, _ := access.RepositoryRoleNamed(form.Get("role"))
		g := account.RepositoryGrant{User: strings.TrimSpace(form.Get("login")), Team: form.Get("team"), Role: role}
		if err := grantable(page, g); err != nil {
			return err
		}
		err := r.Accounts.GrantRepository(c.R.Context(), audit.By(c.Who), page.Repository.Name.String(), g)
		if errs.Is(err, errs.NotFound) && g.User != "" {
			err = errs.New(errs.Invalid, "there is no account %q", g.User)
		}
		return err
	})
}

// grantable refuses the owner, who has every right, and teams that the visitor may
// not know of.
func grantable(page accessPage, g account.RepositoryGrant) error {
	if strings.EqualFold(g.User, page.Repository.Owner.Login) {
		return errs.New(errs.Invalid, "the owner of a repository needs no role on it")
	}
	if g.Team == "" {
		return nil
	}
	for _, t := range page.Choices {
		if t.Slug == g.Team {
			return nil
		}
	}
	for _, t := range page.Teams {
		if t.Name == g.Team {
			return nil
		}
	}
	return errs.New(errs.Invalid, "there is no team %q", g.Team)
}

func (r *room) revoke(c *frame.Call) error {
	return r.changeAccess(c, "repository-revoked", func(page accessPage, form url.Values) error {
		g := account.RepositoryGrant{User: form.Get("login"), Team: form.Get("team")}
		err := r.Accounts.RevokeRepository(c.R.Context(), audit.By(c.Who), page.Repository.Name.String(), g)
		if errs.Is(err, errs.NotFound) { // alike for a team without a role and for none: not everybody here may know which there are
			err = errs.New(errs.NotFound, "no role on this repository was given")
		}
		return err
	})
}

func (r *room) changeAccess(c *frame.Call, done string, do func(accessPage, url.Values) error) error {
	page, err := r.accessPage(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	if err := do(page, form); err != nil {
		page.Login, page.Role = form.Get("login"), form.Get("role")
		return r.again(c, err, "access", &page.Page, func() any { return page })
	}
	if strings.EqualFold(form.Get("login"), c.Who.Login) { // who may be no administrator any more
		return c.Redirect(page.Path())
	}
	return c.Done(page.Path()+"/settings/access", done)
}
