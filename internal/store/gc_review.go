package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
)

var _ lifecycle.Garbage = (*Store)(nil)

// How the collector and a push meet, on PostgreSQL under READ COMMITTED, where
// each statement sees what was committed before it began:
//
// Whoever decides about a blob holds its row until the commit. Review locks the
// rows that are due and passes by those that others hold; only then, in further
// statements, does it look for edges. A push holds the rows of all its parts
// (renewParts, checkParts) before it writes edges, and whoever takes a manifest
// away holds the rows of its blobs (releaseBlobs) before the edges go. So an
// edge cannot come or go between the look and the commit.
//
// A promise is a lease in the row itself. The statements that condemn and trash
// name the lease in their conditions, and it cannot change under the lock.
//
// Locks are taken in one order: blobs, manifests, versions.
const dueBlobs = `SELECT digest FROM blobs WHERE review_at <= ? ORDER BY review_at LIMIT ?`

// Review implements lifecycle.Garbage.
func (s *Store) Review(ctx context.Context, now time.Time, t lifecycle.Times, n int) (lifecycle.Reviewed, error) {
	var r lifecycle.Reviewed
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		r = lifecycle.Reviewed{}
		due, err := queryNames(ctx, tx, dueBlobs+s.skipLocked, toMicros(now), n)
		if err != nil {
			return err
		}
		r.Looked = len(due)
		return inLists(due, func(marks string, digests []any) error {
			return s.review(ctx, tx, now, t, marks, digests, &r)
		})
	})
	return r, err
}

// The decisions, in this order; each leaves the blobs of the others alone. A
// condemned blob whose wait is not over was made due early, and waits on.
const (
	neededBlob = `EXISTS (SELECT 1 FROM edges e WHERE e.child = blobs.digest AND e.kind = 'blob')`

	keepNeeded = `UPDATE blobs SET review_at = NULL, condemned_at = NULL,
			state = CASE state WHEN 'condemned' THEN 'live' ELSE state END
		WHERE review_at <= ? AND ` + neededBlob + ` AND digest IN (`
	postponePromised = `UPDATE blobs SET review_at = lease_until, condemned_at = NULL,
			state = CASE state WHEN 'condemned' THEN 'live' ELSE state END
		WHERE review_at <= ? AND lease_until > ? AND digest IN (`
	waitOn = `UPDATE blobs SET review_at = condemned_at + ?
		WHERE review_at <= ? AND state <> 'live' AND condemned_at > ? AND digest IN (`
	condemnedAlready = `SELECT digest FROM blobs WHERE review_at <= ? AND state <> 'live' AND condemned_at IS NOT NULL AND digest IN (`
	condemnUnneeded  = `UPDATE blobs SET review_at = ?, condemned_at = ?,
			state = CASE state WHEN 'live' THEN 'condemned' ELSE state END
		WHERE review_at <= ? AND lease_until <= ? AND NOT ` + neededBlob + ` AND digest IN (`
)

func (s *Store) review(ctx context.Context, tx *database.Tx, now time.Time, t lifecycle.Times, marks string, digests []any, r *lifecycle.Reviewed) error {
	at, condemn := toMicros(now), t.Condemn.Microseconds()
	kept, err := changed(tx.Exec(ctx, keepNeeded+marks+`)`, append([]any{at}, digests...)...))
	if err != nil {
		return err
	}
	postponed, err := changed(tx.Exec(ctx, postponePromised+marks+`)`, append([]any{at, at}, digests...)...))
	if err != nil {
		return err
	}
	waiting, err := changed(tx.Exec(ctx, waitOn+marks+`)`, append([]any{condemn, at, at - condemn}, digests...)...))
	if err != nil {
		return err
	}
	r.Kept += kept
	r.Postponed += postponed + waiting
	over, err := queryNames(ctx, tx, condemnedAlready+marks+`)`, append([]any{at}, digests...)...)
	if err != nil {
		return err
	}
	for _, digest := range over {
		size, err := trashBlob(ctx, tx, digest, now, t)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		r.Trashed.Blobs++
		r.Trashed.Bytes += size
	}
	sizes := map[string]int64{}
	err = scanSizes(ctx, tx, condemnUnneeded+marks+`) RETURNING digest, size`,
		append([]any{at + condemn, at, at, at}, digests...), sizes)
	for _, size := range sizes {
		r.Condemned.Blobs++
		r.Condemned.Bytes += size
	}
	return err
}

// changed returns how many rows a statement changed.
func changed(res sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// maxNoted is how many of the packages that hold a blob its trash remembers: some
// blobs, such as an empty config, are held by most.
const maxNoted = 10_000

// trashBlob moves a blob, whose row the transaction holds and which the
// statements before left over, to the trash; sql.ErrNoRows when a condition fails. From then on it is absent for
// pushes: the next one brings bytes of its own.
func trashBlob(ctx context.Context, tx *database.Tx, digest string, now time.Time, t lifecycle.Times) (int64, error) {
	ids, err := queryIDs(ctx, tx, `SELECT package_id FROM package_blobs WHERE digest = ? ORDER BY package_id DESC LIMIT ?`, digest, maxNoted)
	if err != nil {
		return 0, err
	}
	holders, err := json.Marshal(append([]int64{}, ids...))
	if err != nil {
		return 0, err
	}
	at := toMicros(now)
	var size int64
	err = tx.QueryRow(ctx, `INSERT INTO trash (digest, size, location, content, packages, created_at, condemned_at, trashed_at, purge_at)
		SELECT b.digest, b.size, b.location, c.content, ?, b.created_at, b.condemned_at, ?, ?
		FROM blobs b LEFT JOIN blob_contents c ON c.digest = b.digest
		WHERE b.digest = ? AND b.state IN ('condemned', 'suspect') AND b.condemned_at <= ? AND b.lease_until <= ?
			AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.child = b.digest AND e.kind = 'blob')
		RETURNING size`, string(holders), at, at+t.Trash.Microseconds(), digest, at-t.Condemn.Microseconds(), at).Scan(&size)
	if err != nil {
		return 0, err
	}
	return size, forgetBlob(ctx, tx, digest)
}

// forgetBlob removes the rows of a blob.
func forgetBlob(ctx context.Context, tx *database.Tx, digest string) error {
	for _, statement := range []string{
		`DELETE FROM package_blobs WHERE digest = ?`,
		`DELETE FROM blob_contents WHERE digest = ?`,
		`DELETE FROM blobs WHERE digest = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, digest); err != nil {
			return err
		}
	}
	return nil
}
