package store

import (
	"context"
	"encoding/hex"

	"packhouse/internal/audit"
	"packhouse/internal/database"
)

// SiteSettings implements account.SiteStore.
func (s *Store) SiteSettings(ctx context.Context) (map[string]string, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT name, value FROM settings`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	set := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		set[name] = value
	}
	return set, rows.Err()
}

// SetSiteSetting implements account.SiteStore.
func (s *Store) SetSiteSetting(ctx context.Context, name, value string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
}

// Key returns the secret bytes of that name, which all processes on the database
// share: fresh if nobody has stored others.
func (s *Store) Key(ctx context.Context, name string, fresh []byte) ([]byte, error) {
	var text string
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`,
			name, hex.EncodeToString(fresh))
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&text)
	})
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(text)
}
