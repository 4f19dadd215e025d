package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

const passkeyColumns = `k.id, k.account_id, k.credential_id, k.public_key, k.name, k.transports, k.aaguid, k.flags, k.sign_count, k.created_at, k.last_used_at`

// passkeyRow scans passkeyColumns.
type passkeyRow struct {
	p                           account.Passkey
	transports                  string
	flags, count, created, used int64
}

func (r *passkeyRow) dest() []any {
	return []any{
		&r.p.ID, &r.p.AccountID, &r.p.CredentialID, &r.p.PublicKey, &r.p.Name, &r.transports, &r.p.AAGUID,
		&r.flags, &r.count, &r.created, &r.used,
	}
}

func (r *passkeyRow) passkey() account.Passkey {
	p := r.p
	p.Flags, p.SignCount, p.CreatedAt = byte(r.flags), uint32(r.count), fromMicros(r.created) //nolint:gosec // as they were put in
	if r.transports != "" {
		p.Transports = strings.Split(r.transports, ",")
	}
	if r.used != 0 {
		p.LastUsedAt = fromMicros(r.used)
	}
	return p
}

// Passkeys implements account.PasskeyStore.
func (s *Store) Passkeys(ctx context.Context, accountID int64) ([]account.Passkey, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT `+passkeyColumns+` FROM passkeys k WHERE k.account_id = ? ORDER BY k.id`, accountID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.Passkey
	for rows.Next() {
		var row passkeyRow
		if err := rows.Scan(row.dest()...); err != nil {
			return nil, err
		}
		list = append(list, row.passkey())
	}
	return list, rows.Err()
}

// PasskeyByCredential implements account.PasskeyStore.
func (s *Store) PasskeyByCredential(ctx context.Context, credentialID []byte) (account.Passkey, account.Account, error) {
	var key passkeyRow
	var row accountRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+accountColumns+`, `+passkeyColumns+` FROM passkeys k JOIN accounts a ON a.id = k.account_id
		WHERE k.credential_id = ? AND a.suspended_at IS NULL AND a.deleted_at IS NULL`, credentialID).
		Scan(append(row.dest(), key.dest()...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Passkey{}, account.Account{}, errNoPasskey()
	}
	return key.passkey(), row.account(), err
}

func errNoPasskey() *errs.Error { return errs.New(errs.NotFound, "no such passkey") }

// AddPasskey implements account.PasskeyStore.
func (s *Store) AddPasskey(ctx context.Context, p account.Passkey, limit int, n account.Enabling, e audit.Entry) (first bool, err error) {
	err = s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		var have int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM passkeys WHERE account_id = ?`, p.AccountID).Scan(&have); err != nil {
			return err
		}
		if have >= limit {
			return errs.New(errs.Conflict, "there are %d passkeys already; remove one first", have)
		}
		res, err := tx.Exec(ctx, `INSERT INTO passkeys
			(account_id, credential_id, public_key, name, transports, aaguid, flags, sign_count, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (credential_id) DO NOTHING`,
			p.AccountID, p.CredentialID, p.PublicKey, p.Name, strings.Join(p.Transports, ","), p.AAGUID, int64(p.Flags), int64(p.SignCount), toMicros(p.CreatedAt))
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Exists, "this passkey is there already")); err != nil {
			return err
		}
		first, err = turnOn(ctx, tx, p.AccountID, n)
		return err
	}, p.AccountID)
	return first, err
}

// UsePasskey implements account.PasskeyStore.
func (s *Store) UsePasskey(ctx context.Context, p account.Passkey) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE passkeys SET sign_count = ?, flags = ?, last_used_at = ?
			WHERE id = ? AND account_id = ? AND (sign_count < ? OR sign_count = 0 AND CAST(? AS BIGINT) = 0)`,
			int64(p.SignCount), int64(p.Flags), toMicros(p.LastUsedAt), p.ID, p.AccountID, int64(p.SignCount), int64(p.SignCount))
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.Unauthenticated, "the passkey was not accepted; try again"))
	})
}

// RenamePasskey implements account.PasskeyStore.
func (s *Store) RenamePasskey(ctx context.Context, accountID, id int64, name string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE passkeys SET name = ? WHERE id = ? AND account_id = ?`, name, id, accountID)
		if err != nil {
			return err
		}
		return oneRow(res, errNoPasskey())
	}, accountID)
}

// RemovePasskey implements account.PasskeyStore.
func (s *Store) RemovePasskey(ctx context.Context, accountID, id int64, e, off audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM passkeys WHERE id = ? AND account_id = ?`, id, accountID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errNoPasskey()); err != nil {
			return err
		}
		return turnOff(ctx, tx, accountID, off)
	}, accountID)
}
