package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

const trashColumns = `id, digest, size, location, created_at, condemned_at, trashed_at, purge_at, purging`

// BeginPurge implements lifecycle.Garbage. An entry that was taken back is no row
// any more, and one that is purging cannot be: the row decides between the two.
// Should a blob be on record with these very bytes, they stay.
func (s *Store) BeginPurge(ctx context.Context, now time.Time, n int) ([]lifecycle.Trash, error) {
	var list []lifecycle.Trash
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		list = nil
		held, err := heldUp(ctx, tx, now)
		if err != nil || held {
			return err
		}
		ids, err := queryIDs(ctx, tx, `SELECT id FROM trash WHERE purge_at <= ? ORDER BY purge_at LIMIT ?`+s.skipLocked, toMicros(now), n)
		if err != nil {
			return err
		}
		for _, id := range ids {
			t, err := beginPurge(ctx, tx, id)
			if err == nil {
				list = append(list, t)
			} else if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		return nil
	})
	return list, err
}

func beginPurge(ctx context.Context, tx *database.Tx, id int64) (lifecycle.Trash, error) {
	const onRecord = `EXISTS (SELECT 1 FROM blobs b WHERE b.location = trash.location AND b.location <> '')`
	if _, err := tx.Exec(ctx, `DELETE FROM trash WHERE id = ? AND `+onRecord, id); err != nil {
		return lifecycle.Trash{}, err
	}
	return scanTrash(tx.QueryRow(ctx, `UPDATE trash SET purging = 1 WHERE id = ? AND NOT `+onRecord+` RETURNING `+trashColumns, id))
}

// heldUp reports whether nothing may be removed for good at the moment.
func heldUp(ctx context.Context, tx *database.Tx, now time.Time) (bool, error) {
	notes, err := notesOf(ctx, tx)
	if err != nil {
		return false, err
	}
	return notes[lifecycle.StopNote] != "" || notes.Quarantine().After(now), nil
}

func scanTrash(row interface{ Scan(...any) error }) (t lifecycle.Trash, err error) {
	var digest, location string
	var created, trashed, purge, purging int64
	var condemned sql.NullInt64
	if err := row.Scan(&t.ID, &digest, &t.Size, &location, &created, &condemned, &trashed, &purge, &purging); err != nil {
		return t, err
	}
	t.Location, t.Purging = blob.Location(location), purging != 0
	t.CreatedAt, t.CondemnedAt, t.TrashedAt, t.PurgeAt = fromMicros(created), optionalTime(condemned), fromMicros(trashed), fromMicros(purge)
	if digest != "" {
		t.Digest, err = oci.ParseDigest(digest)
	}
	return t, err
}

// EndPurge implements lifecycle.Garbage.
func (s *Store) EndPurge(ctx context.Context, list []lifecycle.Trash, now time.Time) ([]lifecycle.Trash, error) {
	var gone []lifecycle.Trash
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		gone = nil
		for _, t := range list {
			err := endPurge(ctx, tx, t, now)
			if err == nil {
				gone = append(gone, t)
			} else if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

// endPurge replaces one entry by its receipt; sql.ErrNoRows when it is not there.
func endPurge(ctx context.Context, tx *database.Tx, t lifecycle.Trash, now time.Time) error {
	var digest string
	var condemned sql.NullInt64
	err := tx.QueryRow(ctx, `DELETE FROM trash WHERE id = ? AND purging = 1 RETURNING digest, condemned_at`, t.ID).Scan(&digest, &condemned)
	if err != nil {
		return err
	}
	kind, reason := "blob", "no manifest needed it"
	if !condemned.Valid {
		kind, reason = "stray", "no blob on record had these bytes"
	}
	_, err = tx.Exec(ctx, `INSERT INTO receipts (kind, digest, size, location, reason, created_at, condemned_at, trashed_at, purged_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, kind, digest, t.Size, string(t.Location), reason,
		toMicros(t.CreatedAt), condemned, toMicros(t.TrashedAt), toMicros(now))
	return err
}

// DelayPurge implements lifecycle.Garbage.
func (s *Store) DelayPurge(ctx context.Context, id int64, until time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE trash SET purge_at = ? WHERE id = ?`, toMicros(until), id)
		return err
	})
}

const inTrash = `SELECT ` + trashColumns + ` FROM trash WHERE digest = ? ORDER BY id DESC`

// InTrash implements lifecycle.Records.
func (s *Store) InTrash(ctx context.Context, d oci.Digest) ([]lifecycle.Trash, error) {
	return trashOf(ctx, s.db.Read(), d)
}

func trashOf(ctx context.Context, q database.Querier, d oci.Digest) ([]lifecycle.Trash, error) {
	rows, err := q.Query(ctx, inTrash, d.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []lifecycle.Trash
	for rows.Next() {
		t, err := scanTrash(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// Undelete implements lifecycle.Records. Where the blob is on record again, as
// after another push, that one stays, and so do the bytes in the trash.
func (s *Store) Undelete(ctx context.Context, t lifecycle.Trash, leaseUntil time.Time, did audit.Entry) (int, error) {
	linked := 0
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		linked = 0
		var holders string
		var content []byte
		err := tx.QueryRow(ctx, `SELECT packages, content FROM trash WHERE id = ? AND purging = 0`+s.forUpdate, t.ID).Scan(&holders, &content)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "%s is not in the trash any more, or its removal has begun", t.Digest)
		}
		if err != nil {
			return err
		}
		if err := takeBack(ctx, tx, t, content, leaseUntil); err != nil {
			return err
		}
		if linked, err = linkHolders(ctx, tx, t.Digest, holders); err != nil {
			return err
		}
		return record(ctx, tx, did)
	})
	return linked, err
}

func takeBack(ctx context.Context, tx *database.Tx, t lifecycle.Trash, content []byte, leaseUntil time.Time) error {
	n, err := changed(tx.Exec(ctx, `INSERT INTO blobs (digest, size, location, state, lease_until, created_at, review_at)
		VALUES (?, ?, ?, 'live', ?, ?, ?) ON CONFLICT (digest) DO NOTHING`,
		t.Digest.String(), t.Size, string(t.Location), toMicros(leaseUntil), toMicros(t.CreatedAt), toMicros(leaseUntil)))
	if err != nil {
		return err
	}
	if n == 0 {
		return renewBlob(ctx, tx, t.Digest, leaseUntil)
	}
	if t.Location == "" {
		_, err = tx.Exec(ctx, `INSERT INTO blob_contents (digest, content) VALUES (?, ?)`, t.Digest.String(), content)
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `DELETE FROM trash WHERE id = ?`, t.ID)
	return err
}

// linkHolders has the packages hold the blob that are not purged.
func linkHolders(ctx context.Context, tx *database.Tx, d oci.Digest, holders string) (int, error) {
	var ids []int64
	if err := json.Unmarshal([]byte(holders), &ids); err != nil {
		return 0, err
	}
	linked := 0
	for _, id := range ids {
		n, err := changed(tx.Exec(ctx, `INSERT INTO package_blobs (package_id, digest)
			SELECT p.id, ? FROM packages p WHERE p.id = ? AND p.purged_at IS NULL ON CONFLICT DO NOTHING`, d.String(), id))
		if err != nil {
			return 0, err
		}
		linked += n
	}
	return linked, nil
}
