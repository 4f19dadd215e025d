package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

var _ lifecycle.ManifestRecords = (*Store)(nil)

// manifestRecordColumns tells the media type of any version.
const manifestRecordColumns = ` m.digest, m.content,
	COALESCE((SELECT v.media_type FROM versions v WHERE v.digest = m.digest ORDER BY v.id LIMIT 1), '') FROM manifests m `

// ManifestsAfter implements lifecycle.ManifestRecords.
func (s *Store) ManifestsAfter(ctx context.Context, after string, n int) (list []lifecycle.ManifestRecord, err error) {
	err = s.db.Snapshot(ctx, func(ctx context.Context, q database.Querier) error {
		list, err = manifestRecords(ctx, q, `SELECT`+manifestRecordColumns+`WHERE m.digest > ? ORDER BY m.digest LIMIT ?`, after, n)
		if err != nil || len(list) == 0 {
			return err
		}
		return edgesOf(ctx, q, list, after)
	})
	return list, err
}

// Manifest implements lifecycle.ManifestRecords. It has no edges.
func (s *Store) Manifest(ctx context.Context, d oci.Digest) (lifecycle.ManifestRecord, bool, error) {
	list, err := manifestRecords(ctx, s.db.Read(), `SELECT`+manifestRecordColumns+`WHERE m.digest = ?`, d.String())
	if err != nil || len(list) == 0 {
		return lifecycle.ManifestRecord{}, false, err
	}
	return list[0], true, nil
}

func manifestRecords(ctx context.Context, q database.Querier, query string, args ...any) ([]lifecycle.ManifestRecord, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []lifecycle.ManifestRecord
	for rows.Next() {
		m := lifecycle.ManifestRecord{Edges: map[lifecycle.Edge]bool{}}
		var digest string
		if err := rows.Scan(&digest, &m.Content, &m.MediaType); err != nil {
			return nil, err
		}
		if m.Digest, err = oci.ParseDigest(digest); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

// edgesOf fills in the edges of the manifests, which are all after after.
func edgesOf(ctx context.Context, q database.Querier, list []lifecycle.ManifestRecord, after string) error {
	of := map[string]map[lifecycle.Edge]bool{}
	for _, m := range list {
		of[m.Digest.String()] = m.Edges
	}
	rows, err := q.Query(ctx, `SELECT parent, child, kind FROM edges WHERE parent > ? AND parent <= ?`, after, list[len(list)-1].Digest.String())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var parent string
		var e lifecycle.Edge
		if err := rows.Scan(&parent, &e.Child, &e.Kind); err != nil {
			return err
		}
		if edges := of[parent]; edges != nil {
			edges[e] = true
		}
	}
	return rows.Err()
}

// RewriteEdges implements lifecycle.ManifestRecords. It holds the rows of the
// blobs before the manifest's, as collectors and pushes do.
func (s *Store) RewriteEdges(ctx context.Context, m lifecycle.ManifestRecord, edges map[lifecycle.Edge]bool, now, until time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := reviewEdges(ctx, tx, m.Edges, edges, now, until); err != nil {
			return err
		}
		var there string
		err := tx.QueryRow(ctx, `SELECT digest FROM manifests WHERE digest = ?`+s.forShare, m.Digest.String()).Scan(&there)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // it was purged meanwhile
		}
		if err != nil {
			return err
		}
		for e := range m.Edges {
			if edges[e] {
				continue
			}
			_, err := tx.Exec(ctx, `DELETE FROM edges WHERE parent = ? AND child = ? AND kind = ?`, there, e.Child, e.Kind)
			if err != nil {
				return err
			}
		}
		for e := range edges {
			_, err := tx.Exec(ctx, `INSERT INTO edges (parent, child, kind) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, there, e.Child, e.Kind)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// reviewEdges has blobs looked at that may not be needed any more, and takes
// those back from the collector that are.
func reviewEdges(ctx context.Context, tx *database.Tx, old, edges map[lifecycle.Edge]bool, now, until time.Time) error {
	var concerned []string
	for e := range old {
		if !edges[e] && e.Kind == "blob" {
			concerned = append(concerned, e.Child)
		}
	}
	for e := range edges {
		if !old[e] && e.Kind == "blob" {
			concerned = append(concerned, e.Child)
		}
	}
	slices.Sort(concerned)
	for _, digest := range slices.Compact(concerned) {
		var err error
		if edges[lifecycle.Edge{Child: digest, Kind: "blob"}] {
			_, err = tx.Exec(ctx, `UPDATE blobs SET state = CASE WHEN state = 'condemned' THEN 'live' ELSE state END, condemned_at = NULL,
					review_at = ?, lease_until = CASE WHEN lease_until > ? THEN lease_until ELSE ? END
				WHERE digest = ?`, toMicros(until), toMicros(until), toMicros(until), digest)
		} else {
			// Also one whose review is due: it may be about to find the edge.
			_, err = tx.Exec(ctx, `UPDATE blobs SET review_at = COALESCE(review_at, ?) WHERE digest = ?`, toMicros(now), digest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// LastVersion implements lifecycle.ManifestRecords.
func (s *Store) LastVersion(ctx context.Context) (id int64, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT COALESCE(MAX(id), 0) FROM versions`).Scan(&id)
	return id, err
}

// LastTag implements lifecycle.ManifestRecords.
func (s *Store) LastTag(ctx context.Context) (id int64, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT COALESCE(MAX(id), 0) FROM tags`).Scan(&id)
	return id, err
}

// LinkPart implements lifecycle.ManifestRecords.
func (s *Store) LinkPart(ctx context.Context, packageID int64, d oci.Digest) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO package_blobs (package_id, digest) VALUES (?, ?) ON CONFLICT DO NOTHING`, packageID, d.String())
		return err
	})
}

