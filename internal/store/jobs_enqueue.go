package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/hooks"
	"packhouse/internal/jobs"
)

// enqueue inserts a job in the transaction of the change that asks for it.
func enqueue(ctx context.Context, tx *database.Tx, j jobs.Insert, now time.Time) error {
	_, err := insertJob(ctx, tx, j, now)
	return err
}

// insertJob is enqueue with the id of the new job, or of the one that has the key.
func insertJob(ctx context.Context, tx *database.Tx, j jobs.Insert, now time.Time) (id int64, err error) {
	args, err := json.Marshal(j.Args)
	if err != nil {
		return 0, err
	}
	var key any
	if j.Key != "" {
		key = j.Key
	}
	if j.RunAt.IsZero() {
		j.RunAt = now
	}
	err = tx.QueryRow(ctx, `INSERT INTO jobs (kind, args, key, state, priority, attempt, max_attempts, run_at, created_at)
		VALUES (?, ?, ?, 'available', ?, 0, ?, ?, ?)
		ON CONFLICT (key) WHERE key IS NOT NULL AND state IN ('available', 'running') DO NOTHING RETURNING id`,
		j.Kind, string(args), key, j.Priority, cmp.Or(j.MaxAttempts, jobs.DefaultAttempts), toMicros(j.RunAt), toMicros(now)).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	err = tx.QueryRow(ctx, `SELECT id FROM jobs WHERE key = ? AND key IS NOT NULL AND state IN ('available', 'running')`, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, database.ErrRetry // it ended at this moment
	}
	return id, err
}

// emit records an event in the transaction that makes it happen, if the owner
// of the package has any hook that could want it.
func emit(ctx context.Context, tx *database.Tx, e hooks.Event) error {
	return emitAll(ctx, tx, []hooks.Event{e})
}

// emitAll is emit for several events of one package. When nobody has a hook it
// costs one EXISTS, however many there are.
func emitAll(ctx context.Context, tx *database.Tx, list []hooks.Event) error {
	for _, e := range list {
		args, err := json.Marshal(e)
		if err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `INSERT INTO jobs (kind, args, state, priority, attempt, max_attempts, run_at, created_at)
			SELECT ?, ?, 'available', 0, 0, ?, ?, ?
			WHERE EXISTS (SELECT 1 FROM packages p JOIN hooks h ON h.owner_id = p.owner_id AND h.active = 1 WHERE p.id = ?)`,
			hooks.JobEvent, string(args), jobs.DefaultAttempts, toMicros(e.At), toMicros(e.At), e.PackageID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
	}
	return nil
}
