package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
)

var _ lifecycle.Memory = (*Store)(nil)

// Recall implements lifecycle.Memory.
func (s *Store) Recall(ctx context.Context, name string) (text string, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return text, err
}

// Remember implements lifecycle.Memory.
func (s *Store) Remember(ctx context.Context, name, text string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, text)
		return err
	}, database.Relaxed)
}