// checkedVersions are the present versions of present packages whose ids lie in
// a range.
const checkedVersions = ` FROM versions v
	JOIN packages p ON p.id = v.package_id AND p.deleted_at IS NULL
	JOIN accounts o ON o.id = p.owner_id `

const inRange = ` v.id > ? AND v.id <= ? AND v.deleted_at IS NULL`

// The three ways in which a version may lack something.
const (
	versionsWithoutManifest = `SELECT 'manifest-missing', p.id, o.login || '/' || p.name, v.digest, ''` + checkedVersions + `
		LEFT JOIN manifests m ON m.digest = v.digest
		WHERE` + inRange + ` AND (m.digest IS NULL OR length(m.content) <> v.size)`

	versionsWithoutPart = `SELECT CASE WHEN b.digest IS NULL THEN 'part-missing' ELSE 'part-unlinked' END,
			p.id, o.login || '/' || p.name, v.digest, e.child` + checkedVersions + `
		JOIN edges e ON e.parent = v.digest AND e.kind = 'blob'
		LEFT JOIN package_blobs h ON h.package_id = v.package_id AND h.digest = e.child
		LEFT JOIN blobs b ON b.digest = e.child
		WHERE` + inRange + ` AND (h.digest IS NULL OR b.digest IS NULL)`

	versionsWithoutChild = `SELECT 'child-missing', p.id, o.login || '/' || p.name, v.digest, e.child` + checkedVersions + `
		JOIN edges e ON e.parent = v.digest AND e.kind = 'manifest'
		LEFT JOIN versions c ON c.package_id = v.package_id AND c.digest = e.child AND c.deleted_at IS NULL
		WHERE` + inRange + ` AND c.id IS NULL`
)

// VersionFaults implements lifecycle.ManifestRecords.
func (s *Store) VersionFaults(ctx context.Context, from, to int64) (list []lifecycle.VersionFault, err error) {
	for _, query := range []string{versionsWithoutManifest, versionsWithoutPart, versionsWithoutChild} {
		if list, err = appendVersionFaults(ctx, s.db.Read(), list, query, from, to); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func appendVersionFaults(ctx context.Context, q database.Querier, list []lifecycle.VersionFault, query string, args ...any) ([]lifecycle.VersionFault, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v lifecycle.VersionFault
		if err := rows.Scan(&v.Fault, &v.PackageID, &v.Package, &v.Digest, &v.Child); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
