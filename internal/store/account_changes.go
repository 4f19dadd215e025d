package store

import (
	"context"
	"slices"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// lockAccount holds up other changes around the account until the end of the
// transaction, and tells whether it is there: two owners who demote each other
// must not both see the other, nor may anything be added to an account that is
// being deleted. NotFound when it was.
func lockAccount(ctx context.Context, tx *database.Tx, id int64) error {
	res, err := tx.Exec(ctx, `UPDATE accounts SET kind = kind WHERE id = ? AND deleted_at IS NULL`, id)
	if err != nil {
		return err
	}
	return oneRow(res, errNoAccount())
}

// lockAccounts locks several, in an order in which two never wait for each other.
func lockAccounts(ctx context.Context, tx *database.Tx, ids ...int64) error {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if err := lockAccount(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

func errNoAccount() *errs.Error { return errs.New(errs.NotFound, "no such account") }

// change runs do in a write with the accounts locked, and records e.
func (s *Store) change(ctx context.Context, e audit.Entry, do func(ctx context.Context, tx *database.Tx) error, accounts ...int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := lockAccounts(ctx, tx, accounts...); err != nil {
			return err
		}
		if err := do(ctx, tx); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

// SetPassword implements account.Changes.
func (s *Store) SetPassword(ctx context.Context, id int64, old, hash string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE accounts SET password_hash = ?, password_changed_at = ?
			WHERE id = ? AND password_hash = ?`, hash, toMicros(e.At), id, old)
		if err != nil {
			return err
		}
		if err := oneRow(res, errPasswordChanged()); err != nil {
			return err
		}
		return endWebSessions(ctx, tx, id)
	}, id)
}

// SetSuspended implements account.Changes.
func (s *Store) SetSuspended(ctx context.Context, id int64, suspended bool, e audit.Entry) error {
	var at time.Time
	if suspended {
		at = e.At
	}
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET suspended_at = ? WHERE id = ?`, optionalMicros(at), id)
		if err != nil || !suspended {
			return err
		}
		if err := keepSiteAdmin(ctx, tx, id); err != nil {
			return err
		}
		return endWebSessions(ctx, tx, id)
	}, id)
}

// SetSiteAdmin implements account.Changes.
func (s *Store) SetSiteAdmin(ctx context.Context, id int64, admin bool, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		if !admin {
			if err := keepSiteAdmin(ctx, tx, id); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE accounts SET site_admin = ? WHERE id = ? AND kind = 'user'`, flag(admin), id)
		return err
	}, id)
}

// keepSiteAdmin refuses to go on when the account is the only site administrator
// who can do anything. It holds up every other change of one meanwhile.
func keepSiteAdmin(ctx context.Context, tx *database.Tx, id int64) error {
	if _, err := tx.Exec(ctx, `UPDATE accounts SET site_admin = site_admin WHERE site_admin = 1`); err != nil {
		return err
	}
	var ok bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ? AND site_admin = 0) OR EXISTS (SELECT 1
		FROM accounts WHERE site_admin = 1 AND suspended_at IS NULL AND deleted_at IS NULL AND id <> ?)`, id, id).Scan(&ok)
	if err != nil || ok {
		return err
	}
	return errs.New(errs.Conflict, "the server keeps at least one site administrator who is not suspended")
}

// RenameAccount implements account.Changes.
func (s *Store) RenameAccount(ctx context.Context, id int64, login, display string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `INSERT INTO logins (login, account_id) VALUES (?, ?)
			ON CONFLICT (login) DO UPDATE SET account_id = excluded.account_id WHERE logins.account_id = excluded.account_id`,
			login, id)
		if err != nil {
			return err
		}
		if err := oneRow(res, errTaken(login)); err != nil {
			return err
		}
		if err := namesFit(ctx, tx, id, login); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE accounts SET login = ?, display_login = ? WHERE id = ?`, login, display, id)
		return err
	}, id)
}

// namesFit refuses a login with which a name in its namespace is too long to be
// asked for.
func namesFit(ctx context.Context, tx *database.Tx, id int64, login string) error {
	most := oci.MaxNameLength - len(login) - len("/")
	long, err := queryNames(ctx, tx, `SELECT name FROM package_names WHERE owner_id = ? AND length(name) > ?
		UNION ALL SELECT name FROM repository_names WHERE owner_id = ? AND length(name) > ? LIMIT 1`, id, most, id, most)
	if err != nil || len(long) == 0 {
		return err
	}
	return errTooLong(login + "/" + long[0])
}

// SetSettings implements account.Changes.
func (s *Store) SetSettings(ctx context.Context, id int64, c account.SettingsChange, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET base_role = COALESCE(?, base_role), members_create = COALESCE(?, members_create),
			inherit_default = COALESCE(?, inherit_default), default_visibility = COALESCE(?, default_visibility),
			sso_required = COALESCE(?, sso_required) WHERE id = ?`,
			optional(c.BaseRole, func(r access.RepositoryRole) any { return int64(r) }),
			optional(c.MembersCreate, func(v access.VisibilitySet) any { return int64(v) }),
			optional(c.InheritDefault, func(b bool) any { return flag(b) }),
			optional(c.DefaultVisibility, func(v access.Visibility) any { return string(v) }),
			optional(c.RequireSSO, func(b bool) any { return flag(b) }), id)
		return err
	}, id)
}

// optional returns the column of a value that may be missing.
func optional[T any](v *T, column func(T) any) any {
	if v == nil {
		return nil
	}
	return column(*v)
}
