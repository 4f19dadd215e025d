package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
)

// One package at a time: first one whose removal has begun.
const (
	beginClearing = `UPDATE packages SET purged_at = ? WHERE id = (SELECT id FROM packages
			WHERE deleted_at <= ? AND purged_at IS NULL ORDER BY deleted_at LIMIT 1)
		AND deleted_at <= ? AND purged_at IS NULL RETURNING id`
	begunClearing = `SELECT id FROM packages WHERE id > 0 AND purged_at IS NOT NULL AND cleared_at IS NULL ORDER BY id LIMIT 1`
)

// ClearPackages implements lifecycle.Garbage. The row of the package stays, since
// names lead to it; nobody has rights on it any more.
func (s *Store) ClearPackages(ctx context.Context, before, now time.Time, n int) (lifecycle.Cleared, error) {
	var c lifecycle.Cleared
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		c = lifecycle.Cleared{}
		var id int64
		err := tx.QueryRow(ctx, begunClearing).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.QueryRow(ctx, beginClearing, toMicros(now), toMicros(before), toMicros(before)).Scan(&id)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		c, err = s.clearPackage(ctx, tx, id, now, n)
		return again(err)
	})
	return c, err
}

// clearPackage takes up to n rows of the package's content.
func (s *Store) clearPackage(ctx context.Context, tx *database.Tx, id int64, now time.Time, n int) (lifecycle.Cleared, error) {
	list, err := versionRefs(ctx, tx, `SELECT id, package_id, digest FROM versions WHERE package_id = ? ORDER BY digest LIMIT ?`, id, n)
	if err != nil {
		return lifecycle.Cleared{}, err
	}
	c, err := s.clear(ctx, tx, list, now, func(v versionRef) (sql.Result, error) {
		return tx.Exec(ctx, `DELETE FROM versions WHERE id = ? AND package_id = ?`, v.id, id)
	})
	c.More = true
	if err != nil || len(list) > 0 {
		return c, err
	}
	for _, remove := range []struct {
		statement string
		args      []any
	}{
		{`DELETE FROM tags WHERE id IN (SELECT id FROM tags WHERE package_id = ? LIMIT ?)`, []any{id, 10 * n}},
		{`DELETE FROM package_blobs WHERE package_id = ? AND digest IN
			(SELECT h.digest FROM package_blobs h WHERE h.package_id = ? LIMIT ?)`, []any{id, id, 10 * n}},
		{`DELETE FROM downloads WHERE package_id = ? AND day IN
			(SELECT d.day FROM downloads d WHERE d.package_id = ? LIMIT ?)`, []any{id, id, n}},
	} {
		removed, err := changed(tx.Exec(ctx, remove.statement, remove.args...))
		if err != nil || removed > 0 {
			return c, err
		}
	}
	c.Packages = 1
	return c, endPackage(ctx, tx, id, now)
}

// endPackage removes what the package gave and was given, and marks it as empty.
func endPackage(ctx context.Context, tx *database.Tx, id int64, now time.Time) error {
	if err := leaveOwner(ctx, tx, id, toMicros(now)); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM deliveries WHERE hook_id IN (SELECT id FROM hooks WHERE package_id = ?)`,
		`DELETE FROM hooks WHERE package_id = ?`,
		`DELETE FROM retention_policies WHERE package_id = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE packages SET cleared_at = ?, readme = '' WHERE id = ?`, toMicros(now), id)
	return err
}
