package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
)

var _ lifecycle.Ledger = (*Store)(nil)

// Notes implements lifecycle.Ledger.
func (s *Store) Notes(ctx context.Context) (lifecycle.Notes, error) { return notesOf(ctx, s.db.Read()) }

func notesOf(ctx context.Context, q database.Querier) (lifecycle.Notes, error) {
	rows, err := q.Query(ctx, `SELECT name, value FROM settings WHERE name >= 'gc.' AND name < 'gc/'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	notes := lifecycle.Notes{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		notes[name] = value
	}
	return notes, rows.Err()
}

const setNote = `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

// Note implements lifecycle.Ledger.
func (s *Store) Note(ctx context.Context, n lifecycle.Notes, did ...audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for name, value := range n {
			statement, args := setNote, []any{name, value}
			if value == "" {
				statement, args = `DELETE FROM settings WHERE name = ?`, []any{name}
			}
			if _, err := tx.Exec(ctx, statement, args...); err != nil {
				return err
			}
		}
		for _, e := range did {
			if err := record(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// RaiseMark implements lifecycle.Ledger.
func (s *Store) RaiseMark(ctx context.Context, fresh string, least int64) (instance string, mark int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		// The rows are held until the commit, whether they were there or not.
		const hold = `INSERT INTO settings (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = settings.value RETURNING value`
		if err := tx.QueryRow(ctx, hold, lifecycle.InstanceNote, fresh).Scan(&instance); err != nil {
			return err
		}
		var text string
		if err := tx.QueryRow(ctx, hold, lifecycle.MarkNote, "0").Scan(&text); err != nil {
			return err
		}
		if mark, err = strconv.ParseInt(text, 10, 64); err != nil {
			return err
		}
		mark = max(mark+1, least)
		_, err := tx.Exec(ctx, setNote, lifecycle.MarkNote, strconv.FormatInt(mark, 10))
		return err
	})
	return instance, mark, err
}

// EnqueueRound implements lifecycle.Ledger.
func (s *Store) EnqueueRound(ctx context.Context, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		return enqueue(ctx, tx, jobs.Insert{Kind: lifecycle.JobCollect, Args: struct{}{}, Key: "scheduled " + lifecycle.JobCollect, MaxAttempts: 3}, now)
	})
}

// Stored implements lifecycle.Ledger.
func (s *Store) Stored(ctx context.Context) (lifecycle.Amount, error) {
	return s.amount(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM blobs`)
}

func (s *Store) amount(ctx context.Context, query string, args ...any) (a lifecycle.Amount, err error) {
	err = s.db.Read().QueryRow(ctx, query, args...).Scan(&a.Blobs, &a.Bytes)
	return a, err
}

// What is due, without doing it; the conditions are those of the steps.
const (
	dueBlob = ` FROM blobs WHERE review_at <= ? AND lease_until <= ? AND NOT ` + neededBlob

	dueCondemn = `SELECT COUNT(*), COALESCE(SUM(size), 0)` + dueBlob + ` AND (state = 'live' OR condemned_at IS NULL)`
	dueTrash   = `SELECT COUNT(*), COALESCE(SUM(size), 0)` + dueBlob + ` AND state <> 'live' AND condemned_at <= ?`
	duePurge   = `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM trash WHERE purge_at <= ?`

	countClearable = `SELECT COUNT(*) FROM versions WHERE deleted_at <= ?`
	countPackages  = `SELECT COUNT(*) FROM packages WHERE deleted_at <= ? AND purged_at IS NULL`
)

// Due implements lifecycle.Garbage.
func (s *Store) Due(ctx context.Context, now time.Time, t lifecycle.Times) (lifecycle.Due, error) {
	var d lifecycle.Due
	at, cutoff := toMicros(now), toMicros(now.Add(-t.Restore))
	errPackages := s.db.Read().QueryRow(ctx, countPackages, cutoff).Scan(&d.Packages)
	errVersions := s.db.Read().QueryRow(ctx, countClearable, cutoff).Scan(&d.Versions)
	var errCondemn, errTrash, errPurge error
	d.Condemn, errCondemn = s.amount(ctx, dueCondemn, at, at)
	d.Trash, errTrash = s.amount(ctx, dueTrash, at, at, at-t.Condemn.Microseconds())
	d.Purge, errPurge = s.amount(ctx, duePurge, at)
	return d, errors.Join(errPackages, errVersions, errCondemn, errTrash, errPurge)
}

// Waiting implements lifecycle.Records.
func (s *Store) Waiting(ctx context.Context) (condemned, trash lifecycle.Amount, err error) {
	condemned, err = s.amount(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM blobs WHERE review_at > 0 AND state = 'condemned'`)
	if err != nil {
		return condemned, trash, err
	}
	trash, err = s.amount(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM trash WHERE purge_at > 0`)
	return condemned, trash, err
}

const (
	receiptColumns = `SELECT id, kind, digest, size, location, reason, created_at, condemned_at, trashed_at, purged_at FROM receipts`

	allReceipts = receiptColumns + ` WHERE id < ? ORDER BY id DESC LIMIT ?`
	receiptsOf  = receiptColumns + ` WHERE digest = ? AND id < ? ORDER BY id DESC LIMIT ?`
)

func receipts(ctx context.Context, q database.Querier, query string, args ...any) ([]lifecycle.Receipt, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []lifecycle.Receipt{}
	for rows.Next() {
		var r lifecycle.Receipt
		var created, purged int64
		var condemned, trashed sql.NullInt64
		if err := rows.Scan(&r.ID, &r.Kind, &r.Digest, &r.Size, &r.Location, &r.Reason, &created, &condemned, &trashed, &purged); err != nil {
			return nil, err
		}
		r.CreatedAt, r.PurgedAt, r.CondemnedAt, r.TrashedAt = fromMicros(created), fromMicros(purged), optionalTime(condemned), optionalTime(trashed)
		list = append(list, r)
	}
	return list, rows.Err()
}
