package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

var _ packages.Readmes = (*Store)(nil)

// PackageReadme implements packages.Readmes.
func (s *Store) PackageReadme(ctx context.Context, id int64) (text string, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT readme FROM packages WHERE id = ? AND deleted_at IS NULL`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.NotFound, "the package is gone")
	}
	return text, err
}

// SetPackageReadme implements packages.Readmes.
func (s *Store) SetPackageReadme(ctx context.Context, id int64, text string, e audit.Entry) error {
	return s.changePackage(ctx, id, e, func(ctx context.Context, tx *database.Tx, _ packageRow) error {
		_, err := tx.Exec(ctx, `UPDATE packages SET readme = ? WHERE id = ?`, text, id)
		return err
	})
}
