package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

var _ account.SessionStore = (*Store)(nil)

// StartWebSession implements account.SessionStore.
func (s *Store) StartWebSession(ctx context.Context, n account.NewSession, e audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		// A suspension either sees the session and ends it, or is seen here.
		if err := lockAccount(ctx, tx, n.AccountID); errs.Is(err, errs.NotFound) {
			return errNoSignIn()
		} else if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM web_sessions WHERE id_hash = ?`, n.Replaced); err != nil {
			return err
		}
		if err := endPending(ctx, tx, n.Pending); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `INSERT INTO web_sessions
			(id_hash, account_id, issuer, address, agent, created_at, last_seen_at, expires_at, sudo_until)
			SELECT ?, id, ?, ?, ?, ?, ?, ?, ? FROM accounts
			WHERE id = ? AND kind = 'user' AND suspended_at IS NULL AND deleted_at IS NULL
				AND (CAST(? AS BIGINT) < 0 OR password_changed_at = ?) AND (CAST(? AS BIGINT) <> 0 OR second_factor_at = 0)`,
			n.SecretHash, n.Issuer, n.Address, n.Agent, toMicros(n.CreatedAt), toMicros(n.LastSeenAt), toMicros(n.ExpiresAt), toMicros(n.SudoUntil),
			n.AccountID, n.PasswordSet, n.PasswordSet, flag(n.Second))
		if err != nil {
			return err
		}
		if err := oneRow(res, errNoSignIn()); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

// endPending ends a sign-in that waited for its second factor: it leads to one
// session.
func endPending(ctx context.Context, tx *database.Tx, hash string) error {
	if hash == "" {
		return nil
	}
	res, err := tx.Exec(ctx, `DELETE FROM pending_sign_ins WHERE id_hash = ?`, hash)
	if err != nil {
		return err
	}
	return oneRow(res, errNoSignIn())
}

// ConfirmWebSession implements account.SessionStore.
func (s *Store) ConfirmWebSession(ctx context.Context, old, hash string, until time.Time, e audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE web_sessions SET id_hash = ?, sudo_until = ? WHERE id_hash = ? AND expires_at > ?`,
			hash, toMicros(until), old, toMicros(e.At))
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Unauthenticated, "nobody is signed in")); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

func errNoSignIn() *errs.Error {
	return errs.New(errs.Unauthenticated, "the account was suspended or deleted, or its password or second factor changed")
}

// WebSession implements account.SessionStore.
func (s *Store) WebSession(ctx context.Context, hash string, now time.Time) (account.Session, account.Account, error) {
	var row accountRow
	n := account.Session{SecretHash: hash}
	var created, seen, expires, sudo int64
	err := s.db.Read().QueryRow(ctx, `SELECT `+accountColumns+`, s.issuer, s.address, s.agent, s.created_at, s.last_seen_at, s.expires_at, s.sudo_until
		FROM web_sessions s JOIN accounts a ON a.id = s.account_id
		WHERE s.id_hash = ? AND s.expires_at > ? AND a.kind = 'user' AND a.suspended_at IS NULL AND a.deleted_at IS NULL
			AND s.created_at >= a.password_changed_at`, hash, toMicros(now)).
		Scan(append(row.dest(), &n.Issuer, &n.Address, &n.Agent, &created, &seen, &expires, &sudo)...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Session{}, account.Account{}, errs.New(errs.NotFound, "no such session")
	}
	a := row.account()
	n.AccountID, n.CreatedAt, n.LastSeenAt, n.ExpiresAt = a.ID, fromMicros(created), fromMicros(seen), fromMicros(expires)
	n.SudoUntil = fromMicros(sudo)
	return n, a, err
}

// TouchWebSession implements account.SessionStore.
func (s *Store) TouchWebSession(ctx context.Context, hash string, seen, expires time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE web_sessions SET last_seen_at = ?, expires_at = ?
			WHERE id_hash = ? AND last_seen_at < ?`, toMicros(seen), toMicros(expires), hash, toMicros(seen))
		return err
	}, database.Relaxed)
}

// EndWebSession implements account.SessionStore.
func (s *Store) EndWebSession(ctx context.Context, hash string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM web_sessions WHERE id_hash = ?`, hash)
		return err
	})
}

// endWebSessions signs the account out everywhere, in the transaction of what
// gives cause for it.
func endWebSessions(ctx context.Context, tx *database.Tx, accountID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM web_sessions WHERE account_id = ?`, accountID)
	return err
}

// SweepWebSessions implements account.SessionStore.
func (s *Store) SweepWebSessions(ctx context.Context, now time.Time) (n int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM web_sessions WHERE expires_at <= ?`, toMicros(now))
		if err != nil {
			return err
		}
		rows, err := res.RowsAffected()
		n = int(rows)
		return err
	}, database.Relaxed)
	return n, err
}

// RecordSignIn implements account.SessionStore.
func (s *Store) RecordSignIn(ctx context.Context, e audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error { return record(ctx, tx, e) })
}
