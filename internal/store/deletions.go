package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
)

var _ packages.Deletions = (*Store)(nil)

// removal is a deletion of versions under way. It holds the package, so that no
// two of them each leave the other's version as the last.
type removal struct {
	tx        *database.Tx
	packageID int64
	c         packages.Change
	ended     []endedVersion
	tags      int64 // that ended
}

type endedVersion struct {
	id, downloads   int64
	digest, subject string
}

// end deletes the version and ends its tags. What is found out afterwards about
// who needs it holds until the commit: a push that names it waits for its row.
func (r *removal) end(ctx context.Context, digest string) error {
	v := endedVersion{digest: digest}
	err := r.tx.QueryRow(ctx, `UPDATE versions SET deleted_at = ?, deleted_by = ?
		WHERE package_id = ? AND digest = ? AND deleted_at IS NULL RETURNING id, downloads, COALESCE(subject, '')`,
		toMicros(r.c.Entry.At), r.c.By, r.packageID, digest).Scan(&v.id, &v.downloads, &v.subject)
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.NotFound, "the package has no version %s", digest).WithCode("MANIFEST_UNKNOWN")
	}
	if err != nil {
		return err
	}
	// Now that the row is held no other transaction gives it a tag.
	if err := checkVersionMutable(ctx, r.tx, r.packageID, digest); err != nil {
		return err
	}
	res, err := r.tx.Exec(ctx, `UPDATE tags SET until = ? WHERE package_id = ? AND digest = ? AND until IS NULL`,
		toMicros(r.c.Entry.At), r.packageID, digest)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	r.tags += n
	r.ended = append(r.ended, v)
	return err
}

// undo takes back what end did, in the same transaction.
func (r *removal) undo(ctx context.Context) error {
	for _, v := range r.ended {
		_, err := r.tx.Exec(ctx, `UPDATE tags SET until = NULL WHERE package_id = ? AND digest = ? AND until = ?`,
			r.packageID, v.digest, toMicros(r.c.Entry.At))
		if err != nil {
			return err
		}
		_, err = r.tx.Exec(ctx, `UPDATE versions SET deleted_at = NULL, deleted_by = NULL WHERE package_id = ? AND id = ?`, r.packageID, v.id)
		if err != nil {
			return err
		}
	}
	return nil
}

// maxNeeds is how many needs a refusal names.
const maxNeeds = 100

// parents returns the present indexes that hold the version.
func (r *removal) parents(ctx context.Context, digest string) ([]packages.Need, error) {
	return indexesHolding(ctx, r.tx, r.packageID, digest)
}

func indexesHolding(ctx context.Context, q database.Querier, packageID int64, digest string) ([]packages.Need, error) {
	return needs(ctx, q, packageID, packages.NeedsChild, `SELECT n.id, n.digest FROM edges e CROSS JOIN versions n
		WHERE n.package_id = ? AND n.digest = e.parent AND n.deleted_at IS NULL AND e.child = ? AND e.kind = 'manifest'
		ORDER BY n.id LIMIT ?`, packageID, digest, maxNeeds)
}

// wholes returns the present indexes that hold a referrer together with what it
// refers to, as those of images with their attestations do. Other indexes with a
// referrer are lists, which may name what is not there.
func (r *removal) wholes(ctx context.Context, v endedVersion) ([]packages.Need, error) {
	return needs(ctx, r.tx, r.packageID, packages.NeedsChild, `SELECT n.id, n.digest FROM edges e
		JOIN edges s ON s.parent = e.parent AND s.child = ? AND s.kind = 'manifest'
		CROSS JOIN versions n WHERE n.package_id = ? AND n.digest = e.parent AND n.deleted_at IS NULL
			AND e.child = ? AND e.kind = 'manifest' ORDER BY n.id LIMIT ?`, v.subject, r.packageID, v.digest, maxNeeds)
}

// endWholes deletes them, and every index above.
func (r *removal) endWholes(ctx context.Context, v endedVersion) error {
	for {
		list, err := r.wholes(ctx, v)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := r.end(ctx, list[0].Digest); err != nil {
			return err
		}
		if err := r.endParents(ctx, list[0].Digest); err != nil {
			return err
		}
	}
}

// subject returns the present version that a referrer refers to.
func (r *removal) subject(ctx context.Context, v endedVersion) ([]packages.Need, error) {
	if v.subject == "" {
		return nil, nil
	}
	return subjectOf(ctx, r.tx, r.packageID, v.subject)
}

func subjectOf(ctx context.Context, q database.Querier, packageID int64, digest string) ([]packages.Need, error) {
	return needs(ctx, q, packageID, packages.IsSubject, `SELECT n.id, n.digest FROM versions n
		WHERE n.package_id = ? AND n.digest = ? AND n.deleted_at IS NULL`, packageID, digest)
}

