package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
)

// restoring is a version on its way back, with what it needs.
type restoring struct {
	s         *Store
	tx        *database.Tx
	packageID int64
	since     int64
	c         packages.Change
}

// RestorePackageVersion implements packages.Deletions.
func (s *Store) RestorePackageVersion(ctx context.Context, packageID, id int64, since time.Time, c packages.Change) error {
	return s.changePackage(ctx, packageID, c.Entry, func(ctx context.Context, tx *database.Tx, _ packageRow) error {
		digest, err := versionDigest(ctx, tx, packageID, id)
		if err != nil {
			return err
		}
		r := restoring{s, tx, packageID, toMicros(since), c}
		found, err := r.bring(ctx, digest)
		if err == nil && !found {
			err = errs.New(errs.NotFound, "the package has no such version")
		}
		return err
	})
}

// bring makes a version present that is not, after those within it and its
// subject. found is false when there is none, or it cannot come back any more.
func (r *restoring) bring(ctx context.Context, digest string) (found bool, err error) {
	var id, deleted int64
	var mediaType string
	var content []byte
	err = r.tx.QueryRow(ctx, `SELECT v.id, COALESCE(v.deleted_at, 0), v.media_type, m.content
		FROM versions v JOIN manifests m ON m.digest = v.digest WHERE v.package_id = ? AND v.digest = ?`, r.packageID, digest).
		Scan(&id, &deleted, &mediaType, &content)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case deleted == 0:
		return true, nil
	case deleted <= r.since:
		return false, nil
	}
	m, err := oci.ParseManifest(mediaType, content)
	if err != nil {
		return false, errs.Wrap(errs.Internal, err, "reading %s", digest)
	}
	if err := r.bringNeeded(ctx, m); err != nil {
		return false, err
	}
	res, err := r.tx.Exec(ctx, `UPDATE versions SET deleted_at = NULL, deleted_by = NULL
		WHERE package_id = ? AND id = ? AND deleted_at = ?`, r.packageID, id, deleted)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, errors.Join(err, database.ErrRetry) // a push brought it back at this moment
	}
	if err := r.complete(ctx, digest, m); err != nil {
		return false, err
	}
	return true, r.tagAgain(ctx, id, digest, deleted)
}

const linkAgain = `INSERT INTO package_blobs (package_id, digest) SELECT CAST(? AS BIGINT), b.digest FROM blobs b WHERE b.digest IN (`

// bringNeeded brings back what is within m, and its subject. One that is gone
// for good is found missing later, unless it is the subject.
func (r *restoring) bringNeeded(ctx context.Context, m *oci.Manifest) error {
	needed := digestsOf(m.Parts(), oci.PartManifest)
	if m.Subject != nil {
		needed = append(needed, m.Subject.Digest.String())
	}
	for _, digest := range needed {
		if _, err := r.bring(ctx, digest); err != nil {
			return err
		}
	}
	return nil
}

// complete has the package hold the blobs again that it once had for this version
// and somebody took out since, and refuses what lacks a part.
func (r *restoring) complete(ctx context.Context, digest string, m *oci.Manifest) error {
	err := inLists(digestsOf(m.Parts(), oci.PartBlob), func(marks string, digests []any) error {
		_, err := r.tx.Exec(ctx, linkAgain+marks+`) ON CONFLICT DO NOTHING`, append([]any{r.packageID}, digests...)...)
		return err
	})
	if err != nil {
		return err
	}
	err = r.s.checkParts(ctx, r.tx, r.packageID, m.Parts())
	var missing registry.MissingParts
	if !errors.As(err, &missing) {
		return err
	}
	gone := make([]string, len(missing))
	for i, part := range missing {
		gone[i] = part.Part.Digest.String()
	}
	return errs.New(errs.Conflict, "version %s cannot be restored, since parts of it are gone for good: %s",
		digest, strings.Join(gone[:min(len(gone), 5)], ", ")).WithDetail(gone)
}

// tagAgain gives the version the tags that ended when it was deleted, unless they
// lead to another by now.
func (r *restoring) tagAgain(ctx context.Context, id int64, digest string, deleted int64) error {
	_, err := r.tx.Exec(ctx, `INSERT INTO tags (package_id, name, digest, since, set_by)
		SELECT DISTINCT t.package_id, t.name, t.digest, CAST(? AS BIGINT), CAST(? AS BIGINT) FROM tags t
		WHERE t.package_id = ? AND t.digest = ? AND t.until = ?
		ON CONFLICT (package_id, name) WHERE until IS NULL DO NOTHING`,
		toMicros(r.c.Entry.At), r.c.By, r.packageID, digest, deleted)
	if err != nil {
		return err
	}
	return emit(ctx, r.tx, hooks.Event{
		Action: hooks.Restored, PackageID: r.packageID, VersionID: id, Digest: digest,
		Actor: r.c.Entry.Actor, ActorID: r.c.By, At: r.c.Entry.At,
	})
}

