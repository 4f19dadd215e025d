package store

import (
	"context"

	"packhouse/internal/database"
	"packhouse/internal/packages"
)

// holders begins a condition on whether a package p holds something: the one of
// that id, one of that owner, or with a flag any. It takes the three.
const holders = `JOIN packages p ON p.id = x.package_id AND (p.id = ? OR p.owner_id = ? OR ? <> 0)`

// holderArgs are the arguments of holders for a package.
func holderArgs(ctx context.Context, db database.Querier, packageID int64, a packages.Among) ([]any, error) {
	var owner int64 // of nobody
	if a == packages.AmongOwners {
		if err := db.QueryRow(ctx, `SELECT owner_id FROM packages WHERE id = ?`, packageID).Scan(&owner); err != nil {
			return nil, err
		}
	}
	return []any{packageID, owner, flag(a == packages.AmongAll)}, nil
}

// PackageSizes implements packages.Contents.
func (s *Store) PackageSizes(ctx context.Context, packageID int64, a packages.Among) (packages.Sizes, error) {
	var z packages.Sizes
	err := s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		var blobs, freedBlobs int64
		args, err := holderArgs(ctx, db, packageID, a)
		if err != nil {
			return err
		}
		err = db.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(v.size), 0) AS BIGINT),
				CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM versions x `+holders+`
					WHERE x.digest = v.digest AND x.package_id <> v.package_id) THEN 0 ELSE v.size END), 0) AS BIGINT),
				COUNT(CASE WHEN v.deleted_at IS NULL THEN 1 END)
			FROM versions v WHERE v.package_id = ?`, append(args, packageID)...).Scan(&z.Bytes, &z.FreedIfDeleted, &z.Versions)
		if err != nil {
			return err
		}
		err = db.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT),
				CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM package_blobs x `+holders+`
					WHERE x.digest = h.digest AND x.package_id <> h.package_id) THEN 0 ELSE b.size END), 0) AS BIGINT)
			FROM package_blobs h JOIN blobs b ON b.digest = h.digest WHERE h.package_id = ?`, append(args, packageID)...).
			Scan(&blobs, &freedBlobs)
		z.Bytes, z.FreedIfDeleted = z.Bytes+blobs, z.FreedIfDeleted+freedBlobs
		return err
	})
	return z, err
}

// weighing is a version that is measured, with the present ones within it.
type weighing struct {
	db        database.Querier
	packageID int64
	holders   []any // the arguments of holders
	// sizes are those of the manifests; within are the digests in the order in
	// which they were found, the version itself first.
	sizes  map[string]int64
	within []string
}

// VersionSizes implements packages.Contents.
func (s *Store) VersionSizes(ctx context.Context, packageID, id int64, a packages.Among) (packages.Sizes, error) {
	var z packages.Sizes
	v, err := s.PackageVersion(ctx, packageID, id, fromMicros(1<<62)) // a present one
	if err != nil {
		return z, err
	}
	err = s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		w := &weighing{db: db, packageID: packageID, sizes: map[string]int64{v.Digest.String(): v.Size}}
		if w.holders, err = holderArgs(ctx, db, packageID, a); err != nil {
			return err
		}
		w.within = []string{v.Digest.String()}
		if err := w.find(ctx); err != nil {
			return err
		}
		alone, err := w.alone(ctx)
		if err != nil {
			return err
		}
		z = packages.Sizes{Versions: int64(len(w.within))}
		return w.weigh(ctx, alone, &z)
	})
	return z, err
}

const withinQuery = `SELECT v.digest, v.size FROM edges e CROSS JOIN versions v
	WHERE v.package_id = ? AND v.digest = e.child AND v.deleted_at IS NULL AND e.kind = 'manifest' AND e.parent IN (`

// find collects the versions within, all the way down.
func (w *weighing) find(ctx context.Context) error {
	for open := w.within; len(open) > 0; {
		found, err := sizesOf(ctx, w.db, withinQuery, w.packageID, open, "")
		if err != nil {
			return err
		}
		open = nil
		for digest, size := range found {
			if _, known := w.sizes[digest]; !known {
				w.sizes[digest] = size
				open = append(open, digest)
			}
		}
		w.within = append(w.within, open...)
	}
	return nil
}

// alone returns those of the versions that nothing but the first needs: all but
// those with a tag or in another index, and what is within those.
func (w *weighing) alone(ctx context.Context) (map[string]bool, error) {
	alone := map[string]bool{}
	for digest := range w.sizes {
		alone[digest] = true
	}
	for again := true; again; {
		again = false
		for _, digest := range w.within[1:] {
			if !alone[digest] {
				continue
			}
			stays, err := w.stays(ctx, digest, alone)
			if err != nil {
				return nil, err
			}
			if stays {
				delete(alone, digest)
				again = true
			}
		}
	}
	return alone, nil
}

func (w *weighing) stays(ctx context.Context, digest string, alone map[string]bool) (bool, error) {
	var tagged bool
	err := w.db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM tags WHERE package_id = ? AND digest = ? AND until IS NULL)`, w.packageID, digest).Scan(&tagged)
	if err != nil || tagged {
		return tagged, err
	}
	parents, err := queryNames(ctx, w.db, `SELECT n.digest FROM edges e CROSS JOIN versions n
		WHERE n.package_id = ? AND n.digest = e.parent AND n.deleted_at IS NULL AND e.child = ? AND e.kind = 'manifest' LIMIT ?`, w.packageID, digest, len(w.within)+1)
	for _, parent := range parents {
		if !alone[parent] {
			return true, err
		}
	}
	return false, err
}

const blobsWithinQuery = `SELECT b.digest, b.size FROM edges e
	JOIN package_blobs h ON h.package_id = ? AND h.digest = e.child JOIN blobs b ON b.digest = h.digest
	WHERE e.kind = 'blob' AND e.parent IN (`

// weigh sums up.
func (w *weighing) weigh(ctx context.Context, alone map[string]bool, z *packages.Sizes) error {
	for digest, size := range w.sizes {
		z.Bytes += size
		if !alone[digest] {
			continue
		}
		var held bool
		err := w.db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM versions x `+holders+`
			WHERE x.digest = ? AND x.package_id <> ? AND x.deleted_at IS NULL)`, append(w.holders, digest, w.packageID)...).Scan(&held)
		if err != nil {
			return err
		}
		if !held {
			z.FreedIfDeleted += size
		}
	}
	blobs, err := sizesOf(ctx, w.db, blobsWithinQuery, w.packageID, w.within, "")
	if err != nil {
		return err
	}
	for digest, size := range blobs {
		z.Bytes += size
		needed, err := w.neededElsewhere(ctx, digest, alone)
		if err != nil {
			return err
		}
		if !needed {
			z.FreedIfDeleted += size
		}
	}
	return nil
}

// neededElsewhere reports whether a version that stays needs the blob.
func (w *weighing) neededElsewhere(ctx context.Context, digest string, alone map[string]bool) (bool, error) {
	rows, err := w.db.Query(ctx, `SELECT x.package_id, x.digest FROM edges e
		JOIN versions x ON x.digest = e.parent AND x.deleted_at IS NULL `+holders+`
		WHERE e.child = ? AND e.kind = 'blob' LIMIT ?`, append(w.holders, digest, len(w.within)+1)...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var parent string
		if err := rows.Scan(&id, &parent); err != nil {
			return false, err
		}
		if id != w.packageID || !alone[parent] {
			return true, nil
		}
	}
	return false, rows.Err()
}
