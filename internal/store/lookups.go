package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/blob"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

const packageQuery = `SELECT ` + factColumns + retiredColumn + factTables

// Package implements registry.Lookups.
func (s *Store) Package(ctx context.Context, who access.Principal, p access.Package) (registry.Package, error) {
	return s.ask(ctx, packageQuery, who, p, nil)
}

const (
	versionColumns = `, COALESCE(v.id, 0), COALESCE(v.digest, ''), COALESCE(v.media_type, ''), COALESCE(v.size, 0)`

	versionByDigestQuery = `SELECT ` + factColumns + retiredColumn + versionColumns + factTables + `
		LEFT JOIN versions v ON v.package_id = p.id AND v.digest = ? AND v.deleted_at IS NULL`

	versionByTagQuery = `SELECT ` + factColumns + retiredColumn + versionColumns + factTables + `
		LEFT JOIN tags t ON t.package_id = p.id AND t.name = ? AND t.until IS NULL
		LEFT JOIN versions v ON v.package_id = p.id AND v.digest = t.digest AND v.deleted_at IS NULL`
)

// Version implements registry.Lookups.
func (s *Store) Version(ctx context.Context, who access.Principal, p access.Package, ref oci.Reference) (registry.Package, *registry.Version, error) {
	q := question(who, p, ref.String())
	a, err := s.recent.get(ctx, q, func() (a answer, err error) {
		a.pkg, a.version, err = s.askVersion(ctx, who, p, ref)
		return a, err
	})
	return a.pkg, a.version, err
}

func (s *Store) askVersion(ctx context.Context, who access.Principal, p access.Package, ref oci.Reference) (registry.Package, *registry.Version, error) {
	query := versionByTagQuery
	if !ref.Digest.IsZero() {
		query = versionByDigestQuery
	}
	var v registry.Version
	var digest string
	pkg, err := s.ask(ctx, query, who, p, []any{ref.String()}, &v.ID, &digest, &v.MediaType, &v.Size)
	if err != nil || digest == "" || pkg.ID == 0 {
		return pkg, nil, err
	}
	v.PackageID = pkg.ID
	v.Digest, err = oci.ParseDigest(digest)
	return pkg, &v, err
}

const blobQuery = `SELECT ` + factColumns + retiredColumn +
	`, COALESCE(b.size, -1), COALESCE(b.location, ''), COALESCE(b.lease_until, 0), COALESCE(b.state, '')` + factTables + `
	LEFT JOIN package_blobs h ON h.package_id = p.id AND h.digest = ?
	LEFT JOIN blobs b ON b.digest = h.digest AND b.state IN ('live', 'condemned', 'suspect')`

// Blob implements registry.Lookups.
func (s *Store) Blob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) (registry.Package, *registry.Blob, error) {
	q := question(who, p, d.String())
	q.blob = true
	a, err := s.recent.get(ctx, q, func() (a answer, err error) {
		a.pkg, a.blob, err = s.askBlob(ctx, who, p, d)
		return a, err
	})
	return a.pkg, a.blob, err
}

func (s *Store) askBlob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) (registry.Package, *registry.Blob, error) {
	var lease int64
	var state string
	b := registry.Blob{Digest: d}
	pkg, err := s.ask(ctx, blobQuery, who, p, []any{d.String()}, &b.Size, &b.Location, &lease, &state)
	if err != nil || b.Size < 0 || pkg.ID == 0 {
		return pkg, nil, err
	}
	b.PackageID, b.LeaseUntil, b.Damaged = pkg.ID, fromMicros(lease), state == "suspect"
	return pkg, &b, nil
}

const anyBlobQuery = `SELECT size, location, lease_until FROM blobs WHERE digest = ? AND state IN ('live', 'condemned')`

// AnyBlob implements registry.Lookups.
func (s *Store) AnyBlob(ctx context.Context, d oci.Digest) (*registry.Blob, error) {
	b := registry.Blob{Digest: d}
	var location string
	var lease int64
	err := s.db.Read().QueryRow(ctx, anyBlobQuery, d.String()).Scan(&b.Size, &location, &lease)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	b.Location, b.LeaseUntil = blob.Location(location), fromMicros(lease)
	return &b, err
}

// holderQuery looks at the 100 newest holders alone: some blobs, such as an empty
// config, are held by most packages of the instance.
const holderQuery = `SELECT ` + factColumns + `
	FROM (` + callerColumns + `) w
	CROSS JOIN (SELECT package_id FROM package_blobs WHERE digest = ? ORDER BY package_id DESC LIMIT 100) h
	JOIN packages p ON p.id = h.package_id AND p.deleted_at IS NULL
	JOIN accounts o ON o.id = p.owner_id AND o.deleted_at IS NULL` + linkTables

// linkTables is what a listed package p is linked to.
const linkTables = `
	LEFT JOIN repositories r ON r.id = p.repository_id AND r.deleted_at IS NULL
	LEFT JOIN package_repositories pr ON pr.package_id = p.id AND pr.repository_id = w.repository`

// Holder implements registry.Lookups.
func (s *Store) Holder(ctx context.Context, who access.Principal, d oci.Digest) (access.Package, bool, error) {
	rows, err := s.db.Read().Query(ctx, holderQuery, append(callerArgs(who, ""), d.String())...)
	if err != nil {
		return access.Package{}, false, err
	}
	defer rows.Close()
	for rows.Next() {
		pkg, err := scanPackage(rows)
		if err != nil {
			return access.Package{}, false, err
		}
		if access.Decide(who, pkg.Facts.Name, pkg.Facts, access.Effects{Action: access.Read, Digest: d}).Allowed {
			return pkg.Address, true, nil
		}
	}
	return access.Package{}, false, rows.Err()
}

// scanPackage reads a row of factColumns about a package that exists.
func scanPackage(rows *sql.Rows) (registry.Package, error) {
	var row factRow
	if err := rows.Scan(row.dest()...); err != nil {
		return registry.Package{}, err
	}
	return row.pkg(access.Package{}, false)
}

// BlobContent implements registry.Lookups.
func (s *Store) BlobContent(ctx context.Context, d oci.Digest) ([]byte, error) {
	return s.content(ctx, `SELECT content FROM blob_contents WHERE digest = ?`, d)
}

// ManifestContent implements registry.Lookups.
func (s *Store) ManifestContent(ctx context.Context, d oci.Digest) ([]byte, error) {
	return s.content(ctx, `SELECT content FROM manifests WHERE digest = ?`, d)
}

func (s *Store) content(ctx context.Context, query string, d oci.Digest) ([]byte, error) {
	var content []byte
	err := s.db.Read().QueryRow(ctx, query, d.String()).Scan(&content)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errs.New(errs.Internal, "content of %s is not in the database", d)
	}
	return content, err
}

var _ registry.Lookups = (*Store)(nil)

// queryNames collects the first column of a query that yields names.
func queryNames(ctx context.Context, q database.Querier, query string, args ...any) ([]string, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
