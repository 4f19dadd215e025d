package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

var _ lifecycle.Stocks = (*Store)(nil)

// StocksOf implements lifecycle.Stocks.
func (s *Store) StocksOf(ctx context.Context, ownerID, after int64, n int) ([]int64, error) {
	return queryIDs(ctx, s.db.Read(), `SELECT p.id FROM packages p
		WHERE p.owner_id = ? AND p.deleted_at IS NULL AND p.id > ?
			AND NOT EXISTS (SELECT 1 FROM retention_policies r WHERE r.package_id = p.id)
		ORDER BY p.id LIMIT ?`, ownerID, after, n)
}

// Stock implements lifecycle.Stocks.
func (s *Store) Stock(ctx context.Context, packageID int64) (lifecycle.Stock, error) {
	stock := lifecycle.Stock{PackageID: packageID}
	err := s.db.Snapshot(ctx, func(ctx context.Context, q database.Querier) error {
		if err := stockRules(ctx, q, &stock); err != nil {
			return err
		}
		at := map[string]int{}
		if err := stockVersions(ctx, q, &stock, at); err != nil {
			return err
		}
		if err := stockTags(ctx, q, &stock, at); err != nil {
			return err
		}
		if err := stockTouched(ctx, q, &stock, at); err != nil {
			return err
		}
		return stockChildren(ctx, q, &stock, at)
	})
	return stock, err
}

// stockRules reads what is known of the package as a whole.
func stockRules(ctx context.Context, q database.Querier, stock *lifecycle.Stock) error {
	var visibility string
	err := q.QueryRow(ctx, `SELECT p.owner_id, o.login || '/' || p.name,
			CASE p.type WHEN 'docker' THEN COALESCE(r.visibility, 'private') ELSE p.visibility END
		FROM packages p JOIN accounts o ON o.id = p.owner_id
		LEFT JOIN repositories r ON r.id = p.repository_id AND r.deleted_at IS NULL
		WHERE p.id = ? AND p.deleted_at IS NULL`, stock.PackageID).Scan(&stock.OwnerID, &stock.Name, &visibility)
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.NotFound, "the package is gone")
	}
	if err != nil {
		return err
	}
	held, err := heldTags(ctx, q, stock.PackageID)
	if err != nil {
		return err
	}
	stock.Immutable, stock.Guard = append(held.ofPackage, held.ofOwner...), -1
	if visibility != string(access.Public) {
		return nil
	}
	limit, err := downloadGuard(ctx, q)
	if limit > 0 {
		stock.Guard = limit
	}
	return err
}

func stockVersions(ctx context.Context, q database.Querier, stock *lifecycle.Stock, at map[string]int) error {
	rows, err := q.Query(ctx, `SELECT id, digest, COALESCE(subject, ''), kind, downloads, created_at, last_download_at, expires_at
		FROM versions WHERE package_id = ? AND deleted_at IS NULL`, stock.PackageID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var v lifecycle.StockVersion
		var created int64
		var pulled, expires sql.NullInt64
		if err := rows.Scan(&v.ID, &v.Digest, &v.Subject, &v.Kind, &v.Downloads, &created, &pulled, &expires); err != nil {
			return err
		}
		v.TouchedAt, v.PulledAt, v.ExpiresAt = fromMicros(created), optionalTime(pulled), optionalTime(expires)
		at[v.Digest] = len(stock.Versions)
		stock.Versions = append(stock.Versions, v)
	}
	return rows.Err()
}

func stockTags(ctx context.Context, q database.Querier, stock *lifecycle.Stock, at map[string]int) error {
	rows, err := q.Query(ctx, `SELECT digest, name, since FROM tags WHERE package_id = ? AND until IS NULL`, stock.PackageID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var digest, name string
		var since int64
		if err := rows.Scan(&digest, &name, &since); err != nil {
			return err
		}
		tag, err := oci.ParseTag(name)
		if err != nil {
			return err
		}
		if i, ok := at[digest]; ok {
			v := &stock.Versions[i]
			v.Tags = append(v.Tags, lifecycle.StockTag{Tag: tag, Since: fromMicros(since)})
		}
	}
	return rows.Err()
}

// stockTouched finds when a tag last came to each version or left it.
func stockTouched(ctx context.Context, q database.Querier, stock *lifecycle.Stock, at map[string]int) error {
	rows, err := q.Query(ctx, `SELECT digest, MAX(CASE WHEN until IS NULL THEN since ELSE until END) FROM tags
		WHERE package_id = ? GROUP BY digest`, stock.PackageID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var digest string
		var touched int64
		if err := rows.Scan(&digest, &touched); err != nil {
			return err
		}
		if i, ok := at[digest]; ok && fromMicros(touched).After(stock.Versions[i].TouchedAt) {
			stock.Versions[i].TouchedAt = fromMicros(touched)
		}
	}
	return rows.Err()
}

func stockChildren(ctx context.Context, q database.Querier, stock *lifecycle.Stock, at map[string]int) error {
	rows, err := q.Query(ctx, `SELECT e.parent, e.child FROM versions v
		JOIN edges e ON e.parent = v.digest AND e.kind = 'manifest'
		WHERE v.package_id = ? AND v.deleted_at IS NULL`, stock.PackageID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var parent, child string
		if err := rows.Scan(&parent, &child); err != nil {
			return err
		}
		if i, ok := at[parent]; ok {
			v := &stock.Versions[i]
			v.Children = append(v.Children, child)
		}
	}
	return rows.Err()
}
