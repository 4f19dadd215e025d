package organizations

import (
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// teamHead is what the pages of one team have in common.
type teamHead struct {
	frame.OwnerPage
	Team account.Team
	// TeamPath is the address of the team, ParentPath that of the one above it, and
	// TeamsPath that of all.
	TeamPath, ParentPath, TeamsPath string
	// TeamTab is members or settings.
	TeamTab string
}

// teamPage is one team: who is in it, and what it was given.
type teamPage struct {
	teamHead
	Members      []account.Account
	Children     []account.Team
	Repositories []account.TeamRepository
	// Choices are the members of the organization who are not in it.
	Choices []account.MemberAccount
	// Login and Repository are of a form that did not succeed.
	Login, Repository string
}

// At is the address of another team.
func (p teamPage) At(slug string) string { return orgPath(p.Owner.Login, "teams", slug) }

// Person is the address of somebody's packages.
func (p teamPage) Person(login string) string { return "/" + login }

// findTeam returns the team that the path names, of an organization that was
// found.
func (r *room) findTeam(c *frame.Call, o frame.Owner) (account.Team, error) {
	return r.Accounts.TeamBySlug(c.R.Context(), o.Account, c.Param("slug"))
}

func (r *room) teamHead(c *frame.Call, o frame.Owner, t account.Team, tab string) teamHead {
	h := teamHead{OwnerPage: c.OwnerPage(o, "teams", "orgs.team", t.Name, o.DisplayLogin), Team: t, TeamTab: tab}
	h.TeamsPath, h.TeamPath = orgPath(o.Login, "teams"), orgPath(o.Login, "teams", t.Slug)
	if t.Parent != "" {
		h.ParentPath = orgPath(o.Login, "teams", t.Parent)
	}
	return h
}

func (r *room) team(c *frame.Call) error {
	o, err := r.seen(c)
	if err != nil {
		return err
	}
	t, err := r.findTeam(c, o)
	if err != nil {
		return err
	}
	page, err := r.teamPage(c, o, t)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "team", page)
}

func (r *room) teamPage(c *frame.Call, o frame.Owner, t account.Team) (teamPage, error) {
	page := teamPage{teamHead: r.teamHead(c, o, t, "members")}
	ctx := c.R.Context()
	var err error
	if page.Members, err = r.Directory.TeamAccounts(ctx, t.ID); err != nil {
		return page, err
	}
	all, err := r.Accounts.Teams(ctx, o.Login)
	if err != nil {
		return page, err
	}
	for _, one := range all {
		if one.ParentID == t.ID {
			page.Children = append(page.Children, one)
		}
	}
	granted, err := r.Directory.TeamRepositories(ctx, c.Who, t.ID)
	if err != nil {
		return page, err
	}
	for _, one := range granted {
		if access.DecideDirectory(c.Who, one.Standing, access.SeeRepository) == access.Granted {
			page.Repositories = append(page.Repositories, one)
		}
	}
	if o.Admin {
		page.Choices, err = r.choices(c, o, page.Members)
	}
	return page, err
}

// choices are members of the organization who are not in, as many as a list to
// choose from may have.
func (r *room) choices(c *frame.Call, o frame.Owner, in []account.Account) ([]account.MemberAccount, error) {
	all, err := r.Directory.MemberAccounts(c.R.Context(), o.ID)
	if err != nil {
		return nil, err
	}
	there := map[int64]bool{}
	for _, a := range in {
		there[a.ID] = true
	}
	var list []account.MemberAccount
	for _, m := range all {
		if !there[m.ID] && len(list) < 200 {
			list = append(list, m)
		}
	}
	return list, nil
}

// onTeam runs a change of a team for those who rule its organization, and shows
// the team again when it fails.
func (r *room) onTeam(c *frame.Call, done string, change func(o frame.Owner, t account.Team, field func(string) string) error) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	t, err := r.findTeam(c, o)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	field := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	cause := change(o, t, field)
	if cause == nil {
		return c.Done(orgPath(o.Login, "teams", t.Slug), done)
	}
	page, err := r.teamPage(c, o, t)
	if err != nil {
		return err
	}
	page.Login, page.Repository = field("login"), field("repository")
	return r.failed(c, cause, "team", &page.Page, func() any { return page })
}

func (r *room) addToTeam(c *frame.Call) error {
	return r.onTeam(c, "org-team-member-added", func(o frame.Owner, t account.Team, field func(string) string) error {
		return r.Accounts.AddToTeam(c.R.Context(), audit.By(c.Who), o.Login, t.Slug, field("login"))
	})
}

func (r *room) removeFromTeam(c *frame.Call) error {
	return r.onTeam(c, "org-team-member-removed", func(o frame.Owner, t account.Team, field func(string) string) error {
		return r.Accounts.RemoveFromTeam(c.R.Context(), audit.By(c.Who), o.Login, t.Slug, field("login"))
	})
}

// teamRepository returns the repository of the organization that a form names, in
// full or by the last part, if the visitor may administer it.
func (r *room) teamRepository(c *frame.Call, o frame.Owner, name string) (account.OwnedRepository, error) {
	if owner, last, full := strings.Cut(name, "/"); full {
		if !strings.EqualFold(owner, o.Login) {
			return account.OwnedRepository{}, errElsewhere(name, owner)
		}
		name = last
	}
	found, err := r.Accounts.RepositoryStanding(c.R.Context(), c.Who, o.Login, name)
	if err == nil && access.DecideDirectory(c.Who, found.Standing, access.AdministerRepository) != access.Granted {
		err = errs.New(errs.NotFound, "no repository %q", o.Login+"/"+name)
	}
	if err == nil && found.Owner.ID != o.ID { // it was transferred, and the old name leads there
		err = errElsewhere(found.Name.String(), found.Owner.Login)
	}
	return found, err
}

func errElsewhere(name, owner string) error {
	return errs.New(errs.Invalid, "%s belongs to %s: only its own teams have roles on it", name, owner)
}

func (r *room) grantRepository(c *frame.Call) error {
	return r.onTeam(c, "org-team-granted", func(o frame.Owner, t account.Team, field func(string) string) error {
		found, err := r.teamRepository(c, o, field("repository"))
		if err != nil {
			return err
		}
		role, _ := access.RepositoryRoleNamed(field("role"))
		g := account.RepositoryGrant{Team: t.Slug, Role: role}
		return r.Accounts.GrantRepository(c.R.Context(), audit.By(c.Who), found.Name.String(), g)
	})
}

func (r *room) revokeRepository(c *frame.Call) error {
	return r.onTeam(c, "org-team-revoked", func(o frame.Owner, t account.Team, field func(string) string) error {
		found, err := r.teamRepository(c, o, field("repository"))
		if err != nil {
			return err
		}
		return r.Accounts.RevokeRepository(c.R.Context(), audit.By(c.Who), found.Name.String(), account.RepositoryGrant{Team: t.Slug})
	})
}
