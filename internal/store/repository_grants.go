package store

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// SetRepositoryGrant implements account.Grants.
func (s *Store) SetRepositoryGrant(ctx context.Context, r account.Repository, userID int64, role access.RepositoryRole, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		if err := lockRepository(ctx, tx, r); err != nil {
			return err
		}
		return setRole(ctx, tx, `INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, ?)
			ON CONFLICT (repository_id, account_id) DO UPDATE SET role = excluded.role`,
			`DELETE FROM repository_grants WHERE repository_id = ? AND account_id = ?`, r.ID, userID, role)
	}, r.OwnerID, userID)
}

// SetRepositoryTeamGrant implements account.Grants.
func (s *Store) SetRepositoryTeamGrant(ctx context.Context, r account.Repository, teamID int64, role access.RepositoryRole, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		if err := lockRepository(ctx, tx, r); err != nil {
			return err
		}
		if err := teamOf(ctx, tx, r.OwnerID, teamID); err != nil {
			return err
		}
		return setRole(ctx, tx, `INSERT INTO repository_team_grants (repository_id, team_id, role) VALUES (?, ?, ?)
			ON CONFLICT (repository_id, team_id) DO UPDATE SET role = excluded.role`,
			`DELETE FROM repository_team_grants WHERE repository_id = ? AND team_id = ?`, r.ID, teamID, role)
	}, r.OwnerID)
}

// setRole gives a role by one statement or, when it is zero, takes it away by
// the other.
func setRole(ctx context.Context, tx *database.Tx, give, take string, repositoryID, holder int64, role access.RepositoryRole) error {
	if role != 0 {
		_, err := tx.Exec(ctx, give, repositoryID, holder, int64(role))
		return err
	}
	res, err := tx.Exec(ctx, take, repositoryID, holder)
	if err != nil {
		return err
	}
	return oneRow(res, errs.New(errs.NotFound, "no role on this repository was given"))
}

// RepositoryGrants implements account.Grants.
func (s *Store) RepositoryGrants(ctx context.Context, id int64) ([]account.RepositoryGrant, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT a.login, '', g.role FROM repository_grants g JOIN accounts a ON a.id = g.account_id
			WHERE g.repository_id = ?
		UNION ALL SELECT '', t.slug, g.role FROM repository_team_grants g JOIN teams t ON t.id = g.team_id
			WHERE g.repository_id = ?
		ORDER BY 2, 1`, id, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.RepositoryGrant
	for rows.Next() {
		var g account.RepositoryGrant
		if err := rows.Scan(&g.User, &g.Team, &g.Role); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, rows.Err()
}
