package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

var _ packages.Lists = (*Store)(nil)

// The packages of a list, before it is known who may see which: those of one
// owner or of all, of one type or of all, by a piece of their names. Those of the
// Docker registry are also those that were moved out of it.
const (
	chosenPackages = factColumns + `
	FROM (SELECT * FROM (SELECT co.id AS owner_id, cp.id AS package_id, co.login AS login, cp.type AS type, cp.name AS name,
			CASE CAST(? AS TEXT) WHEN 'downloads' THEN cp.downloads WHEN 'updated' THEN ` + lastChange + ` ELSE 0 END AS place
		FROM accounts co CROSS JOIN packages cp
		WHERE cp.owner_id = co.id AND (cp.type >= ? AND cp.type <= ? OR ? = 'docker' AND ` + wasDocker + `) AND co.login >= ? AND co.login <= ? AND co.deleted_at IS NULL
			AND co.login || '/' || cp.name LIKE ? ESCAPE '!' AND `
	chosenEnd = ` LIMIT ?) up ORDER BY place DESC, login, type, name, package_id DESC LIMIT ? OFFSET ?) c
	CROSS JOIN (` + callerColumns + `) w
	JOIN accounts o ON o.id = c.owner_id
	JOIN packages p ON p.id = c.package_id` + linkTables + `
	ORDER BY c.place DESC, o.login, p.type, p.name, p.id DESC`

	// lastChange is when something in a package was last pushed or tagged.
	lastChange = `(SELECT MAX(x.at) FROM (SELECT ` + pushedLast + ` AS at UNION ALL SELECT ` + taggedLast + `) x)`

	listPresentPackages = `SELECT ` + chosenPackages + `cp.deleted_at IS NULL AND cp.published_at IS NOT NULL
		ORDER BY co.login, cp.type, cp.name` + chosenEnd
	listDeletedPackages = `SELECT ` + chosenPackages + `cp.deleted_at IS NOT NULL AND cp.purged_at IS NULL AND cp.deleted_at > ?
		ORDER BY co.login, cp.type, cp.name, cp.id DESC` + chosenEnd
)

// wasDocker is a package that was moved out of the Docker registry, where its
// name still leads to it.
const wasDocker = `cp.type = 'container' AND EXISTS (SELECT 1 FROM package_names n
	WHERE n.owner_id = cp.owner_id AND n.name = cp.name AND n.type = 'docker' AND n.package_id = cp.id)`

// afterAll is greater than every login and every type.
const afterAll = "~"

// ListedPackages implements packages.Lists.
func (s *Store) ListedPackages(ctx context.Context, who access.Principal, q packages.ListQuery, w packages.Span) (list []packages.Listed, total int, err error) {
	low, high, err := s.ownerRange(ctx, q.Owner)
	if err != nil || high == "" {
		return nil, 0, err
	}
	first, last := string(q.Type), string(q.Type)
	if last == "" {
		last = afterAll
	}
	query, e := listPresentPackages, access.Effects{Action: access.Read}
	args := []any{string(q.Sort), first, last, string(q.Type), low, high, containing(q.Text)}
	if q.Deleted {
		query, e = listDeletedPackages, access.Effects{Action: access.Administer}
		args = append(args, toMicros(w.Since))
	}
	l := lister{query: query, args: args, caller: callerArgs(who, q.Type), byName: q.Sort == packages.SortName, may: func(f access.Facts) bool {
		return chosen(q, f) && access.Decide(who, f.Name, f, e).Allowed
	}}
	err = s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		found, err := l.read(ctx, db, q.Enough, w)
		if err != nil {
			return err
		}
		list, total, err = listedPage(ctx, db, who, q, found, w)
		return err
	})
	return list, total, err
}

// lister goes through the packages of a list.
type lister struct {
	query        string
	args, caller []any
	byName       bool
	may          func(access.Facts) bool
}

// lookedAt is how many packages are looked at at a time; more where each time all
// are sorted again.
const lookedAt, lookedAtSorted = 500, 1000

