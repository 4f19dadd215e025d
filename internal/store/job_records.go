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
	"packhouse/internal/jobs"
)

const jobColumns = `id, kind, args, COALESCE(key, ''), state, priority, attempt, max_attempts, uncounted, run_at,
	COALESCE(lease_until, 0), node, progress, error, created_at, COALESCE(started_at, 0), COALESCE(ended_at, 0)`

// scanJobs reads rows of jobColumns to the end and closes them.
func scanJobs(rows *sql.Rows) ([]jobs.Job, error) {
	defer rows.Close()
	var list []jobs.Job
	for rows.Next() {
		var j jobs.Job
		var args, progress string
		var runAt, lease, created, started, ended int64
		err := rows.Scan(&j.ID, &j.Kind, &args, &j.Key, &j.State, &j.Priority, &j.Attempt, &j.MaxAttempts, &j.Uncounted, &runAt,
			&lease, &j.Node, &progress, &j.Error, &created, &started, &ended)
		if err != nil {
			return nil, err
		}
		j.Args = json.RawMessage(args)
		if progress != "" {
			j.Progress = json.RawMessage(progress)
		}
		j.RunAt, j.CreatedAt = fromMicros(runAt), fromMicros(created)
		j.LeaseUntil, j.StartedAt, j.EndedAt = orNever(lease), orNever(started), orNever(ended)
		list = append(list, j)
	}
	return list, rows.Err()
}

// orNever is fromMicros with the zero time for 0.
func orNever(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return fromMicros(us)
}

// InsertJob implements jobs.Records.
func (s *Store) InsertJob(ctx context.Context, j jobs.Insert, now time.Time) (id int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		id, err = insertJob(ctx, tx, j, now)
		return err
	})
	return id, err
}

// JobByID implements jobs.Records.
func (s *Store) JobByID(ctx context.Context, id int64) (jobs.Job, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id = ?`, id)
	if err != nil {
		return jobs.Job{}, err
	}
	list, err := scanJobs(rows)
	if err == nil && len(list) == 0 {
		err = noJob(id)
	}
	if err != nil {
		return jobs.Job{}, err
	}
	return list[0], nil
}

func noJob(id int64) error { return errs.New(errs.NotFound, "no job %d", id) }

// JobsBy implements jobs.Records.
func (s *Store) JobsBy(ctx context.Context, f jobs.Filter, n int) ([]jobs.Job, error) {
	before := f.Before
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.Read().Query(ctx, `SELECT `+jobColumns+` FROM jobs
		WHERE id < ? AND (? = '' OR state = ?) AND (? = '' OR kind = ?) ORDER BY id DESC LIMIT ?`,
		before, string(f.State), string(f.State), f.Kind, f.Kind, n)
	if err != nil {
		return nil, err
	}
	return scanJobs(rows)
}

// WaitingJobs implements jobs.Records.
func (s *Store) WaitingJobs(ctx context.Context) (map[string]int64, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT kind, COUNT(*) FROM jobs WHERE state = 'available' GROUP BY kind`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := map[string]int64{}
	for rows.Next() {
		var kind string
		var n int64
		if err := rows.Scan(&kind, &n); err != nil {
			return nil, err
		}
		counts[kind] = n
	}
	return counts, rows.Err()
}

// RetryJob implements jobs.Records.
func (s *Store) RetryJob(ctx context.Context, id int64, e audit.Entry) error {
	err := s.changeJob(ctx, id, e, "is running or done", func(ctx context.Context, tx *database.Tx) (sql.Result, error) {
		now := toMicros(e.At)
		return tx.Exec(ctx, `UPDATE jobs SET state = 'available', run_at = CASE WHEN lease_until > ? THEN lease_until ELSE CAST(? AS BIGINT) END,
				lease_until = NULL, uncounted = attempt, ended_at = NULL
			WHERE id = ? AND state IN ('available', 'failed', 'cancelled')`, now, now, id)
	})
	if database.IsUnique(err) {
		return errs.New(errs.Conflict, "the work of job %d waits or runs in another job", id)
	}
	return err
}

// CancelJob implements jobs.Records.
func (s *Store) CancelJob(ctx context.Context, id int64, e audit.Entry) error {
	return s.changeJob(ctx, id, e, "has ended", func(ctx context.Context, tx *database.Tx) (sql.Result, error) {
		// Until the lease is over its worker may not know; a retry waits for that.
		return tx.Exec(ctx, `UPDATE jobs SET state = 'cancelled', ended_at = ?
			WHERE id = ? AND state IN ('available', 'running')`, toMicros(e.At), id)
	})
}

// changeJob does what an order asks for; refusal says why it changed nothing.
func (s *Store) changeJob(ctx context.Context, id int64, e audit.Entry, refusal string,
	do func(ctx context.Context, tx *database.Tx) (sql.Result, error),
) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		ok, err := jobChanged(do(ctx, tx))
		if err != nil || ok {
			return err
		}
		var there int64
		err = tx.QueryRow(ctx, `SELECT id FROM jobs WHERE id = ?`, id).Scan(&there)
		if errors.Is(err, sql.ErrNoRows) {
			return noJob(id)
		}
		if err != nil {
			return err
		}
		return errs.New(errs.Conflict, "job %d %s", id, refusal)
	})
}

// SweepJobs implements jobs.Records.
func (s *Store) SweepJobs(ctx context.Context, completed bool, before time.Time, n int) (swept int64, err error) {
	states := []any{string(jobs.Failed), string(jobs.Cancelled)}
	if completed {
		states = []any{string(jobs.Completed), string(jobs.Completed)}
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM jobs WHERE id IN (SELECT id FROM jobs
			WHERE state IN (?, ?) AND ended_at IS NOT NULL AND ended_at < ? LIMIT ?)`, append(states, toMicros(before), n)...)
		if err != nil {
			return err
		}
		swept, err = res.RowsAffected()
		return err
	})
	return swept, err
}

// PlanWork implements jobs.Calendar.
func (s *Store) PlanWork(ctx context.Context, name string, now, latest time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO schedules (name, due_at) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET due_at = ? WHERE schedules.due_at > ?`,
			name, toMicros(now), toMicros(latest), toMicros(latest))
		return err
	})
}

// InsertDueWork implements jobs.Calendar.
func (s *Store) InsertDueWork(ctx context.Context, name string, due, next time.Time, j jobs.Insert, now time.Time) (first bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		first, err = jobChanged(tx.Exec(ctx, `UPDATE schedules SET due_at = ? WHERE name = ? AND due_at = ?`, toMicros(next), name, toMicros(due)))
		if err != nil || !first {
			return err
		}
		return enqueue(ctx, tx, j, now)
	})
	return first, err
}
