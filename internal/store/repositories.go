package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

const repositoryColumns = `r.id, r.owner_id, o.login || '/' || r.name, r.visibility, r.description, r.created_at`

// scanRepository scans repositoryColumns.
func scanRepository(row interface{ Scan(...any) error }) (r account.Repository, err error) {
	var scan repositoryRow
	if err = row.Scan(scan.dest()...); err != nil {
		return r, err
	}
	return scan.repository()
}

// repositoryRow scans repositoryColumns.
type repositoryRow struct {
	r                account.Repository
	full, visibility string
	created          int64
}

func (r *repositoryRow) dest(more ...any) []any {
	return append([]any{&r.r.ID, &r.r.OwnerID, &r.full, &r.visibility, &r.r.Description, &r.created}, more...)
}

func (r *repositoryRow) repository() (account.Repository, error) {
	one := r.r
	one.Visibility, one.CreatedAt = access.Visibility(r.visibility), fromMicros(r.created)
	var err error
	one.Name, err = oci.ParseName(r.full)
	return one, err
}

// RepositoryByName implements account.Repositories.
func (s *Store) RepositoryByName(ctx context.Context, name oci.Name) (account.Repository, error) {
	r, err := scanRepository(s.db.Read().QueryRow(ctx, `SELECT `+repositoryColumns+`
		FROM logins l
		JOIN repository_names n ON n.owner_id = l.account_id AND n.name = ?
		JOIN repositories r ON r.id = n.repository_id AND r.deleted_at IS NULL
		JOIN accounts o ON o.id = r.owner_id
		WHERE l.login = ?`, name.Package(), name.Owner()))
	if errors.Is(err, sql.ErrNoRows) {
		return account.Repository{}, errs.New(errs.NotFound, "no repository %q", name)
	}
	return r, err
}

// ListRepositories implements account.Repositories.
func (s *Store) ListRepositories(ctx context.Context, ownerID int64) ([]account.Repository, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT `+repositoryColumns+` FROM repositories r JOIN accounts o ON o.id = r.owner_id
		WHERE r.owner_id = ? AND r.deleted_at IS NULL ORDER BY r.name`, ownerID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.Repository
	for rows.Next() {
		r, err := scanRepository(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// CreateRepository implements account.Repositories.
func (s *Store) CreateRepository(ctx context.Context, r account.Repository, e audit.Entry) (id int64, err error) {
	err = s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO repositories (owner_id, name, visibility, created_at, description) VALUES (?, ?, ?, ?, ?) RETURNING id`,
			r.OwnerID, r.Name.Package(), string(r.Visibility), toMicros(e.At), r.Description).Scan(&id)
		if err != nil {
			return err
		}
		return takeRepositoryName(ctx, tx, r.OwnerID, id, r.Name)
	}, r.OwnerID)
	return id, err
}

// takeRepositoryName makes the name lead to the repository. A name of which
// nothing is left but a deleted repository is free.
func takeRepositoryName(ctx context.Context, tx *database.Tx, ownerID, id int64, name oci.Name) error {
	res, err := tx.Exec(ctx, `INSERT INTO repository_names (owner_id, name, repository_id) VALUES (?, ?, ?)
		ON CONFLICT (owner_id, name) DO UPDATE SET repository_id = excluded.repository_id
		WHERE repository_names.repository_id = excluded.repository_id OR EXISTS (SELECT 1 FROM repositories d
			WHERE d.id = repository_names.repository_id AND d.deleted_at IS NOT NULL)`,
		ownerID, name.Package(), id)
	if err != nil {
		return err
	}
	return oneRow(res, errs.New(errs.Exists, "the name %s is taken by a repository that has it or had it", name))
}

// SetRepositoryVisibility implements account.Repositories.
func (s *Store) SetRepositoryVisibility(ctx context.Context, id int64, v access.Visibility, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE repositories SET visibility = ? WHERE id = ? AND deleted_at IS NULL
			AND (visibility = ? OR ? <> 'internal' OR EXISTS (SELECT 1 FROM accounts o WHERE o.id = repositories.owner_id AND o.kind = 'organization'))`,
			string(v), id, string(v), string(v))
		if err != nil {
			return err
		}
		if err := oneRow(res, errNoRepository()); err != nil {
			return err
		}
		events, err := imagesShown(ctx, tx, id, v, e)
		if err != nil {
			return err
		}
		if err := followVisibility(ctx, tx, id, v); err != nil {
			return err
		}
		return emitAll(ctx, tx, events)
	})
}

// followVisibility makes the repository's visibility that of its Docker packages.
func followVisibility(ctx context.Context, tx *database.Tx, id int64, v access.Visibility) error {
	_, err := tx.Exec(ctx, `UPDATE packages SET visibility = ? WHERE repository_id = ? AND type = 'docker'`, string(v), id)
	return err
}

func errNoRepository() *errs.Error { return errs.New(errs.NotFound, "no such repository") }

// lockRepository holds up other changes of the repository until the end of the
// transaction. NotFound when it was deleted or is another owner's.
func lockRepository(ctx context.Context, tx *database.Tx, r account.Repository) error {
	res, err := tx.Exec(ctx, `UPDATE repositories SET name = name WHERE id = ? AND owner_id = ? AND deleted_at IS NULL`,
		r.ID, r.OwnerID)
	if err != nil {
		return err
	}
	return oneRow(res, errNoRepository())
}