// read returns the ids of the packages that may come, in their order: all of them
// among the first MaxReach, or with enough some more than that and than the page
// of w needs.
func (l lister) read(ctx context.Context, db database.Querier, enough int, w packages.Span) (found []int64, err error) {
	piece, need := lookedAt, max(enough, w.Skip+w.N)
	switch {
	case enough == 0:
		piece, need = packages.MaxReach+1, packages.MaxReach
	case !l.byName:
		piece = lookedAtSorted
	}
	for from := 0; from <= packages.MaxReach && len(found) <= need; from += piece {
		among := packages.MaxReach + 1
		if l.byName { // the order in which they are found
			among = min(among, from+piece)
		}
		seen := 0
		args := append(append(slices.Clone(l.args), among, piece, from), l.caller...)
		err := eachPackage(ctx, db, l.query, args, func(f access.Facts) {
			if seen++; l.may(f) {
				found = append(found, f.PackageID)
			}
		})
		if err != nil || seen < piece {
			return found, err
		}
	}
	return found, nil
}

func eachPackage(ctx context.Context, db database.Querier, query string, args []any, each func(access.Facts)) error {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		pkg, err := scanPackage(rows)
		if err != nil {
			return err
		}
		each(pkg.Facts)
	}
	return rows.Err()
}

// listedPage returns the page of w. Nobody is told what is linked to a repository
// that he may not know of.
func listedPage(ctx context.Context, db database.Querier, who access.Principal, q packages.ListQuery, found []int64, w packages.Span) ([]packages.Listed, int, error) {
	if q.Repository != "" && len(found) > 0 {
		first, err := listed(ctx, db, who, found[:1])
		if err != nil || first[0].Repository == nil {
			return nil, 0, err
		}
	}
	list, err := listed(ctx, db, who, found[min(w.Skip, len(found)):min(w.Skip+w.N, len(found))])
	return list, len(found), err
}

// chosen tells what the database was not asked.
func chosen(q packages.ListQuery, f access.Facts) bool {
	for _, word := range q.Words {
		if !strings.Contains(f.Name.String(), word) {
			return false
		}
	}
	return (q.Visibility == "" || f.Visibility == q.Visibility) &&
		(q.Repository == "" || f.RepositoryID != 0 && f.Repository.String() == q.Repository)
}

// ownerRange returns the first and the last login to look at; "" for none.
func (s *Store) ownerRange(ctx context.Context, login string) (low, high string, err error) {
	if login == "" {
		return "", afterAll, nil
	}
	err = s.db.Read().QueryRow(ctx, `SELECT a.login FROM logins l JOIN accounts a ON a.id = l.account_id AND a.deleted_at IS NULL
		WHERE l.login = ?`, login).Scan(&low)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return low, low, err
}

// containing is the pattern of LIKE for what contains text.
func containing(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}

// When something was last pushed to a package p, or cp, and when something in it
// was last tagged.
const (
	lastPushed = `COALESCE((SELECT v.created_at FROM versions v WHERE v.package_id = p.id AND v.deleted_at IS NULL ORDER BY v.id DESC LIMIT 1), 0)`
	lastTagged = `COALESCE((SELECT t.since FROM tags t WHERE t.package_id = p.id AND t.until IS NULL ORDER BY t.id DESC LIMIT 1), 0)`

	pushedLast = `COALESCE((SELECT v.created_at FROM versions v WHERE v.package_id = cp.id AND v.deleted_at IS NULL ORDER BY v.id DESC LIMIT 1), 0)`
	taggedLast = `COALESCE((SELECT t.since FROM tags t WHERE t.package_id = cp.id AND t.until IS NULL ORDER BY t.id DESC LIMIT 1), 0)`
)

