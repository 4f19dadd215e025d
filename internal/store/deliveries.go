package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
)

var (
	_ hooks.Log   = (*Store)(nil)
	_ hooks.Queue = (*Store)(nil)
)

const deliveryColumns = `id, hook_id, guid, event, action, redelivery, state, attempts, next_at, status_code, error, duration, created_at, delivered_at`

func errNoDelivery() *errs.Error { return errs.New(errs.NotFound, "no such delivery") }

// scanDelivery scans deliveryColumns, and more.
func scanDelivery(row interface{ Scan(...any) error }, more ...any) (d hooks.Delivery, err error) {
	var redelivery, next, duration, created int64
	var delivered sql.NullInt64
	err = row.Scan(append([]any{
		&d.ID, &d.HookID, &d.GUID, &d.Event, &d.Action, &redelivery, &d.State, &d.Attempts, &next, &d.StatusCode, &d.Error, &duration, &created, &delivered,
	}, more...)...)
	d.Redelivery, d.Duration = redelivery != 0, time.Duration(duration)*time.Microsecond
	d.CreatedAt, d.DeliveredAt = fromMicros(created), optionalTime(delivered)
	if d.State == hooks.Pending {
		d.NextAt = fromMicros(next)
	}
	return d, err
}

// Deliveries implements hooks.Log.
func (s *Store) Deliveries(ctx context.Context, hookID int64, q hooks.DeliveryQuery) ([]hooks.Delivery, error) {
	before, redelivery := q.Before, int64(-1)
	if before == 0 {
		before = math.MaxInt64
	}
	if q.Redelivery != nil {
		redelivery = flag(*q.Redelivery)
	}
	rows, err := s.db.Read().Query(ctx, `SELECT `+deliveryColumns+` FROM deliveries
		WHERE hook_id = ? AND id < ? AND (CAST(? AS BIGINT) < 0 OR redelivery = ?)
			AND (CAST(? AS TEXT) = '' OR (state = 'delivered') = (CAST(? AS TEXT) = 'success'))
		ORDER BY id DESC LIMIT ?`, hookID, before, redelivery, redelivery, q.Status, q.Status, q.Limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []hooks.Delivery
	for rows.Next() {
		d, err := scanDelivery(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// Delivery implements hooks.Log.
func (s *Store) Delivery(ctx context.Context, hookID, id int64) (hooks.Delivery, error) {
	var payload, request, response, body string
	d, err := scanDelivery(s.db.Read().QueryRow(ctx, `SELECT `+deliveryColumns+`, payload, request_headers, response_headers, response_body
		FROM deliveries WHERE id = ? AND hook_id = ?`, id, hookID), &payload, &request, &response, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return d, errNoDelivery()
	}
	if err != nil {
		return d, err
	}
	d.Payload, d.ResponseBody = json.RawMessage(payload), body
	return d, errors.Join(json.Unmarshal([]byte(request), &d.RequestHeaders), json.Unmarshal([]byte(response), &d.ResponseHeaders))
}

// Redeliver implements hooks.Log.
func (s *Store) Redeliver(ctx context.Context, hookID, id int64, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		var again int64
		err := tx.QueryRow(ctx, `INSERT INTO deliveries (hook_id, guid, event, action, redelivery, payload, state, attempts, next_at,
				status_code, error, request_headers, response_headers, response_body, duration, created_at)
			SELECT hook_id, guid, event, action, 1, payload, 'pending', 0, ?, 0, '', '{}', '{}', '', 0, ? FROM deliveries
			WHERE id = ? AND hook_id = ? RETURNING id`, toMicros(now), toMicros(now), id, hookID).Scan(&again)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoDelivery()
		}
		if err != nil {
			return err
		}
		return enqueueDelivery(ctx, tx, again, now)
	})
}

// PendingDelivery implements hooks.Queue.
func (s *Store) PendingDelivery(ctx context.Context, id int64) (hookID int64, next time.Time, err error) {
	var at int64
	err = s.db.Read().QueryRow(ctx, `SELECT hook_id, next_at FROM deliveries WHERE id = ? AND state = 'pending'`, id).Scan(&hookID, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, errNoDelivery()
	}
	return hookID, fromMicros(at), err
}

// DueDelivery implements hooks.Queue.
func (s *Store) DueDelivery(ctx context.Context, hookID int64, now time.Time) (id int64, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT id FROM deliveries WHERE hook_id = ? AND state = 'pending' AND next_at <= ?
		ORDER BY id LIMIT 1`, hookID, toMicros(now)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// BeginAttempt implements hooks.Queue. Should a power cut take it back, the
// attempt is made again, as any may be.
func (s *Store) BeginAttempt(ctx context.Context, id int64, now, until time.Time) (a hooks.Attempt, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		var payload string
		d, err := scanDelivery(tx.QueryRow(ctx, `UPDATE deliveries SET attempts = attempts + 1, next_at = ?
			WHERE id = ? AND state = 'pending' AND next_at <= ? RETURNING `+deliveryColumns+`, payload`, toMicros(until), id, toMicros(now)), &payload)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoDelivery()
		}
		if err != nil {
			return err
		}
		d.Payload = json.RawMessage(payload)
		a = hooks.Attempt{Delivery: d}
		a.Hook, err = scanHook(tx.QueryRow(ctx, `SELECT `+hookColumns+`, h.secret`+hookTables+` WHERE h.id = ?`, d.HookID), &a.Secret)
		return err
	}, database.Relaxed)
	return a, err
}

// EndAttempt implements hooks.Queue.
func (s *Store) EndAttempt(ctx context.Context, r hooks.Result) error {
	request, err := encodeHeaders(r.RequestHeaders)
	if err != nil {
		return err
	}
	response, err := encodeHeaders(r.ResponseHeaders)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE deliveries SET state = ?, next_at = ?, status_code = ?, error = ?, request_headers = ?,
				response_headers = ?, response_body = ?, duration = ?, delivered_at = ?
			WHERE id = ? AND attempts = ? AND state = 'pending'`,
			string(r.State), toMicros(r.NextAt), r.StatusCode, r.Error, request, response, r.ResponseBody, r.Duration.Microseconds(), toMicros(r.At),
			r.ID, r.Attempt)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || r.RequestHeaders == nil { // nothing was sent
			return err
		}
		if r.State == hooks.Delivered {
			_, err = tx.Exec(ctx, `UPDATE hooks SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL`, r.HookID)
		} else {
			_, err = tx.Exec(ctx, `UPDATE hooks SET failing_since = ? WHERE id = ? AND failing_since IS NULL`, toMicros(r.At), r.HookID)
		}
		return err
	})
}

// StopHook implements hooks.Queue.
func (s *Store) StopHook(ctx context.Context, id int64, why hooks.StopReason, e audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE hooks SET active = 0, stopped = ? WHERE id = ? AND active = 1`, string(why), id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return record(ctx, tx, e)
	})
}

// ForgetDeliveries deletes up to n deliveries from before a time that are not
// pending, and returns how many those were.
func (s *Store) ForgetDeliveries(ctx context.Context, before time.Time, n int) (deleted int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM deliveries WHERE id IN (SELECT f.id FROM deliveries f
			WHERE f.created_at < ? AND f.state <> 'pending' ORDER BY f.created_at LIMIT ?)`, toMicros(before), n)
		if err == nil {
			deleted, err = res.RowsAffected()
		}
		return err
	})
	return deleted, err
}
