package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

var _ packages.Browsing = (*Store)(nil)

// browseReach is how many versions are looked at for one piece of a list.
const browseReach = 1500

const removedVersions = ` FROM versions v WHERE v.package_id = ? AND v.deleted_at IS NOT NULL AND v.id < ?`

// browseTexts returns the statements for a piece of a list, between two ids, and
// for the id at which it ends at last.
func browseTexts(show packages.VersionsShown) (list, end string) {
	switch show {
	case packages.ShowTagged:
		return `SELECT ` + versionRowColumns + taggedVersions + ` AND v.id >= ?` + pageOfVersions, `SELECT v.id` + presentVersions + oneOfVersions
	case packages.ShowUntagged:
		return `SELECT ` + versionRowColumns + untaggedVersions + ` AND v.id >= ?` + pageOfVersions, `SELECT v.id` + presentVersions + oneOfVersions
	case packages.ShowDeleted:
		return `SELECT ` + versionRowColumns + removedVersions + ` AND v.id >= ? AND v.deleted_at > ?` + pageOfVersions, `SELECT v.id` + removedVersions + oneOfVersions
	}
	return `SELECT ` + versionRowColumns + presentVersions + ` AND v.id >= ?` + pageOfVersions, `SELECT v.id` + presentVersions + oneOfVersions
}

// BrowseVersions implements packages.Browsing.
func (s *Store) BrowseVersions(ctx context.Context, packageID int64, q packages.Browse, since time.Time) (packages.BrowsePage, error) {
	var page packages.BrowsePage
	text, end := browseTexts(q.Show)
	err := s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		page = packages.BrowsePage{}
		from := q.After
		if from == 0 {
			from = math.MaxInt64
		}
		var floor int64
		err := db.QueryRow(ctx, end, packageID, from, browseReach-1).Scan(&floor)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		args := []any{packageID, from, floor}
		if q.Show == packages.ShowDeleted {
			args = append(args, toMicros(since))
		}
		list, err := versions(ctx, db, text, append(args, q.N+1)...)
		if err != nil {
			return err
		}
		page.Next = floor
		if len(list) > q.N {
			list = list[:q.N]
			page.Next = list[q.N-1].ID
		}
		page.Versions, err = browsed(ctx, db, packageID, list)
		return err
	})
	return page, err
}

// browsed tells of versions what belongs to them.
func browsed(ctx context.Context, db database.Querier, packageID int64, list []packages.Version) ([]packages.BrowsedVersion, error) {
	all, at, digests := make([]packages.BrowsedVersion, len(list)), map[int64]int{}, make([]string, len(list))
	for i, v := range list {
		query, args := `SELECT t.name FROM tags t WHERE t.package_id = ? AND t.digest = ? AND t.until IS NULL ORDER BY t.id DESC LIMIT ?`, []any{packageID, v.Digest.String()}
		if !v.DeletedAt.IsZero() { // those that ended with it
			query = `SELECT t.name FROM tags t WHERE t.package_id = ? AND t.digest = ? AND t.until = ? ORDER BY t.id DESC LIMIT ?`
			args = append(args, toMicros(v.DeletedAt))
		}
		tags, err := queryNames(ctx, db, query, append(args, packages.MaxBrowsedTags+1)...)
		if err != nil {
			return nil, err
		}
		all[i].Version, all[i].MoreTags = v, len(tags) > packages.MaxBrowsedTags
		all[i].Tags = append([]string{}, tags[:min(len(tags), packages.MaxBrowsedTags)]...)
		at[v.ID], digests[i] = i, v.Digest.String()
	}
	err := inLists(digests, func(marks string, digests []any) error {
		rows, err := db.Query(ctx, partOfVersions+marks+`)`, append([]any{packageID}, digests...)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, part, subject int64
			if err := rows.Scan(&id, &part, &subject); err != nil {
				return err
			}
			all[at[id]].PartOf, all[at[id]].SubjectID = part, subject
		}
		return rows.Err()
	})
	return all, err
}

// partOfVersions is which present version holds each, and which it refers to.
const partOfVersions = `SELECT v.id, COALESCE((SELECT n.id FROM edges e CROSS JOIN versions n
			WHERE e.child = v.digest AND e.kind = 'manifest' AND n.package_id = v.package_id AND n.digest = e.parent AND n.deleted_at IS NULL LIMIT 1), 0),
		COALESCE((SELECT n.id FROM versions n
			WHERE n.package_id = v.package_id AND n.digest = v.subject AND n.deleted_at IS NULL), 0)
	FROM versions v WHERE v.package_id = ? AND v.digest IN (`

