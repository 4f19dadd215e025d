package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

var (
	_ account.Store   = (*Store)(nil)
	_ account.Members = (*Store)(nil)
)

// CreateUser implements account.Store.
func (s *Store) CreateUser(ctx context.Context, a account.Account) (id int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		id, err = insertAccount(ctx, tx, a)
		return err
	})
	return id, err
}

// CreateOrganization implements account.Store.
func (s *Store) CreateOrganization(ctx context.Context, a account.Account, ownerID int64) (id int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if id, err = insertAccount(ctx, tx, a); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, ?, ?)`,
			id, ownerID, string(access.Owner), toMicros(a.CreatedAt))
		return err
	})
	return id, err
}

func insertAccount(ctx context.Context, tx *database.Tx, a account.Account) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, `INSERT INTO accounts (login, kind, site_admin, password_hash, created_at)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT (login) DO NOTHING RETURNING id`,
		a.Login, string(a.Kind), flag(a.SiteAdmin), a.PasswordHash, toMicros(a.CreatedAt)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, errs.New(errs.Exists, "the login %s is taken", a.Login)
	}
	return id, err
}

// AccountByLogin implements account.Store.
func (s *Store) AccountByLogin(ctx context.Context, login string) (account.Account, error) {
	a := account.Account{Login: login}
	var kind string
	var admin, created int64
	err := s.db.Read().QueryRow(ctx, `SELECT id, kind, site_admin, password_hash, suspended_at IS NOT NULL, created_at
		FROM accounts WHERE login = ?`, login).Scan(&a.ID, &kind, &admin, &a.PasswordHash, &a.Suspended, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Account{}, errs.New(errs.NotFound, "no account %q", login)
	}
	a.Kind, a.SiteAdmin, a.CreatedAt = account.Kind(kind), admin != 0, fromMicros(created)
	return a, err
}

// SetPasswordHash implements account.Store.
func (s *Store) SetPasswordHash(ctx context.Context, id int64, old, hash string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE accounts SET password_hash = ? WHERE id = ? AND password_hash = ?`, hash, id, old)
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.Conflict, "the password was changed by another request"))
	})
}

// SetSuspended implements account.Store.
func (s *Store) SetSuspended(ctx context.Context, id int64, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE accounts SET suspended_at = ? WHERE id = ?`, optionalMicros(at), id)
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.NotFound, "no such account"))
	})
}

// HasSiteAdmin implements account.Store.
func (s *Store) HasSiteAdmin(ctx context.Context) (bool, error) {
	var one int
	err := s.db.Read().QueryRow(ctx, `SELECT 1 FROM accounts WHERE site_admin = 1 LIMIT 1`).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// otherOwner is true of a membership whose organization has another owner, so
// that this one can end. It is always true of a mere member's.
const otherOwner = ` EXISTS (SELECT 1 FROM memberships o WHERE o.organization_id = memberships.organization_id
	AND o.user_id <> memberships.user_id AND o.role = 'owner')`

// SetMember implements account.Members.
func (s *Store) SetMember(ctx context.Context, organizationID, userID int64, role access.Membership, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := lockAccount(ctx, tx, organizationID); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role
			WHERE excluded.role = 'owner' OR`+otherOwner,
			organizationID, userID, string(role), toMicros(now))
		if err != nil {
			return err
		}
		return oneRow(res, errLastOwner())
	})
}

// RemoveMember implements account.Members.
func (s *Store) RemoveMember(ctx context.Context, organizationID, userID int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := lockAccount(ctx, tx, organizationID); err != nil {
			return err
		}
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
		return oneRow(res, errLastOwner())
	})
}

func errLastOwner() *errs.Error {
	return errs.New(errs.Conflict, "an organization keeps at least one owner")
}

// lockAccount holds up other changes around the account until the end of the
// transaction: two owners who demote each other must not both see the other.
func lockAccount(ctx context.Context, tx *database.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE accounts SET kind = kind WHERE id = ?`, id)
	return err
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
