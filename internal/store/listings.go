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

// NewestTags implements registry.Listings.
func (s *Store) NewestTags(ctx context.Context, packageID, before int64, n int) ([]registry.PlacedTag, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT id, name FROM tags
		WHERE package_id = ? AND id < ? AND until IS NULL ORDER BY id DESC LIMIT ?`, packageID, before, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []registry.PlacedTag
	for rows.Next() {
		var t registry.PlacedTag
		if err := rows.Scan(&t.Place, &t.Name); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// catalogQuery finds a piece of the catalog and then what is known of each
// package in it.
const catalogQuery = `SELECT ` + factColumns + `
	FROM (SELECT co.id AS owner_id, cp.id AS package_id FROM accounts co CROSS JOIN packages cp
		WHERE cp.owner_id = co.id AND cp.type = ? AND cp.deleted_at IS NULL
			AND co.login >= ? AND (co.login > ? OR cp.name > ?)
			AND cp.published_at IS NOT NULL AND co.deleted_at IS NULL
		ORDER BY co.login, cp.name LIMIT ?) c
	CROSS JOIN (` + callerColumns + `) w
	JOIN accounts o ON o.id = c.owner_id
	JOIN packages p ON p.id = c.package_id` + linkTables + `
	ORDER BY o.login, p.name`

// A page of the catalog looks at catalogScan packages at most, pieceSize at a time.
const pieceSize, catalogScan = 250, 1000

// Catalog implements registry.Listings.
func (s *Store) Catalog(ctx context.Context, who access.Principal, t access.PackageType, last string, n int) (registry.Page, error) {
	if !access.MayList(who) {
		who = access.Principal{} // sees what everybody sees
	}
	who = who.Unrestricted() // a bearer token for the catalog names no packages
	var page registry.Page
	for scanned := 0; scanned < catalogScan; scanned += pieceSize {
		seen := 0
		err := s.catalogPiece(ctx, who, t, last, func(pkg registry.Package) (more bool) {
			seen++
			name := pkg.Facts.Name.String()
			if !access.Decide(who, pkg.Facts.Name, pkg.Facts, access.Effects{Action: access.Read}).Allowed {
				last = name
				return true
			}
			if len(page.Names) == n {
				page.Next = page.Names[n-1]
				return false
			}
			page.Names, last = append(page.Names, name), name
			return true
		})
		if err != nil || page.Next != "" || seen < pieceSize {
			return page, err
		}
	}
	page.Next = last
	return page, nil
}

// catalogPiece calls each with the packages after last, in order, until it
// returns false.
func (s *Store) catalogPiece(ctx context.Context, who access.Principal, t access.PackageType, last string,
	each func(registry.Package) bool,
) error {
	owner, name, _ := strings.Cut(last, "/")
	rows, err := s.db.Read().Query(ctx, catalogQuery,
		append([]any{string(t), owner, owner, name, pieceSize}, callerArgs(who, t)...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		pkg, err := scanPackage(rows)
		if err != nil {
			return err
		}
		if !each(pkg) {
			return nil
		}
	}
	return rows.Err()
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
