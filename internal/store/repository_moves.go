package store

import (
	"context"
	"errors"
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// MoveRepository implements account.Repositories.
func (s *Store) MoveRepository(ctx context.Context, r, to account.Repository, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE repositories SET owner_id = ?, name = ?
			WHERE id = ? AND owner_id = ? AND name = ? AND deleted_at IS NULL`,
			to.OwnerID, to.Name.Package(), r.ID, r.OwnerID, r.Name.Package())
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Conflict, "the repository was changed by another request")); err != nil {
			return err
		}
		if err := takeRepositoryName(ctx, tx, to.OwnerID, r.ID, to.Name); err != nil {
			return err
		}
		if err := moveDockerPackages(ctx, tx, r, to); err != nil {
			return err
		}
		if to.OwnerID == r.OwnerID {
			return nil
		}
		return changeOwner(ctx, tx, r, to, toMicros(e.At))
	}, r.OwnerID, to.OwnerID)
}

// changeOwner ends what the old owner gave to the repository and by it.
func changeOwner(ctx context.Context, tx *database.Tx, r, to account.Repository, now int64) error {
	if to.Visibility != r.Visibility {
		_, err := tx.Exec(ctx, `UPDATE repositories SET visibility = ? WHERE id = ?`, string(to.Visibility), r.ID)
		if err != nil {
			return err
		}
		if err := followVisibility(ctx, tx, r.ID, to.Visibility); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM repository_team_grants WHERE repository_id = ?`, r.ID); err != nil {
		return err
	}
	if err := endHooks(ctx, tx, r.ID, deliveriesOfImages, hooksOfImages); err != nil {
		return err
	}
	return cutOff(ctx, tx, r.ID, now)
}

// cutOff ends the links of Container packages to a repository, its hooks, and what
// its jobs were let into.
func cutOff(ctx context.Context, tx *database.Tx, repositoryID, now int64) error {
	for _, statement := range []string{
		`UPDATE packages SET repository_id = NULL, linked_by = '', inherits = 0 WHERE repository_id = ? AND type = 'container'`,
		`DELETE FROM package_repositories WHERE repository_id = ?`,
		`DELETE FROM trust_rules WHERE repository_id = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, repositoryID); err != nil {
			return err
		}
	}
	if err := endHooks(ctx, tx, repositoryID, deliveriesOfRepository, hooksOfRepository); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE tokens SET revoked_at = ? WHERE repository_id = ? AND revoked_at IS NULL`, now, repositoryID)
	return err
}

// The names of Docker packages begin with their repository's. The parameters are
// the new name of the repository and the length of the old one, plus two.
const movedName = `CAST(? AS TEXT) || '/' || substr(p.name, CAST(? AS INTEGER))`

// moveDockerPackages takes the Docker packages along, under names that begin with
// the repository's new one. Their old names go on leading to them. One that was
// deleted in this repository is not in the way.
func moveDockerPackages(ctx context.Context, tx *database.Tx, r, to account.Repository) error {
	repository, rest := to.Name.Package(), len(r.Name.Package())+2
	count, err := holdDockerPackages(ctx, tx, r, to)
	if err != nil {
		return err
	}
	taken, err := queryNames(ctx, tx, `SELECT n.name FROM packages p
		JOIN package_names n ON n.owner_id = ? AND n.type = 'docker' AND n.package_id <> p.id AND n.name = `+movedName+`
		WHERE p.repository_id = ? AND p.type = 'docker' AND p.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM packages d
			WHERE d.id = n.package_id AND d.repository_id = p.repository_id AND d.type = 'docker' AND d.deleted_at IS NOT NULL)
		ORDER BY n.name`,
		to.OwnerID, repository, rest, r.ID)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return errs.New(errs.Exists, "these Docker packages of %s would get names that are taken: %s",
			r.Name, strings.Join(taken, ", ")).WithDetail(taken)
	}
	res, err := tx.Exec(ctx, `INSERT INTO package_names (owner_id, name, type, package_id)
		SELECT CAST(? AS BIGINT), `+movedName+`, 'docker', p.id FROM packages p
		WHERE p.repository_id = ? AND p.type = 'docker' AND p.deleted_at IS NULL
		ON CONFLICT (owner_id, name, type) DO UPDATE SET package_id = excluded.package_id
		WHERE package_names.package_id = excluded.package_id OR EXISTS (SELECT 1 FROM packages d
			WHERE d.id = package_names.package_id AND d.repository_id = ? AND d.type = 'docker' AND d.deleted_at IS NOT NULL)`,
		to.OwnerID, repository, rest, r.ID, r.ID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != count {
		return errors.Join(err, database.ErrRetry) // a push took a name meanwhile
	}
	_, err = tx.Exec(ctx, `UPDATE packages AS p SET owner_id = ?, name = `+movedName+`
		WHERE p.repository_id = ? AND p.type = 'docker'`, to.OwnerID, repository, rest, r.ID)
	if err != nil {
		return err
	}
	return moveDockerSessions(ctx, tx, r, to)
}

