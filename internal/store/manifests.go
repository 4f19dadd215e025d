package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// CommitManifest implements registry.Commits.
func (s *Store) CommitManifest(ctx context.Context, c *registry.ManifestCommit) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		id, err := s.ensurePackage(ctx, tx, c.Into, c.Now)
		if err != nil {
			return err
		}
		foreign, err := s.heldForeign(ctx, tx, id, c)
		if err != nil {
			return err
		}
		if err := renewParts(ctx, tx, c, foreign); err != nil {
			return err
		}
		if err := s.checkParts(ctx, tx, id, c.Parts); err != nil {
			return err
		}
		if err := keepManifest(ctx, tx, c, foreign); err != nil {
			return err
		}
		events := newEvents(id, c)
		if events.version, events.fresh, err = keepVersion(ctx, tx, id, c); err != nil {
			return again(err)
		}
		for _, tag := range c.Tags {
			previous, err := setTag(ctx, tx, id, tag, tagChange{c.Digest.String(), c.Into.Actor, c.Now})
			if err != nil {
				return err
			}
			events.set(tag, previous)
		}
		if err := s.publish(ctx, tx, id, c); err != nil {
			return err
		}
		return emitAll(ctx, tx, events.list())
	})
}

// renewParts extends the promise for the blobs whose lease has run down, and
// takes back what was condemned, before anything can be decided on what they
// were.
func renewParts(ctx context.Context, tx *database.Tx, c *registry.ManifestCommit, foreign []string) error {
	rundown := c.Now.Add(c.LeaseUntil.Sub(c.Now) / 2)
	digests := digestsOf(c.Parts, oci.PartBlob)
	digests = append(digests, foreign...)
	return inLists(digests, func(marks string, digests []any) error {
		lease := toMicros(c.LeaseUntil)
		_, err := tx.Exec(ctx, renewPartsStatement+marks+`)`, append([]any{lease, lease, toMicros(rundown)}, digests...)...)
		return err
	})
}

const renewPartsStatement = `UPDATE blobs SET state = 'live', lease_until = ?, condemned_at = NULL,
		review_at = CASE WHEN review_at IS NULL THEN NULL ELSE CAST(? AS BIGINT) END
	WHERE (state = 'condemned' OR state = 'live' AND lease_until < ?) AND digest IN (`

// checkParts compares what the manifest names with what the package holds, in
// the transaction that stores the manifest.
func (s *Store) checkParts(ctx context.Context, tx *database.Tx, packageID int64, parts []oci.Part) error {
	held := map[oci.PartKind]map[string]int64{}
	for kind, query := range map[oci.PartKind]string{
		oci.PartBlob: `SELECT h.digest, b.size FROM package_blobs h
			JOIN blobs b ON b.digest = h.digest AND b.state IN ('live', 'condemned')
			WHERE h.package_id = ? AND h.digest IN (`,
		oci.PartManifest: `SELECT v.digest, v.size FROM versions v
			WHERE v.package_id = ? AND v.deleted_at IS NULL AND v.digest IN (`,
	} {
		sizes, err := sizesOf(ctx, tx, query, packageID, digestsOf(parts, kind), s.forShare)
		if err != nil {
			return err
		}
		held[kind] = sizes
	}
	var missing registry.MissingParts
	for _, part := range parts {
		size, ok := held[part.Kind][part.Digest.String()]
		if !ok {
			size = -1
		}
		if size != part.Size {
			missing = append(missing, registry.MissingPart{Part: part, Held: size})
		}
	}
	if len(missing) > 0 {
		return missing
	}
	return nil
}

func digestsOf(parts []oci.Part, kind oci.PartKind) []string {
	var digests []string
	for _, part := range parts {
		if part.Kind == kind {
			digests = append(digests, part.Digest.String())
		}
	}
	return digests
}

// Lists of digests are padded to one of two lengths, so that the statements
// stay few and prepared.
const shortList, longList = 8, 64

func sizesOf(ctx context.Context, q database.Querier, query string, packageID int64, digests []string, suffix string) (map[string]int64, error) {
	sizes := make(map[string]int64, len(digests))
	err := inLists(digests, func(marks string, list []any) error {
		return scanSizes(ctx, q, query+marks+`)`+suffix, append([]any{packageID}, list...), sizes)
	})
	return sizes, err
}

// inLists calls do with the values list by list, and with as many marks.
func inLists[T any](values []T, do func(marks string, list []any) error) error {
	for len(values) > 0 {
		width := shortList
		if len(values) > shortList {
			width = longList
		}
		n := min(width, len(values))
		list := make([]any, width)
		for i := range list {
			list[i] = values[min(i, n-1)]
		}
		values = values[n:]
		if err := do(marks(width), list); err != nil {
			return err
		}
	}
	return nil
}

func marks(n int) string { return strings.Repeat("?, ", n-1) + "?" }

