package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// CommitBlob implements registry.Commits.
func (s *Store) CommitBlob(ctx context.Context, c *registry.BlobCommit) (blob.Location, error) {
	var used string
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		id, err := s.ensurePackage(ctx, tx, c.Into, c.Now)
		if err != nil {
			return err
		}
		used, err = keepBlob(ctx, tx, c)
		if err != nil {
			return err
		}
		if used == "" && c.Location == "" { // else what the database has stays
			if err := keepContent(ctx, tx, c); err != nil {
				return err
			}
		}
		return linkBlob(ctx, tx, id, c)
	})
	return blob.Location(used), err
}

// keepBlob puts the blob on record, promised until c.LeaseUntil, and returns where
// its bytes are. What lies elsewhere already stays, unless it is damaged.
func keepBlob(ctx context.Context, tx *database.Tx, c *registry.BlobCommit) (used string, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO blobs (digest, size, location, state, lease_until, created_at, review_at)
		VALUES (?, ?, ?, 'live', ?, ?, ?)
		ON CONFLICT (digest) DO UPDATE SET
			location = CASE WHEN blobs.location <> ? THEN blobs.location ELSE excluded.location END,
			size = excluded.size, state = 'live', condemned_at = NULL,
			review_at = CASE WHEN blobs.review_at IS NULL THEN NULL ELSE excluded.review_at END,
			lease_until = CASE WHEN blobs.lease_until > excluded.lease_until
				THEN blobs.lease_until ELSE excluded.lease_until END
		WHERE blobs.state IN ('live', 'condemned')
		RETURNING location`,
		c.Digest.String(), c.Size, string(c.Location), toMicros(c.LeaseUntil), toMicros(c.Now), toMicros(c.LeaseUntil), brokenLocation(c)).
		Scan(&used)
	if errors.Is(err, sql.ErrNoRows) { // its row, which this transaction now holds, has damaged bytes
		return replaceDamaged(ctx, tx, c)
	}
	return used, err
}

// damagedKept is how long damaged bytes that were replaced can still be looked at.
const damagedKept = 7 * 24 * time.Hour

// replaceDamaged gives the blob the new bytes and puts the old ones in the trash.
func replaceDamaged(ctx context.Context, tx *database.Tx, c *registry.BlobCommit) (used string, err error) {
	digest := c.Digest.String()
	_, err = tx.Exec(ctx, `INSERT INTO trash (digest, size, location, content, packages, created_at, trashed_at, purge_at)
		SELECT b.digest, b.size, b.location, k.content, '[]', b.created_at, ?, ?
		FROM blobs b LEFT JOIN blob_contents k ON k.digest = b.digest WHERE b.digest = ?
		ON CONFLICT DO NOTHING`, toMicros(c.Now), toMicros(c.Now.Add(damagedKept)), digest)
	if err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM blob_contents WHERE digest = ?`, digest); err != nil {
		return "", err
	}
	err = tx.QueryRow(ctx, `UPDATE blobs SET location = ?, size = ?, state = 'live', lease_until = ?, condemned_at = NULL, verified_at = NULL,
			review_at = CASE WHEN review_at IS NOT NULL THEN CAST(? AS BIGINT) END
		WHERE digest = ? RETURNING location`,
		string(c.Location), c.Size, toMicros(c.LeaseUntil), toMicros(c.LeaseUntil), digest).Scan(&used)
	return used, err
}

// brokenLocation returns a location that the statement may overwrite; one that
// no row has when there is none.
func brokenLocation(c *registry.BlobCommit) string {
	if c.Replaces != "" {
		return string(c.Replaces)
	}
	return "-"
}

