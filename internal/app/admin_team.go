package app

import (
	"context"
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// splitTeam reads ORGANIZATION/TEAM.
func splitTeam(name string) (organization, team string, err error) {
	organization, team, ok := strings.Cut(name, "/")
	if !ok || organization == "" || team == "" {
		return "", "", errs.New(errs.Invalid, "a team is named ORGANIZATION/TEAM")
	}
	return organization, team, nil
}

// onTeam runs f with the two parts of a team's name.
func onTeam(ctx context.Context, cfg *config.Config, name string, f func(s *account.Service, organization, team string) error) error {
	organization, team, err := splitTeam(name)
	if err != nil {
		return err
	}
	return directory(ctx, cfg, func(s *account.Service) error { return f(s, organization, team) })
}

// CreateTeam makes the team ORGANIZATION/TEAM below parent, or with an empty one
// on top. A group of an outside provider may fill it.
func CreateTeam(ctx context.Context, cfg *config.Config, name, parent, group string) error {
	return onTeam(ctx, cfg, name, func(s *account.Service, organization, team string) error {
		_, err := s.CreateTeam(ctx, audit.Operator, organization, account.NewTeam{Slug: team, Parent: parent, Group: group})
		return err
	})
}

// MoveTeam puts the team below parent, or with an empty one on top.
func MoveTeam(ctx context.Context, cfg *config.Config, name, parent string) error {
	return onTeam(ctx, cfg, name, func(s *account.Service, organization, team string) error {
		return s.MoveTeam(ctx, audit.Operator, organization, team, parent)
	})
}

// DeleteTeam deletes the team; those below it move up.
func DeleteTeam(ctx context.Context, cfg *config.Config, name string) error {
	return onTeam(ctx, cfg, name, func(s *account.Service, organization, team string) error {
		return s.DeleteTeam(ctx, audit.Operator, organization, team)
	})
}

// AddToTeam puts a member of the organization into the team.
func AddToTeam(ctx context.Context, cfg *config.Config, name, user string) error {
	return onTeam(ctx, cfg, name, func(s *account.Service, organization, team string) error {
		return s.AddToTeam(ctx, audit.Operator, organization, team, user)
	})
}

// RemoveFromTeam takes a user out of the team.
func RemoveFromTeam(ctx context.Context, cfg *config.Config, name, user string) error {
	return onTeam(ctx, cfg, name, func(s *account.Service, organization, team string) error {
		return s.RemoveFromTeam(ctx, audit.Operator, organization, team, user)
	})
}

// ListTeams returns a heading and a row for each team of the organization.
func ListTeams(ctx context.Context, cfg *config.Config, organization string) ([][]string, error) {
	rows := [][]string{{"TEAM", "BELOW", "GROUP", "MEMBERS"}}
	err := directory(ctx, cfg, func(s *account.Service) error {
		list, err := s.Teams(ctx, organization)
		if err != nil {
			return err
		}
		for _, t := range list {
			members, err := s.TeamMembers(ctx, organization, t.Slug)
			if err != nil {
				return err
			}
			rows = append(rows, []string{t.Slug, t.Parent, t.Group, strings.Join(members, ",")})
		}
		return nil
	})
	return rows, err
}
