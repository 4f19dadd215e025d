package store

import (
	"context"

	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

var _ packages.Related = (*Store)(nil)

// RecentTags implements packages.Related. It leaves out what LatestTag does.
func (s *Store) RecentTags(ctx context.Context, packageID int64, n int) (list []packages.Tag, err error) {
	err = s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		names, err := queryNames(ctx, db, `SELECT t.name FROM tags t
			JOIN versions v ON v.package_id = t.package_id AND v.digest = t.digest AND v.deleted_at IS NULL
			WHERE t.package_id = ? AND t.until IS NULL AND (v.kind IN ('image', 'index') OR v.kind = 'artifact' AND v.subject IS NULL)
				AND (t.name < 'sha256-' OR t.name >= 'sha256.')
			ORDER BY t.id DESC LIMIT ?`, packageID, n)
		if err != nil {
			return err
		}
		list, err = tagsNamed(ctx, db, packageID, names)
		return err
	})
	return list, err
}

const versionsOfQuery = `SELECT ` + versionRowColumns + `
	FROM versions v WHERE v.package_id = ? AND v.deleted_at IS NULL AND v.digest IN (`

// VersionsOf implements packages.Related.
func (s *Store) VersionsOf(ctx context.Context, packageID int64, digests []oci.Digest) ([]packages.Version, error) {
	texts := make([]string, len(digests))
	for i, d := range digests {
		texts[i] = d.String()
	}
	var all []packages.Version
	err := s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		all = nil
		return inLists(texts, func(marks string, list []any) error {
			found, err := versions(ctx, db, versionsOfQuery+marks+`)`, append([]any{packageID}, list...)...)
			if err != nil {
				return err
			}
			if err := addTags(ctx, db, packageID, found); err != nil {
				return err
			}
			all = append(all, found...)
			return nil
		})
	})
	return all, err
}

// IndexesWith implements packages.Related. They come in the order of the index
// that finds them, so that no more of them are read.
func (s *Store) IndexesWith(ctx context.Context, packageID int64, d oci.Digest, n int) ([]packages.Version, error) {
	return s.someVersions(ctx, packageID, `SELECT `+versionRowColumns+`
		FROM edges e JOIN versions v ON v.package_id = ? AND v.digest = e.parent AND v.deleted_at IS NULL
		WHERE e.child = ? AND e.kind = 'manifest' ORDER BY e.parent LIMIT ?`, packageID, d.String(), n)
}

// Caches implements packages.Related.
func (s *Store) Caches(ctx context.Context, packageID int64, n int) ([]packages.Version, error) {
	return s.someVersions(ctx, packageID, `SELECT `+versionRowColumns+`
		FROM versions v WHERE v.package_id = ? AND v.kind = 'cache' AND v.deleted_at IS NULL ORDER BY v.id DESC LIMIT ?`, packageID, n)
}

func (s *Store) someVersions(ctx context.Context, packageID int64, query string, args ...any) (list []packages.Version, err error) {
	err = s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		if list, err = versions(ctx, db, query, args...); err != nil {
			return err
		}
		return addTags(ctx, db, packageID, list)
	})
	return list, err
}
