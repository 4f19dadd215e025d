package rest

import (
	"net/http"
	"slices"

	"packhouse/internal/access"
	"packhouse/internal/account"
)

func (h *Handler) collaboratorRoutes() []route {
	const at = "/repos/{owner}/{repo}"
	admin := administerRepository(access.Repo)
	return []route{
		{"GET", at + "/collaborators", h.listCollaborators, pushers()},
		{"GET", at + "/collaborators/{username}", h.checkCollaborator, pushers()},
		{"PUT", at + "/collaborators/{username}", h.putCollaborator, admin},
		{"DELETE", at + "/collaborators/{username}", h.deleteCollaborator, admin},
		{"GET", at + "/collaborators/{username}/permission", h.getPermission, pushers()},
		{"GET", at + "/invitations", h.listNothing, admin},
		{"GET", at + "/teams", h.listRepositoryTeams, admin},
	}
}

// pushers is the policy of what those who may push to a repository are told of
// it, as on GitHub.
func pushers() policy {
	return checked(access.Repo, func(c *call) error {
		if err := c.signedIn(access.Repo); err != nil {
			return err
		}
		if err := c.findRepository(access.SeeRepository); err != nil {
			return err
		}
		if access.DirectoryRole(c.who, c.target.standing) < access.RepositoryWrite {
			return c.refusal(access.Refused)
		}
		return nil
	})
}

func (c *call) collaborators() ([]account.Collaborator, error) {
	return c.h.Directory.Collaborators(c.r.Context(), c.target.repository.Repository)
}

// collaborator is GitHub's collaborator.
func (h *Handler) collaborator(a account.Account, role access.RepositoryRole) object {
	o := h.userOf(a)
	o["permissions"], o["role_name"] = permissions(role), roleName(role)
	return o
}

// listCollaborators is GET …/collaborators. affiliation chooses all, direct for
// those with a role of their own, or outside for those of them who are no members
// of the organization.
func (h *Handler) listCollaborators(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := c.collaborators()
	if err != nil {
		return err
	}
	affiliation, permission := c.q.Get("affiliation"), c.q.Get("permission")
	if !slices.Contains([]string{"", "all", "direct", "outside"}, affiliation) {
		return invalid("affiliation is outside, direct or all")
	}
	inOrganization := c.target.account.Kind == account.Organization
	chosen := slices.DeleteFunc(all, func(one account.Collaborator) bool {
		switch {
		case permission != "" && !permissions(one.Role)[permission]:
			return true
		case affiliation == "direct":
			return one.Direct == 0
		case affiliation == "outside":
			return one.Direct == 0 || one.Member || !inOrganization
		}
		return false
	})
	list := []object{}
	for _, one := range slice(p, chosen) {
		list = append(list, h.collaborator(one.Account, one.Role))
	}
	return c.list(p, len(chosen), list)
}

// findCollaborator returns what the user that the path names may do.
func (c *call) findCollaborator() (account.Account, access.RepositoryRole, error) {
	user, err := c.h.Accounts.Get(c.r.Context(), c.param("username"))
	if err != nil || user.Kind != account.User {
		return user, 0, errNotThere()
	}
	all, err := c.collaborators()
	if err != nil {
		return user, 0, err
	}
	for _, one := range all {
		if one.ID == user.ID {
			return user, one.Role, nil
		}
	}
	return user, 0, nil
}

func (h *Handler) checkCollaborator(c *call) error {
	_, role, err := c.findCollaborator()
	if err == nil && role == 0 {
		err = errNotThere()
	}
	if err != nil {
		return err
	}
	return c.none()
}

// putCollaborator gives the user the role at once: no invitation is sent.
func (h *Handler) putCollaborator(c *call) error {
	role, err := c.permission(access.RepositoryWrite)
	if err != nil {
		return err
	}
	user, err := h.Accounts.Get(c.r.Context(), c.param("username"))
	if err != nil || user.Kind != account.User {
		return errNotThere()
	}
	if user.ID == c.target.account.ID {
		return invalid("Repository owner cannot be a collaborator")
	}
	g := account.RepositoryGrant{User: user.Login, Role: role}
	if err := h.Accounts.GrantRepository(c.r.Context(), c.by(), c.target.repository.Name.String(), g); err != nil {
		return changed(absent(err))
	}
	return c.none()
}

func (h *Handler) deleteCollaborator(c *call) error {
	g := account.RepositoryGrant{User: c.param("username")}
	if err := h.Accounts.RevokeRepository(c.r.Context(), c.by(), c.target.repository.Name.String(), g); err != nil {
		return absent(err)
	}
	return c.none()
}

// getPermission is GitHub's repository-collaborator-permission. permission is the
// older word, which knows admin, write, read and none; role_name the exact role.
func (h *Handler) getPermission(c *call) error {
	user, role, err := c.findCollaborator()
	if err != nil {
		return err
	}
	if role == 0 && c.target.repository.Visibility == access.Public {
		role = access.RepositoryRead
	}
	older := string(role.PackageRole())
	if older == "" {
		older = "none"
	}
	return c.json(http.StatusOK, object{"permission": older, "role_name": roleName(role), "user": h.collaborator(user, role)})
}

// listRepositoryTeams is GET …/teams.
func (h *Handler) listRepositoryTeams(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	grants, err := h.Directory.RepositoryGrants(c.r.Context(), c.target.repository.ID)
	if err != nil {
		return err
	}
	grants = slices.DeleteFunc(grants, func(g account.RepositoryGrant) bool { return g.Team == "" })
	list := []object{}
	for _, g := range slice(p, grants) {
		t, err := h.Accounts.TeamBySlug(c.r.Context(), c.target.account, g.Team)
		if err != nil {
			return absent(err)
		}
		o, err := c.team(t)
		if err != nil {
			return err
		}
		o["permission"], o["permissions"] = pullWord(g.Role), permissions(g.Role)
		list = append(list, o)
	}
	return c.list(p, len(grants), list)
}

// pullWord is a role in the words by which it is given: pull for read and push
// for write.
func pullWord(role access.RepositoryRole) string {
	switch role {
	case access.RepositoryRead:
		return "pull"
	case access.RepositoryWrite:
		return "push"
	}
	return role.String()
}