// keepContent also replaces bytes that were damaged.
func keepContent(ctx context.Context, tx *database.Tx, c *registry.BlobCommit) error {
	content := c.Content
	if content == nil {
		content = []byte{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO blob_contents (digest, content) VALUES (?, ?)
		ON CONFLICT (digest) DO UPDATE SET content = excluded.content WHERE blob_contents.content <> excluded.content`,
		c.Digest.String(), content)
	return err
}

func linkBlob(ctx context.Context, tx *database.Tx, packageID int64, c *registry.BlobCommit) error {
	_, err := tx.Exec(ctx, `INSERT INTO package_blobs (package_id, digest) VALUES (?, ?) ON CONFLICT DO NOTHING`,
		packageID, c.Digest.String())
	if err != nil || c.Session == "" {
		return err
	}
	return endSession(ctx, tx, c.Session, c.Epoch)
}

// MountBlob implements registry.Commits.
func (s *Store) MountBlob(ctx context.Context, c *registry.BlobCommit) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		// In the order of CommitBlob, so that two of them never wait for each other.
		id, err := s.ensurePackage(ctx, tx, c.Into, c.Now)
		if err != nil {
			return err
		}
		if err := s.promiseBlob(ctx, tx, c); err != nil {
			return err
		}
		return linkBlob(ctx, tx, id, c)
	})
}

// RenewBlob implements registry.Commits.
func (s *Store) RenewBlob(ctx context.Context, d oci.Digest, until time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		return renewBlob(ctx, tx, d, until)
	})
}

// promiseBlob is renewBlob where the promise has run down by half. One that has
// not is as good, as long as the row is held: many mount the same blob.
func (s *Store) promiseBlob(ctx context.Context, tx *database.Tx, c *registry.BlobCommit) error {
	rundown := c.Now.Add(c.LeaseUntil.Sub(c.Now) / 2)
	var held string
	err := tx.QueryRow(ctx, `SELECT digest FROM blobs WHERE digest = ? AND state = 'live' AND lease_until >= ?`+s.forShare,
		c.Digest.String(), toMicros(rundown)).Scan(&held)
	if errors.Is(err, sql.ErrNoRows) {
		return renewBlob(ctx, tx, c.Digest, c.LeaseUntil)
	}
	return err
}

// renewBlob also takes back what was condemned. A blob that lies in the trash has
// no row: it is absent, and its bytes have to be sent again.
func renewBlob(ctx context.Context, tx *database.Tx, d oci.Digest, until time.Time) error {
	lease := toMicros(until)
	res, err := tx.Exec(ctx, `UPDATE blobs SET state = 'live', condemned_at = NULL,
			review_at = CASE WHEN review_at IS NOT NULL THEN CAST(? AS BIGINT) END,
			lease_until = CASE WHEN lease_until > ? THEN lease_until ELSE ? END
		WHERE digest = ? AND state IN ('live', 'condemned')`, lease, lease, lease, d.String())
	if err != nil {
		return err
	}
	return oneRow(res, errs.New(errs.NotFound, "no such blob").WithCode("BLOB_UNKNOWN"))
}

// UnlinkBlob implements registry.Commits. The link goes first: a push that
// stores a manifest meanwhile holds the link's row, so either it sees the link
// gone or this sees its edges. A restore holds the package. The blob's review is
// due when its lease ends: what one package unlinks, another may have been promised.
func (s *Store) UnlinkBlob(ctx context.Context, packageID int64, d oci.Digest) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if _, err := holdPackage(ctx, tx, packageID); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `DELETE FROM package_blobs WHERE package_id = ? AND digest = ?`, packageID, d.String())
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.NotFound, "the package does not hold this blob").WithCode("BLOB_UNKNOWN")); err != nil {
			return err
		}
		var needed string
		err = tx.QueryRow(ctx, `SELECT v.digest FROM edges e CROSS JOIN versions v
			WHERE v.digest = e.parent AND v.package_id = ? AND v.deleted_at IS NULL AND e.child = ? AND e.kind = 'blob' LIMIT 1`, packageID, d.String()).Scan(&needed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return errs.New(errs.Unsupported, "version %s needs this blob; delete the version first", needed)
	})
}
