package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// GetCertificate returns what PutCertificate stored under name; NotFound when
// there is nothing.
func (s *Store) GetCertificate(ctx context.Context, name string) ([]byte, error) {
	var content []byte
	err := s.db.Read().QueryRow(ctx, `SELECT content FROM certificates WHERE name = ?`, name).Scan(&content)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errs.New(errs.NotFound, "no certificate %q", name)
	}
	return content, err
}

// PutCertificate stores a certificate, a key or an account of the authority's
// under name, in place of what was there.
func (s *Store) PutCertificate(ctx context.Context, name string, content []byte, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO certificates (name, content, updated_at) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET content = excluded.content, updated_at = excluded.updated_at`,
			name, content, toMicros(now))
		return err
	})
}

// DeleteCertificate forgets what is under name; nothing there is no error.
func (s *Store) DeleteCertificate(ctx context.Context, name string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM certificates WHERE name = ?`, name)
		return err
	})
}
