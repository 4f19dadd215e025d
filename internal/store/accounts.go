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

var _ account.Store = (*Store)(nil)

// CreateUser implements account.Accounts.
func (s *Store) CreateUser(ctx context.Context, a account.Account, e audit.Entry) (id int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if id, err = insertAccount(ctx, tx, a); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
	return id, err
}

// CreateOrganization implements account.Accounts.
func (s *Store) CreateOrganization(ctx context.Context, a account.Account, ownerID int64, e audit.Entry) (id int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := lockAccounts(ctx, tx, ownerID); err != nil {
			return err
		}
		if id, err = insertAccount(ctx, tx, a); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, ?, ?)`,
			id, ownerID, string(access.Owner), toMicros(a.CreatedAt))
		if err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
	return id, err
}

// insertAccount also takes the login, which may be an old one of another account.
// The settings are those that the schema gives.
func insertAccount(ctx context.Context, tx *database.Tx, a account.Account) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, `INSERT INTO accounts (login, display_login, kind, site_admin, password_hash, created_at, name, email, description)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (login) DO NOTHING RETURNING id`,
		a.Login, a.DisplayLogin, string(a.Kind), flag(a.SiteAdmin), a.PasswordHash, toMicros(a.CreatedAt),
		a.Name, a.Email, a.Description).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, errTaken(a.Login)
	}
	if err != nil {
		return 0, err
	}
	res, err := tx.Exec(ctx, `INSERT INTO logins (login, account_id) VALUES (?, ?) ON CONFLICT (login) DO NOTHING`, a.Login, id)
	if err != nil {
		return 0, err
	}
	return id, oneRow(res, errTaken(a.Login))
}

func errTaken(login string) *errs.Error { return errs.New(errs.Exists, "the login %s is taken", login) }

const accountColumns = `a.id, a.login, a.display_login, a.kind, a.site_admin, a.password_hash, a.password_changed_at,
	a.created_at, a.suspended_at IS NOT NULL, a.base_role, a.members_create, a.inherit_default, a.default_visibility, a.sso_required,
	a.name, a.email, a.description, a.second_factor_at <> 0`

// accountRow scans accountColumns.
type accountRow struct {
	a                                             account.Account
	kind, visibility                              string
	admin, changed, created, create, inherit, sso int64
}

func (r *accountRow) dest() []any {
	return []any{
		&r.a.ID, &r.a.Login, &r.a.DisplayLogin, &r.kind, &r.admin, &r.a.PasswordHash, &r.changed,
		&r.created, &r.a.Suspended, &r.a.Settings.BaseRole, &r.create, &r.inherit, &r.visibility, &r.sso,
		&r.a.Name, &r.a.Email, &r.a.Description, &r.a.SecondFactor,
	}
}

func (r *accountRow) account() account.Account {
	a := r.a
	a.Kind, a.SiteAdmin, a.CreatedAt = account.Kind(r.kind), r.admin != 0, fromMicros(r.created)
	if a.DisplayLogin == "" { // made before there were any
		a.DisplayLogin = a.Login
	}
	if r.changed != 0 {
		a.PasswordChangedAt = fromMicros(r.changed)
	}
	a.Settings.MembersCreate, a.Settings.DefaultVisibility = access.VisibilitySet(r.create), access.Visibility(r.visibility)
	a.Settings.InheritDefault, a.Settings.RequireSSO = r.inherit != 0, r.sso != 0
	return a
}

// AccountByLogin implements account.Accounts.
func (s *Store) AccountByLogin(ctx context.Context, login string) (account.Account, error) {
	var row accountRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+accountColumns+` FROM logins l JOIN accounts a ON a.id = l.account_id
		WHERE l.login = ? AND a.deleted_at IS NULL`, login).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Account{}, errs.New(errs.NotFound, "no account %q", login)
	}
	return row.account(), err
}

// ListAccounts implements account.Accounts.
func (s *Store) ListAccounts(ctx context.Context, k account.Kind, after string, limit int) ([]account.Account, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT `+accountColumns+` FROM accounts a
		WHERE a.login > ? AND a.kind = ? AND a.deleted_at IS NULL ORDER BY a.login LIMIT ?`, after, string(k), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.Account
	for rows.Next() {
		var row accountRow
		if err := rows.Scan(row.dest()...); err != nil {
			return nil, err
		}
		list = append(list, row.account())
	}
	return list, rows.Err()
}

// RehashPassword implements account.Accounts.
func (s *Store) RehashPassword(ctx context.Context, id int64, old, hash string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE accounts SET password_hash = ? WHERE id = ? AND password_hash = ?`, hash, id, old)
		if err != nil {
			return err
		}
		return oneRow(res, errPasswordChanged())
	})
}

func errPasswordChanged() *errs.Error {
	return errs.New(errs.Conflict, "the password was changed by another request")
}

// HasSiteAdmin implements account.Accounts.
func (s *Store) HasSiteAdmin(ctx context.Context) (bool, error) {
	var one int
	err := s.db.Read().QueryRow(ctx, `SELECT 1 FROM accounts WHERE site_admin = 1 LIMIT 1`).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