func scanSizes(ctx context.Context, q database.Querier, query string, args []any, sizes map[string]int64) error {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var digest string
		var size int64
		if err := rows.Scan(&digest, &size); err != nil {
			return err
		}
		sizes[digest] = size
	}
	return rows.Err()
}

const insertEdge = `INSERT INTO edges (parent, child, kind) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`

// heldForeign returns the foreign layers that the package holds all the same.
// These must stay. What it does not hold, the manifest only names: to name a
// blob of others keeps nothing.
func (s *Store) heldForeign(ctx context.Context, tx *database.Tx, packageID int64, c *registry.ManifestCommit) (held []string, err error) {
	err = inLists(digestsOf(c.Manifest.ForeignParts(), oci.PartBlob), func(marks string, list []any) error {
		some, err := queryNames(ctx, tx, `SELECT h.digest FROM package_blobs h WHERE h.package_id = ? AND h.digest IN (`+marks+`)`+s.forShare,
			append([]any{packageID}, list...)...)
		held = append(held, some...)
		return err
	})
	return held, err
}

// keepManifest stores bytes and edges, once per digest. Bytes that were damaged
// are replaced.
func keepManifest(ctx context.Context, tx *database.Tx, c *registry.ManifestCommit, foreign []string) error {
	res, err := tx.Exec(ctx, `INSERT INTO manifests (digest, content, created_at) VALUES (?, ?, ?)
		ON CONFLICT (digest) DO UPDATE SET content = excluded.content WHERE manifests.content <> excluded.content`, c.Digest.String(), c.Content, toMicros(c.Now))
	if err != nil {
		return err
	}
	// Another package may hold more of the foreign layers than the first one did.
	for _, digest := range foreign {
		if _, err := tx.Exec(ctx, insertEdge, c.Digest.String(), digest, "blob"); err != nil {
			return err
		}
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	for _, part := range c.Parts {
		kind := "blob"
		if part.Kind == oci.PartManifest {
			kind = "manifest"
		}
		if _, err := tx.Exec(ctx, insertEdge, c.Digest.String(), part.Digest.String(), kind); err != nil {
			return err
		}
	}
	if c.Manifest.Subject == nil {
		return nil
	}
	_, err = tx.Exec(ctx, insertEdge, c.Digest.String(), c.Manifest.Subject.Digest.String(), "subject")
	return err
}

// keepVersion makes the manifest a version of the package, or brings a deleted
// one back. It returns the version's id, and whether it was not there before.
func keepVersion(ctx context.Context, tx *database.Tx, packageID int64, c *registry.ManifestCommit) (id int64, fresh bool, err error) {
	annotations, err := json.Marshal(c.Manifest.Annotations)
	if err != nil {
		return 0, false, err
	}
	var subject any
	if c.Manifest.Subject != nil {
		subject = c.Manifest.Subject.Digest.String()
	}
	size := int64(len(c.Content))
	err = tx.QueryRow(ctx, `INSERT INTO versions
		(package_id, digest, media_type, size, subject, artifact_type, annotations, source, description, licenses,
			kind, total_size, expires_at, created_at, created_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (package_id, digest) DO NOTHING RETURNING id`,
		packageID, c.Digest.String(), c.Manifest.MediaType, size, subject, c.Manifest.ArtifactType,
		string(annotations), c.Labels.Source, c.Labels.Description, c.Labels.Licenses,
		string(c.Manifest.KindAs(c.Tags)), c.Manifest.TotalSize(size), expiry(c.Labels, c.Now), toMicros(c.Now), c.Into.Actor).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, true, err
	}
	return keepVersionAgain(ctx, tx, packageID, c)
}

// keepVersionAgain is keepVersion for one that has a row.
func keepVersionAgain(ctx context.Context, tx *database.Tx, packageID int64, c *registry.ManifestCommit) (id int64, fresh bool, err error) {
	args := []any{
		c.Manifest.MediaType, c.Labels.Source, c.Labels.Description, c.Labels.Licenses,
		string(c.Manifest.KindAs(c.Tags)), c.Manifest.TotalSize(int64(len(c.Content))), expiry(c.Labels, c.Now), packageID, c.Digest.String(),
	}
	err = tx.QueryRow(ctx, `UPDATE versions SET media_type = ?, source = ?, description = ?, licenses = ?,
			kind = ?, total_size = ?, expires_at = ?
		WHERE package_id = ? AND digest = ? AND deleted_at IS NULL RETURNING id`, args...).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, false, err
	}
	err = tx.QueryRow(ctx, `UPDATE versions SET media_type = ?, source = ?, description = ?, licenses = ?,
			kind = ?, total_size = ?, expires_at = ?, deleted_at = NULL, deleted_by = NULL
		WHERE package_id = ? AND digest = ? AND deleted_at IS NOT NULL RETURNING id`, args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, database.ErrRetry // it was restored or purged at this moment
	}
	return id, true, err
}

var _ registry.Commits = (*Store)(nil)
