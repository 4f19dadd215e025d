package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

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
	args := []any{before, q.After, q.Actor, q.Actor, q.Action, q.Action, q.Limit}
	query := auditOfAll
	if q.Account != 0 {
		query, args = auditOfOne, append([]any{q.Account}, args...)
	}
	order := newestFirst
	if q.After != 0 {
		order = oldestFirst
	}
	list, err := s.auditEntries(ctx, query+order, args)
	if q.After != 0 {
		slices.Reverse(list)
	}
	return list, err
}

const (
	auditColumns = `e.id, e.at, e.actor, e.action, e.target, e.detail`
	auditRange   = ` e.id < ? AND e.id > ? AND (CAST(? AS TEXT) = '' OR e.actor = ?) AND (CAST(? AS TEXT) = '' OR e.action = ?)`
	auditOfAll   = `SELECT ` + auditColumns + ` FROM audit e WHERE` + auditRange
	// The names of what is in a namespace begin with a login of its owner and a
	// slash, behind which comes the character 0.
	auditOfOne = `SELECT ` + auditColumns + ` FROM logins l CROSS JOIN audit e
		WHERE l.account_id = ? AND e.target >= l.login AND e.target < l.login || '0' AND (e.target = l.login OR e.target >= l.login || '/') AND` + auditRange

	newestFirst = ` ORDER BY e.id DESC LIMIT ?`
	oldestFirst = ` ORDER BY e.id LIMIT ?`
)

func (s *Store) auditEntries(ctx context.Context, query string, args []any) ([]audit.Entry, error) {
	rows, err := s.db.Read().Query(ctx, query, args...)
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
