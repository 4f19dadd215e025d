package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

var _ account.Repositories = (*Store)(nil)

// RepositoryByName implements account.Repositories.
func (s *Store) RepositoryByName(ctx context.Context, name oci.Name) (account.Repository, error) {
	var r account.Repository
	var full, visibility string
	err := s.db.Read().QueryRow(ctx, `SELECT r.id, r.owner_id, o.login || '/' || r.name, r.visibility
		FROM logins l
		JOIN repository_names n ON n.owner_id = l.account_id AND n.name = ?
		JOIN repositories r ON r.id = n.repository_id AND r.deleted_at IS NULL
		JOIN accounts o ON o.id = r.owner_id
		WHERE l.login = ?`, name.Package(), name.Owner()).Scan(&r.ID, &r.OwnerID, &full, &visibility)
	if errors.Is(err, sql.ErrNoRows) {
		return r, errs.New(errs.NotFound, "no repository %q", name)
	}
	if err != nil {
		return r, err
	}
	r.Visibility = access.Visibility(visibility)
	r.Name, err = oci.ParseName(full)
	return r, err
}
