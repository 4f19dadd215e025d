package store

import (
	"context"

	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// ownPackages names the packages of an owner, those that can be restored too. It
// takes the id of the owner twice.
const ownPackages = `WITH own AS MATERIALIZED (
		SELECT id, type, name, COALESCE(deleted_at, 0) AS deleted FROM packages WHERE owner_id = ? AND deleted_at IS NULL
		UNION ALL SELECT id, type, name, deleted_at FROM packages WHERE owner_id = ? AND deleted_at IS NOT NULL AND purged_at IS NULL) `

// OwnerStorage implements packages.Storage.
func (s *Store) OwnerStorage(ctx context.Context, ownerID int64, limit, offset int) (packages.OwnerStorage, error) {
	var z packages.OwnerStorage
	err := s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		var login string
		if err := db.QueryRow(ctx, `SELECT login FROM accounts WHERE id = ?`, ownerID).Scan(&login); err != nil {
			return err
		}
		err := db.QueryRow(ctx, ownPackages+`SELECT
				(SELECT COUNT(*) FROM own),
				CAST(COALESCE((SELECT SUM(size) FROM blobs WHERE digest IN (SELECT h.digest FROM own CROSS JOIN package_blobs h WHERE h.package_id = own.id)), 0) AS BIGINT) +
				CAST(COALESCE((SELECT SUM(w.size) FROM (SELECT DISTINCT v.digest, v.size FROM own CROSS JOIN versions v WHERE v.package_id = own.id) w), 0) AS BIGINT)`,
			ownerID, ownerID).Scan(&z.Packages, &z.Bytes)
		if err != nil {
			return err
		}
		z.List, err = largest(ctx, db, ownerID, login, limit, offset)
		return err
	})
	return z, err
}

func largest(ctx context.Context, db database.Querier, ownerID int64, login string, limit, offset int) ([]packages.PackageStorage, error) {
	rows, err := db.Query(ctx, ownPackages+`SELECT id, type, name, deleted,
			(SELECT COUNT(*) FROM versions v WHERE v.package_id = own.id AND v.deleted_at IS NULL),
			CAST(COALESCE((SELECT SUM(v.size) FROM versions v WHERE v.package_id = own.id), 0) AS BIGINT) +
			CAST(COALESCE((SELECT SUM(b.size) FROM package_blobs h JOIN blobs b ON b.digest = h.digest WHERE h.package_id = own.id), 0) AS BIGINT) AS bytes
		FROM own ORDER BY bytes DESC, id LIMIT ? OFFSET ?`, ownerID, ownerID, limit, offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []packages.PackageStorage
	for rows.Next() {
		var p packages.PackageStorage
		var name string
		var deleted int64
		if err := rows.Scan(&p.ID, &p.Type, &name, &deleted, &p.Versions, &p.Bytes); err != nil {
			return nil, err
		}
		if p.Name, err = oci.ParseName(login + "/" + name); err != nil {
			return nil, err
		}
		p.DeletedAt = orNever(deleted)
		list = append(list, p)
	}
	return list, rows.Err()
}

// SiteStorage implements packages.Storage.
func (s *Store) SiteStorage(ctx context.Context, n int) (packages.SiteStorage, error) {
	var z packages.SiteStorage
	err := s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		if err := blobStates(ctx, db, &z); err != nil {
			return err
		}
		for _, one := range []struct {
			query string
			to    *packages.Stored
		}{
			{`SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM trash`, &z.Trash},
			{`SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(content)), 0) AS BIGINT) FROM manifests`, &z.Manifests},
			{`SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM upload_sessions`, &z.Uploads},
		} {
			if err := db.QueryRow(ctx, one.query).Scan(&one.to.Count, &one.to.Bytes); err != nil {
				return err
			}
		}
		var err error
		z.Owners, err = largestOwners(ctx, db, n)
		return err
	})
	return z, err
}

func blobStates(ctx context.Context, db database.Querier, z *packages.SiteStorage) error {
	rows, err := db.Query(ctx, `SELECT state, COUNT(*), CAST(SUM(size) AS BIGINT) FROM blobs GROUP BY state`)
	if err != nil {
		return err
	}
	defer rows.Close()
	states := map[string]*packages.Stored{"live": &z.Live, "suspect": &z.Damaged}
	for rows.Next() {
		var state string
		var one packages.Stored
		if err := rows.Scan(&state, &one.Count, &one.Bytes); err != nil {
			return err
		}
		to := states[state]
		if to == nil { // on the way to the trash
			to = &z.Condemned
		}
		to.Count, to.Bytes = to.Count+one.Count, to.Bytes+one.Bytes
	}
	return rows.Err()
}

// largestOwners are those whose packages hold the most, each blob and each
// manifest of an owner once.
func largestOwners(ctx context.Context, db database.Querier, n int) ([]packages.OwnerStorage, error) {
	rows, err := db.Query(ctx, `SELECT a.login, w.bytes,
			(SELECT COUNT(*) FROM packages p WHERE p.owner_id = a.id AND p.deleted_at IS NULL) +
			(SELECT COUNT(*) FROM packages p WHERE p.owner_id = a.id AND p.deleted_at IS NOT NULL AND p.purged_at IS NULL)
		FROM (SELECT u.owner, CAST(SUM(u.size) AS BIGINT) AS bytes
			FROM (SELECT p.owner_id AS owner, h.digest, b.size FROM packages p JOIN package_blobs h ON h.package_id = p.id JOIN blobs b ON b.digest = h.digest
					WHERE p.purged_at IS NULL
				UNION SELECT p.owner_id, v.digest, v.size FROM packages p JOIN versions v ON v.package_id = p.id WHERE p.purged_at IS NULL) u
			GROUP BY u.owner ORDER BY bytes DESC, u.owner LIMIT ?) w
		JOIN accounts a ON a.id = w.owner ORDER BY w.bytes DESC, a.id`, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []packages.OwnerStorage
	for rows.Next() {
		var o packages.OwnerStorage
		if err := rows.Scan(&o.Owner, &o.Bytes, &o.Packages); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, rows.Err()
}
