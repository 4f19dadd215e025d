package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

var (
	_ lifecycle.BlobRecords   = (*Store)(nil)
	_ lifecycle.ObjectRecords = (*Store)(nil)
	_ registry.Damages        = (*Store)(nil)
)

const blobRecordQuery = `SELECT b.digest, b.size, b.location, b.state, COALESCE(length(c.content), -1)
	FROM blobs b LEFT JOIN blob_contents c ON c.digest = b.digest `

// BlobsAfter implements lifecycle.BlobRecords.
func (s *Store) BlobsAfter(ctx context.Context, after string, n int) ([]lifecycle.BlobRecord, error) {
	rows, err := s.db.Read().Query(ctx, blobRecordQuery+`WHERE b.digest > ? ORDER BY b.digest LIMIT ?`, after, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []lifecycle.BlobRecord
	for rows.Next() {
		b, err := scanBlobRecord(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

// BlobRecord implements lifecycle.BlobRecords.
func (s *Store) BlobRecord(ctx context.Context, d oci.Digest) (lifecycle.BlobRecord, bool, error) {
	b, err := scanBlobRecord(s.db.Read().QueryRow(ctx, blobRecordQuery+`WHERE b.digest = ?`, d.String()))
	if errors.Is(err, sql.ErrNoRows) {
		return b, false, nil
	}
	return b, err == nil, err
}

func scanBlobRecord(row database.Row) (b lifecycle.BlobRecord, err error) {
	var digest, state string
	if err := row.Scan(&digest, &b.Size, &b.Location, &state, &b.ContentSize); err != nil {
		return b, err
	}
	b.Suspect = state == "suspect"
	b.Digest, err = oci.ParseDigest(digest)
	return b, err
}

// MarkSuspect implements lifecycle.BlobRecords.
func (s *Store) MarkSuspect(ctx context.Context, b lifecycle.BlobRecord, e audit.Entry) (marked bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		marked, err = didChange(tx.Exec(ctx, `UPDATE blobs SET state = 'suspect', verified_at = ?
			WHERE digest = ? AND location = ? AND state IN ('live', 'condemned')`, toMicros(e.At), b.Digest.String(), string(b.Location)))
		if err != nil || !marked {
			return err
		}
		return record(ctx, tx, e)
	})
	return marked, err
}

// NoteDamaged implements registry.Damages.
func (s *Store) NoteDamaged(ctx context.Context, b registry.Blob, why string, now time.Time) error {
	_, err := s.MarkSuspect(ctx, lifecycle.BlobRecord{Digest: b.Digest, Location: b.Location}, audit.Entry{
		At: now, Actor: audit.Server, Action: "blob.suspect", Target: b.Digest.String(),
		Detail: map[string]any{"detail": why, "location": string(b.Location), "size": b.Size},
	})
	return err
}

// MarkVerified implements lifecycle.BlobRecords. What was suspect is reviewed:
// meanwhile nobody could say that it is needed.
func (s *Store) MarkVerified(ctx context.Context, list []lifecycle.BlobRecord, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for _, b := range list {
			_, err := tx.Exec(ctx, `UPDATE blobs SET verified_at = ?, review_at = CASE WHEN state = 'suspect' THEN ? ELSE review_at END,
					condemned_at = CASE WHEN state = 'suspect' THEN NULL ELSE condemned_at END,
					state = CASE WHEN state = 'suspect' THEN 'live' ELSE state END
				WHERE digest = ? AND location = ?`, toMicros(at), toMicros(at), b.Digest.String(), string(b.Location))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// RecordedLocations implements lifecycle.ObjectRecords.
func (s *Store) RecordedLocations(ctx context.Context, list []blob.Location) (map[blob.Location]bool, error) {
	texts := make([]string, len(list))
	for i, l := range list {
		texts[i] = string(l)
	}
	known := map[blob.Location]bool{}
	for _, query := range []string{
		`SELECT location FROM blobs WHERE location <> '' AND location IN (`,
		`SELECT location FROM trash WHERE location <> '' AND location IN (`,
	} {
		err := inLists(texts, func(marks string, list []any) error {
			found, err := queryNames(ctx, s.db.Read(), query+marks+`)`, list...)
			for _, l := range found {
				known[blob.Location(l)] = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// TrashStray implements lifecycle.ObjectRecords. It and Adopt take turns by the
// row of the trash.
func (s *Store) TrashStray(ctx context.Context, p blob.Published, now, purgeAt time.Time) (trashed bool, err error) {
	digest := ""
	if !p.Digest.IsZero() {
		digest = p.Digest.String()
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		trashed, err = didChange(tx.Exec(ctx, `INSERT INTO trash (digest, size, location, packages, created_at, trashed_at, purge_at)
			VALUES (?, ?, ?, '[]', ?, ?, ?) ON CONFLICT DO NOTHING`,
			digest, p.Size, string(p.Location), toMicros(p.ModifiedAt), toMicros(now), toMicros(purgeAt)))
		if err != nil || !trashed {
			return err
		}
		var needed string
		err := tx.QueryRow(ctx, `SELECT digest FROM blobs WHERE location <> '' AND location = ?`, string(p.Location)).Scan(&needed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		trashed = false // it was put on record since it was looked up
		_, err = tx.Exec(ctx, `DELETE FROM trash WHERE location <> '' AND location = ?`, string(p.Location))
		return err
	})
	return trashed, err
}

// Adopt implements lifecycle.ObjectRecords.
func (s *Store) Adopt(ctx context.Context, a lifecycle.Adoption) (adopted bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		adopted = false
		// The row keeps a TrashStray away until the end of the transaction.
		taken, err := didChange(tx.Exec(ctx, `INSERT INTO trash (digest, size, location, packages, created_at, trashed_at, purge_at, purging)
			VALUES (?, ?, ?, '[]', ?, ?, ?, 1) ON CONFLICT DO NOTHING`,
			a.Digest.String(), a.Size, string(a.Location), toMicros(a.Now), toMicros(a.Now), toMicros(a.LeaseUntil)))
		if err != nil || !taken {
			return err
		}
		adopted, err = didChange(tx.Exec(ctx, `INSERT INTO blobs (digest, size, location, state, lease_until, review_at, created_at, verified_at)
			VALUES (?, ?, ?, 'live', ?, ?, ?, ?)
			ON CONFLICT (digest) DO UPDATE SET size = excluded.size, location = excluded.location, state = 'live',
				review_at = excluded.review_at, verified_at = excluded.verified_at, condemned_at = NULL,
				lease_until = CASE WHEN blobs.lease_until > excluded.lease_until THEN blobs.lease_until ELSE excluded.lease_until END
			WHERE blobs.state = 'suspect' OR blobs.location = ? AND blobs.location <> ''`,
			a.Digest.String(), a.Size, string(a.Location), toMicros(a.LeaseUntil), toMicros(a.LeaseUntil), toMicros(a.Now), toMicros(a.Now),
			string(a.Broken)))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM trash WHERE location <> '' AND location = ?`, string(a.Location)); err != nil || !adopted {
			return err
		}
		return record(ctx, tx, a.Entry)
	})
	return adopted, err
}

// didChange reports whether a statement changed a row.
func didChange(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
