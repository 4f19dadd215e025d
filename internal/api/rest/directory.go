package rest

import (
	"context"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// Directory reads who belongs where, and what callers are to accounts and
// repositories.
type Directory interface {
	account.Standings
	account.People
	ListTeams(ctx context.Context, organizationID int64) ([]account.Team, error)
	RepositoryGrants(ctx context.Context, id int64) ([]account.RepositoryGrant, error)
	OutsideCollaborators(ctx context.Context, organizationID int64) ([]account.Account, error)
}

// target is what a route of the directory is about: an account, and a repository
// or a team of it where the route names one.
type target struct {
	account    account.Account
	standing   access.Standing
	repository account.OwnedRepository
	team       account.Team
}

// directoryRoutes are those of accounts, teams and repositories.
func (h *Handler) directoryRoutes() []route {
	var all []route
	for _, group := range [][]route{
		h.userRoutes(), h.organizationRoutes(), h.memberRoutes(), h.teamRoutes(), h.repositoryRoutes(),
		h.collaboratorRoutes(), h.siteRoutes(), h.rootRoutes(),
		h.tokenRoutes(), h.workflowTokenRoutes(), h.trustRoutes(), h.auditRoutes(), h.settingRoutes(),
	} {
		all = append(all, group...)
	}
	return all
}

// errNotThere is the one answer for what is absent and for what the caller may
// not know of.
func errNotThere() error { return errs.New(errs.NotFound, "Not Found") }

// refusal is the error for a verdict; nil when it is granted.
func (c *call) refusal(v access.Verdict) error {
	switch v {
	case access.Granted:
		return nil
	case access.Refused:
		return errs.New(errs.Denied, "This takes administrator rights.")
	case access.SignOn:
		return errs.New(errs.Denied, "%s requires single sign-on, and this credential was not authorized for it.", c.target.account.Login)
	}
	return errNotThere()
}

// absent hides the words of an error that says that something is not there.
func absent(err error) error {
	if errs.Is(err, errs.NotFound) {
		return errNotThere()
	}
	return err
}

// self is the policy of what people do with their own account, whose scopes are
// needed; zero for none.
func self(scopes access.Scopes) policy {
	return checked(scopes, func(c *call) error {
		if err := c.signedIn(scopes); err != nil {
			return err
		}
		return c.findAccount(c.who.Login, account.User)
	})
}

// onAccount is the policy of what is done with the account that the path names
// as username or org, which is of that kind. With scopes it takes a credential
// that has them. An action of zero is everybody's.
func onAccount(k account.Kind, scopes access.Scopes, a access.DirectoryAction) policy {
	return checked(scopes, func(c *call) error {
		if scopes != 0 {
			if err := c.signedIn(scopes); err != nil {
				return err
			}
		}
		login := c.param("username")
		if k == account.Organization {
			login = c.param("org")
		}
		if err := c.findAccount(login, k); err != nil || a == 0 {
			return err
		}
		return c.refusal(access.DecideDirectory(c.who, c.target.standing, a))
	})
}

// anyAccount is onAccount for a path that names a user or an organization, for
// everybody.
func anyAccount() policy {
	return checked(0, func(c *call) error { return c.findAccount(c.param("username"), "") })
}

func (c *call) findAccount(login string, k account.Kind) (err error) {
	c.target.account, c.target.standing, err = c.h.Accounts.Standing(c.r.Context(), c.who, login)
	if err == nil && k != "" && c.target.account.Kind != k {
		err = errNotThere()
	}
	return absent(err)
}

// seeRepository is the policy of what those who may see a repository may do.
func seeRepository() policy {
	p := checked(access.Repo, func(c *call) error { return c.findRepository(access.SeeRepository) })
	return p
}

// administerRepository is the policy of what its administrators may do, with
// these scopes.
func administerRepository(scopes access.Scopes) policy {
	return onRepository(scopes, access.AdministerRepository)
}

// onRepository is the policy of what is done with a repository, by a credential
// that has the scopes.
func onRepository(scopes access.Scopes, a access.DirectoryAction) policy {
	return checked(scopes, func(c *call) error {
		if err := c.signedIn(scopes); err != nil {
			return err
		}
		return c.findRepository(a)
	})
}

func (c *call) findRepository(a access.DirectoryAction) error {
	r, err := c.h.Accounts.RepositoryStanding(c.r.Context(), c.who, c.param("owner"), c.param("repo"))
	if err != nil {
		return absent(err)
	}
	c.target.repository, c.target.account, c.target.standing = r, r.Owner, r.Standing
	return c.refusal(access.DecideDirectory(c.who, r.Standing, a))
}

// onTeam is the policy of what is done with a team, by its slug in org or by
// team_id in org_id. Members may see it; an action beyond that is for owners.
func onTeam(scopes access.Scopes, a access.DirectoryAction) policy {
	return checked(scopes, func(c *call) error {
		if err := c.signedIn(scopes); err != nil {
			return err
		}
		if err := c.findOrganization(); err != nil {
			return err
		}
		for _, needed := range []access.DirectoryAction{access.SeeMembers, a} {
			if err := c.refusal(access.DecideDirectory(c.who, c.target.standing, needed)); err != nil {
				return err
			}
		}
		return c.findTeam()
	})
}

// inTeams is onTeam for what is done with all teams of an organization.
func inTeams(scopes access.Scopes, a access.DirectoryAction) policy {
	return checked(scopes, func(c *call) error {
		if err := c.signedIn(scopes); err != nil {
			return err
		}
		if err := c.findOrganization(); err != nil {
			return err
		}
		if err := c.refusal(access.DecideDirectory(c.who, c.target.standing, access.SeeMembers)); err != nil {
			return err
		}
		return c.refusal(access.DecideDirectory(c.who, c.target.standing, a))
	})
}

// findOrganization finds it by org, a login, or by org_id.
func (c *call) findOrganization() error {
	login := c.param("org")
	if login == "" {
		id, err := c.id("org_id")
		if err != nil {
			return errNotThere()
		}
		a, err := c.h.Directory.AccountByID(c.r.Context(), id)
		if err != nil {
			return absent(err)
		}
		login = a.Login
	}
	return c.findAccount(login, account.Organization)
}

func (c *call) findTeam() (err error) {
	if slug := c.param("team_slug"); slug != "" {
		c.target.team, err = c.h.Accounts.TeamBySlug(c.r.Context(), c.target.account, slug)
		return absent(err)
	}
	id, err := c.id("team_id")
	if err != nil {
		return errNotThere()
	}
	c.target.team, err = c.h.Directory.TeamByID(c.r.Context(), c.target.account.ID, id)
	return absent(err)
}

// by names the caller in the record of changes.
func (c *call) by() audit.Actor { return audit.By(c.who) }

// changed is err of a change, in which what breaks a rule is 422 as on GitHub.
func changed(err error) error {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind == errs.Invalid && e.Code == "" {
		return e.WithCode(unprocessable)
	}
	return err
}

// userOf is GitHub's simple-user of an account.
func (h *Handler) userOf(a account.Account) object { return h.simpleUser(ownerOf(a)) }

func ownerOf(a account.Account) packages.Owner {
	return packages.Owner{
		ID: a.ID, Login: a.Login, Name: a.Name, Organization: a.Kind == account.Organization, SiteAdmin: a.SiteAdmin,
	}
}

// users are GitHub's simple-users of accounts.
func (h *Handler) users(list []account.Account) []object {
	all := []object{}
	for _, a := range list {
		all = append(all, h.userOf(a))
	}
	return all
}
