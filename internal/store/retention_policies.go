package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
)

var _ lifecycle.Policies = (*Store)(nil)

const policyColumns = `SELECT r.id, r.owner_id, r.package_id, r.rules, r.automatic, r.created_at, r.updated_at FROM retention_policies r`

func scanPolicy(row interface{ Scan(...any) error }) (id int64, p lifecycle.Policy, err error) {
	var rules string
	var automatic, created, updated int64
	if err := row.Scan(&id, &p.OwnerID, &p.PackageID, &rules, &automatic, &created, &updated); err != nil {
		return 0, p, err
	}
	p.Automatic, p.CreatedAt, p.UpdatedAt = automatic != 0, fromMicros(created), fromMicros(updated)
	return id, p, json.Unmarshal([]byte(rules), &p.Rules)
}

// RetentionPolicy implements lifecycle.Policies. That of a package stays with it
// under another owner.
func (s *Store) RetentionPolicy(ctx context.Context, ownerID, packageID int64) (p lifecycle.Policy, err error) {
	if packageID != 0 {
		_, p, err = scanPolicy(s.db.Read().QueryRow(ctx, policyColumns+` WHERE r.package_id = ?`, packageID))
	} else {
		_, p, err = scanPolicy(s.db.Read().QueryRow(ctx, policyColumns+` WHERE r.owner_id = ? AND r.package_id = 0`, ownerID))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return p, errs.New(errs.NotFound, "there is no retention policy")
	}
	return p, err
}

// SetRetentionPolicy implements lifecycle.Policies.
func (s *Store) SetRetentionPolicy(ctx context.Context, p lifecycle.Policy, c lifecycle.Change) error {
	rules, err := json.Marshal(p.Rules)
	if err != nil {
		return err
	}
	return s.changeRetention(ctx, p.OwnerID, p.PackageID, c, func(ctx context.Context, tx *database.Tx) error {
		if p.PackageID != 0 { // under the owner it had
			_, err := tx.Exec(ctx, `UPDATE retention_policies SET owner_id = ? WHERE package_id = ? AND owner_id <> ?`, p.OwnerID, p.PackageID, p.OwnerID)
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO retention_policies (owner_id, package_id, rules, automatic, created_at, updated_at, updated_by)
			VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (owner_id, package_id) DO UPDATE SET rules = excluded.rules, automatic = excluded.automatic,
				updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
			p.OwnerID, p.PackageID, string(rules), flag(p.Automatic), toMicros(p.CreatedAt), toMicros(p.UpdatedAt), c.By)
		return err
	})
}

// RemoveRetentionPolicy implements lifecycle.Policies.
func (s *Store) RemoveRetentionPolicy(ctx context.Context, ownerID, packageID int64, c lifecycle.Change) error {
	return s.changeRetention(ctx, ownerID, packageID, c, func(ctx context.Context, tx *database.Tx) error {
		query, id := `DELETE FROM retention_policies WHERE owner_id = ? AND package_id = 0`, ownerID
		if packageID != 0 {
			query, id = `DELETE FROM retention_policies WHERE package_id = ?`, packageID
		}
		res, err := tx.Exec(ctx, query, id)
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.NotFound, "there is no retention policy"))
	})
}

// changeRetention runs do in a write that holds the package or the account, and
// records the change.
func (s *Store) changeRetention(ctx context.Context, ownerID, packageID int64, c lifecycle.Change, do func(ctx context.Context, tx *database.Tx) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if packageID == 0 {
			if err := lockAccount(ctx, tx, ownerID); err != nil {
				return err
			}
		} else if p, err := holdPackage(ctx, tx, packageID); err != nil {
			return err
		} else if p.owner != ownerID {
			return errChanged()
		}
		if err := do(ctx, tx); err != nil {
			return err
		}
		return record(ctx, tx, c.Entry)
	})
}

// AutomaticPolicies implements lifecycle.Policies.
func (s *Store) AutomaticPolicies(ctx context.Context, after int64, n int) (list []lifecycle.Policy, last int64, err error) {
	rows, err := s.db.Read().Query(ctx, `SELECT r.id, COALESCE(p.owner_id, r.owner_id), r.package_id, r.rules, r.automatic, r.created_at, r.updated_at
		FROM retention_policies r
		LEFT JOIN packages p ON p.id = r.package_id
		JOIN accounts o ON o.id = COALESCE(p.owner_id, r.owner_id) AND o.deleted_at IS NULL
		WHERE r.automatic = 1 AND r.id > ? AND (r.package_id = 0 OR p.id IS NOT NULL AND p.deleted_at IS NULL)
		ORDER BY r.id LIMIT ?`, after, n)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var p lifecycle.Policy
		if last, p, err = scanPolicy(rows); err != nil {
			return nil, 0, err
		}
		list = append(list, p)
	}
	return list, last, rows.Err()
}
