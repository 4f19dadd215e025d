package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// otherOwner is true of a membership whose organization has another owner, so
// that this one can end. It is always true of a mere member's.
const otherOwner = ` EXISTS (SELECT 1 FROM memberships o WHERE o.organization_id = memberships.organization_id
	AND o.user_id <> memberships.user_id AND o.role = 'owner')`

// SetMember implements account.Members.
func (s *Store) SetMember(ctx context.Context, organizationID, userID int64, role access.Membership, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role, from_group = 0
			WHERE excluded.role = 'owner' OR`+otherOwner,
			organizationID, userID, string(role), toMicros(e.At))
		if err != nil {
			return err
		}
		return oneRow(res, errLastOwner())
	}, organizationID, userID)
}

// RemoveMember implements account.Members.
func (s *Store) RemoveMember(ctx context.Context, organizationID, userID int64, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		var one int
		err := tx.QueryRow(ctx, `SELECT 1 FROM memberships WHERE organization_id = ? AND user_id = ?`,
			organizationID, userID).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "not a member")
		}
		if err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `DELETE FROM memberships WHERE organization_id = ? AND user_id = ? AND`+
			otherOwner, organizationID, userID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errLastOwner()); err != nil {
			return err
		}
		return endMembership(ctx, tx, organizationID, userID)
	}, organizationID, userID)
}

// endMembership takes from the user what the organization gave. The membership
// itself is gone already.
func endMembership(ctx context.Context, tx *database.Tx, organizationID, userID int64) error {
	for _, statement := range []string{
		`DELETE FROM team_members WHERE user_id = ? AND team_id IN (SELECT id FROM teams WHERE organization_id = ?)`,
		`DELETE FROM team_reach WHERE user_id = ? AND team_id IN (SELECT id FROM teams WHERE organization_id = ?)`,
		`DELETE FROM repository_grants WHERE account_id = ? AND repository_id IN (SELECT id FROM repositories WHERE owner_id = ?)`,
		`DELETE FROM package_grants WHERE account_id = ? AND EXISTS (SELECT 1 FROM packages p
			WHERE p.id = package_grants.package_id AND p.owner_id = ?)`,
		`DELETE FROM token_authorizations WHERE token_id IN (SELECT id FROM tokens WHERE account_id = ?) AND organization_id = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, userID, organizationID); err != nil {
			return err
		}
	}
	return nil
}

func errLastOwner() *errs.Error {
	return errs.New(errs.Conflict, "an organization keeps at least one owner")
}

// ListMembers implements account.Members.
func (s *Store) ListMembers(ctx context.Context, organizationID int64) ([]account.Member, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT a.login, m.role FROM memberships m JOIN accounts a ON a.id = m.user_id
		WHERE m.organization_id = ? ORDER BY a.login`, organizationID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.Member
	for rows.Next() {
		var m account.Member
		if err := rows.Scan(&m.Login, &m.Role); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}
