package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

var _ packages.Contents = (*Store)(nil)

// What is told of a version v, and who pushed it.
const (
	versionRowColumns = `v.id, v.package_id, v.digest, v.media_type, v.artifact_type, v.kind, v.size, v.total_size,
		COALESCE(v.subject, ''), v.description, v.licenses, v.source, v.downloads, v.created_at, COALESCE(v.deleted_at, 0),
		` + versionMaker
	versionMaker = `COALESCE((SELECT c.login FROM accounts c WHERE c.id = v.created_by),
			(SELECT co.login || '/' || c.name FROM repositories c JOIN accounts co ON co.id = c.owner_id
				WHERE c.id = v.created_by / -2 AND v.created_by < 0 AND v.created_by % 2 = 0), '')`

	// tagged and needed are what a version v may be. The edges come first: by
	// itself SQLite would go through all versions of the package for each.
	tagged = `EXISTS (SELECT 1 FROM tags t WHERE t.package_id = v.package_id AND t.digest = v.digest AND t.until IS NULL)`
	needed = `(EXISTS (SELECT 1 FROM edges e CROSS JOIN versions n
			WHERE e.child = v.digest AND e.kind = 'manifest' AND n.package_id = v.package_id AND n.digest = e.parent AND n.deleted_at IS NULL)
		OR v.subject IS NOT NULL AND EXISTS (SELECT 1 FROM versions n
			WHERE n.package_id = v.package_id AND n.digest = v.subject AND n.deleted_at IS NULL))`
)

// A page of versions and how many there are, for each way to choose them.
const (
	presentVersions  = ` FROM versions v WHERE v.package_id = ? AND v.deleted_at IS NULL AND v.id < ?`
	taggedVersions   = presentVersions + ` AND ` + tagged
	untaggedVersions = presentVersions + ` AND NOT ` + tagged + ` AND NOT ` + needed
	deletedVersions  = ` FROM versions v WHERE v.package_id = ? AND v.deleted_at IS NOT NULL AND v.id < ? AND v.deleted_at > ?`

	pageOfVersions = ` ORDER BY v.id DESC LIMIT ?`
	oneOfVersions  = ` ORDER BY v.id DESC LIMIT 1 OFFSET ?`
	countEnd       = ` LIMIT ?) u` // counts no further than pages reach
)

// versionTexts returns the statements that list what q chooses, find the id of
// one of them by its place, and count them; count is empty for all that are present.
func versionTexts(q packages.VersionQuery) (list, place, count string) {
	switch {
	case q.Deleted:
		return `SELECT ` + versionRowColumns + deletedVersions + pageOfVersions, `SELECT v.id` + deletedVersions + oneOfVersions, `SELECT COUNT(*) FROM (SELECT 1 AS one` + deletedVersions + countEnd
	case q.Tagged == nil:
		return `SELECT ` + versionRowColumns + presentVersions + pageOfVersions, `SELECT v.id` + presentVersions + oneOfVersions, ""
	case *q.Tagged:
		return `SELECT ` + versionRowColumns + taggedVersions + pageOfVersions, `SELECT v.id` + taggedVersions + oneOfVersions, `SELECT COUNT(*) FROM (SELECT 1 AS one` + taggedVersions + countEnd
	}
	return `SELECT ` + versionRowColumns + untaggedVersions + pageOfVersions, `SELECT v.id` + untaggedVersions + oneOfVersions, `SELECT COUNT(*) FROM (SELECT 1 AS one` + untaggedVersions + countEnd
}

// PackageVersions implements packages.Contents.
func (s *Store) PackageVersions(ctx context.Context, packageID int64, q packages.VersionQuery, w packages.Span) (packages.VersionPage, error) {
	var page packages.VersionPage
	list, place, count := versionTexts(q)
	err := s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) (err error) {
		page = packages.VersionPage{}
		below := func(id int64, more ...any) []any {
			args := []any{packageID, id}
			if q.Deleted {
				args = append(args, toMicros(w.Since))
			}
			return append(args, more...)
		}
		from, skipped := int64(math.MaxInt64), 0
		if q.After != 0 {
			from = q.After
		}
		if w.Skip > 0 {
			// The place is looked up by itself, in an index: PostgreSQL works out
			// every column of what an OFFSET passes over.
			var at int64
			err := db.QueryRow(ctx, place, below(from, w.Skip-1)...).Scan(&at)
			switch {
			case err == nil:
				from, skipped = at, w.Skip
			case !errors.Is(err, sql.ErrNoRows):
				return err
			}
		}
		if q.After == 0 {
			if page.Total, err = countVersions(ctx, db, count, skipped, func(more ...any) []any { return below(from, more...) }); err != nil {
				return err
			}
		}
		if skipped < w.Skip {
			return nil
		}
		page.Versions, err = versions(ctx, db, list, below(from, w.N+1)...)
		if len(page.Versions) > w.N {
			page.Versions = page.Versions[:w.N]
			page.Next = page.Versions[w.N-1].ID
		}
		if err != nil {
			return err
		}
		return addTags(ctx, db, packageID, page.Versions)
	})
	return page, err
}

