package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

var _ account.IdentityStore = (*Store)(nil)

// AccountByIdentity implements account.IdentityStore.
func (s *Store) AccountByIdentity(ctx context.Context, issuer, subject string) (account.Account, error) {
	var row accountRow
	var deleted bool
	err := s.db.Read().QueryRow(ctx, `SELECT `+accountColumns+`, a.deleted_at IS NOT NULL
		FROM identities i JOIN accounts a ON a.id = i.account_id
		WHERE i.issuer = ? AND i.subject = ?`, issuer, subject).Scan(append(row.dest(), &deleted)...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Account{}, errs.New(errs.NotFound, "no account is linked to this identity")
	}
	a := row.account()
	a.Suspended = a.Suspended || deleted
	return a, err
}

// CreateUserWithIdentity implements account.IdentityStore.
func (s *Store) CreateUserWithIdentity(ctx context.Context, a account.Account, i account.Identity, e audit.Entry) (id int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if id, err = insertAccount(ctx, tx, a); err != nil {
			return err
		}
		res, err := insertIdentity(ctx, tx, id, i)
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.Exists, "the identity is linked to another account")); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
	return id, err
}

func insertIdentity(ctx context.Context, tx *database.Tx, accountID int64, i account.Identity) (sql.Result, error) {
	return tx.Exec(ctx, `INSERT INTO identities (issuer, subject, account_id, created_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (issuer, subject) DO NOTHING`, i.Issuer, i.Subject, accountID, toMicros(i.CreatedAt))
}

// LinkIdentity implements account.IdentityStore.
func (s *Store) LinkIdentity(ctx context.Context, accountID int64, i account.Identity, e audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := lockAccount(ctx, tx, accountID); err != nil {
			return err
		}
		var owner int64
		err := tx.QueryRow(ctx, `SELECT account_id FROM identities WHERE issuer = ? AND subject = ?`, i.Issuer, i.Subject).Scan(&owner)
		switch {
		case err == nil && owner == accountID:
			return nil
		case err == nil:
			return errIdentityTaken()
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		var others int
		err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM identities WHERE issuer = ? AND account_id = ?`, i.Issuer, accountID).Scan(&others)
		if err != nil {
			return err
		}
		if others > 0 {
			return errs.New(errs.Conflict, "your account is linked to another identity of this provider; ask the site administrator to unlink it")
		}
		res, err := insertIdentity(ctx, tx, accountID, i)
		if err != nil {
			return err
		}
		if err := oneRow(res, errIdentityTaken()); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

func errIdentityTaken() *errs.Error {
	return errs.New(errs.Conflict, "this identity is linked to another account")
}

// UnlinkIdentities implements account.IdentityStore.
func (s *Store) UnlinkIdentities(ctx context.Context, accountID int64, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM identities WHERE account_id = ?`, accountID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.NotFound, "no identity is linked to the account")); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM web_sessions WHERE account_id = ? AND issuer <> ''`, accountID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM token_authorizations WHERE token_id IN (SELECT id FROM tokens WHERE account_id = ?)`, accountID)
		return err
	}, accountID)
}

// ListIdentities implements account.IdentityStore.
func (s *Store) ListIdentities(ctx context.Context, accountID int64) ([]account.Identity, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT issuer, subject, created_at FROM identities
		WHERE account_id = ? ORDER BY created_at, issuer, subject`, accountID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.Identity
	for rows.Next() {
		var i account.Identity
		var created int64
		if err := rows.Scan(&i.Issuer, &i.Subject, &created); err != nil {
			return nil, err
		}
		i.CreatedAt = fromMicros(created)
		list = append(list, i)
	}
	return list, rows.Err()
}

// SignOnOrganizations implements account.IdentityStore.
func (s *Store) SignOnOrganizations(ctx context.Context, accountID int64) ([]account.SignOn, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT o.id, o.login, COALESCE(x.token_id, 0)
		FROM memberships m JOIN accounts o ON o.id = m.organization_id AND o.sso_required = 1 AND o.deleted_at IS NULL
		LEFT JOIN token_authorizations x ON x.organization_id = o.id
			AND x.token_id IN (SELECT id FROM tokens WHERE account_id = m.user_id AND revoked_at IS NULL)
		WHERE m.user_id = ? ORDER BY o.login, x.token_id`, accountID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.SignOn
	for rows.Next() {
		var o account.SignOn
		var tokenID int64
		if err := rows.Scan(&o.OrganizationID, &o.Login, &tokenID); err != nil {
			return nil, err
		}
		if n := len(list); n == 0 || list[n-1].OrganizationID != o.OrganizationID {
			list = append(list, o)
		}
		if last := &list[len(list)-1]; tokenID != 0 {
			last.Tokens = append(last.Tokens, tokenID)
		}
	}
	return list, rows.Err()
}
