package store

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/hooks"
	"packhouse/internal/jobs"
)

// enqueue inserts a job in the transaction of the change that asks for it.
func enqueue(ctx context.Context, tx *database.Tx, j jobs.Insert, now time.Time) error {
	args, err := json.Marshal(j.Args)
	if err != nil {
		return err
	}
	var key any
	if j.Key != "" {
		key = j.Key
	}
	if j.RunAt.IsZero() {
		j.RunAt = now
	}
	_, err = tx.Exec(ctx, `INSERT INTO jobs (kind, args, key, state, priority, attempt, max_attempts, run_at, created_at)
		VALUES (?, ?, ?, 'available', ?, 0, ?, ?, ?)
		ON CONFLICT (key) WHERE key IS NOT NULL AND state IN ('available', 'running') DO NOTHING`,
		j.Kind, string(args), key, j.Priority, cmp.Or(j.MaxAttempts, jobs.DefaultAttempts), toMicros(j.RunAt), toMicros(now))
	return err
}

// emit records an event in the transaction that makes it happen, if the owner
// of the package has any hook that could want it.
func emit(ctx context.Context, tx *database.Tx, e hooks.Event) error {
	args, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO jobs (kind, args, state, priority, attempt, max_attempts, run_at, created_at)
		SELECT ?, ?, 'available', 0, 0, ?, ?, ?
		WHERE EXISTS (SELECT 1 FROM packages p JOIN hooks h ON h.owner_id = p.owner_id AND h.active = 1 WHERE p.id = ?)`,
		hooks.JobEvent, string(args), jobs.DefaultAttempts, toMicros(e.At), toMicros(e.At), e.PackageID)
	return err
}