// BrowseTags implements packages.Browsing.
func (s *Store) BrowseTags(ctx context.Context, packageID int64, q packages.TagBrowse) (packages.TagPage, error) {
	var page packages.TagPage
	err := s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		names, next, err := browseTagNames(ctx, db, packageID, q)
		if err != nil {
			return err
		}
		page.Next = next
		page.Tags, err = tagsNamed(ctx, db, packageID, names)
		return err
	})
	return page, err
}

func browseTagNames(ctx context.Context, db database.Querier, packageID int64, q packages.TagBrowse) (names []string, next string, err error) {
	text, after := strings.ToLower(q.Text), q.After
	for seen := 0; seen < scanTags; seen += tagPiece {
		piece, err := queryNames(ctx, db, `SELECT t.name FROM tags t
			WHERE t.package_id = ? AND t.until IS NULL AND t.name > ? ORDER BY t.name LIMIT ?`, packageID, after, tagPiece)
		if err != nil {
			return nil, "", err
		}
		for _, name := range piece {
			if !strings.Contains(strings.ToLower(name), text) {
				continue
			}
			if len(names) == q.N {
				return names, names[q.N-1], nil
			}
			names = append(names, name)
		}
		if len(piece) < tagPiece {
			return names, "", nil
		}
		after = piece[len(piece)-1]
	}
	return names, after, nil
}

// PlanDeletion implements packages.Browsing.
func (s *Store) PlanDeletion(ctx context.Context, packageID int64, ids []int64) (packages.DeletionPlan, error) {
	var plan packages.DeletionPlan
	err := s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		plan = packages.DeletionPlan{}
		var list []packages.Version
		for _, id := range ids {
			one, err := versions(ctx, db, `SELECT `+versionRowColumns+` FROM versions v
				WHERE v.package_id = ? AND v.id = ? AND v.deleted_at IS NULL`, packageID, id)
			if err != nil {
				return err
			}
			list = append(list, one...)
		}
		if len(list) == 0 {
			return errs.New(errs.NotFound, "the package has no such version")
		}
		all, err := browsed(ctx, db, packageID, list)
		if err != nil {
			return err
		}
		for _, v := range all {
			needs, err := needsOutside(ctx, db, v.Version, ids)
			if err != nil {
				return err
			}
			plan.Versions = append(plan.Versions, packages.PlannedDeletion{BrowsedVersion: v, Needs: needs})
		}
		plan.Last, err = lastOnes(ctx, db, packageID, list)
		return err
	})
	return plan, err
}

// needsOutside returns what the version cannot be deleted for, unless that is
// among the ids.
func needsOutside(ctx context.Context, db database.Querier, v packages.Version, ids []int64) ([]packages.Need, error) {
	needs, err := indexesHolding(ctx, db, v.PackageID, v.Digest.String())
	if err != nil {
		return nil, err
	}
	if !v.Subject.IsZero() {
		subject, err := subjectOf(ctx, db, v.PackageID, v.Subject.String())
		if err != nil {
			return nil, err
		}
		needs = append(needs, subject...)
	}
	return slices.DeleteFunc(needs, func(n packages.Need) bool { return slices.Contains(ids, n.ID) }), nil
}

// lastOnes reports whether without these there is no version, or no tag while
// one of them has one.
func lastOnes(ctx context.Context, db database.Querier, packageID int64, list []packages.Version) (bool, error) {
	var present, tags, own int64
	err := db.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM (SELECT 1 AS one FROM versions v WHERE v.package_id = ? AND v.deleted_at IS NULL LIMIT ?) u),
		(SELECT COUNT(*) FROM (SELECT DISTINCT t.digest FROM tags t WHERE t.package_id = ? AND t.until IS NULL LIMIT ?) u)`,
		packageID, len(list)+1, packageID, len(list)+1).Scan(&present, &tags)
	if err != nil {
		return false, err
	}
	for _, v := range list {
		var tagged bool
		err := db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM tags t WHERE t.package_id = ? AND t.digest = ? AND t.until IS NULL)`,
			packageID, v.Digest.String()).Scan(&tagged)
		if err != nil {
			return false, err
		}
		if tagged {
			own++
		}
	}
	return present <= int64(len(list)) || own > 0 && tags <= own, nil
}
