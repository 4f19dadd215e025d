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

// App implements account.AppStore.
func (s *Store) App(ctx context.Context, accountID int64) (a account.App, err error) {
	var confirmed int64
	err = s.db.Read().QueryRow(ctx, `SELECT secret, confirmed_at, last_step FROM authenticator_apps WHERE account_id = ?`, accountID).
		Scan(&a.Secret, &confirmed, &a.LastStep)
	if errors.Is(err, sql.ErrNoRows) {
		return a, errNoApp()
	}
	if confirmed != 0 {
		a.ConfirmedAt = fromMicros(confirmed)
	}
	return a, err
}

func errNoApp() *errs.Error { return errs.New(errs.NotFound, "the account has no authenticator app") }

// BeginApp implements account.AppStore.
func (s *Store) BeginApp(ctx context.Context, accountID int64, secret []byte, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := lockAccount(ctx, tx, accountID); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `INSERT INTO authenticator_apps (account_id, secret, created_at) VALUES (?, ?, ?)
			ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
			WHERE authenticator_apps.confirmed_at = 0`, accountID, secret, toMicros(at))
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.Conflict, "there is an authenticator app already; remove it first"))
	})
}

// ConfirmApp implements account.AppStore.
func (s *Store) ConfirmApp(ctx context.Context, accountID int64, secret []byte, step int64, n account.Enabling, e audit.Entry) (first bool, err error) {
	err = s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE authenticator_apps SET confirmed_at = ?, last_step = ?
			WHERE account_id = ? AND secret = ? AND confirmed_at = 0`, toMicros(e.At), step, accountID, secret)
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Conflict, "this authenticator app was confirmed already, or another was begun")); err != nil {
			return err
		}
		first, err = turnOn(ctx, tx, accountID, n)
		return err
	}, accountID)
	return first, err
}

// UseStep implements account.AppStore.
func (s *Store) UseStep(ctx context.Context, accountID, step int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE authenticator_apps SET last_step = ? WHERE account_id = ? AND confirmed_at <> 0 AND last_step < ?`,
			step, accountID, step)
		if err != nil {
			return err
		}
		return oneRow(res, errWrongCode())
	})
}

// RemoveApp implements account.AppStore.
func (s *Store) RemoveApp(ctx context.Context, accountID int64, e, off audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM authenticator_apps WHERE account_id = ? AND confirmed_at <> 0`, accountID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errNoApp()); err != nil {
			return err
		}
		return turnOff(ctx, tx, accountID, off)
	}, accountID)
}
