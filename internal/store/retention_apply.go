package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

// planRun is a plan that a transaction applies or undoes. It holds all packages
// of the plan: whoever sets a tag or deletes waits, and a push of what the plan
// is about waits for the row of its version.
type planRun struct {
	tx       *database.Tx
	plan     lifecycle.Plan
	c        lifecycle.Change
	names    map[int64]string // of packages
	packages []int64
	named    map[int64]int64 // by package, how many tags ended; see countNames
}

func errUnfit(format string, args ...any) *errs.Error {
	return errs.New(errs.Conflict, "the plan no longer fits: "+format, args...)
}

// holdPackages takes the packages of the plan in the order of ids.
func (r *planRun) holdPackages(ctx context.Context) error {
	var err error
	r.packages, err = queryIDs(ctx, r.tx, `SELECT DISTINCT i.package_id FROM retention_items i WHERE i.plan_id = ? ORDER BY i.package_id`, r.plan.ID)
	if err != nil {
		return err
	}
	r.names = map[int64]string{}
	for _, id := range r.packages {
		p, err := holdPackage(ctx, r.tx, id)
		if errs.Is(err, errs.NotFound) || err == nil && p.owner != r.plan.OwnerID {
			return errUnfit("a package of it is gone")
		}
		if err != nil {
			return err
		}
		var owner string
		if err := r.tx.QueryRow(ctx, `SELECT login FROM accounts WHERE id = ?`, p.owner).Scan(&owner); err != nil {
			return err
		}
		r.names[id] = owner + "/" + p.name
	}
	return nil
}

// ApplyPlan implements lifecycle.Plans. It deletes first and looks then: what it
// finds holds until the commit.
func (s *Store) ApplyPlan(ctx context.Context, p lifecycle.Plan, c lifecycle.Change) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		r := &planRun{tx: tx, plan: p, c: c}
		res, err := tx.Exec(ctx, `UPDATE retention_plans SET state = ?, applied_at = ?, applied_by = ? WHERE id = ? AND state = ?`,
			string(lifecycle.Applied), toMicros(c.Entry.At), c.By, p.ID, string(lifecycle.Planned))
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Conflict, "the plan was applied already, or is gone")); err != nil {
			return err
		}
		for _, step := range []func(context.Context) error{r.holdPackages, r.endVersions, r.endTags, r.unneeded, r.lastStays} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		items, err := r.items(ctx)
		if err != nil {
			return err
		}
		return r.tell(ctx, items, hooks.Deleted, "version.delete")
	})
}

