package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/packages"
)

var _ packages.Settings = (*Store)(nil)

// packageRow is a package that a transaction holds.
type packageRow struct {
	id, owner, repository  int64
	kind, name, visibility string
	inherits               bool
}

// changePackage runs do in a write that holds the package, and records e.
// What do is told of the package stays so until the end of the transaction.
func (s *Store) changePackage(ctx context.Context, id int64, e audit.Entry, do func(ctx context.Context, tx *database.Tx, p packageRow) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		p, err := holdPackage(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := do(ctx, tx, p); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

func holdPackage(ctx context.Context, tx *database.Tx, id int64) (packageRow, error) {
	p := packageRow{id: id}
	var inherits int64
	err := tx.QueryRow(ctx, `UPDATE packages SET name = name WHERE id = ? AND deleted_at IS NULL
		RETURNING owner_id, COALESCE(repository_id, 0), type, name, visibility, inherits`, id).
		Scan(&p.owner, &p.repository, &p.kind, &p.name, &p.visibility, &inherits)
	p.inherits = inherits != 0
	if errors.Is(err, sql.ErrNoRows) {
		return p, errs.New(errs.NotFound, "the package is gone")
	}
	return p, err
}

// changeContainer is changePackage for what only Container packages have.
func (s *Store) changeContainer(ctx context.Context, id int64, e audit.Entry, do func(ctx context.Context, tx *database.Tx, p packageRow) error) error {
	return s.changePackage(ctx, id, e, func(ctx context.Context, tx *database.Tx, p packageRow) error {
		if p.kind != string(access.Container) {
			return errChanged()
		}
		return do(ctx, tx, p)
	})
}

func errChanged() *errs.Error {
	return errs.New(errs.Conflict, "the package was changed by another request; look at it and try again")
}

// SetPackageVisibility implements packages.Settings.
func (s *Store) SetPackageVisibility(ctx context.Context, id int64, v access.Visibility, always bool, e audit.Entry) error {
	return s.changeContainer(ctx, id, e, func(ctx context.Context, tx *database.Tx, p packageRow) error {
		if p.visibility == string(access.Public) && !always {
			if err := mayWithdraw(ctx, tx); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE packages SET visibility = ? WHERE id = ?`, string(v), id); err != nil {
			return err
		}
		if p.visibility == string(v) {
			return nil
		}
		return emit(ctx, tx, hooks.Event{
			Action: hooks.VisibilityChanged, PackageID: id, Previous: p.visibility, Visibility: string(v), Actor: e.Actor, At: e.At,
		})
	})
}

// mayWithdraw looks up whether what is public may become private again.
func mayWithdraw(ctx context.Context, tx *database.Tx) error {
	var value string
	err := tx.QueryRow(ctx, `SELECT value FROM settings WHERE name = ?`, packages.PublicToPrivate).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) || err == nil && value != packages.Forbidden {
		return nil
	}
	if err != nil {
		return err
	}
	return errs.New(errs.Denied, "on this server what is public stays public: only its administrators can change that")
}

// LinkPackage implements packages.Settings.
func (s *Store) LinkPackage(ctx context.Context, id, repositoryID int64, inherit bool, e audit.Entry) error {
	return s.changeContainer(ctx, id, e, func(ctx context.Context, tx *database.Tx, p packageRow) error {
		if p.repository != 0 {
			return errChanged()
		}
		var repository int64 // which keeps its owner until the commit
		err := tx.QueryRow(ctx, presentRepository+s.forShare, repositoryID, p.owner).Scan(&repository)
		if errors.Is(err, sql.ErrNoRows) {
			return errChanged()
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE packages SET repository_id = ?, linked_by = 'hand', inherits = ?, claimed_source = ''
			WHERE id = ?`, repository, flag(inherit), id)
		if err != nil || !inherit {
			return err
		}
		return dropGrants(ctx, tx, id)
	})
}

// dropGrants ends what users and teams were given.
func dropGrants(ctx context.Context, tx *database.Tx, id int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM package_grants WHERE package_id = ?`, id)
	if err != nil {
		return err
	}
	return dropTeamGrants(ctx, tx, id)
}

func dropTeamGrants(ctx context.Context, tx *database.Tx, id int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM package_team_grants WHERE package_id = ?`, id)
	return err
}

// setAdmin makes the account the package's admin; nobody for 0.
func setAdmin(ctx context.Context, tx *database.Tx, id, admin int64) error {
	if admin <= 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO package_grants (package_id, account_id, role) VALUES (?, ?, 'admin')
		ON CONFLICT (package_id, account_id) DO UPDATE SET role = excluded.role`, id, admin)
	return err
}

// ownAccess makes the roles on the package those of its own grants, which begin
// with the account admin's.
func ownAccess(ctx context.Context, tx *database.Tx, p packageRow, admin int64) error {
	if !p.inherits {
		return nil
	}
	if _, err := tx.Exec(ctx, `UPDATE packages SET inherits = 0 WHERE id = ?`, p.id); err != nil {
		return err
	}
	if err := dropGrants(ctx, tx, p.id); err != nil {
		return err
	}
	return setAdmin(ctx, tx, p.id, admin)
}

// UnlinkPackage implements packages.Settings.
func (s *Store) UnlinkPackage(ctx context.Context, id, admin int64, e audit.Entry) error {
	return s.changeContainer(ctx, id, e, func(ctx context.Context, tx *database.Tx, p packageRow) error {
		if err := ownAccess(ctx, tx, p, admin); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `UPDATE packages SET repository_id = NULL, linked_by = 'unlinked'
			WHERE id = ? AND repository_id IS NOT NULL`, id)
		if err != nil {
			return err
		}
		return oneRow(res, errChanged())
	})
}

// SetPackageInherits implements packages.Settings.
func (s *Store) SetPackageInherits(ctx context.Context, id int64, inherits bool, admin int64, e audit.Entry) error {
	return s.changeContainer(ctx, id, e, func(ctx context.Context, tx *database.Tx, p packageRow) error {
		if p.inherits == inherits || p.repository == 0 {
			return errChanged()
		}
		if !inherits {
			return ownAccess(ctx, tx, p, admin)
		}
		if _, err := tx.Exec(ctx, `UPDATE packages SET inherits = 1 WHERE id = ?`, id); err != nil {
			return err
		}
		return dropGrants(ctx, tx, id)
	})
}
