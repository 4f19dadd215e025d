package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// AddPending implements account.PendingStore.
func (s *Store) AddPending(ctx context.Context, p account.Pending) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO pending_sign_ins (id_hash, account_id, password_set, return_to, expires_at) VALUES (?, ?, ?, ?, ?)`,
			p.Hash, p.AccountID, p.PasswordSet, p.ReturnTo, toMicros(p.ExpiresAt))
		return err
	})
}

// Pending implements account.PendingStore.
func (s *Store) Pending(ctx context.Context, hash string, now time.Time, tries int) (account.Pending, account.Account, error) {
	var row accountRow
	p := account.Pending{Hash: hash}
	var expires int64
	err := s.db.Read().QueryRow(ctx, `SELECT `+accountColumns+`, p.password_set, p.return_to, p.tries, p.expires_at
		FROM pending_sign_ins p JOIN accounts a ON a.id = p.account_id
		WHERE p.id_hash = ? AND p.expires_at > ? AND p.tries < ? AND a.suspended_at IS NULL AND a.deleted_at IS NULL
			AND a.password_changed_at = p.password_set`, hash, toMicros(now), tries).
		Scan(append(row.dest(), &p.PasswordSet, &p.ReturnTo, &p.Tries, &expires)...)
	if errors.Is(err, sql.ErrNoRows) {
		return p, account.Account{}, errNoPending()
	}
	a := row.account()
	p.AccountID, p.ExpiresAt = a.ID, fromMicros(expires)
	return p, a, err
}

func errNoPending() *errs.Error { return errs.New(errs.NotFound, "no such sign-in") }

// TryPending implements account.PendingStore.
func (s *Store) TryPending(ctx context.Context, hash string, now time.Time, tries int) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE pending_sign_ins SET tries = tries + 1 WHERE id_hash = ? AND expires_at > ? AND tries < ?`,
			hash, toMicros(now), tries)
		if err != nil {
			return err
		}
		return oneRow(res, errNoPending())
	})
}

// AddChallenge implements account.ChallengeStore.
func (s *Store) AddChallenge(ctx context.Context, c account.Challenge) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO passkey_challenges (id_hash, purpose, account_id, data, expires_at) VALUES (?, ?, ?, ?, ?)`,
			c.Hash, c.Purpose, c.AccountID, string(c.Data), toMicros(c.ExpiresAt))
		return err
	}, database.Relaxed)
}

// TakeChallenge implements account.ChallengeStore.
func (s *Store) TakeChallenge(ctx context.Context, hash string, now time.Time) (c account.Challenge, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		var data string
		var expires int64
		c = account.Challenge{Hash: hash}
		err := tx.QueryRow(ctx, `DELETE FROM passkey_challenges WHERE id_hash = ? RETURNING purpose, account_id, data, expires_at`, hash).
			Scan(&c.Purpose, &c.AccountID, &data, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoPending()
		}
		c.Data, c.ExpiresAt = []byte(data), fromMicros(expires)
		return err
	})
	if err == nil && !c.ExpiresAt.After(now) {
		err = errNoPending()
	}
	return c, err
}

// SweepFactors implements account.ChallengeStore.
func (s *Store) SweepFactors(ctx context.Context, now time.Time) (n int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		n = 0
		for _, statement := range []string{
			`DELETE FROM passkey_challenges WHERE expires_at <= ?`, `DELETE FROM pending_sign_ins WHERE expires_at <= ?`,
		} {
			res, err := tx.Exec(ctx, statement, toMicros(now))
			if err != nil {
				return err
			}
			rows, err := res.RowsAffected()
			if err != nil {
				return err
			}
			n += int(rows)
		}
		return nil
	}, database.Relaxed)
	return n, err
}