// endVersions deletes all versions of the plan, which must be there and not have
// been pulled since it was made.
func (r *planRun) endVersions(ctx context.Context) error {
	made := toMicros(r.plan.CreatedAt)
	res, err := r.tx.Exec(ctx, `UPDATE versions SET deleted_at = ?, deleted_by = ?
		WHERE deleted_at IS NULL AND COALESCE(last_download_at, 0) <= ?
			AND id IN (SELECT version_id FROM retention_items WHERE plan_id = ?)`,
		toMicros(r.c.Entry.At), r.c.By, made, r.plan.ID)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil || n == int64(r.plan.Versions) {
		return err
	}
	var digest string
	err = r.tx.QueryRow(ctx, `SELECT i.digest FROM retention_items i JOIN versions v ON v.id = i.version_id
		WHERE i.plan_id = ? AND v.last_download_at > ? LIMIT 1`, r.plan.ID, made).Scan(&digest)
	if err == nil {
		return errUnfit("%s was pulled since", digest)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return errUnfit("a version of it is gone")
}

// endTags ends the tags of the versions, which must be those that the plan knows
// and such as may end.
func (r *planRun) endTags(ctx context.Context) error {
	present, err := r.presentTags(ctx)
	if err != nil {
		return err
	}
	items, err := r.items(ctx)
	if err != nil {
		return err
	}
	held := map[int64]holding{}
	for _, id := range r.packages {
		if held[id], err = heldTags(ctx, r.tx, id); err != nil {
			return err
		}
	}
	var count int64
	r.named = map[int64]int64{}
	for _, item := range items {
		tags := present[item.VersionID]
		slices.Sort(tags)
		if !slices.Equal(tags, item.Tags) {
			return errUnfit("%s has the tags %q by now and had %q", item.Digest, tags, item.Tags)
		}
		if err := held[item.PackageID].checkAll(tags); err != nil {
			return err
		}
		count += int64(len(tags))
		r.named[item.PackageID] += countNames(tags)
	}
	res, err := r.tx.Exec(ctx, `UPDATE tags SET until = ? WHERE until IS NULL AND id IN (
		SELECT t.id FROM retention_items i
		JOIN tags t ON t.package_id = i.package_id AND t.digest = i.digest AND t.until IS NULL WHERE i.plan_id = ?)`,
		toMicros(r.c.Entry.At), r.plan.ID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == count {
		return err
	}
	return errUnfit("a tag was moved at this moment")
}

// countNames counts the tags but those of what belongs to another version.
func countNames(tags []string) (n int64) {
	for _, text := range tags {
		if t, err := oci.ParseTag(text); err == nil {
			if _, _, attached := t.Attached(); !attached {
				n++
			}
		}
	}
	return n
}

// lastStays refuses a plan that would take the last version of a package, or the
// last tag, because what was to stay has gone since.
func (r *planRun) lastStays(ctx context.Context) error {
	if r.plan.Rules.DeleteLast {
		return nil
	}
	for _, id := range r.packages {
		rest := removal{tx: r.tx, packageID: id, tags: r.named[id]}
		refusal, err := rest.left(ctx)
		if err != nil {
			return err
		}
		if refusal != nil {
			return errUnfit("what was to stay of %s is gone", r.names[id])
		}
	}
	return nil
}

// presentTags returns the tags that the versions of the plan have.
func (r *planRun) presentTags(ctx context.Context) (map[int64][]string, error) {
	rows, err := r.tx.Query(ctx, `SELECT i.version_id, t.name FROM retention_items i
		JOIN tags t ON t.package_id = i.package_id AND t.digest = i.digest AND t.until IS NULL WHERE i.plan_id = ?`, r.plan.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tags := map[int64][]string{}
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, err
		}
		tags[id] = append(tags[id], name)
	}
	return tags, rows.Err()
}

// What may need the versions of a plan: the indexes that hold them, and what they
// speak of, present or not.
var needsOfPlan = []string{
	`SELECT i.package_id, e.parent, i.digest FROM retention_items i
		JOIN edges e ON e.child = i.digest AND e.kind = 'manifest' WHERE i.plan_id = ?`,
	`SELECT i.package_id, v.subject, i.digest FROM retention_items i
		JOIN versions v ON v.id = i.version_id AND v.subject IS NOT NULL WHERE i.plan_id = ?`,
}

// unneeded refuses a plan of which a version is needed by one that stays. What
// may need it is looked up by its digest: in one statement with the rest
// PostgreSQL, while it has no statistics, takes all versions for each.
func (r *planRun) unneeded(ctx context.Context) error {
	for _, query := range needsOfPlan {
		needs, err := r.needs(ctx, query)
		if err != nil {
			return err
		}
		for id, of := range needs {
			err := inLists(slices.Collect(maps.Keys(of)), func(marks string, list []any) error {
				present, err := queryNames(ctx, r.tx, presentVersionsQuery+marks+`)`, append([]any{id}, list...)...)
				if err == nil && len(present) > 0 {
					err = errUnfit("%s is needed by %s", of[present[0]], present[0])
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

const presentVersionsQuery = `SELECT v.digest FROM versions v WHERE v.package_id = ? AND v.deleted_at IS NULL AND v.digest IN (`

// needs returns by package what may need a version of the plan, each with one
// such version.
func (r *planRun) needs(ctx context.Context, query string) (map[int64]map[string]string, error) {
	rows, err := r.tx.Query(ctx, query, r.plan.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	needs := map[int64]map[string]string{}
	for rows.Next() {
		var id int64
		var by, digest string
		if err := rows.Scan(&id, &by, &digest); err != nil {
			return nil, err
		}
		if needs[id] == nil {
			needs[id] = map[string]string{}
		}
		needs[id][by] = digest
	}
	return needs, rows.Err()
}

func (r *planRun) items(ctx context.Context) ([]lifecycle.Item, error) {
	return queryItems(ctx, r.tx, `SELECT i.version_id, i.package_id, '', i.digest, i.tags, i.reason, i.bytes
		FROM retention_items i WHERE i.plan_id = ? ORDER BY i.version_id`, r.plan.ID)
}

// tell emits an event and makes an entry for each item, as for any deletion, and
// an entry for each package.
func (r *planRun) tell(ctx context.Context, items []lifecycle.Item, what hooks.Action, action string) error {
	counts := map[int64]int{}
	for _, item := range items {
		counts[item.PackageID]++
		err := emit(ctx, r.tx, hooks.Event{
			Action: what, PackageID: item.PackageID, VersionID: item.VersionID, Digest: item.Digest,
			Actor: r.c.Entry.Actor, ActorID: r.c.By, At: r.c.Entry.At,
		})
		if err != nil {
			return err
		}
		err = record(ctx, r.tx, audit.Entry{
			At: r.c.Entry.At, Actor: r.c.Entry.Actor, Action: action, Target: r.names[item.PackageID] + "@" + item.Digest,
			Detail: map[string]any{"version": item.VersionID, "tags": item.Tags, "plan": r.plan.ID, "reason": item.Reason},
		})
		if err != nil {
			return err
		}
	}
	for _, id := range r.packages {
		e := r.c.Entry
		e.Target, e.Detail = r.names[id], map[string]any{"plan": r.plan.ID, "versions": counts[id]}
		if err := record(ctx, r.tx, e); err != nil {
			return err
		}
	}
	return nil
}
