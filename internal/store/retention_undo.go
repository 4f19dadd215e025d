package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

// UndoPlan implements lifecycle.Plans.
func (s *Store) UndoPlan(ctx context.Context, p lifecycle.Plan, since time.Time, c lifecycle.Change) (lifecycle.Undo, error) {
	var undo lifecycle.Undo
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		undo = lifecycle.Undo{}
		r := &planRun{tx: tx, plan: p, c: c}
		res, err := tx.Exec(ctx, `UPDATE retention_plans SET state = ?, undone_at = ? WHERE id = ? AND state = ? AND applied_at = ? AND applied_at > ?`,
			string(lifecycle.Undone), toMicros(c.Entry.At), p.ID, string(lifecycle.Applied), toMicros(p.AppliedAt), toMicros(since))
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Conflict, "the plan was undone already, or is gone")); err != nil {
			return err
		}
		if err := r.holdPackages(ctx); err != nil {
			return err
		}
		items, err := r.restoreVersions(ctx, s)
		if err != nil {
			return err
		}
		undo.Versions = len(items)
		if undo.Tags, undo.Taken, err = r.restoreTags(ctx); err != nil {
			return err
		}
		return r.tell(ctx, items, hooks.Restored, "version.restore")
	})
	return undo, err
}

// restoreVersions brings back what the plan deleted and nobody brought back
// before, or deleted again. All of it must still have its rows.
func (r *planRun) restoreVersions(ctx context.Context, s *Store) ([]lifecycle.Item, error) {
	var gone string
	err := r.tx.QueryRow(ctx, `SELECT i.digest FROM retention_items i LEFT JOIN versions v ON v.id = i.version_id
		WHERE i.plan_id = ? AND v.id IS NULL LIMIT 1`, r.plan.ID).Scan(&gone)
	if err == nil {
		return nil, errs.New(errs.Conflict, "%s is gone for good", gone)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	applied := toMicros(r.plan.AppliedAt)
	items, err := queryItems(ctx, r.tx, `SELECT i.version_id, i.package_id, '', i.digest, i.tags, i.reason, i.bytes
		FROM retention_items i JOIN versions v ON v.id = i.version_id AND v.deleted_at = ?
		WHERE i.plan_id = ? ORDER BY i.version_id`, applied, r.plan.ID)
	if err != nil {
		return nil, err
	}
	res, err := r.tx.Exec(ctx, `UPDATE versions SET deleted_at = NULL, deleted_by = NULL WHERE deleted_at = ?
		AND id IN (SELECT version_id FROM retention_items WHERE plan_id = ?)`, applied, r.plan.ID)
	if err != nil {
		return nil, err
	}
	if n, err := res.RowsAffected(); err != nil || n != int64(len(items)) {
		return nil, errors.Join(err, database.ErrRetry) // a push brought one back at this moment
	}
	if err := r.whole(ctx); err != nil {
		return nil, err
	}
	return items, r.linkAgain(ctx, s)
}

// unlinkedVersions are those of a plan with a blob that their package does not
// hold: a foreign layer, or what somebody took out meanwhile. Who would do so now
// waits for the row of the package.
const unlinkedVersions = `SELECT u.package_id, u.digest, u.media_type, m.content
	FROM (SELECT i.package_id, v.digest, v.media_type, (SELECT MIN(e.child) FROM edges e
			WHERE e.parent = i.digest AND e.kind = 'blob'
				AND (SELECT COUNT(*) FROM package_blobs h WHERE h.package_id = i.package_id AND h.digest = e.child) = 0) AS lacks
		FROM retention_items i JOIN versions v ON v.id = i.version_id AND v.deleted_at IS NULL WHERE i.plan_id = ?) u
	JOIN manifests m ON m.digest = u.digest WHERE u.lacks IS NOT NULL`

type unlinkedVersion struct {
	packageID         int64
	digest, mediaType string
	content           []byte
}

// linkAgain has the packages hold again what the versions need.
func (r *planRun) linkAgain(ctx context.Context, s *Store) error {
	list, err := r.unlinked(ctx)
	if err != nil {
		return err
	}
	for _, v := range list {
		m, err := oci.ParseManifest(v.mediaType, v.content)
		if err != nil {
			return errs.Wrap(errs.Internal, err, "reading %s", v.digest)
		}
		again := restoring{s: s, tx: r.tx, packageID: v.packageID}
		if err := again.complete(ctx, v.digest, m); err != nil {
			return err
		}
	}
	return nil
}

func (r *planRun) unlinked(ctx context.Context) ([]unlinkedVersion, error) {
	rows, err := r.tx.Query(ctx, unlinkedVersions, r.plan.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []unlinkedVersion
	for rows.Next() {
		var v unlinkedVersion
		if err := rows.Scan(&v.packageID, &v.digest, &v.mediaType, &v.content); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// whole refuses to bring back an index of which a part is not there.
func (r *planRun) whole(ctx context.Context) error {
	var index, part string
	err := r.tx.QueryRow(ctx, `SELECT i.digest, e.child FROM retention_items i
		JOIN versions v ON v.id = i.version_id AND v.deleted_at IS NULL
		JOIN edges e ON e.parent = i.digest AND e.kind = 'manifest'
		LEFT JOIN versions c ON c.package_id = i.package_id AND c.digest = e.child AND c.deleted_at IS NULL
		WHERE i.plan_id = ? AND c.id IS NULL LIMIT 1`, r.plan.ID).Scan(&index, &part)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return errs.New(errs.Conflict, "%s holds %s, which was deleted since: restore that first", index, part)
}

// restoreTags has the tags lead again to what the plan deleted, but for those
// that lead elsewhere by now. A tag that was moved at the very moment of the
// deletion leads to what it led to last.
func (r *planRun) restoreTags(ctx context.Context) (restored int, taken []string, err error) {
	applied := toMicros(r.plan.AppliedAt)
	taken, err = queryNames(ctx, r.tx, `SELECT t.name FROM retention_items i
		JOIN tags t ON t.package_id = i.package_id AND t.digest = i.digest AND t.until = ?
		JOIN tags n ON n.package_id = t.package_id AND n.name = t.name AND n.until IS NULL
		WHERE i.plan_id = ? ORDER BY t.name`, applied, r.plan.ID)
	if err != nil {
		return 0, nil, err
	}
	res, err := r.tx.Exec(ctx, `UPDATE tags SET until = NULL WHERE until = ? AND id IN (
		SELECT t.id FROM retention_items i
		JOIN tags t ON t.package_id = i.package_id AND t.digest = i.digest AND t.until = ?
		WHERE i.plan_id = ? AND NOT EXISTS (
			SELECT 1 FROM tags n WHERE n.package_id = t.package_id AND n.name = t.name
				AND (n.until IS NULL OR n.until = t.until AND n.id > t.id)))`,
		applied, applied, r.plan.ID)
	if database.IsUnique(err) {
		return 0, nil, database.ErrRetry // a push set one of them at this moment
	}
	if err != nil {
		return 0, nil, err
	}
	n, err := res.RowsAffected()
	return int(n), taken, err
}
