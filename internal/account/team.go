package account

import (
	"context"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Team is a set of members of an organization. What is given to a team reaches
// those in the teams below it, too.
type Team struct {
	ID             int64
	OrganizationID int64
	Slug           string // its name, lower-case
	ParentID       int64  // zero on top
	Parent         string // its slug
	// Group is the group of an outside provider whose people are the team; ""
	// for a team that is filled by hand.
	Group string
	// Name is how the team is written; Slug where nothing else was said.
	Name, Description string
	CreatedAt         time.Time
}

// NewTeam describes a team to make.
type NewTeam struct {
	Slug   string
	Parent string // "" on top
	Group  string
	// Name and Description may be empty.
	Name, Description string
}

// Team returns the team of that name, in any case of letters, or NotFound.
func (s *Service) Team(ctx context.Context, organization, slug string) (Team, error) {
	org, err := s.find(ctx, organization, Organization)
	if err != nil {
		return Team{}, err
	}
	return s.team(ctx, org, slug)
}

func (s *Service) team(ctx context.Context, org Account, slug string) (Team, error) {
	folded, err := ParseLogin(slug)
	if err != nil {
		return Team{}, errs.New(errs.NotFound, "no team %q in %s", slug, org.Login)
	}
	return s.Store.TeamBySlug(ctx, org.ID, folded)
}

// Teams returns the organization's teams in the order of their names.
func (s *Service) Teams(ctx context.Context, organization string) ([]Team, error) {
	org, err := s.find(ctx, organization, Organization)
	if err != nil {
		return nil, err
	}
	return s.Store.ListTeams(ctx, org.ID)
}

// CreateTeam makes a team. Its name follows the rules of logins.
func (s *Service) CreateTeam(ctx context.Context, by audit.Actor, organization string, n NewTeam) (Team, error) {
	slug, err := ParseLogin(n.Slug)
	if err != nil {
		return Team{}, errTeamName()
	}
	org, err := s.find(ctx, organization, Organization)
	if err != nil {
		return Team{}, err
	}
	if err := checkProfile(&n.Name, nil, &n.Description); err != nil {
		return Team{}, err
	}
	t := Team{OrganizationID: org.ID, Slug: slug, Group: n.Group, Name: n.Name, Description: n.Description, CreatedAt: s.Now()}
	if t.Name == "" {
		t.Name = slug
	}
	if n.Parent != "" {
		parent, err := s.team(ctx, org, n.Parent)
		if err != nil {
			return Team{}, err
		}
		t.ParentID, t.Parent = parent.ID, parent.Slug
	}
	t.ID, err = s.Store.CreateTeam(ctx, t, s.entry(by, "team.create", org.Login+"/"+slug, map[string]any{"parent": t.Parent, "group": t.Group}))
	return t, err
}

// MoveTeam puts a team below another one, or with an empty parent on top.
// Conflict when the parent is the team itself or below it.
func (s *Service) MoveTeam(ctx context.Context, by audit.Actor, organization, slug, parent string) error {
	org, err := s.find(ctx, organization, Organization)
	if err != nil {
		return err
	}
	t, err := s.team(ctx, org, slug)
	if err != nil {
		return err
	}
	var above Team
	if parent != "" {
		if above, err = s.team(ctx, org, parent); err != nil {
			return err
		}
	}
	return s.Store.MoveTeam(ctx, t, above.ID, s.entry(by, "team.move", org.Login+"/"+t.Slug, map[string]any{"parent": above.Slug}))
}

// DeleteTeam deletes a team and the roles it was given. Those below it move up.
func (s *Service) DeleteTeam(ctx context.Context, by audit.Actor, organization, slug string) error {
	org, err := s.find(ctx, organization, Organization)
	if err != nil {
		return err
	}
	t, err := s.team(ctx, org, slug)
	if err != nil {
		return err
	}
	return s.Store.DeleteTeam(ctx, t, s.entry(by, "team.delete", org.Login+"/"+t.Slug, nil))
}

// AddToTeam puts a member of the organization into the team. Conflict for who is
// no member, and for a team that an outside group fills.
func (s *Service) AddToTeam(ctx context.Context, by audit.Actor, organization, slug, user string) error {
	return s.setTeamMember(ctx, by, "team.add", organization, slug, user, true)
}

// RemoveFromTeam takes a user out of the team.
func (s *Service) RemoveFromTeam(ctx context.Context, by audit.Actor, organization, slug, user string) error {
	return s.setTeamMember(ctx, by, "team.remove", organization, slug, user, false)
}

func (s *Service) setTeamMember(ctx context.Context, by audit.Actor, action, organization, slug, user string, in bool) error {
	org, u, err := s.pair(ctx, organization, user)
	if err != nil {
		return err
	}
	t, err := s.team(ctx, org, slug)
	if err != nil {
		return err
	}
	return s.Store.SetTeamMember(ctx, t, u.ID, in, s.entry(by, action, org.Login+"/"+t.Slug, map[string]any{"user": u.Login}))
}

// TeamMembers returns the logins of those in the team itself, not of those in
// the teams below it.
func (s *Service) TeamMembers(ctx context.Context, organization, slug string) ([]string, error) {
	t, err := s.Team(ctx, organization, slug)
	if err != nil {
		return nil, err
	}
	return s.Store.TeamMembers(ctx, t.ID)
}

// ReplaceGroups makes the user's groups those that an outside provider names:
// they replace what it named before, and never add to it. The user is then in
// exactly those of the teams filled by groups whose group is named, and a member
// of their organizations. A membership that came of groups ends with the last
// of them; one that was given by hand stays.
func (s *Service) ReplaceGroups(ctx context.Context, userID int64, groups []string) error {
	return s.Store.ReplaceGroups(ctx, userID, groups, s.entry(audit.Server, "user.groups", "user", map[string]any{"groups": groups}))
}
