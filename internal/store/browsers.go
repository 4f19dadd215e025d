package store

import (
	"context"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

var _ account.BrowserStore = (*Store)(nil)

// WebSessionsOf implements account.BrowserStore.
func (s *Store) WebSessionsOf(ctx context.Context, accountID int64, now time.Time) ([]account.Session, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT s.id_hash, s.issuer, s.address, s.agent, s.created_at, s.last_seen_at, s.expires_at
		FROM web_sessions s JOIN accounts a ON a.id = s.account_id
		WHERE s.account_id = ? AND s.expires_at > ? AND s.created_at >= a.password_changed_at
		ORDER BY s.last_seen_at DESC, s.id_hash`, accountID, toMicros(now))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.Session
	for rows.Next() {
		n := account.Session{AccountID: accountID}
		var created, seen, expires int64
		if err := rows.Scan(&n.SecretHash, &n.Issuer, &n.Address, &n.Agent, &created, &seen, &expires); err != nil {
			return nil, err
		}
		n.CreatedAt, n.LastSeenAt, n.ExpiresAt = fromMicros(created), fromMicros(seen), fromMicros(expires)
		list = append(list, n)
	}
	return list, rows.Err()
}

// EndWebSessionNamed implements account.BrowserStore.
func (s *Store) EndWebSessionNamed(ctx context.Context, accountID int64, name string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM web_sessions WHERE account_id = ? AND substr(id_hash, 1, 16) = ?`, accountID, name)
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.NotFound, "no such session"))
	})
}

// EndWebSessionsOf implements account.BrowserStore.
func (s *Store) EndWebSessionsOf(ctx context.Context, accountID int64, kept string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM web_sessions WHERE account_id = ? AND id_hash <> ?`, accountID, kept)
		return err
	}, accountID)
}
