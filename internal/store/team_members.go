package store

import (
	"cmp"
	"context"
	"slices"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// TeamMembers implements account.TeamMembers.
func (s *Store) TeamMembers(ctx context.Context, teamID int64) ([]string, error) {
	return queryNames(ctx, s.db.Read(), `SELECT a.login FROM team_members m JOIN accounts a ON a.id = m.user_id
		WHERE m.team_id = ? ORDER BY a.login`, teamID)
}

// SetTeamMember implements account.TeamMembers.
func (s *Store) SetTeamMember(ctx context.Context, t account.Team, userID int64, in bool, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		if err := teamOf(ctx, tx, t.OrganizationID, t.ID); err != nil {
			return err
		}
		if t.Group != "" { // it never changes
			return errs.New(errs.Conflict, "the team is filled by the group %q of an outside provider", t.Group)
		}
		if in {
			if err := memberOf(ctx, tx, t.OrganizationID, userID); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO team_members (team_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, t.ID, userID)
			if err != nil {
				return err
			}
			return remakeReachOf(ctx, tx, t.OrganizationID, userID)
		}
		res, err := tx.Exec(ctx, `DELETE FROM team_members WHERE team_id = ? AND user_id = ?`, t.ID, userID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.NotFound, "not in the team")); err != nil {
			return err
		}
		return remakeReachOf(ctx, tx, t.OrganizationID, userID)
	}, t.OrganizationID, userID)
}

// memberOf tells whether the user belongs to the organization, which is locked.
func memberOf(ctx context.Context, tx *database.Tx, organizationID, userID int64) error {
	ids, err := queryIDs(ctx, tx, `SELECT user_id FROM memberships WHERE organization_id = ? AND user_id = ?`, organizationID, userID)
	if err == nil && len(ids) == 0 {
		return errs.New(errs.Conflict, "only members of the organization can be in its teams")
	}
	return err
}

// groupTeam is a team that a group fills.
type groupTeam struct{ id, organizationID int64 }

// ReplaceGroups implements account.TeamMembers.
func (s *Store) ReplaceGroups(ctx context.Context, userID int64, groups []string, e audit.Entry) error {
	if same, err := sameGroups(ctx, s.db.Read(), userID, groups); err != nil || same {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		// The organizations are locked before the teams are read again: a team
		// that is moved or deleted meanwhile is seen as it is afterwards.
		locked, err := lockGroupOrganizations(ctx, tx, userID, groups)
		if err != nil {
			return err
		}
		if same, err := sameGroups(ctx, tx, userID, groups); err != nil || same {
			return err
		}
		wanted, err := teamsOfGroups(ctx, tx, groups)
		if err != nil {
			return err
		}
		for _, t := range wanted {
			if !slices.Contains(locked, t.organizationID) {
				return database.ErrRetry // the team is new
			}
		}
		if err := putIntoTeams(ctx, tx, userID, wanted, toMicros(e.At)); err != nil {
			return err
		}
		if err := endGroupMemberships(ctx, tx, userID); err != nil {
			return err
		}
		for _, organizationID := range locked {
			if err := remakeReachOf(ctx, tx, organizationID, userID); err != nil {
				return err
			}
		}
		if err := tx.QueryRow(ctx, `SELECT login FROM accounts WHERE id = ?`, userID).Scan(&e.Target); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

// sameGroups reports whether the user is in exactly the teams that the groups
// fill.
func sameGroups(ctx context.Context, q database.Querier, userID int64, groups []string) (bool, error) {
	wanted, err := teamsOfGroups(ctx, q, groups)
	if err != nil {
		return false, err
	}
	have, err := queryTeams(ctx, q, `SELECT t.id, t.organization_id FROM team_members m JOIN teams t ON t.id = m.team_id
		WHERE m.user_id = ? AND t.idp_group <> '' ORDER BY t.id`, userID)
	return slices.Equal(wanted, have), err
}

// teamsOfGroups returns the teams that the groups fill, in the order of their ids.
func teamsOfGroups(ctx context.Context, q database.Querier, groups []string) ([]groupTeam, error) {
	var all []groupTeam
	for _, group := range groups {
		if group == "" {
			continue
		}
		teams, err := queryTeams(ctx, q, `SELECT id, organization_id FROM teams WHERE idp_group <> '' AND idp_group = ?`, group)
		if err != nil {
			return nil, err
		}
		all = append(all, teams...)
	}
	slices.SortFunc(all, func(a, b groupTeam) int { return cmp.Compare(a.id, b.id) })
	return slices.Compact(all), nil
}

func queryTeams(ctx context.Context, q database.Querier, query string, arg any) ([]groupTeam, error) {
	rows, err := q.Query(ctx, query, arg)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []groupTeam
	for rows.Next() {
		var t groupTeam
		if err := rows.Scan(&t.id, &t.organizationID); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// lockGroupOrganizations locks the user, and the organizations that the user is
// in or comes into, which it returns.
func lockGroupOrganizations(ctx context.Context, tx *database.Tx, userID int64, groups []string) ([]int64, error) {
	ids, err := queryIDs(ctx, tx, `SELECT organization_id FROM memberships WHERE user_id = ?`, userID)
	if err != nil {
		return nil, err
	}
	teams, err := teamsOfGroups(ctx, tx, groups)
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		ids = append(ids, t.organizationID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids, lockAccounts(ctx, tx, append(slices.Clone(ids), userID)...)
}

// putIntoTeams makes the teams those that groups fill and the user is in, and
// the user a member of their organizations.
func putIntoTeams(ctx context.Context, tx *database.Tx, userID int64, teams []groupTeam, now int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM team_members WHERE user_id = ? AND team_id IN (SELECT id FROM teams WHERE idp_group <> '')`, userID)
	if err != nil {
		return err
	}
	for _, t := range teams {
		_, err := tx.Exec(ctx, `INSERT INTO memberships (organization_id, user_id, role, created_at, from_group) VALUES (?, ?, 'member', ?, 1)
			ON CONFLICT (organization_id, user_id) DO NOTHING`, t.organizationID, userID, now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO team_members (team_id, user_id) VALUES (?, ?)`, t.id, userID); err != nil {
			return err
		}
	}
	return nil
}

// withoutGroup is true of a membership that came of groups and of which no group
// is left.
const withoutGroup = ` from_group = 1 AND NOT EXISTS (SELECT 1 FROM team_members m JOIN teams t ON t.id = m.team_id
	WHERE m.user_id = memberships.user_id AND t.organization_id = memberships.organization_id AND t.idp_group <> '')`

// endGroupMemberships ends such memberships of the user.
func endGroupMemberships(ctx context.Context, tx *database.Tx, userID int64) error {
	ended, err := queryIDs(ctx, tx, `DELETE FROM memberships WHERE user_id = ? AND`+withoutGroup+` RETURNING organization_id`, userID)
	if err != nil {
		return err
	}
	for _, organizationID := range ended {
		if err := endMembership(ctx, tx, organizationID, userID); err != nil {
			return err
		}
	}
	return nil
}

// endMembershipsWithoutGroup ends such memberships in the organization, which is
// locked.
func endMembershipsWithoutGroup(ctx context.Context, tx *database.Tx, organizationID int64) error {
	ended, err := queryIDs(ctx, tx, `DELETE FROM memberships WHERE organization_id = ? AND`+withoutGroup+` RETURNING user_id`, organizationID)
	if err != nil {
		return err
	}
	for _, userID := range ended {
		if err := endMembership(ctx, tx, organizationID, userID); err != nil {
			return err
		}
	}
	return nil
}
