package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// Tags implements registry.Listings.
func (s *Store) Tags(ctx context.Context, packageID int64, last string, n int) ([]string, error) {
	return queryNames(ctx, s.db.Read(), `SELECT name FROM tags
		WHERE package_id = ? AND name > ? AND until IS NULL ORDER BY name LIMIT ?`, packageID, last, n)
}

// Catalog implements registry.Listings, in the order of owners and then names.
// What it shows is what access.Decide lets the caller read; a test compares.
func (s *Store) Catalog(ctx context.Context, who access.Principal, t access.PackageType, last string, n int) ([]string, error) {
	if !access.MayList(who) {
		who = access.Principal{} // sees what everybody sees
	}
	owner, name, _ := strings.Cut(last, "/")
	return queryNames(ctx, s.db.Read(), `SELECT o.login || '/' || p.name
		FROM accounts o
		JOIN packages p ON p.owner_id = o.id AND p.type = ? AND p.deleted_at IS NULL
		LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = ?
		LEFT JOIN package_grants g ON g.package_id = p.id AND g.account_id = ?
		WHERE (o.login, p.name) > (?, ?) AND p.published_at IS NOT NULL
		AND (p.visibility = 'public' OR (? <> 0
			AND (p.visibility = 'internal' OR o.id = ? OR m.role = 'owner' OR g.role IS NOT NULL OR ? <> 0)))
		ORDER BY o.login, p.name LIMIT ?`,
		string(t), who.AccountID, who.AccountID, owner, name,
		who.AccountID, who.AccountID, flag(who.SiteAdmin), n)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// descriptorBytes is what a descriptor takes beside its annotations.
const descriptorBytes = 512

// Referrers implements registry.Listings.
func (s *Store) Referrers(ctx context.Context, q registry.ReferrersQuery) (list []registry.Referrer, more bool, err error) {
	rows, err := s.db.Read().Query(ctx, `SELECT id, digest, media_type, size, artifact_type, annotations FROM versions
		WHERE package_id = ? AND subject = ? AND deleted_at IS NULL AND id > ? AND (? = '' OR artifact_type = ?)
		ORDER BY id LIMIT ?`, q.PackageID, q.Subject.String(), q.After, q.ArtifactType, q.ArtifactType, q.N+1)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	budget := q.Bytes
	for rows.Next() {
		if len(list) == q.N || budget < 0 {
			return list, true, nil
		}
		r, size, err := scanReferrer(rows)
		if err != nil {
			return nil, false, err
		}
		budget -= size + descriptorBytes
		list = append(list, r)
	}
	return list, false, rows.Err()
}

func scanReferrer(rows *sql.Rows) (r registry.Referrer, size int, err error) {
	var digest, annotations string
	if err := rows.Scan(&r.ID, &digest, &r.MediaType, &r.Size, &r.ArtifactType, &annotations); err != nil {
		return r, 0, err
	}
	if r.Digest, err = oci.ParseDigest(digest); err != nil {
		return r, 0, err
	}
	return r, len(annotations), json.Unmarshal([]byte(annotations), &r.Annotations)
}

// Versions implements registry.Listings.
func (s *Store) Versions(ctx context.Context, packageID int64, digests []oci.Digest) (map[oci.Digest]bool, error) {
	texts := make([]string, len(digests))
	for i, d := range digests {
		texts[i] = d.String()
	}
	sizes, err := sizesOf(ctx, s.db.Read(), `SELECT digest, size FROM versions
		WHERE package_id = ? AND deleted_at IS NULL AND subject IS NULL AND digest IN (`, packageID, texts, "")
	if err != nil {
		return nil, err
	}
	present := make(map[oci.Digest]bool, len(sizes))
	for _, d := range digests {
		if _, ok := sizes[d.String()]; ok {
			present[d] = true
		}
	}
	return present, nil
}

var _ registry.Listings = (*Store)(nil)
