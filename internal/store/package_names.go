package store

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// leadHere makes an address lead to the package, with those that do so already.
// Exists when it leads, or led, to another.
func leadHere(ctx context.Context, tx *database.Tx, owner int64, name, kind string, id int64) error {
	res, err := tx.Exec(ctx, `INSERT INTO package_names (owner_id, name, type, package_id) VALUES (?, ?, ?, ?)
		ON CONFLICT (owner_id, name, type) DO UPDATE SET package_id = excluded.package_id
		WHERE package_names.package_id = excluded.package_id`, owner, name, kind, id)
	if err != nil {
		return err
	}
	return oneRow(res, errs.New(errs.Exists, "the name %s is, or was, another package's", name))
}

// errTooLong refuses what would give something a name that nobody can ask for.
func errTooLong(name string) *errs.Error {
	return errs.New(errs.Conflict, "the name %s would be longer than %d characters", name, oci.MaxNameLength)
}

// RenamePackage implements packages.Settings.
func (s *Store) RenamePackage(ctx context.Context, id int64, name string, e audit.Entry) error {
	return s.changeContainer(ctx, id, e, func(ctx context.Context, tx *database.Tx, p packageRow) error {
		return movePackage(ctx, tx, p, p.owner, name)
	})
}

// movePackage gives the package another address; the one it has leads to it.
func movePackage(ctx context.Context, tx *database.Tx, p packageRow, owner int64, name string) error {
	var login string
	if err := tx.QueryRow(ctx, `SELECT login FROM accounts WHERE id = ?`, owner).Scan(&login); err != nil {
		return err
	}
	if len(login)+len("/")+len(name) > oci.MaxNameLength {
		return errTooLong(login + "/" + name)
	}
	if err := leadHere(ctx, tx, owner, name, p.kind, p.id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE packages SET owner_id = ?, name = ? WHERE id = ?`, owner, name, p.id)
	if database.IsUnique(err) {
		return database.ErrRetry // a push makes a package of that name at this moment
	}
	if err != nil {
		return err
	}
	return moveSessions(ctx, tx, p, owner, name, p.kind)
}

// moveSessions takes the uploads under way along to another address.
func moveSessions(ctx context.Context, tx *database.Tx, p packageRow, owner int64, name, kind string) error {
	_, err := tx.Exec(ctx, `UPDATE upload_sessions SET owner_id = ?, name = ?, type = ?
		WHERE owner_id = ? AND name = ? AND type = ?`, owner, name, kind, p.owner, p.name, p.kind)
	return err
}

// TransferPackage implements packages.Settings.
func (s *Store) TransferPackage(ctx context.Context, id, ownerID, admin int64, e audit.Entry) error {
	return s.changeContainer(ctx, id, e, func(ctx context.Context, tx *database.Tx, p packageRow) error {
		if err := lockAccount(ctx, tx, ownerID); err != nil {
			return err
		}
		if err := ownAccess(ctx, tx, p, admin); err != nil {
			return err
		}
		if err := movePackage(ctx, tx, p, ownerID, p.name); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE packages SET repository_id = NULL, linked_by = '', claimed_source = '',
			visibility = CASE WHEN visibility = ? AND (SELECT o.kind FROM accounts o WHERE o.id = packages.owner_id) = 'user'
				THEN ? ELSE visibility END
			WHERE id = ?`, string(access.Internal), string(access.Private), id)
		if err != nil {
			return err
		}
		return leaveOwner(ctx, tx, id, toMicros(e.At))
	})
}

// leaveOwner ends what the owner that a package had let people, teams,
// repositories, trust rules, limited tokens and hooks do with it.
func leaveOwner(ctx context.Context, tx *database.Tx, id, now int64) error {
	if err := dropGrants(ctx, tx, id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL
		AND trust_id IN (SELECT r.id FROM trust_rules r WHERE r.package_id = ?)`, now, id)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM package_repositories WHERE package_id = ?`,
		`DELETE FROM trust_rules WHERE package_id = ?`,
		`DELETE FROM token_limits WHERE package_id = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return err
		}
	}
	return endHooks(ctx, tx, id, deliveriesOfPackage, hooksOfPackage)
}