// needs returns the versions that a query yields, with their tags.
func needs(ctx context.Context, q database.Querier, packageID int64, as, query string, args ...any) ([]packages.Need, error) {
	list, err := needRows(ctx, q, as, query, args...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		tags, err := queryNames(ctx, q, `SELECT name FROM tags
			WHERE package_id = ? AND digest = ? AND until IS NULL ORDER BY id DESC LIMIT ?`, packageID, list[i].Digest, maxNeeds)
		if err != nil {
			return nil, err
		}
		list[i].Tags = append([]string{}, tags...)
	}
	return list, nil
}

func needRows(ctx context.Context, q database.Querier, as, query string, args ...any) ([]packages.Need, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []packages.Need
	for rows.Next() {
		n := packages.Need{As: as}
		if err := rows.Scan(&n.ID, &n.Digest); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}

// refuse is the error that names what needs a version.
func refuse(list []packages.Need) error {
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = n.Digest
		if len(n.Tags) > 0 {
			names[i] = strings.Join(n.Tags, ", ")
		}
	}
	what := "an index holds it: %s"
	if list[0].As == packages.IsSubject {
		what = "it belongs to %s"
	}
	return errs.New(errs.Conflict, "this version cannot be deleted: "+what, strings.Join(names[:min(len(names), 5)], "; ")).WithDetail(list)
}

// endParents deletes every index that holds the version, all the way up.
func (r *removal) endParents(ctx context.Context, digest string) error {
	for open := []string{digest}; len(open) > 0; open = open[1:] {
		parents, err := r.parents(ctx, open[0])
		if err != nil {
			return err
		}
		for _, p := range parents {
			if err := r.end(ctx, p.Digest); err != nil {
				return err
			}
			open = append(open, p.Digest)
		}
		if len(parents) == maxNeeds {
			open = append(open, open[0])
		}
	}
	return nil
}

// tell records what was deleted and emits an event for each version.
func (r *removal) tell(ctx context.Context) error {
	for _, v := range r.ended {
		err := emit(ctx, r.tx, hooks.Event{
			Action: hooks.Deleted, PackageID: r.packageID, VersionID: v.id, Digest: v.digest,
			Actor: r.c.Entry.Actor, ActorID: r.c.By, At: r.c.Entry.At,
		})
		if err != nil {
			return err
		}
	}
	e := r.c.Entry
	if len(r.ended) > 1 {
		var with []string
		for _, v := range r.ended[1:] {
			with = append(with, v.digest)
		}
		e.Detail = map[string]any{"with": with}
		for k, v := range r.c.Entry.Detail {
			e.Detail[k] = v
		}
	}
	return record(ctx, r.tx, e)
}

// DeletePackageVersion implements packages.Deletions.
func (s *Store) DeletePackageVersion(ctx context.Context, d packages.VersionDeletion) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		p, err := holdPackage(ctx, tx, d.PackageID)
		if err != nil {
			return err
		}
		digest, err := versionDigest(ctx, tx, d.PackageID, d.VersionID)
		if err != nil {
			return err
		}
		r := &removal{tx: tx, packageID: d.PackageID, c: d.Change}
		if err := r.end(ctx, digest); err != nil {
			return err
		}
		if err := r.free(ctx, d.Force); err != nil {
			return err
		}
		if err := r.guard(ctx, p, d.Popular); err != nil {
			return err
		}
		left, err := r.left(ctx)
		if err != nil {
			return err
		}
		switch {
		case left == nil:
			return r.tell(ctx)
		case !d.WithPackage:
			return left
		}
		if err := r.undo(ctx); err != nil {
			return err
		}
		c := packages.Change{By: d.By, Entry: d.Package}
		return deletePackage(ctx, tx, p, packages.PackageDeletion{PackageID: p.id, Popular: d.Popular, Change: c})
	})
}

func versionDigest(ctx context.Context, tx *database.Tx, packageID, id int64) (digest string, err error) {
	err = tx.QueryRow(ctx, `SELECT digest FROM versions WHERE package_id = ? AND id = ?`, packageID, id).Scan(&digest)
	if errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.NotFound, "the package has no such version")
	}
	return digest, err
}

// free refuses to delete what something present needs, or with force deletes
// the indexes among that.
func (r *removal) free(ctx context.Context, force bool) error {
	v := r.ended[0]
	switch {
	case force && v.subject != "":
		return r.endWholes(ctx, v)
	case force:
		return r.endParents(ctx, v.digest)
	}
	needs, err := r.parents(ctx, v.digest)
	if err != nil {
		return err
	}
	subject, err := r.subject(ctx, v)
	if err != nil {
		return err
	}
	if needs = append(needs, subject...); len(needs) > 0 {
		return refuse(needs)
	}
	return nil
}

// guard refuses to delete public versions that were downloaded often.
func (r *removal) guard(ctx context.Context, p packageRow, popular bool) error {
	if popular || p.visibility != string(access.Public) {
		return nil
	}
	limit, err := downloadGuard(ctx, r.tx)
	if err != nil || limit == 0 {
		return err
	}
	for _, v := range r.ended {
		if v.downloads > limit {
			name, _, _ := strings.Cut(r.c.Entry.Target, "@")
			return errs.New(errs.Invalid, "Publicly visible package versions with more than %d downloads cannot be deleted. "+
				"An administrator of this server can: packhouse admin package delete-version %s %d --force", limit, name, v.id)
		}
	}
	return nil
}

