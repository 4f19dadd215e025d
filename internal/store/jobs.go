package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/jobs"
)

var (
	_ jobs.Store    = (*Store)(nil)
	_ jobs.Calendar = (*Store)(nil)
	_ jobs.Records  = (*Store)(nil)
)

// dueQuery steps from the first waiting job of one kind and priority to that of
// the next, so it reads a row for each of them, however many wait.
const dueQuery = `SELECT 'job', kind, priority FROM (
		WITH RECURSIVE head (id, kind, priority, run_at) AS (
			SELECT id, kind, priority, run_at FROM (SELECT id, kind, priority, run_at FROM jobs
				WHERE state = 'available' ORDER BY kind, priority, run_at, id LIMIT 1) first
			UNION ALL
			SELECT j.id, j.kind, j.priority, j.run_at FROM head JOIN jobs j ON j.id = COALESCE(
				(SELECT n.id FROM jobs n WHERE n.state = 'available' AND n.kind = head.kind AND n.priority > head.priority
					ORDER BY n.kind, n.priority, n.run_at, n.id LIMIT 1),
				(SELECT n.id FROM jobs n WHERE n.state = 'available' AND n.kind > head.kind
					ORDER BY n.kind, n.priority, n.run_at, n.id LIMIT 1))
		) SELECT kind, priority FROM head WHERE run_at <= ?) due
	UNION ALL SELECT 'lease', '', 0 WHERE EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND lease_until < ?)
	UNION ALL SELECT 'work', name, due_at FROM schedules WHERE due_at <= ?`

// DueJobs implements jobs.Store.
func (s *Store) DueJobs(ctx context.Context, now time.Time) (jobs.Due, error) {
	at := toMicros(now)
	rows, err := s.db.Read().Query(ctx, dueQuery, at, at, at)
	if err != nil {
		return jobs.Due{}, err
	}
	defer rows.Close()
	due := jobs.Due{Work: map[string]time.Time{}}
	for rows.Next() {
		var what, name string
		var number int64
		if err := rows.Scan(&what, &name, &number); err != nil {
			return jobs.Due{}, err
		}
		switch what {
		case "job":
			due.Lines = append(due.Lines, jobs.Line{Kind: name, Priority: int(number)})
		case "lease":
			due.Expired = true
		default:
			due.Work[name] = fromMicros(number)
		}
	}
	slices.SortStableFunc(due.Lines, func(a, b jobs.Line) int { return cmp.Compare(a.Priority, b.Priority) })
	return due, rows.Err()
}

// StartJobs implements jobs.Store.
func (s *Store) StartJobs(ctx context.Context, l jobs.Line, n int, node string, now, lease time.Time) ([]jobs.Job, error) {
	var list []jobs.Job
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		list = nil
		ids, err := queryIDs(ctx, tx, `SELECT id FROM jobs WHERE kind = ? AND priority = ? AND state = 'available' AND run_at <= ?
			ORDER BY run_at, id LIMIT ?`+s.skipLocked, l.Kind, l.Priority, toMicros(now), n)
		if err != nil || len(ids) == 0 {
			return err
		}
		args := []any{node, toMicros(lease), toMicros(now)}
		for _, id := range ids {
			args = append(args, id)
		}
		rows, err := tx.Query(ctx, `UPDATE jobs SET state = 'running', attempt = attempt + 1, node = ?, lease_until = ?, started_at = ?
			WHERE id IN (`+marks(len(ids))+`) RETURNING `+jobColumns, args...)
		if err != nil {
			return err
		}
		list, err = scanJobs(rows)
		return err
	})
	slices.SortFunc(list, func(a, b jobs.Job) int { return cmp.Or(a.RunAt.Compare(b.RunAt), cmp.Compare(a.ID, b.ID)) })
	return list, err
}

// RenewJobs implements jobs.Store.
func (s *Store) RenewJobs(ctx context.Context, held []jobs.Held, lease time.Time) ([]jobs.Held, error) {
	var kept []jobs.Held
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		kept = nil
		for _, h := range held {
			ok, err := jobChanged(tx.Exec(ctx, `UPDATE jobs SET lease_until = ?
				WHERE id = ? AND attempt = ? AND node = ? AND state = 'running'`, toMicros(lease), h.ID, h.Attempt, h.Node))
			if err != nil {
				return err
			}
			if ok {
				kept = append(kept, h)
			}
		}
		return nil
	}, database.Relaxed)
	return kept, err
}

// ReportJob implements jobs.Store.
func (s *Store) ReportJob(ctx context.Context, h jobs.Held, progress json.RawMessage) (held bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		held, err = jobChanged(tx.Exec(ctx, `UPDATE jobs SET progress = ?
			WHERE id = ? AND attempt = ? AND node = ? AND state = 'running'`, string(progress), h.ID, h.Attempt, h.Node))
		return err
	}, database.Relaxed)
	return held, err
}

// EndJob implements jobs.Store.
func (s *Store) EndJob(ctx context.Context, h jobs.Held, e jobs.End) (held bool, err error) {
	var runAt, endedAt any
	if e.State == jobs.Available {
		runAt = toMicros(e.RunAt)
	} else {
		endedAt = toMicros(e.At)
	}
	uncounted := 0
	if e.Uncounted {
		uncounted = 1
	}
	var progress any
	if e.Progress != nil {
		progress = string(e.Progress)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		held, err = jobChanged(tx.Exec(ctx, `UPDATE jobs SET state = ?, run_at = COALESCE(?, run_at), ended_at = ?, error = ?,
				progress = COALESCE(?, progress), uncounted = uncounted + ?, lease_until = NULL
			WHERE id = ? AND attempt = ? AND node = ? AND state = 'running'`,
			string(e.State), runAt, endedAt, e.Error, progress, uncounted, h.ID, h.Attempt, h.Node))
		return err
	})
	return held, err
}

// RecoverJobs implements jobs.Store.
func (s *Store) RecoverJobs(ctx context.Context, now time.Time) (n int64, err error) {
	at := toMicros(now)
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE jobs SET lease_until = NULL, run_at = ?, error = 'the node stopped in the middle of it',
				state = CASE WHEN attempt - uncounted < max_attempts THEN 'available' ELSE 'failed' END,
				ended_at = CASE WHEN attempt - uncounted < max_attempts THEN NULL ELSE CAST(? AS BIGINT) END
			WHERE state = 'running' AND lease_until < ?`, at, at, at)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// jobChanged reports whether a statement changed a row.
func jobChanged(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
