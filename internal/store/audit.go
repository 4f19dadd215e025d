package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"packhouse/internal/audit"
	"packhouse/internal/database"
)

var _ audit.Store = (*Store)(nil)

// record adds e to the record of changes, in the transaction of the change.
func record(ctx context.Context, tx *database.Tx, e audit.Entry) error {
	if e.At.IsZero() || e.Actor == "" || e.Action == "" || e.Target == "" {
		return fmt.Errorf("an entry of the record lacks a field: %+v", e)
	}
	if e.Detail == nil {
		e.Detail = map[string]any{}
	}
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit (at, actor, action, target, detail) VALUES (?, ?, ?, ?, ?)`,
		toMicros(e.At), string(e.Actor), e.Action, e.Target, string(detail))
	return err
}

// AuditEntries implements audit.Store.
func (s *Store) AuditEntries(ctx context.Context, q audit.Query) ([]audit.Entry, error) {
	before := q.Before
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.Read().Query(ctx, `SELECT id, at, actor, action, target, detail FROM audit
		WHERE id < ? ORDER BY id DESC LIMIT ?`, before, q.Limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []audit.Entry
	for rows.Next() {
		var e audit.Entry
		var at int64
		var detail string
		if err := rows.Scan(&e.ID, &at, &e.Actor, &e.Action, &e.Target, &detail); err != nil {
			return nil, err
		}
		e.At = fromMicros(at)
		if err := json.Unmarshal([]byte(detail), &e.Detail); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}