// downloadGuard reads how often a public version may have been downloaded and be
// deleted; 0 for any number.
func downloadGuard(ctx context.Context, q database.Querier) (int64, error) {
	var value string
	err := q.QueryRow(ctx, `SELECT value FROM settings WHERE name = ?`, packages.DownloadGuard).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return packages.DefaultDownloadGuard, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the setting %s: %w", packages.DownloadGuard, err)
	}
	return n, nil
}

// left is GitHub's refusal when the package has no version left, or no tag while
// one was taken from it; nil when it has.
func (r *removal) left(ctx context.Context) (refusal *errs.Error, err error) {
	var versions, tags bool
	err = r.tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM versions WHERE package_id = ? AND deleted_at IS NULL),
		EXISTS (SELECT 1 FROM tags WHERE package_id = ? AND until IS NULL)`, r.packageID, r.packageID).Scan(&versions, &tags)
	switch {
	case err != nil:
		return nil, err
	case !versions:
		return errs.New(errs.Invalid, "You cannot delete the last version of a package. You must delete the package instead."), nil
	case !tags && r.tags > 0:
		return errs.New(errs.Invalid, "You cannot delete the last tagged version of a package. You must delete the package instead."), nil
	}
	return nil, nil
}

// DeletePackage implements packages.Deletions.
func (s *Store) DeletePackage(ctx context.Context, d packages.PackageDeletion) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		p, err := holdPackage(ctx, tx, d.PackageID)
		if err != nil {
			return err
		}
		return deletePackage(ctx, tx, p, d)
	})
}

// deletePackage deletes a package that the transaction holds. What is in it stays
// as it is. Uploads under way end.
func deletePackage(ctx context.Context, tx *database.Tx, p packageRow, d packages.PackageDeletion) error {
	if err := guardPackage(ctx, tx, p, d); err != nil {
		return err
	}
	if err := checkPackageMutable(ctx, tx, p.id); err != nil {
		return err
	}
	at := toMicros(d.Entry.At)
	if _, err := tx.Exec(ctx, `UPDATE packages SET deleted_at = ?, deleted_by = ? WHERE id = ?`, at, d.By, p.id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE upload_sessions SET epoch = epoch + 1, expires_at = ?
		WHERE owner_id = ? AND name = ? AND type = ?`, at, p.owner, p.name, p.kind)
	if err != nil {
		return err
	}
	err = emit(ctx, tx, hooks.Event{
		Action: hooks.Deleted, PackageID: p.id, Actor: d.Entry.Actor, ActorID: d.By, At: d.Entry.At,
	})
	if err != nil {
		return err
	}
	return record(ctx, tx, d.Entry)
}

func guardPackage(ctx context.Context, tx *database.Tx, p packageRow, d packages.PackageDeletion) error {
	if d.Popular || p.visibility != string(access.Public) {
		return nil
	}
	limit, err := downloadGuard(ctx, tx)
	if err != nil || limit == 0 {
		return err
	}
	var most int64
	err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(downloads), 0) FROM versions WHERE package_id = ? AND deleted_at IS NULL`, p.id).Scan(&most)
	if err == nil && most > limit {
		err = errs.New(errs.Invalid, "Publicly visible packages with a version with more than %d downloads cannot be deleted. "+
			"An administrator of this server can: packhouse admin package delete %s", limit, d.Entry.Target)
	}
	return err
}

// DeleteVersion implements registry.Commits. It is not bound by the rules about
// the last version and about downloads, and referrers go alone: that is how
// clients of the registry delete signatures.
func (s *Store) DeleteVersion(ctx context.Context, packageID int64, d oci.Digest, c registry.Removal) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if _, err := holdPackage(ctx, tx, packageID); err != nil {
			return err
		}
		r := &removal{tx: tx, packageID: packageID, c: packages.Change(c)}
		if err := r.end(ctx, d.String()); err != nil {
			return err
		}
		needs, err := r.parents(ctx, d.String())
		if v := r.ended[0]; err == nil && v.subject != "" {
			needs, err = r.wholes(ctx, v)
		}
		if err != nil {
			return err
		}
		if needs = slices.DeleteFunc(needs, listsReferrers); len(needs) > 0 {
			return refuse(needs)
		}
		return r.tell(ctx)
	})
}

// listsReferrers reports whether an index is a list of referrers that a client
// keeps under a tag, which may name what is not there.
func listsReferrers(n packages.Need) bool {
	return len(n.Tags) > 0 && !slices.ContainsFunc(n.Tags, func(text string) bool {
		tag, err := oci.ParseTag(text)
		return err != nil || !oci.IsFallbackTag(tag)
	})
}
