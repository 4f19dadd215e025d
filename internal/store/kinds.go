package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// expiry is the column expires_at of what was pushed with these labels.
func expiry(l oci.Labels, pushed time.Time) any {
	if at, ok := l.ExpiresAt(pushed); ok {
		return toMicros(at)
	}
	return nil
}

// unclassified is a version from before kinds were known.
type unclassified struct {
	packageID, id, created int64
	digest, mediaType      string
	content                []byte
}

// ClassifyVersions works out what up to n versions are that were pushed when
// nobody did so, and returns how many there were.
func (s *Store) ClassifyVersions(ctx context.Context, n int) (int, error) {
	list, err := s.unclassified(ctx, n)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return len(list), s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for _, v := range list {
			if err := classify(ctx, tx, v); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) unclassified(ctx context.Context, n int) ([]unclassified, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT v.package_id, v.id, v.created_at, v.digest, v.media_type, m.content
		FROM versions v JOIN manifests m ON m.digest = v.digest WHERE v.kind = '' ORDER BY v.package_id, v.id LIMIT ?`, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []unclassified
	for rows.Next() {
		var v unclassified
		if err := rows.Scan(&v.packageID, &v.id, &v.created, &v.digest, &v.mediaType, &v.content); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// classify goes by what a push goes by: the manifest, the labels of its config,
// where these lie in the database, and the tags it has.
func classify(ctx context.Context, tx *database.Tx, v unclassified) error {
	names, err := queryNames(ctx, tx, `SELECT name FROM tags WHERE package_id = ? AND digest = ? AND until IS NULL`, v.packageID, v.digest)
	if err != nil {
		return err
	}
	var tags []oci.Tag
	for _, name := range names {
		tag, err := oci.ParseTag(name)
		if err != nil {
			return err
		}
		tags = append(tags, tag)
	}
	kind, size, labels := oci.KindArtifact, int64(len(v.content)), oci.Labels{}
	if m, err := oci.ParseManifest(v.mediaType, v.content); err == nil { // else damaged: a push repairs it
		kind, size, labels = m.KindAs(tags), m.TotalSize(size), m.Labels()
		if m.Config != nil && oci.IsImageConfig(m.Config.MediaType) {
			config, err := queryContents(ctx, tx, m.Config.Digest.String())
			if err != nil {
				return err
			}
			labels = oci.ConfigLabels(config).Or(labels)
		}
	}
	_, err = tx.Exec(ctx, `UPDATE versions SET kind = ?, total_size = ?, expires_at = ? WHERE id = ? AND kind = ''`,
		string(kind), size, expiry(labels, fromMicros(v.created)), v.id)
	return err
}

// queryContents returns the bytes of a blob that lies in the database; nil for
// another.
func queryContents(ctx context.Context, q database.Querier, digest string) ([]byte, error) {
	rows, err := q.Query(ctx, `SELECT content FROM blob_contents WHERE digest = ?`, digest)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var content []byte
	for rows.Next() {
		if err := rows.Scan(&content); err != nil {
			return nil, err
		}
	}
	return content, rows.Err()
}

// LatestTag implements packages.LatestTags. Tags that begin as those of
// signatures do are left out by their names, too, and so is what speaks of another
// version in a way that is not known.
func (s *Store) LatestTag(ctx context.Context, packageID int64) (packages.Tag, error) {
	var name string
	err := s.db.Read().QueryRow(ctx, `SELECT t.name FROM tags t
		JOIN versions v ON v.package_id = t.package_id AND v.digest = t.digest AND v.deleted_at IS NULL
		WHERE t.package_id = ? AND t.until IS NULL AND (v.kind IN ('image', 'index') OR v.kind = 'artifact' AND v.subject IS NULL)
			AND (t.name < 'sha256-' OR t.name >= 'sha256.')
		ORDER BY t.id DESC LIMIT 1`, packageID).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return packages.Tag{}, errs.New(errs.NotFound, "the package has no tag of something to pull")
	}
	if err != nil {
		return packages.Tag{}, err
	}
	list, err := tagsNamed(ctx, s.db.Read(), packageID, []string{name})
	switch {
	case err != nil:
		return packages.Tag{}, err
	case list[0].Name == "": // it was taken away at this moment
		return packages.Tag{}, errs.New(errs.NotFound, "the package has no tag of something to pull")
	}
	return list[0], nil
}

// VersionManifest implements packages.LatestTags.
func (s *Store) VersionManifest(ctx context.Context, packageID, id int64) (mediaType string, content []byte, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT v.media_type, m.content FROM versions v JOIN manifests m ON m.digest = v.digest
		WHERE v.id = ? AND v.package_id = ? AND v.deleted_at IS NULL`, id, packageID).Scan(&mediaType, &content)
	if errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.NotFound, "the package has no version %d", id)
	}
	return mediaType, content, err
}

var _ packages.LatestTags = (*Store)(nil)
