package store

import (
	"context"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

var _ account.FactorStore = (*Store)(nil)

// turnOn turns the second factor of a locked account on, and reports whether it
// was off.
func turnOn(ctx context.Context, tx *database.Tx, accountID int64, n account.Enabling) (bool, error) {
	res, err := tx.Exec(ctx, `UPDATE accounts SET second_factor_at = ? WHERE id = ? AND second_factor_at = 0`, toMicros(n.Entry.At), accountID)
	if err != nil {
		return false, err
	}
	if rows, err := res.RowsAffected(); rows == 0 || err != nil {
		return false, err
	}
	if err := replaceCodes(ctx, tx, accountID, n.Codes); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM web_sessions WHERE account_id = ? AND id_hash <> ?`, accountID, n.Keep); err != nil {
		return false, err
	}
	return true, record(ctx, tx, n.Entry)
}

// turnOff turns it off when nothing of it is left.
func turnOff(ctx context.Context, tx *database.Tx, accountID int64, off audit.Entry) error {
	res, err := tx.Exec(ctx, `UPDATE accounts SET second_factor_at = 0 WHERE id = ? AND second_factor_at <> 0
		AND NOT EXISTS (SELECT 1 FROM authenticator_apps f WHERE f.account_id = accounts.id AND f.confirmed_at <> 0)
		AND NOT EXISTS (SELECT 1 FROM passkeys k WHERE k.account_id = accounts.id)`, accountID)
	if err != nil {
		return err
	}
	if rows, err := res.RowsAffected(); rows == 0 || err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM recovery_codes WHERE account_id = ?`, accountID); err != nil {
		return err
	}
	return record(ctx, tx, off)
}

// ResetFactors implements account.FactorStore.
func (s *Store) ResetFactors(ctx context.Context, accountID int64, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE accounts SET second_factor_at = 0 WHERE id = ? AND second_factor_at <> 0`, accountID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.NotFound, "the account has no second factor")); err != nil {
			return err
		}
		for _, statement := range []string{
			`DELETE FROM authenticator_apps WHERE account_id = ?`, `DELETE FROM passkeys WHERE account_id = ?`,
			`DELETE FROM recovery_codes WHERE account_id = ?`, `DELETE FROM pending_sign_ins WHERE account_id = ?`,
		} {
			if _, err := tx.Exec(ctx, statement, accountID); err != nil {
				return err
			}
		}
		return endWebSessions(ctx, tx, accountID)
	}, accountID)
}

// RecoveryCodes implements account.RecoveryStore.
func (s *Store) RecoveryCodes(ctx context.Context, accountID int64) (since time.Time, left int, err error) {
	var at int64
	err = s.db.Read().QueryRow(ctx, `SELECT a.second_factor_at,
		(SELECT COUNT(*) FROM recovery_codes c WHERE c.account_id = a.id AND c.used_at = 0) FROM accounts a WHERE a.id = ?`, accountID).Scan(&at, &left)
	if err == nil && at != 0 {
		since = fromMicros(at)
	}
	return since, left, err
}

// UseRecoveryCode implements account.RecoveryStore.
func (s *Store) UseRecoveryCode(ctx context.Context, accountID int64, hash string, e audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE recovery_codes SET used_at = ? WHERE account_id = ? AND code_hash = ? AND used_at = 0`,
			toMicros(e.At), accountID, hash)
		if err != nil {
			return err
		}
		if err := oneRow(res, errWrongCode()); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

func errWrongCode() *errs.Error { return errs.New(errs.Unauthenticated, "the code is not right") }

// ReplaceRecoveryCodes implements account.RecoveryStore.
func (s *Store) ReplaceRecoveryCodes(ctx context.Context, accountID int64, hashes []string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE accounts SET second_factor_at = second_factor_at WHERE id = ? AND second_factor_at <> 0`, accountID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Conflict, "the account has no second factor")); err != nil {
			return err
		}
		return replaceCodes(ctx, tx, accountID, hashes)
	}, accountID)
}

func replaceCodes(ctx context.Context, tx *database.Tx, accountID int64, hashes []string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM recovery_codes WHERE account_id = ?`, accountID); err != nil {
		return err
	}
	for _, hash := range hashes {
		if _, err := tx.Exec(ctx, `INSERT INTO recovery_codes (account_id, code_hash) VALUES (?, ?)`, accountID, hash); err != nil {
			return err
		}
	}
	return nil
}
