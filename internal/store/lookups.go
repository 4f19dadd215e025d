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

// What a decision needs, in one row: the owner, the package if there is one,
// and what the caller is to both. The parameters are the package type, the
// package name, the caller's account twice, and the owner's login.
const (
	factColumns = `o.id, o.kind, o.suspended_at IS NOT NULL, COALESCE(p.id, 0), COALESCE(p.visibility, ''),
		p.published_at IS NOT NULL, COALESCE(m.role, ''), COALESCE(g.role, '')`
	factTables = ` FROM accounts o
		LEFT JOIN packages p ON p.owner_id = o.id AND p.type = ? AND p.name = ? AND p.deleted_at IS NULL
		LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = ?
		LEFT JOIN package_grants g ON g.package_id = p.id AND g.account_id = ?`
	whereOwner = ` WHERE o.login = ?`
)

// factRow scans factColumns.
type factRow struct {
	ownerID, packageID                      int64
	kind, visibility, membership, grantRole string
	suspended, published                    bool
}

func (f *factRow) dest(more ...any) []any {
	return append([]any{
		&f.ownerID, &f.kind, &f.suspended, &f.packageID, &f.visibility,
		&f.published, &f.membership, &f.grantRole,
	}, more...)
}

func (f *factRow) pkg() registry.Package {
	return registry.Package{
		ID: f.packageID, OwnerID: f.ownerID, Published: f.published,
		Facts: access.Facts{
			Exists: f.packageID != 0, Visibility: access.Visibility(f.visibility),
			OwnerID: f.ownerID, OwnerExists: true, OwnerSuspended: f.suspended,
			OwnerIsOrganization: f.kind == "organization",
			Membership:          access.Membership(f.membership), Grant: access.Role(f.grantRole),
			MembersCreate: access.SetAll, DefaultVisibility: access.Private, PackageID: f.packageID, Type: access.Container,
		},
	}
}

// ask runs a lookup whose first columns are factColumns. found is false when
// the owner does not exist, and then nothing else was scanned.
func (s *Store) ask(ctx context.Context, query string, row *factRow, args []any, more ...any) (bool, error) {
	err := s.db.Read().QueryRow(ctx, query, args...).Scan(row.dest(more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func factArgs(who access.Principal, p access.Package, rest ...any) []any {
	return append([]any{string(p.Type), p.Name.Package(), who.AccountID, who.AccountID}, rest...)
}

const packageQuery = `SELECT ` + factColumns + factTables + whereOwner

// Package implements registry.Lookups.
func (s *Store) Package(ctx context.Context, who access.Principal, p access.Package) (registry.Package, error) {
	var row factRow
	found, err := s.ask(ctx, packageQuery, &row, factArgs(who, p, p.Name.Owner()))
	if !found {
		return registry.Package{}, err
	}
	return row.pkg(), nil
}

const (
	versionColumns = `, COALESCE(v.digest, ''), COALESCE(v.media_type, ''), COALESCE(v.size, 0)`

	versionByDigestQuery = `SELECT ` + factColumns + versionColumns + factTables + `
		LEFT JOIN versions v ON v.package_id = p.id AND v.digest = ? AND v.deleted_at IS NULL` + whereOwner

	versionByTagQuery = `SELECT ` + factColumns + versionColumns + factTables + `
		LEFT JOIN tags t ON t.package_id = p.id AND t.name = ? AND t.until IS NULL
		LEFT JOIN versions v ON v.package_id = p.id AND v.digest = t.digest AND v.deleted_at IS NULL` + whereOwner
)

// Version implements registry.Lookups.
func (s *Store) Version(ctx context.Context, who access.Principal, p access.Package, ref oci.Reference) (registry.Package, *registry.Version, error) {
	q := lookup{account: who.AccountID, pkg: p, what: ref.String()}
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
	var row factRow
	var v registry.Version
	var digest string
	found, err := s.ask(ctx, query, &row, factArgs(who, p, ref.String(), p.Name.Owner()), &digest, &v.MediaType, &v.Size)
	if !found {
		return registry.Package{}, nil, err
	}
	if digest == "" {
		return row.pkg(), nil, nil
	}
	v.Digest, err = oci.ParseDigest(digest)
	return row.pkg(), &v, err
}

const blobQuery = `SELECT ` + factColumns + `, COALESCE(b.size, -1), COALESCE(b.location, ''), COALESCE(b.lease_until, 0)` +
	factTables + `
	LEFT JOIN package_blobs h ON h.package_id = p.id AND h.digest = ?
	LEFT JOIN blobs b ON b.digest = h.digest AND b.state IN ('live', 'condemned')` + whereOwner

// Blob implements registry.Lookups.
func (s *Store) Blob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) (registry.Package, *registry.Blob, error) {
	q := lookup{account: who.AccountID, pkg: p, what: d.String(), blob: true}
	a, err := s.recent.get(ctx, q, func() (a answer, err error) {
		a.pkg, a.blob, err = s.askBlob(ctx, who, p, d)
		return a, err
	})
	return a.pkg, a.blob, err
}

func (s *Store) askBlob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) (registry.Package, *registry.Blob, error) {
	var row factRow
	var lease int64
	b := registry.Blob{Digest: d}
	found, err := s.ask(ctx, blobQuery, &row, factArgs(who, p, d.String(), p.Name.Owner()), &b.Size, &b.Location, &lease)
	if !found {
		return registry.Package{}, nil, err
	}
	if b.Size < 0 {
		return row.pkg(), nil, nil
	}
	b.LeaseUntil = fromMicros(lease)
	return row.pkg(), &b, nil
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
const holderQuery = `SELECT o.login, p.type, p.name
	FROM (SELECT package_id FROM package_blobs WHERE digest = ? ORDER BY package_id DESC LIMIT 100) h
	JOIN packages p ON p.id = h.package_id AND p.deleted_at IS NULL
	JOIN accounts o ON o.id = p.owner_id
	LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = ?
	LEFT JOIN package_grants g ON g.package_id = p.id AND g.account_id = ?
	WHERE (p.visibility = 'public' OR o.id = ? OR m.role = 'owner' OR g.role IS NOT NULL)
	LIMIT 1`

// Holder implements registry.Lookups.
func (s *Store) Holder(ctx context.Context, who access.Principal, d oci.Digest) (access.Package, bool, error) {
	var owner, kind, name string
	err := s.db.Read().QueryRow(ctx, holderQuery, d.String(), who.AccountID, who.AccountID, who.AccountID).
		Scan(&owner, &kind, &name)
	if errors.Is(err, sql.ErrNoRows) {
		return access.Package{}, false, nil
	}
	if err != nil {
		return access.Package{}, false, err
	}
	full, err := oci.ParseName(owner + "/" + name)
	return access.Package{Type: access.PackageType(kind), Name: full}, err == nil, err
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
