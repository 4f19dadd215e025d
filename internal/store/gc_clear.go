package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
)

// versionRef is a version that is to go.
type versionRef struct {
	id, packageID int64
	digest        string
}

// What a version v is restored with: an index that needs it and is present, or
// was deleted later and can still be restored.
const clearableVersions = `SELECT v.id, v.package_id, v.digest FROM versions v
	WHERE v.deleted_at <= ? AND NOT EXISTS (SELECT 1 FROM edges e
		JOIN versions p ON p.package_id = v.package_id AND p.digest = e.parent AND (p.deleted_at IS NULL OR p.deleted_at > ?)
		WHERE e.child = v.digest AND e.kind = 'manifest')
	ORDER BY v.deleted_at LIMIT ?`

// ClearVersions implements lifecycle.Garbage.
func (s *Store) ClearVersions(ctx context.Context, before, now time.Time, n int) (lifecycle.Cleared, error) {
	var c lifecycle.Cleared
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		cutoff := toMicros(before)
		list, err := versionRefs(ctx, tx, clearableVersions, cutoff, cutoff, n)
		if err != nil {
			return err
		}
		c, err = s.clear(ctx, tx, list, now, func(v versionRef) (sql.Result, error) {
			return tx.Exec(ctx, `DELETE FROM versions WHERE id = ? AND deleted_at <= ?`, v.id, cutoff)
		})
		c.More = len(list) == n && c.Versions > 0
		return again(err)
	})
	return c, err
}

// again has a transaction run again that another one took a row away from.
func again(err error) error {
	if database.IsForeignKey(err) {
		return database.ErrRetry
	}
	return err
}

func versionRefs(ctx context.Context, q database.Querier, query string, args ...any) ([]versionRef, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []versionRef
	for rows.Next() {
		var v versionRef
		if err := rows.Scan(&v.id, &v.packageID, &v.digest); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// clear removes the versions by remove, which decides once more, and then the
// manifests that no version is left of. A push of such a manifest waits for the
// commit and then stores it anew, with its edges.
func (s *Store) clear(ctx context.Context, tx *database.Tx, list []versionRef, now time.Time, remove func(versionRef) (sql.Result, error)) (lifecycle.Cleared, error) {
	var c lifecycle.Cleared
	digests := make([]string, len(list))
	for i, v := range list {
		digests[i] = v.digest
	}
	slices.Sort(digests)
	digests = slices.Compact(digests)
	if err := releaseBlobs(ctx, tx, digests, now); err != nil {
		return c, err
	}
	for _, digest := range digests {
		if err := s.holdManifest(ctx, tx, digest); err != nil {
			return c, err
		}
	}
	for _, v := range list {
		n, err := changed(remove(v))
		if err != nil {
			return c, err
		}
		if n == 0 {
			continue // restored or pushed again meanwhile
		}
		c.Versions++
		if err := foldDownloads(ctx, tx, v); err != nil {
			return c, err
		}
	}
	for _, digest := range digests {
		n, err := clearManifest(ctx, tx, digest, now)
		if err != nil {
			return c, err
		}
		c.Manifests += n
	}
	return c, nil
}

// releaseBlobs has the blobs of the manifests reviewed, and holds their rows
// until the commit. It is no matter if a manifest stays after all.
func releaseBlobs(ctx context.Context, tx *database.Tx, digests []string, now time.Time) error {
	seen := map[string]bool{}
	err := inLists(digests, func(marks string, list []any) error {
		children, err := queryNames(ctx, tx, `SELECT child FROM edges WHERE kind = 'blob' AND parent IN (`+marks+`)`, list...)
		for _, child := range children {
			seen[child] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	children := make([]string, 0, len(seen))
	for child := range seen {
		children = append(children, child)
	}
	slices.Sort(children)
	return inLists(children, func(marks string, list []any) error {
		// Every row, not only those that look as if they had to change: a review
		// under way may be about to clear review_at.
		_, err := tx.Exec(ctx, `UPDATE blobs SET review_at = COALESCE(review_at, ?) WHERE digest IN (`+marks+`)`,
			append([]any{toMicros(now)}, list...)...)
		return err
	})
}

// holdManifest keeps versions of the manifest from being made until the commit.
func (s *Store) holdManifest(ctx context.Context, tx *database.Tx, digest string) error {
	var held string
	err := tx.QueryRow(ctx, `SELECT digest FROM manifests WHERE digest = ?`+s.forUpdate, digest).Scan(&held)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// foldDownloads keeps the counts of a version that goes as those of none: ids
// may be given anew.
func foldDownloads(ctx context.Context, tx *database.Tx, v versionRef) error {
	_, err := tx.Exec(ctx, `INSERT INTO downloads (package_id, version_id, tag, day, count)
		SELECT package_id, 0, tag, day, count FROM downloads WHERE package_id = ? AND version_id = ?
		ON CONFLICT (package_id, version_id, tag, day) DO UPDATE SET count = downloads.count + excluded.count`,
		v.packageID, v.id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM downloads WHERE package_id = ? AND version_id = ?`, v.packageID, v.id)
	return err
}

// clearManifest removes a manifest that the transaction holds, with its edges,
// unless it is a version of any package, and returns how many it removed.
func clearManifest(ctx context.Context, tx *database.Tx, digest string, now time.Time) (int, error) {
	n, err := changed(tx.Exec(ctx, `INSERT INTO receipts (kind, digest, size, location, reason, created_at, purged_at)
		SELECT 'manifest', m.digest, LENGTH(m.content), '', 'no version of any package', m.created_at, ? FROM manifests m
		WHERE m.digest = ? AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.digest = m.digest)`, toMicros(now), digest))
	if err != nil || n == 0 {
		return 0, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM edges WHERE parent = ?`, digest); err != nil {
		return 0, err
	}
	return changed(tx.Exec(ctx, `DELETE FROM manifests WHERE digest = ?`, digest))
}
