package store

import (
	"context"

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