// countVersions counts no further than pages reach, on from a place that skipped
// versions are before. To look at one place in the index costs half of counting
// up to it.
func countVersions(ctx context.Context, db database.Querier, count string, skipped int, args func(more ...any) []any) (n int, err error) {
	if count != "" {
		err = db.QueryRow(ctx, count, args(packages.MaxReach+1-skipped)...).Scan(&n)
		return n + skipped, err
	}
	err = db.QueryRow(ctx, `SELECT v.id`+presentVersions+oneOfVersions, args(packages.MaxReach-skipped)...).Scan(&n)
	if !errors.Is(err, sql.ErrNoRows) {
		return packages.MaxReach + 1, err
	}
	err = db.QueryRow(ctx, `SELECT COUNT(*)`+presentVersions, args()...).Scan(&n)
	return n + skipped, err
}

// versions collects what a query of versionRowColumns yields.
func versions(ctx context.Context, db database.Querier, query string, args ...any) ([]packages.Version, error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []packages.Version
	for rows.Next() {
		v, err := scanVersion(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

func scanVersion(row interface{ Scan(...any) error }) (v packages.Version, err error) {
	var digest, subject string
	var created, deleted int64
	err = row.Scan(&v.ID, &v.PackageID, &digest, &v.MediaType, &v.ArtifactType, &v.Kind, &v.Size, &v.TotalSize, &subject,
		&v.Description, &v.Licenses, &v.Source, &v.Downloads, &created, &deleted, &v.CreatedBy)
	if err != nil {
		return v, err
	}
	v.Tags, v.CreatedAt = []string{}, fromMicros(created)
	v.UpdatedAt = v.CreatedAt
	if deleted != 0 {
		v.DeletedAt = fromMicros(deleted)
	}
	if subject != "" {
		if v.Subject, err = oci.ParseDigest(subject); err != nil {
			return v, err
		}
	}
	v.Digest, err = oci.ParseDigest(digest)
	return v, err
}

// addTags tells of each version of a package which tags it has, and when one
// came or went last.
func addTags(ctx context.Context, db database.Querier, packageID int64, list []packages.Version) error {
	at, digests := make(map[string]int, len(list)), make([]string, len(list))
	for i, v := range list {
		digests[i] = v.Digest.String()
		at[digests[i]] = i
	}
	return inLists(digests, func(marks string, digests []any) error {
		rows, err := db.Query(ctx, tagsOfVersions+marks+`) ORDER BY t.id DESC`, append([]any{packageID}, digests...)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var digest, name string
			var since, until int64
			if err := rows.Scan(&digest, &name, &since, &until); err != nil {
				return err
			}
			v := &list[at[digest]]
			if until == 0 {
				v.Tags = append(v.Tags, name)
			}
			v.UpdatedAt = later(v.UpdatedAt, fromMicros(max(since, until)))
		}
		return rows.Err()
	})
}

const tagsOfVersions = `SELECT t.digest, t.name, t.since, COALESCE(t.until, 0) FROM tags t WHERE t.package_id = ? AND t.digest IN (`

func later(a, b time.Time) time.Time { return slices.MaxFunc([]time.Time{a, b}, time.Time.Compare) }

// PackageVersion implements packages.Contents.
func (s *Store) PackageVersion(ctx context.Context, packageID, id int64, since time.Time) (packages.Version, error) {
	return s.oneVersion(ctx, packageID, `SELECT `+versionRowColumns+`
		FROM versions v WHERE v.package_id = ? AND v.id = ? AND (v.deleted_at IS NULL OR v.deleted_at > ?)`, packageID, id, toMicros(since))
}

// PackageVersionNamed implements packages.Contents.
func (s *Store) PackageVersionNamed(ctx context.Context, packageID int64, ref oci.Reference) (packages.Version, error) {
	if !ref.Digest.IsZero() {
		return s.oneVersion(ctx, packageID, `SELECT `+versionRowColumns+`
			FROM versions v WHERE v.package_id = ? AND v.digest = ? AND v.deleted_at IS NULL`, packageID, ref.Digest.String())
	}
	return s.oneVersion(ctx, packageID, `SELECT `+versionRowColumns+`
		FROM tags t JOIN versions v ON v.package_id = t.package_id AND v.digest = t.digest AND v.deleted_at IS NULL
		WHERE t.package_id = ? AND t.name = ? AND t.until IS NULL`, packageID, ref.Tag.String())
}

func (s *Store) oneVersion(ctx context.Context, packageID int64, query string, args ...any) (v packages.Version, err error) {
	err = s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		var err error
		if v, err = scanVersion(db.QueryRow(ctx, query, args...)); err != nil {
			return err
		}
		one := []packages.Version{v}
		err = addTags(ctx, db, packageID, one)
		v = one[0]
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.NotFound, "the package has no such version")
	}
	return v, err
}
