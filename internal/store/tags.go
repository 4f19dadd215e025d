package store

import (
	"context"
	"database/sql"
	"errors"
	"path"
	"slices"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
)

var _ packages.Tagging = (*Store)(nil)

// tagChange is where a tag goes, by whom and when.
type tagChange struct {
	digest string
	by     int64
	at     time.Time
}

// setTag ends the tag's present interval and begins one at the new digest;
// nothing when it points there already. It returns the digest that the tag led
// to, "" for none.
func setTag(ctx context.Context, tx *database.Tx, packageID int64, tag oci.Tag, c tagChange) (present string, err error) {
	err = tx.QueryRow(ctx, `SELECT digest FROM tags WHERE package_id = ? AND name = ? AND until IS NULL`,
		packageID, tag.String()).Scan(&present)
	if err == nil && present == c.digest {
		return present, nil
	}
	if err == nil {
		if err := checkMutable(ctx, tx, packageID, tag.String()); err != nil {
			return "", err
		}
		_, err := endTag(ctx, tx, packageID, tag, c.at)
		if errs.Is(err, errs.NotFound) {
			return "", database.ErrRetry // another push moved the tag at this moment
		}
		if err != nil {
			return "", err
		}
	} else if !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	_, err = tx.Exec(ctx, `INSERT INTO tags (package_id, name, digest, since, set_by) VALUES (?, ?, ?, ?, ?)`,
		packageID, tag.String(), c.digest, toMicros(c.at), c.by)
	if database.IsUnique(err) {
		return "", database.ErrRetry // another push set the tag at this moment
	}
	return present, err
}

// endTag ends the present tag and returns where it led; NotFound without it.
func endTag(ctx context.Context, tx *database.Tx, packageID int64, tag oci.Tag, at time.Time) (digest string, err error) {
	err = tx.QueryRow(ctx, `UPDATE tags SET until = ? WHERE package_id = ? AND name = ? AND until IS NULL RETURNING digest`,
		toMicros(at), packageID, tag.String()).Scan(&digest)
	if !errors.Is(err, sql.ErrNoRows) {
		return digest, err
	}
	// The statement may have waited for a push that moved the tag, and then it
	// saw the end of the old interval and not the new one.
	err = tx.QueryRow(ctx, `SELECT digest FROM tags WHERE package_id = ? AND name = ? AND until IS NULL`,
		packageID, tag.String()).Scan(&digest)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errs.New(errs.NotFound, "the package has no tag %s", tag).WithCode("MANIFEST_UNKNOWN")
	}
	if err == nil {
		err = database.ErrRetry
	}
	return "", err
}

// SetPackageTag implements packages.Tagging.
func (s *Store) SetPackageTag(ctx context.Context, t packages.TagChange) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		var id int64 // of the version, which stays until the commit
		err := tx.QueryRow(ctx, `SELECT v.id FROM versions v JOIN packages p ON p.id = v.package_id AND p.deleted_at IS NULL
			WHERE v.package_id = ? AND v.digest = ? AND v.deleted_at IS NULL`+s.forShare, t.PackageID, t.Digest.String()).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "the package has no such version")
		}
		if err != nil {
			return err
		}
		previous, err := setTag(ctx, tx, t.PackageID, t.Tag, tagChange{t.Digest.String(), t.By, t.Entry.At})
		if err != nil || previous == t.Digest.String() {
			return err
		}
		e := hooks.Event{
			Action: hooks.Updated, PackageID: t.PackageID, VersionID: id, Tag: t.Tag.String(), Digest: t.Digest.String(),
			Actor: t.Entry.Actor, ActorID: t.By, At: t.Entry.At,
		}
		events := []hooks.Event{e}
		if previous != "" {
			e.Action, e.Previous = hooks.TagMoved, previous
			events = append(events, e)
		}
		if err := emitAll(ctx, tx, events); err != nil {
			return err
		}
		return record(ctx, tx, t.Entry)
	})
}

// DeletePackageTag implements packages.Tagging.
func (s *Store) DeletePackageTag(ctx context.Context, t packages.TagChange) error {
	return s.deleteTag(ctx, t.PackageID, t.Tag, t.Change)
}

// DeleteTag implements registry.Commits.
func (s *Store) DeleteTag(ctx context.Context, packageID int64, tag oci.Tag, c registry.Removal) error {
	return s.deleteTag(ctx, packageID, tag, packages.Change(c))
}