// deletedFactsQuery is what is known of one package, be it deleted.
const deletedFactsQuery = `SELECT ` + factColumns + `
	FROM (` + callerColumns + `) w
	CROSS JOIN packages p
	JOIN accounts o ON o.id = p.owner_id AND o.deleted_at IS NULL` + linkTables + `
	WHERE p.id = ?`

// DeletedPackage implements packages.Deletions.
func (s *Store) DeletedPackage(ctx context.Context, who access.Principal, p access.Package, since time.Time) (access.Facts, error) {
	for _, kind := range []access.PackageType{p.Type, p.Also} {
		var id int64
		err := s.db.Read().QueryRow(ctx, `SELECT p.id FROM logins l
			JOIN packages p ON p.owner_id = l.account_id AND p.deleted_at IS NOT NULL AND p.purged_at IS NULL
			WHERE l.login = ? AND p.type = ? AND p.name = ? AND p.deleted_at > ?
			ORDER BY p.deleted_at DESC, p.id DESC LIMIT 1`,
			p.Name.Owner(), string(kind), p.Name.Package(), toMicros(since)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return access.Facts{}, err
		}
		return s.factsOf(ctx, who, kind, id)
	}
	return access.Facts{}, nil
}

// factsOf returns what is known of the package, as if it still existed.
func (s *Store) factsOf(ctx context.Context, who access.Principal, kind access.PackageType, id int64) (access.Facts, error) {
	var row factRow
	err := s.db.Read().QueryRow(ctx, deletedFactsQuery, append(callerArgs(who, kind), id)...).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return access.Facts{}, nil // with its owner
	}
	if err != nil {
		return access.Facts{}, err
	}
	pkg, err := row.pkg(access.Package{}, false)
	return pkg.Facts, err
}

// RestorePackage implements packages.Deletions.
func (s *Store) RestorePackage(ctx context.Context, id int64, since time.Time, c packages.Change) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		p := packageRow{id: id}
		err := tx.QueryRow(ctx, `UPDATE packages SET name = name WHERE id = ? AND deleted_at > ? AND purged_at IS NULL
			RETURNING owner_id, COALESCE(repository_id, 0), type, name`, id, toMicros(since)).
			Scan(&p.owner, &p.repository, &p.kind, &p.name)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "there is no such deleted package")
		}
		if err != nil {
			return err
		}
		if err := s.ownerStays(ctx, tx, p); err != nil {
			return err
		}
		if err := nameBack(ctx, tx, p); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE packages SET deleted_at = NULL, deleted_by = NULL WHERE id = ?`, id)
		if database.IsUnique(err) {
			return errInUse(p)
		}
		if err != nil {
			return err
		}
		if err := s.withoutRepository(ctx, tx, p); err != nil {
			return err
		}
		err = emit(ctx, tx, hooks.Event{
			Action: hooks.Restored, PackageID: id, Actor: c.Entry.Actor, ActorID: c.By, At: c.Entry.At,
		})
		if err != nil {
			return err
		}
		return record(ctx, tx, c.Entry)
	})
}

// ownerStays keeps the account of a package that comes back until the commit.
func (s *Store) ownerStays(ctx context.Context, tx *database.Tx, p packageRow) error {
	var id int64
	err := tx.QueryRow(ctx, presentAccount+s.forShare, p.owner, oci.MaxNameLength-len(p.name)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.Conflict, "the owner of the package is gone, or has a name that is too long for it now")
	}
	return err
}

// nameBack has the package's name lead to it again. That leads elsewhere only to
// what was made under it since: if that is deleted too, the name comes back.
func nameBack(ctx context.Context, tx *database.Tx, p packageRow) error {
	res, err := tx.Exec(ctx, `INSERT INTO package_names (owner_id, name, type, package_id) VALUES (?, ?, ?, ?)
		ON CONFLICT (owner_id, name, type) DO UPDATE SET package_id = excluded.package_id
		WHERE package_names.package_id = excluded.package_id
			OR EXISTS (SELECT 1 FROM packages d WHERE d.id = package_names.package_id AND d.deleted_at IS NOT NULL
				AND d.owner_id = package_names.owner_id AND d.name = package_names.name AND d.type = package_names.type)`,
		p.owner, p.name, p.kind, p.id)
	if err != nil {
		return err
	}
	return oneRow(res, errInUse(p))
}

func errInUse(p packageRow) *errs.Error {
	return errs.New(errs.Conflict, "the name %s is in use again: delete or move the new package first", p.name)
}

// withoutRepository makes a Container package of one whose repository in the
// Docker registry is gone, as moving it there would. Its address stays.
func (s *Store) withoutRepository(ctx context.Context, tx *database.Tx, p packageRow) error {
	if p.kind != string(access.Docker) {
		return nil
	}
	var id int64
	err := tx.QueryRow(ctx, presentRepository+s.forShare, p.repository, p.owner).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	taken, err := nameTaken(ctx, tx, p.id)
	if err != nil {
		return err
	}
	if taken {
		return errs.New(errs.Conflict, "the repository of %s is gone, and the Container registry has a package of that name: delete or move that first", p.name)
	}
	return becomeContainer(ctx, tx, p)
}
