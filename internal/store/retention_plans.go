package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
)

var (
	_ lifecycle.Plans    = (*Store)(nil)
	_ lifecycle.PlanEnds = (*Store)(nil)
)

// CreatePlan implements lifecycle.Plans.
func (s *Store) CreatePlan(ctx context.Context, p *lifecycle.Plan, items []lifecycle.Item) error {
	rules, err := json.Marshal(p.Rules)
	if err != nil {
		return err
	}
	kept, err := json.Marshal(p.Kept)
	if err != nil {
		return err
	}
	var id int64
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO retention_plans (owner_id, package_id, rules, state, versions, bytes, more, created_at, created_by, kept)
			VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?) RETURNING id`,
			p.OwnerID, p.PackageID, string(rules), string(lifecycle.Planned), len(items), flag(p.More), toMicros(p.CreatedAt), p.CreatedBy, string(kept)).Scan(&id)
		if err != nil {
			return err
		}
		for i := range items {
			if err := addItem(ctx, tx, id, &items[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.ID = id
	return s.weigh(ctx, p, items)
}

func addItem(ctx context.Context, tx *database.Tx, plan int64, item *lifecycle.Item) error {
	if item.Tags == nil {
		item.Tags = []string{}
	}
	tags, err := json.Marshal(item.Tags)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO retention_items (plan_id, version_id, package_id, digest, tags, reason, bytes)
		VALUES (?, ?, ?, ?, ?, ?, 0)`, plan, item.VersionID, item.PackageID, item.Digest, string(tags), item.Reason)
	return err
}

// weighQuery finds the blobs that the items of a plan name and hold, and no present
// version of the owner beside them, each with the first item that names it. What
// others hold is not to be found out by it. It looks at each blob once: some are
// named by all items.
const weighQuery = `SELECT u.version_id, CAST(SUM(b.size) AS BIGINT)
	FROM (SELECT e.child, MIN(i.version_id) AS version_id FROM retention_items i
		JOIN edges e ON e.parent = i.digest AND e.kind = 'blob'
		JOIN package_blobs h ON h.package_id = i.package_id AND h.digest = e.child
		WHERE i.plan_id = ? GROUP BY e.child) u
	JOIN blobs b ON b.digest = u.child
	WHERE NOT EXISTS (SELECT 1 FROM edges o
		JOIN versions v ON v.digest = o.parent AND v.deleted_at IS NULL
		JOIN packages p ON p.id = v.package_id AND p.owner_id = ?
		WHERE o.child = u.child AND o.kind = 'blob'
			AND NOT EXISTS (SELECT 1 FROM retention_items k WHERE k.plan_id = ? AND k.version_id = v.id))
	GROUP BY u.version_id`