// moveDockerSessions takes the uploads under way along, also those of packages
// that are not there yet. One whose name would become too long ends where it is.
func moveDockerSessions(ctx context.Context, tx *database.Tx, r, to account.Repository) error {
	repository := r.Name.Package()
	_, err := tx.Exec(ctx, `UPDATE upload_sessions AS p SET owner_id = ?, name = `+movedName+`
		WHERE p.owner_id = ? AND p.type = 'docker' AND p.name > ? AND p.name < ? AND length(p.name) <= ?`,
		to.OwnerID, to.Name.Package(), len(repository)+2,
		r.OwnerID, repository+"/", repository+"0" /* which follows "/" */, longestName(r, to))
	return err
}

// longestName is the length of the longest name in the repository r that can be
// asked for in the repository to.
func longestName(r, to account.Repository) int {
	return oci.MaxNameLength - len(to.Name.String()) + len(r.Name.Package())
}

// holdDockerPackages keeps the Docker packages in the repository r as they are
// until the end of the transaction, and counts those that are not deleted. It
// refuses to when one of them would get too long a name.
func holdDockerPackages(ctx context.Context, tx *database.Tx, r, to account.Repository) (count int64, err error) {
	_, err = tx.Exec(ctx, `UPDATE packages SET name = name WHERE repository_id = ? AND type = 'docker'`, r.ID)
	if err != nil {
		return 0, err
	}
	long, err := queryNames(ctx, tx, `SELECT name FROM packages WHERE repository_id = ? AND type = 'docker' AND length(name) > ?
		ORDER BY name LIMIT 1`, r.ID, longestName(r, to))
	if err != nil {
		return 0, err
	}
	if len(long) > 0 {
		return 0, errTooLong(to.Name.String() + long[0][len(r.Name.Package()):])
	}
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM packages WHERE repository_id = ? AND type = 'docker' AND deleted_at IS NULL`, r.ID).Scan(&count)
	return count, err
}

// DeleteRepository implements account.Repositories.
func (s *Store) DeleteRepository(ctx context.Context, id int64, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE repositories SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL`, toMicros(e.At), id)
		if err != nil {
			return err
		}
		if err := oneRow(res, errNoRepository()); err != nil {
			return err
		}
		inside, err := queryNames(ctx, tx, `SELECT name FROM packages WHERE repository_id = ? AND type = 'docker' AND deleted_at IS NULL
			ORDER BY name LIMIT 10`, id)
		if err != nil {
			return err
		}
		if len(inside) > 0 {
			return errs.New(errs.Conflict, "the repository holds Docker packages (%s); delete them or move them to the Container registry first",
				strings.Join(inside, ", "))
		}
		for _, statement := range []string{
			`DELETE FROM repository_grants WHERE repository_id = ?`,
			`DELETE FROM repository_team_grants WHERE repository_id = ?`,
		} {
			if _, err := tx.Exec(ctx, statement, id); err != nil {
				return err
			}
		}
		return cutOff(ctx, tx, id, toMicros(e.At))
	})
}
