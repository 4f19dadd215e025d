package store

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

var _ lifecycle.Records = (*Store)(nil)

// Receipts implements lifecycle.Records.
func (s *Store) Receipts(ctx context.Context, d oci.Digest, before int64, n int) ([]lifecycle.Receipt, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	if d.IsZero() {
		return receipts(ctx, s.db.Read(), allReceipts, before, n)
	}
	return receipts(ctx, s.db.Read(), receiptsOf, d.String(), before, n)
}

// Needs implements lifecycle.Records.
func (s *Store) Needs(ctx context.Context, d oci.Digest, n int) (lifecycle.Needs, error) {
	var needs lifecycle.Needs
	err := s.db.Snapshot(ctx, func(ctx context.Context, q database.Querier) (err error) {
		needs = lifecycle.Needs{}
		if needs.Blob, err = blobRecord(ctx, q, d); err != nil {
			return err
		}
		var manifests int
		if err := q.QueryRow(ctx, `SELECT COUNT(*) FROM manifests WHERE digest = ?`, d.String()).Scan(&manifests); err != nil {
			return err
		}
		needs.Manifest = manifests > 0
		if needs.Versions, err = needsOf(ctx, q, versionsOf, d, n+1); err != nil {
			return err
		}
		if needs.Parents, err = needsOf(ctx, q, parentsOf, d, n+1); err != nil {
			return err
		}
		needs.Holders, err = queryNames(ctx, q, `SELECT o.login || '/' || p.name FROM package_blobs h
			JOIN packages p ON p.id = h.package_id JOIN accounts o ON o.id = p.owner_id
			WHERE h.digest = ? ORDER BY h.package_id LIMIT ?`, d.String(), n+1)
		return err
	})
	for _, list := range []*[]lifecycle.Need{&needs.Versions, &needs.Parents} {
		if len(*list) > n {
			*list, needs.More = (*list)[:n], true
		}
	}
	if len(needs.Holders) > n {
		needs.Holders, needs.More = needs.Holders[:n], true
	}
	return needs, err
}

func blobRecord(ctx context.Context, q database.Querier, d oci.Digest) (*lifecycle.BlobRow, error) {
	var b lifecycle.BlobRow
	var created, lease int64
	var review, condemned sql.NullInt64
	err := q.QueryRow(ctx, `SELECT state, size, location, created_at, lease_until, review_at, condemned_at FROM blobs WHERE digest = ?`,
		d.String()).Scan(&b.State, &b.Size, &b.Location, &created, &lease, &review, &condemned)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	b.CreatedAt, b.LeaseUntil, b.ReviewAt, b.CondemnedAt = fromMicros(created), fromMicros(lease), optionalTime(review), optionalTime(condemned)
	return &b, err
}

const (
	needColumns = `, o.login || '/' || p.name, v.package_id, v.digest, COALESCE(v.deleted_at, p.deleted_at)`
	needTables  = ` JOIN packages p ON p.id = v.package_id JOIN accounts o ON o.id = p.owner_id`

	versionsOf = `SELECT ''` + needColumns + ` FROM versions v` + needTables + ` WHERE v.digest = ? ORDER BY v.id LIMIT ?`
	parentsOf  = `SELECT e.kind` + needColumns + ` FROM edges e JOIN versions v ON v.digest = e.parent` + needTables + `
		WHERE e.child = ? AND e.kind <> 'subject' ORDER BY v.id LIMIT ?`
)

func needsOf(ctx context.Context, q database.Querier, query string, d oci.Digest, n int) ([]lifecycle.Need, error) {
	list, ids, err := scanNeeds(ctx, q, query, d.String(), n)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Tags, err = queryNames(ctx, q, `SELECT name FROM tags WHERE package_id = ? AND digest = ? AND until IS NULL ORDER BY name LIMIT 10`,
			ids[i], list[i].Digest.String())
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func scanNeeds(ctx context.Context, q database.Querier, query string, args ...any) (list []lifecycle.Need, packages []int64, err error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var need lifecycle.Need
		var digest string
		var id int64
		var deleted sql.NullInt64
		if err := rows.Scan(&need.Kind, &need.Package, &id, &digest, &deleted); err != nil {
			return nil, nil, err
		}
		if need.Digest, err = oci.ParseDigest(digest); err != nil {
			return nil, nil, err
		}
		need.DeletedAt = optionalTime(deleted)
		list, packages = append(list, need), append(packages, id)
	}
	return list, packages, rows.Err()
}
