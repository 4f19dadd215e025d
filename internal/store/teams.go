package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

const (
	teamColumns = `t.id, t.organization_id, t.slug, COALESCE(t.parent_id, 0), COALESCE(p.slug, ''), t.idp_group,
		CASE t.name WHEN '' THEN t.slug ELSE t.name END, t.description, t.created_at`
	teamTables = ` FROM teams t LEFT JOIN teams p ON p.id = t.parent_id`
)

// teamRow scans teamColumns.
type teamRow struct {
	t       account.Team
	created int64
}

func (r *teamRow) dest() []any {
	t := &r.t
	return []any{&t.ID, &t.OrganizationID, &t.Slug, &t.ParentID, &t.Parent, &t.Group, &t.Name, &t.Description, &r.created}
}

func (r *teamRow) team() account.Team {
	t := r.t
	t.CreatedAt = fromMicros(r.created)
	return t
}

// queryTeamRows returns the teams of a query that selects teamColumns.
func queryTeamRows(ctx context.Context, q database.Querier, query string, args ...any) ([]account.Team, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.Team
	for rows.Next() {
		var r teamRow
		if err := rows.Scan(r.dest()...); err != nil {
			return nil, err
		}
		list = append(list, r.team())
	}
	return list, rows.Err()
}

// TeamBySlug implements account.Teams.
func (s *Store) TeamBySlug(ctx context.Context, organizationID int64, slug string) (account.Team, error) {
	var r teamRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+teamColumns+teamTables+` WHERE t.organization_id = ? AND t.slug = ?`,
		organizationID, slug).Scan(r.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Team{}, errs.New(errs.NotFound, "no team %q in this organization", slug)
	}
	return r.team(), err
}

// ListTeams implements account.Teams.
func (s *Store) ListTeams(ctx context.Context, organizationID int64) ([]account.Team, error) {
	return queryTeamRows(ctx, s.db.Read(), `SELECT `+teamColumns+teamTables+` WHERE t.organization_id = ? ORDER BY t.slug`, organizationID)
}

// CreateTeam implements account.Teams. A new team has no members whom the reach
// of others could change by.
func (s *Store) CreateTeam(ctx context.Context, t account.Team, e audit.Entry) (id int64, err error) {
	err = s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		if t.ParentID != 0 {
			if err := teamOf(ctx, tx, t.OrganizationID, t.ParentID); err != nil {
				return err
			}
		}
		err := tx.QueryRow(ctx, `INSERT INTO teams (organization_id, slug, parent_id, idp_group, created_at, name, description)
			VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (organization_id, slug) DO NOTHING RETURNING id`,
			t.OrganizationID, t.Slug, optionalID(t.ParentID), t.Group, toMicros(e.At), t.Name, t.Description).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.Exists, "there is a team %s already", t.Slug)
		}
		return err
	}, t.OrganizationID)
	return id, err
}

// teamOf tells whether the organization, which is locked, has the team.
func teamOf(ctx context.Context, tx *database.Tx, organizationID, teamID int64) error {
	var one int
	err := tx.QueryRow(ctx, `SELECT 1 FROM teams WHERE id = ? AND organization_id = ?`, teamID, organizationID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.NotFound, "no such team in this organization")
	}
	return err
}

// MoveTeam implements account.Teams.
func (s *Store) MoveTeam(ctx context.Context, t account.Team, parentID int64, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		if err := teamOf(ctx, tx, t.OrganizationID, t.ID); err != nil {
			return err
		}
		if parentID != 0 {
			if err := teamOf(ctx, tx, t.OrganizationID, parentID); err != nil {
				return err
			}
		}
		res, err := tx.Exec(ctx, `UPDATE teams SET parent_id = ? WHERE id = ? AND NOT EXISTS (
			WITH RECURSIVE below (id) AS (SELECT CAST(? AS BIGINT) UNION SELECT c.id FROM teams c JOIN below b ON c.parent_id = b.id)
			SELECT 1 FROM below WHERE below.id = ?)`, optionalID(parentID), t.ID, t.ID, parentID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Conflict, "a team cannot be below itself")); err != nil {
			return err
		}
		return remakeReach(ctx, tx, t.OrganizationID)
	}, t.OrganizationID)
}

// DeleteTeam implements account.Teams.
func (s *Store) DeleteTeam(ctx context.Context, t account.Team, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		if err := teamOf(ctx, tx, t.OrganizationID, t.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE teams SET parent_id = (SELECT d.parent_id FROM teams d WHERE d.id = ?) WHERE parent_id = ?`, t.ID, t.ID)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			`DELETE FROM team_members WHERE team_id = ?`,
			`DELETE FROM team_reach WHERE team_id = ?`,
			`DELETE FROM repository_team_grants WHERE team_id = ?`,
			`DELETE FROM package_team_grants WHERE team_id = ?`,
			`DELETE FROM teams WHERE id = ?`,
		} {
			if _, err := tx.Exec(ctx, statement, t.ID); database.IsForeignKey(err) {
				return database.ErrRetry // it is given a role at this moment
			} else if err != nil {
				return err
			}
		}
		if err := endMembershipsWithoutGroup(ctx, tx, t.OrganizationID); err != nil {
			return err
		}
		return remakeReach(ctx, tx, t.OrganizationID)
	}, t.OrganizationID)
}

// remakeReach makes team_reach anew for all members of an organization, which is
// locked.
func remakeReach(ctx context.Context, tx *database.Tx, organizationID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM team_reach WHERE team_id IN (SELECT id FROM teams WHERE organization_id = ?)`, organizationID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO team_reach (user_id, team_id)
		WITH RECURSIVE up (user_id, team_id) AS (
			SELECT m.user_id, m.team_id FROM team_members m JOIN teams t ON t.id = m.team_id WHERE t.organization_id = ?
			UNION SELECT u.user_id, t.parent_id FROM up u JOIN teams t ON t.id = u.team_id WHERE t.parent_id IS NOT NULL)
		SELECT user_id, team_id FROM up`, organizationID)
	return err
}

// remakeReachOf makes team_reach anew for one user in an organization, which is
// locked: those of others may change at this moment.
func remakeReachOf(ctx context.Context, tx *database.Tx, organizationID, userID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM team_reach WHERE user_id = ? AND team_id IN (SELECT id FROM teams WHERE organization_id = ?)`,
		userID, organizationID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO team_reach (user_id, team_id)
		WITH RECURSIVE up (user_id, team_id) AS (
			SELECT m.user_id, m.team_id FROM team_members m JOIN teams t ON t.id = m.team_id
				WHERE m.user_id = ? AND t.organization_id = ?
			UNION SELECT u.user_id, t.parent_id FROM up u JOIN teams t ON t.id = u.team_id WHERE t.parent_id IS NOT NULL)
		SELECT user_id, team_id FROM up`, userID, organizationID)
	return err
}