// listedColumns and listedTables are what lists tell of a package p, to the
// caller w, who is a member by m of the owner ro of the repository r.
const (
	listedColumns = `p.id, p.type, o.login || '/' || p.name,
		CASE p.type WHEN 'docker' THEN COALESCE(r.visibility, 'private') ELSE p.visibility END,
		o.id, o.login, o.name, o.kind, o.site_admin, p.created_at, COALESCE(p.deleted_at, 0), p.downloads,
		(SELECT COUNT(*) FROM versions v WHERE v.package_id = p.id AND v.deleted_at IS NULL),
		` + lastPushed + `, ` + lastTagged + `,
		COALESCE(r.id, 0), COALESCE(ro.login || '/' || r.name, ''), COALESCE(r.description, ''), COALESCE(r.visibility, ''), COALESCE(r.created_at, 0),
		COALESCE(ro.id, 0), COALESCE(ro.login, ''), COALESCE(ro.name, ''), COALESCE(ro.kind, ''), COALESCE(ro.site_admin, 0),
		CASE WHEN r.id IS NULL THEN 0 WHEN ro.id = w.account OR m.role = 'owner' OR r.id = w.repository THEN 5
			WHEN w.account = 0 THEN 0 ELSE ` + repositoryGrant + ` END,
		CASE WHEN r.id IS NULL OR w.account = 0 THEN 0 ELSE ` + repositoryTeamGrant + ` END,
		CASE WHEN m.role IS NULL THEN 0 ELSE ro.base_role END,
		CASE WHEN ro.sso_required <> 0 AND w.account <> 0 AND NOT EXISTS (SELECT 1 FROM token_authorizations s
			WHERE s.token_id = w.token AND s.organization_id = ro.id) THEN 1 ELSE 0 END`
	listedQuery = `SELECT ` + listedColumns + ` FROM (` + callerColumns + `) w
		CROSS JOIN packages p
		JOIN accounts o ON o.id = p.owner_id
		LEFT JOIN repositories r ON r.id = p.repository_id AND r.deleted_at IS NULL
		LEFT JOIN accounts ro ON ro.id = r.owner_id
		LEFT JOIN memberships m ON m.organization_id = ro.id AND m.user_id = w.account
		WHERE p.id IN (`
)

// listed returns what lists tell of the packages, in the order of their ids.
func listed(ctx context.Context, db database.Querier, who access.Principal, ids []int64) ([]packages.Listed, error) {
	list, at := make([]packages.Listed, len(ids)), make(map[int64]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	err := inLists(ids, func(marks string, page []any) error {
		rows, err := db.Query(ctx, listedQuery+marks+`)`, append(callerArgs(who, ""), page...)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			l, err := scanListed(rows, who)
			if err != nil {
				return err
			}
			list[at[l.ID]] = l
		}
		return rows.Err()
	})
	return list, err
}

func scanListed(rows *sql.Rows, who access.Principal) (l packages.Listed, err error) {
	var name, kind, repository, repositoryVisibility, repositoryKind string
	var siteAdmin, created, deleted, pushed, tagged, repositoryCreated, repositorySiteAdmin, role, teamRole, baseRole, signOn int64
	var r packages.ListedRepository
	err = rows.Scan(&l.ID, &l.Type, &name, &l.Visibility, &l.Owner.ID, &l.Owner.Login, &l.Owner.Name, &kind, &siteAdmin,
		&created, &deleted, &l.Downloads, &l.VersionCount, &pushed, &tagged,
		&r.ID, &repository, &r.Description, &repositoryVisibility, &repositoryCreated,
		&r.Owner.ID, &r.Owner.Login, &r.Owner.Name, &repositoryKind, &repositorySiteAdmin, &role, &teamRole, &baseRole, &signOn)
	if err != nil {
		return l, err
	}
	l.Owner.Organization, l.Owner.SiteAdmin = kind == "organization", siteAdmin != 0
	l.CreatedAt, l.UpdatedAt = fromMicros(created), fromMicros(max(created, pushed, tagged))
	if deleted != 0 {
		l.DeletedAt = fromMicros(deleted)
	}
	if l.Name, err = oci.ParseName(name); err != nil {
		return l, err
	}
	r.Visibility = access.Visibility(repositoryVisibility)
	switch {
	case r.ID == 0, signOn != 0 && !who.SignedOn && r.Visibility != access.Public, // of which one is told after a single sign-on alone
		max(role, teamRole, baseRole) == 0 && !seen(who, r.Visibility):
		return l, nil
	}
	r.Owner.Organization, r.Owner.SiteAdmin = repositoryKind == "organization", repositorySiteAdmin != 0
	r.CreatedAt = fromMicros(repositoryCreated)
	r.Name, err = oci.ParseName(repository)
	l.Repository = &r
	return l, err
}

// seen reports whether who sees a repository that it has no role on.
func seen(who access.Principal, v access.Visibility) bool {
	return v == access.Public || v == access.Internal && who.User() || who.Operator || who.SiteAdmin
}

// ListedPackage implements packages.Lists.
func (s *Store) ListedPackage(ctx context.Context, who access.Principal, id int64) (packages.Listed, error) {
	list, err := listed(ctx, s.db.Read(), who, []int64{id})
	if err != nil {
		return packages.Listed{}, err
	}
	if list[0].ID == 0 || !list[0].DeletedAt.IsZero() {
		return packages.Listed{}, errs.New(errs.NotFound, "the package is gone")
	}
	return list[0], nil
}
