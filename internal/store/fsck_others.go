package store

import (
	"context"
	"fmt"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
)

var _ lifecycle.OtherRecords = (*Store)(nil)

// DanglingTags implements lifecycle.OtherRecords.
func (s *Store) DanglingTags(ctx context.Context, from, to int64) ([]lifecycle.Finding, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT p.id, o.login || '/' || p.name, t.name, t.digest FROM tags t
		JOIN packages p ON p.id = t.package_id AND p.deleted_at IS NULL
		JOIN accounts o ON o.id = p.owner_id
		LEFT JOIN versions v ON v.package_id = t.package_id AND v.digest = t.digest AND v.deleted_at IS NULL
		WHERE t.id > ? AND t.id <= ? AND t.until IS NULL AND v.id IS NULL`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []lifecycle.Finding
	for rows.Next() {
		var id int64
		var name, tag, digest string
		if err := rows.Scan(&id, &name, &tag, &digest); err != nil {
			return nil, err
		}
		list = append(list, lifecycle.FindingOf(lifecycle.TagDangling, id, name, digest, "the tag "+tag+" leads to it, and it is no present version"))
	}
	return list, rows.Err()
}

// WrongSums implements lifecycle.OtherRecords.
func (s *Store) WrongSums(ctx context.Context, from int64, n int) (list []lifecycle.Finding, last int64, err error) {
	rows, err := s.db.Read().Query(ctx, `SELECT p.id, o.login || '/' || p.name, p.downloads,
			COALESCE((SELECT SUM(d.count) FROM downloads d WHERE d.package_id = p.id AND d.tag <> '*'), 0),
			(SELECT COUNT(*) FROM versions v WHERE v.package_id = p.id AND v.downloads <>
				COALESCE((SELECT SUM(d.count) FROM downloads d WHERE d.package_id = v.package_id AND d.version_id = v.id), 0))
		FROM packages p JOIN accounts o ON o.id = p.owner_id
		WHERE p.id > ? AND p.purged_at IS NULL ORDER BY p.id LIMIT ?`, from, n)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var have, want, versions int64
		if err := rows.Scan(&last, &name, &have, &want, &versions); err != nil {
			return nil, 0, err
		}
		if have != want || versions > 0 {
			list = append(list, lifecycle.FindingOf(lifecycle.SumWrong, last, name, "",
				fmt.Sprintf("%d downloads are noted and %d are counted; the sums of %d versions are wrong", have, want, versions)))
		}
	}
	return list, last, rows.Err()
}

// MendSums implements lifecycle.OtherRecords.
func (s *Store) MendSums(ctx context.Context, packageID int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for _, statement := range []string{
			`UPDATE packages SET downloads = COALESCE((SELECT SUM(d.count) FROM downloads d WHERE d.package_id = packages.id AND d.tag <> '*'), 0) WHERE id = ?`,
			`UPDATE versions SET downloads = COALESCE((SELECT SUM(d.count) FROM downloads d
				WHERE d.package_id = versions.package_id AND d.version_id = versions.id), 0) WHERE package_id = ?`,
		} {
			if _, err := tx.Exec(ctx, statement, packageID); err != nil {
				return err
			}
		}
		return nil
	})
}

// MissingReviews implements lifecycle.OtherRecords.
func (s *Store) MissingReviews(ctx context.Context, from, to string) ([]string, error) {
	return queryNames(ctx, s.db.Read(), `SELECT b.digest FROM blobs b WHERE b.digest > ? AND b.digest <= ? AND b.review_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.child = b.digest AND e.kind = 'blob')`, from, to)
}

// SetReview implements lifecycle.OtherRecords.
func (s *Store) SetReview(ctx context.Context, digests []string, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for _, d := range digests {
			if _, err := tx.Exec(ctx, `UPDATE blobs SET review_at = ? WHERE digest = ? AND review_at IS NULL`, toMicros(now), d); err != nil {
				return err
			}
		}
		return nil
	})
}
