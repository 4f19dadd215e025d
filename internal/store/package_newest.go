package store

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/packages"
)

// newestScan is how many packages of each registry are looked at for the newest
// public ones.
const newestScan = 200

// newestPublic finds the public packages of the Container registry that were
// published last, and such of the Docker registry's newest whose repository is
// public.
const newestPublic = `SELECT ` + factColumns + `
	FROM (SELECT * FROM (SELECT cp.id AS package_id, cp.published_at AS at FROM packages cp
			WHERE cp.visibility = 'public' AND cp.type = 'container' AND cp.deleted_at IS NULL AND cp.published_at IS NOT NULL
			ORDER BY cp.published_at DESC LIMIT ?) up
		UNION ALL SELECT * FROM (SELECT cp.id AS package_id, cp.published_at AS at FROM packages cp
			WHERE cp.type = 'docker' AND cp.deleted_at IS NULL AND cp.published_at IS NOT NULL
			ORDER BY cp.published_at DESC LIMIT ?) below) u
	CROSS JOIN (` + callerColumns + `) w
	JOIN packages p ON p.id = u.package_id
	JOIN accounts o ON o.id = p.owner_id` + linkTables + `
	ORDER BY u.at DESC, p.id DESC`

// NewestPublic implements packages.Lists.
func (s *Store) NewestPublic(ctx context.Context, n int) ([]packages.Listed, error) {
	nobody := access.Principal{}
	rows, err := s.db.Read().Query(ctx, newestPublic, append([]any{newestScan, newestScan}, callerArgs(nobody, "")...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() && len(ids) < n {
		pkg, err := scanPackage(rows)
		if err != nil {
			return nil, err
		}
		if access.Decide(nobody, pkg.Facts.Name, pkg.Facts, access.Effects{Action: access.Read}).Allowed {
			ids = append(ids, pkg.ID)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	list, err := listed(ctx, s.db.Read(), nobody, ids)
	if err != nil {
		return nil, err
	}
	return withoutGone(list), nil
}

// withoutGone leaves out what was deleted since its id was read.
func withoutGone(list []packages.Listed) []packages.Listed {
	var present []packages.Listed
	for _, l := range list {
		if l.ID != 0 && l.DeletedAt.IsZero() && l.Visibility == access.Public {
			present = append(present, l)
		}
	}
	return present
}

// AnyPackage implements packages.Lists.
func (s *Store) AnyPackage(ctx context.Context) (any bool, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM packages first WHERE first.deleted_at IS NULL AND first.published_at IS NOT NULL)`).Scan(&any)
	return any, err
}
