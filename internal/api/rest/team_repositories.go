package rest

import (
	"errors"
	"net/http"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
)

// publicText is what an error tells everyone.
func publicText(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Public
	}
	return ""
}

// teamRepository is the policy of changing what a team may do with a repository:
// it takes a member of the team's organization who administers the repository.
func teamRepository() policy {
	return checked(access.Repo|access.ReadOrg, func(c *call) error {
		if err := onTeam(access.Repo|access.ReadOrg, access.SeeMembers).check(c); err != nil {
			return err
		}
		organization := c.target.account
		if err := c.findRepository(access.AdministerRepository); err != nil {
			return err
		}
		if c.target.account.ID != organization.ID {
			return invalid("Teams have roles on the repositories of their own organization.")
		}
		return nil
	})
}

// teamRepositoryObject is a repository with what the team may do there.
func (c *call) teamRepositoryObject(r account.TeamRepository) object {
	o := c.h.repositoryObject(r.OwnedRepository, c.who)
	o["permissions"], o["role_name"] = permissions(r.Role), roleName(r.Role)
	return o
}

func (c *call) teamRepositories() ([]account.TeamRepository, error) {
	all, err := c.h.Directory.TeamRepositories(c.r.Context(), c.who, c.target.team.ID)
	var seen []account.TeamRepository
	for _, r := range all {
		if access.DecideDirectory(c.who, r.Standing, access.SeeRepository) == access.Granted {
			seen = append(seen, r)
		}
	}
	return seen, err
}

func (h *Handler) listTeamRepositories(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := c.teamRepositories()
	if err != nil {
		return err
	}
	list := []object{}
	for _, r := range slice(p, all) {
		list = append(list, c.teamRepositoryObject(r))
	}
	return c.list(p, len(all), list)
}

// getTeamRepository is 204, and the repository to those who ask for GitHub's
// media type for it.
func (h *Handler) getTeamRepository(c *call) error {
	r, err := h.Accounts.RepositoryStanding(c.r.Context(), c.who, c.param("owner"), c.param("repo"))
	if err != nil {
		return absent(err)
	}
	all, err := c.teamRepositories()
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.ID != r.ID {
			continue
		}
		if strings.Contains(c.r.Header.Get("Accept"), ".repository") {
			return c.json(http.StatusOK, c.teamRepositoryObject(one))
		}
		return c.none()
	}
	return errNotThere()
}

// permissionRequest is the body that gives a role on a repository.
type permissionRequest struct {
	// Permission is pull, triage, push, maintain or admin; read and write are
	// taken for pull and push.
	Permission string `json:"permission"`
}

// permission reads the role of the body, or the one that is given without any.
func (c *call) permission(without access.RepositoryRole) (access.RepositoryRole, error) {
	var b permissionRequest
	if err := c.body(&b); err != nil {
		return 0, err
	}
	switch b.Permission {
	case "":
		return without, nil
	case "pull":
		return access.RepositoryRead, nil
	case "push":
		return access.RepositoryWrite, nil
	}
	if role, ok := access.RepositoryRoleNamed(b.Permission); ok && role != 0 {
		return role, nil
	}
	return 0, invalid("permission is pull, triage, push, maintain or admin")
}

func (h *Handler) putTeamRepository(c *call) error {
	role, err := c.permission(access.RepositoryRead)
	if err != nil {
		return err
	}
	g := account.RepositoryGrant{Team: c.target.team.Slug, Role: role}
	if err := h.Accounts.GrantRepository(c.r.Context(), c.by(), c.target.repository.Name.String(), g); err != nil {
		return changed(absent(err))
	}
	return c.none()
}

func (h *Handler) deleteTeamRepository(c *call) error {
	g := account.RepositoryGrant{Team: c.target.team.Slug}
	if err := h.Accounts.RevokeRepository(c.r.Context(), c.by(), c.target.repository.Name.String(), g); err != nil {
		return absent(err)
	}
	return c.none()
}