// weigh works out how much a plan frees, beside the writes: that may take a while.
func (s *Store) weigh(ctx context.Context, p *lifecycle.Plan, items []lifecycle.Item) error {
	sizes := map[int64]int64{}
	rows, err := s.db.Read().Query(ctx, weighQuery, p.ID, p.OwnerID, p.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, size int64
		if err := rows.Scan(&id, &size); err != nil {
			return err
		}
		sizes[id] = size
		p.Bytes += size
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for i := range items {
		items[i].Bytes = sizes[items[i].VersionID]
	}
	if len(sizes) == 0 {
		return nil
	}
	total := p.Bytes
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for id, size := range sizes {
			_, err := tx.Exec(ctx, `UPDATE retention_items SET bytes = ? WHERE plan_id = ? AND version_id = ?`, size, p.ID, id)
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE retention_plans SET bytes = ? WHERE id = ?`, total, p.ID)
		return err
	})
}

const planColumns = `SELECT id, owner_id, package_id, rules, state, versions, bytes, more, created_at, created_by, applied_at, applied_by, undone_at, kept
	FROM retention_plans`

func scanPlan(row interface{ Scan(...any) error }) (p lifecycle.Plan, err error) {
	var rules, kept string
	var more, created int64
	var applied, appliedBy, undone sql.NullInt64
	err = row.Scan(&p.ID, &p.OwnerID, &p.PackageID, &rules, &p.State, &p.Versions, &p.Bytes, &more, &created, &p.CreatedBy, &applied, &appliedBy, &undone, &kept)
	if err != nil {
		return p, err
	}
	p.AppliedBy = appliedBy.Int64
	if err := json.Unmarshal([]byte(kept), &p.Kept); err != nil {
		return p, err
	}
	p.More, p.CreatedAt, p.AppliedAt, p.UndoneAt = more != 0, fromMicros(created), optionalTime(applied), optionalTime(undone)
	return p, json.Unmarshal([]byte(rules), &p.Rules)
}

// Plan implements lifecycle.Plans.
func (s *Store) Plan(ctx context.Context, ownerID, packageID, id int64) (lifecycle.Plan, error) {
	p, err := scanPlan(s.db.Read().QueryRow(ctx, planColumns+` WHERE id = ? AND owner_id = ? AND package_id = ?`, id, ownerID, packageID))
	if errors.Is(err, sql.ErrNoRows) {
		return p, errs.New(errs.NotFound, "there is no plan %d", id)
	}
	return p, err
}

// Plans implements lifecycle.Plans.
func (s *Store) Plans(ctx context.Context, ownerID, packageID, before int64, n int) ([]lifecycle.Plan, error) {
	rows, err := s.db.Read().Query(ctx, planColumns+` WHERE owner_id = ? AND package_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
		ownerID, packageID, before, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []lifecycle.Plan
	for rows.Next() {
		p, err := scanPlan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// PlanItems implements lifecycle.Plans.
func (s *Store) PlanItems(ctx context.Context, id, after int64, n int) ([]lifecycle.Item, error) {
	return queryItems(ctx, s.db.Read(), `SELECT i.version_id, i.package_id, o.login || '/' || p.name, i.digest, i.tags, i.reason, i.bytes
		FROM retention_items i JOIN packages p ON p.id = i.package_id JOIN accounts o ON o.id = p.owner_id
		WHERE i.plan_id = ? AND i.version_id > ? ORDER BY i.version_id LIMIT ?`, id, after, n)
}

func queryItems(ctx context.Context, q database.Querier, query string, args ...any) ([]lifecycle.Item, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []lifecycle.Item
	for rows.Next() {
		var item lifecycle.Item
		var tags string
		if err := rows.Scan(&item.VersionID, &item.PackageID, &item.Package, &item.Digest, &tags, &item.Reason, &item.Bytes); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(tags), &item.Tags); err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}

// RefusePlan implements lifecycle.PlanEnds.
func (s *Store) RefusePlan(ctx context.Context, id int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE retention_plans SET state = ? WHERE id = ? AND state = ?`,
			string(lifecycle.Refused), id, string(lifecycle.Planned))
		return err
	})
}

// SweepPlans implements lifecycle.PlanEnds.
func (s *Store) SweepPlans(ctx context.Context, planned, all time.Time, n int) (int, error) {
	var ids []int64
	for _, old := range []struct {
		query  string
		before time.Time
	}{
		{`SELECT id FROM retention_plans WHERE created_at < ? AND state IN ('planned', 'refused') ORDER BY created_at LIMIT ?`, planned},
		{`SELECT id FROM retention_plans WHERE created_at < ? ORDER BY created_at LIMIT ?`, all},
	} {
		more, err := queryIDs(ctx, s.db.Read(), old.query, toMicros(old.before), n)
		if err != nil {
			return 0, err
		}
		ids = append(ids, more...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return len(ids), s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for _, id := range ids {
			for _, statement := range []string{
				`DELETE FROM retention_items WHERE plan_id = ?`,
				`DELETE FROM retention_plans WHERE id = ?`,
			} {
				if _, err := tx.Exec(ctx, statement, id); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