func (s *Store) deleteTag(ctx context.Context, packageID int64, tag oci.Tag, c packages.Change) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := checkMutable(ctx, tx, packageID, tag.String()); err != nil {
			return err
		}
		previous, err := endTag(ctx, tx, packageID, tag, c.Entry.At)
		if err != nil {
			return err
		}
		err = emit(ctx, tx, hooks.Event{
			Action: hooks.TagMoved, PackageID: packageID, Tag: tag.String(), Previous: previous,
			Actor: c.Entry.Actor, ActorID: c.By, At: c.Entry.At,
		})
		if err != nil {
			return err
		}
		return record(ctx, tx, c.Entry)
	})
}

// setterOf is the name of who set the tag t.
const setterOf = `COALESCE((SELECT c.login FROM accounts c WHERE c.id = t.set_by),
	(SELECT co.login || '/' || c.name FROM repositories c JOIN accounts co ON co.id = c.owner_id
		WHERE c.id = t.set_by / -2 AND t.set_by < 0 AND t.set_by % 2 = 0), '')`

// scanTags is how many tags a search goes through, and tagPiece how many at a time.
const scanTags, tagPiece = packages.MaxReach, 1000

// PackageTags implements packages.Contents.
func (s *Store) PackageTags(ctx context.Context, packageID int64, q packages.TagQuery, w packages.Span) (list []packages.Tag, total int, err error) {
	err = s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		names, err := matchingTags(ctx, db, packageID, q)
		if err != nil {
			return err
		}
		total = len(names)
		page := names[min(w.Skip, total):min(w.Skip+w.N, total)]
		list, err = tagsNamed(ctx, db, packageID, page)
		return err
	})
	return list, total, err
}

// matchingTags returns the names that q chooses, in its order: of those that
// come first, one more than pages reach.
func matchingTags(ctx context.Context, db database.Querier, packageID int64, q packages.TagQuery) ([]string, error) {
	query := `SELECT t.name FROM tags t WHERE t.package_id = ? AND t.until IS NULL ORDER BY t.name LIMIT ?`
	if q.Sort == packages.Newest {
		query = `SELECT t.name FROM tags t WHERE t.package_id = ? AND t.until IS NULL ORDER BY t.id DESC LIMIT ?`
	}
	names, err := queryNames(ctx, db, query, packageID, scanTags+1)
	if q.Match == "" {
		return names, err
	}
	return slices.DeleteFunc(names, func(name string) bool { return !matches(q.Match, name) }), err
}

// matches reports whether the whole name fits the pattern, which is a good one.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

const tagsNamedQuery = `SELECT t.name, t.digest, v.id, v.size, v.total_size, v.kind, t.since, ` + setterOf + `
	FROM tags t JOIN versions v ON v.package_id = t.package_id AND v.digest = t.digest
	WHERE t.package_id = ? AND t.until IS NULL AND t.name IN (`

// tagsNamed returns what there is to tell of the tags, in the order of the names.
func tagsNamed(ctx context.Context, db database.Querier, packageID int64, names []string) ([]packages.Tag, error) {
	list, at := make([]packages.Tag, len(names)), make(map[string]int, len(names))
	for i, name := range names {
		at[name] = i
	}
	err := inLists(names, func(marks string, page []any) error {
		rows, err := db.Query(ctx, tagsNamedQuery+marks+`)`, append([]any{packageID}, page...)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t packages.Tag
			var digest string
			var since int64
			if err := rows.Scan(&t.Name, &digest, &t.VersionID, &t.Size, &t.TotalSize, &t.Kind, &since, &t.SetBy); err != nil {
				return err
			}
			t.Since = fromMicros(since)
			if t.Digest, err = oci.ParseDigest(digest); err != nil {
				return err
			}
			list[at[t.Name]] = t
		}
		return rows.Err()
	})
	return list, err
}

// PackageTagHistory implements packages.Contents.
func (s *Store) PackageTagHistory(ctx context.Context, packageID int64, tag oci.Tag, n int) ([]packages.TagInterval, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT t.digest, COALESCE(v.id, 0), t.since, COALESCE(t.until, 0), `+setterOf+`,
			v.id IS NOT NULL AND v.deleted_at IS NULL
		FROM tags t LEFT JOIN versions v ON v.package_id = t.package_id AND v.digest = t.digest
		WHERE t.package_id = ? AND t.name = ? ORDER BY t.id DESC LIMIT ?`, packageID, tag.String(), n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []packages.TagInterval
	for rows.Next() {
		var t packages.TagInterval
		var digest string
		var since, until int64
		if err := rows.Scan(&digest, &t.VersionID, &since, &until, &t.SetBy, &t.Present); err != nil {
			return nil, err
		}
		if t.Digest, err = oci.ParseDigest(digest); err != nil {
			return nil, err
		}
		t.Since = fromMicros(since)
		if until != 0 {
			t.Until = fromMicros(until)
		}
		list = append(list, t)
	}
	return list, rows.Err()
}
