package store

import (
	"context"
	"slices"
	"strings"

	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// DeleteAccount implements account.Changes. The row stays, and with it the logins.
func (s *Store) DeleteAccount(ctx context.Context, id int64, e audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := lockWithOrganizations(ctx, tx, id); err != nil {
			return err
		}
		if err := keepSiteAdmin(ctx, tx, id); err != nil {
			return err
		}
		if err := keepOwners(ctx, tx, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE accounts SET deleted_at = ?, suspended_at = COALESCE(suspended_at, ?), site_admin = 0,
			password_hash = '' WHERE id = ?`, toMicros(e.At), toMicros(e.At), id)
		if err != nil {
			return err
		}
		if err := endAccount(ctx, tx, id, toMicros(e.At)); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

const ownedOrganizations = `SELECT organization_id FROM memberships WHERE user_id = ? AND role = 'owner' ORDER BY organization_id`

// lockWithOrganizations locks the account and the organizations that it owns, so
// that their other owners stay meanwhile.
func lockWithOrganizations(ctx context.Context, tx *database.Tx, id int64) error {
	before, err := queryIDs(ctx, tx, ownedOrganizations, id)
	if err != nil {
		return err
	}
	if err := lockAccounts(ctx, tx, append(before, id)...); err != nil {
		return err
	}
	after, err := queryIDs(ctx, tx, ownedOrganizations, id)
	if err == nil && !slices.Equal(before, after) {
		return database.ErrRetry
	}
	return err
}

// keepOwners refuses to go on when the account is an organization's last owner.
func keepOwners(ctx context.Context, tx *database.Tx, id int64) error {
	left, err := queryNames(ctx, tx, `SELECT a.login FROM memberships JOIN accounts a ON a.id = memberships.organization_id
		WHERE memberships.user_id = ? AND memberships.role = 'owner' AND NOT`+otherOwner+` ORDER BY a.login`, id)
	if err != nil || len(left) == 0 {
		return err
	}
	return errs.New(errs.Conflict, "the last owner of %s; give it another owner or delete it first", strings.Join(left, ", "))
}

// endAccount ends what the account has and what it was given.
func endAccount(ctx context.Context, tx *database.Tx, id, now int64) error {
	if err := endHooks(ctx, tx, id, deliveriesOwned, hooksOwned); err != nil {
		return err
	}
	for _, statement := range []string{
		`UPDATE packages SET deleted_at = ? WHERE owner_id = ? AND deleted_at IS NULL`,
		`UPDATE repositories SET deleted_at = ? WHERE owner_id = ? AND deleted_at IS NULL`,
		`UPDATE tokens SET revoked_at = ? WHERE account_id = ? AND revoked_at IS NULL`,
		`UPDATE tokens SET revoked_at = ? WHERE repository_id IN (SELECT id FROM repositories WHERE owner_id = ?) AND revoked_at IS NULL`,
		`UPDATE tokens SET revoked_at = ? WHERE trust_id IN (SELECT id FROM trust_rules WHERE owner_id = ?) AND revoked_at IS NULL`,
	} {
		if _, err := tx.Exec(ctx, statement, now, id); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		// What it was given.
		`DELETE FROM memberships WHERE user_id = ?`,
		`DELETE FROM team_members WHERE user_id = ?`,
		`DELETE FROM team_reach WHERE user_id = ?`,
		`DELETE FROM repository_grants WHERE account_id = ?`,
		`DELETE FROM package_grants WHERE account_id = ?`,
		`DELETE FROM web_sessions WHERE account_id = ?`,
		`DELETE FROM pending_sign_ins WHERE account_id = ?`,
		`DELETE FROM authenticator_apps WHERE account_id = ?`,
		`DELETE FROM recovery_codes WHERE account_id = ?`,
		`DELETE FROM passkeys WHERE account_id = ?`,
		// What it has, and an organization gave.
		`DELETE FROM trust_rules WHERE owner_id = ?`,
		`DELETE FROM memberships WHERE organization_id = ?`,
		`DELETE FROM token_authorizations WHERE organization_id = ?`,
		`DELETE FROM repository_grants WHERE repository_id IN (SELECT id FROM repositories WHERE owner_id = ?)`,
		`DELETE FROM package_repositories WHERE repository_id IN (SELECT id FROM repositories WHERE owner_id = ?)`,
		`DELETE FROM repository_team_grants WHERE team_id IN (SELECT id FROM teams WHERE organization_id = ?)`,
		`DELETE FROM package_team_grants WHERE team_id IN (SELECT id FROM teams WHERE organization_id = ?)`,
		`DELETE FROM team_members WHERE team_id IN (SELECT id FROM teams WHERE organization_id = ?)`,
		`DELETE FROM team_reach WHERE team_id IN (SELECT id FROM teams WHERE organization_id = ?)`,
		`UPDATE teams SET parent_id = NULL WHERE organization_id = ?`,
		`DELETE FROM teams WHERE organization_id = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, id); database.IsForeignKey(err) {
			return database.ErrRetry // one of its teams is given a role at this moment
		} else if err != nil {
			return err
		}
	}
	return nil
}

// queryIDs collects the first column of a query that yields ids.
func queryIDs(ctx context.Context, q database.Querier, query string, args ...any) ([]int64, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
