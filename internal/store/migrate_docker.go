package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/jobs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

var _ packages.Migrations = (*Store)(nil)

// BeginMigration implements packages.Migrations.
func (s *Store) BeginMigration(ctx context.Context, ownerID int64, now time.Time) (id, total int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		return tx.QueryRow(ctx, `INSERT INTO migrations (owner_id, started_at, total, moved, conflicts)
			SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), COUNT(*), 0, 0 FROM packages
			WHERE owner_id = ? AND type = 'docker' AND deleted_at IS NULL
			RETURNING id, total`, ownerID, toMicros(now), ownerID).Scan(&id, &total)
	})
	return id, total, err
}

// EndMigration implements packages.Migrations.
func (s *Store) EndMigration(ctx context.Context, migration, conflicts int64, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE migrations SET finished_at = ?, conflicts = ? WHERE id = ?`,
			toMicros(now), conflicts, migration)
		return err
	})
}

// takenInContainers is the id of the package that has, in the Container
// registry, the name of the Docker package p.
const takenInContainers = `(SELECT c.id FROM package_names n JOIN packages c ON c.id = n.package_id AND c.deleted_at IS NULL
	WHERE n.owner_id = p.owner_id AND n.name = p.name AND n.type = 'container' AND c.id <> p.id)`

// DockerPackages implements packages.Migrations.
func (s *Store) DockerPackages(ctx context.Context, ownerID, afterID int64, n int) ([]packages.DockerPackage, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT p.id, o.login || '/' || p.name, `+takenInContainers+` IS NOT NULL
		FROM packages p JOIN accounts o ON o.id = p.owner_id
		WHERE p.owner_id = ? AND p.type = 'docker' AND p.deleted_at IS NULL AND p.id > ? ORDER BY p.id LIMIT ?`, ownerID, afterID, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []packages.DockerPackage
	for rows.Next() {
		var d packages.DockerPackage
		var name string
		if err := rows.Scan(&d.ID, &name, &d.Conflict); err != nil {
			return nil, err
		}
		if d.Name, err = oci.ParseName(name); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// DockerOwners implements packages.Migrations.
func (s *Store) DockerOwners(ctx context.Context) ([]string, error) {
	return queryNames(ctx, s.db.Read(), `SELECT o.login FROM accounts o WHERE o.deleted_at IS NULL AND EXISTS
		(SELECT 1 FROM packages p WHERE p.owner_id = o.id AND p.type = 'docker' AND p.deleted_at IS NULL) ORDER BY o.login`)
}

// MoveDockerPackage implements packages.Migrations. A push under way names the
// package by its id and ends in it, before or after.
func (s *Store) MoveDockerPackage(ctx context.Context, migration, packageID int64, e audit.Entry) (moved, conflict bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		moved, conflict = false, false
		p, err := holdPackage(ctx, tx, packageID)
		if errs.Is(err, errs.NotFound) || err == nil && p.kind != string(access.Docker) {
			return nil // deleted, or moved by another
		}
		if err != nil {
			return err
		}
		if conflict, err = nameTaken(ctx, tx, packageID); err != nil || conflict {
			return err
		}
		moved = true
		if err := becomeContainer(ctx, tx, p); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE migrations SET moved = moved + 1 WHERE id = ?`, migration); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
	return moved, conflict, err
}

func nameTaken(ctx context.Context, tx *database.Tx, packageID int64) (bool, error) {
	var taken bool
	err := tx.QueryRow(ctx, `SELECT `+takenInContainers+` IS NOT NULL FROM packages p WHERE p.id = ?`, packageID).Scan(&taken)
	return taken, err
}

// becomeContainer changes the type alone. The name in the Docker registry stays;
// in the Container registry it is taken over from a package that is gone.
func becomeContainer(ctx context.Context, tx *database.Tx, p packageRow) error {
	var id int64
	err := tx.QueryRow(ctx, `INSERT INTO package_names (owner_id, name, type, package_id) VALUES (?, ?, 'container', ?)
		ON CONFLICT (owner_id, name, type) DO UPDATE SET package_id = excluded.package_id
		WHERE NOT EXISTS (SELECT 1 FROM packages c WHERE c.id = package_names.package_id AND c.deleted_at IS NULL)
			OR package_names.package_id = excluded.package_id
		RETURNING package_id`, p.owner, p.name, p.id).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return database.ErrRetry // a push made a package of that name at this moment
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE packages SET type = 'container', inherits = CASE WHEN EXISTS (SELECT 1 FROM repositories r WHERE r.id = packages.repository_id AND r.deleted_at IS NULL) THEN 1 ELSE 0 END,
			linked_by = CASE WHEN repository_id IS NOT NULL AND linked_by = '' THEN 'hand' ELSE linked_by END,
			visibility = COALESCE((SELECT r.visibility FROM repositories r WHERE r.id = packages.repository_id AND r.deleted_at IS NULL), 'private')
		WHERE id = ?`, p.id)
	if database.IsUnique(err) {
		return database.ErrRetry // likewise, and it has not taken the name yet
	}
	if err != nil {
		return err
	}
	if err := moveSessions(ctx, tx, p, p.owner, p.name, string(access.Container)); err != nil {
		return err
	}
	return dropGrants(ctx, tx, p.id)
}

// EnqueueMigration implements packages.Migrations.
func (s *Store) EnqueueMigration(ctx context.Context, o packages.MigrationOrder, e audit.Entry) (job int64, err error) {
	err = s.change(ctx, e, func(ctx context.Context, tx *database.Tx) (err error) {
		job, err = insertJob(ctx, tx, jobs.Insert{Kind: packages.JobMigrate, Args: o, Key: packages.JobMigrate + " " + o.Owner}, e.At)
		return err
	})
	return job, err
}
