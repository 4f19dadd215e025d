package account

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// RepositoryGrant is one role on a repository.
type RepositoryGrant struct {
	// User or Team is set: a login, or the slug of a team of the owner.
	User, Team string
	Role       access.RepositoryRole
}

// GrantRepository gives a user or a team of the owner a role on the repository,
// in place of the one that it had. In an organization the user need not be a
// member: then it is an outside collaborator.
func (s *Service) GrantRepository(ctx context.Context, by audit.Actor, name string, g RepositoryGrant) error {
	if g.Role < access.RepositoryRead || g.Role > access.RepositoryAdmin {
		return errs.New(errs.Invalid, "a role on a repository is read, triage, write, maintain or admin")
	}
	return s.setGrant(ctx, by, "repository.grant", name, g)
}

// RevokeRepository takes away the role that a user or team was given. NotFound
// when it was given none.
func (s *Service) RevokeRepository(ctx context.Context, by audit.Actor, name string, g RepositoryGrant) error {
	g.Role = 0
	return s.setGrant(ctx, by, "repository.revoke", name, g)
}

func (s *Service) setGrant(ctx context.Context, by audit.Actor, action, name string, g RepositoryGrant) error {
	r, err := s.Repository(ctx, name)
	if err != nil {
		return err
	}
	if (g.User == "") == (g.Team == "") {
		return errs.New(errs.Invalid, "a role is given to a user or to a team")
	}
	e := s.entry(by, action, r.Name.String(), map[string]any{"role": g.Role.String()})
	if g.User != "" {
		u, err := s.find(ctx, g.User, User)
		if err != nil {
			return err
		}
		e.Detail["user"] = u.Login
		return s.Store.SetRepositoryGrant(ctx, r, u.ID, g.Role, e)
	}
	t, err := s.Team(ctx, r.Name.Owner(), g.Team)
	if err != nil {
		return err
	}
	e.Detail["team"] = t.Slug
	return s.Store.SetRepositoryTeamGrant(ctx, r, t.ID, g.Role, e)
}

// RepositoryGrants returns the roles that were given on the repository, to
// users first, in the order of their names.
func (s *Service) RepositoryGrants(ctx context.Context, name string) ([]RepositoryGrant, error) {
	r, err := s.Repository(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.Store.RepositoryGrants(ctx, r.ID)
}
