package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// optionalID returns the column of an id that may be zero.
func optionalID(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// CreateToken implements token.Issued.
func (s *Store) CreateToken(ctx context.Context, t token.Token, limits []access.Limit, e audit.Entry) (id int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if id, err = insertToken(ctx, tx, t); err != nil {
			return err
		}
		for _, l := range limits {
			if err := s.insertLimit(ctx, tx, id, l); err != nil {
				return err
			}
		}
		return record(ctx, tx, withToken(e, id))
	})
	return id, err
}

// withToken returns e with the token's id in its detail.
func withToken(e audit.Entry, id int64) audit.Entry {
	detail := map[string]any{"token": id}
	for k, v := range e.Detail {
		detail[k] = v
	}
	e.Detail = detail
	return e
}

// insertToken adds t where all that it is bound to is still there.
func insertToken(ctx context.Context, tx *database.Tx, t token.Token) (id int64, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO tokens (account_id, kind, note, secret_hash, scopes, created_at, expires_at,
			fine_grained, repository_id, trust_id, codespace)
		SELECT a.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM accounts a WHERE a.id = ? AND a.deleted_at IS NULL
			AND (CAST(? AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM repositories r WHERE r.id = ? AND r.owner_id = a.id AND r.deleted_at IS NULL))
			AND (CAST(? AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM trust_rules w WHERE w.id = ?))
		RETURNING id`,
		string(t.Kind), t.Note, t.SecretHash, int64(t.Scopes), toMicros(t.CreatedAt), optionalMicros(t.ExpiresAt),
		flag(t.Limited), optionalID(t.RepositoryID), optionalID(t.TrustID), flag(t.Codespace), t.AccountID,
		t.RepositoryID, t.RepositoryID, t.TrustID, t.TrustID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, errs.New(errs.NotFound, "what the token is for is no longer there")
	}
	return id, err
}

// insertLimit adds one of a token's limits. Limits of one thing are joined.
func (s *Store) insertLimit(ctx context.Context, tx *database.Tx, tokenID int64, l access.Limit) error {
	none := errs.New(errs.NotFound, "a package that the token should reach is not there")
	err := s.keepOwner(ctx, tx, presentPackage, l.PackageID, l.OwnerID)
	if errors.Is(err, sql.ErrNoRows) {
		return none
	}
	if err != nil {
		return err
	}
	res, err := tx.Exec(ctx, `INSERT INTO token_limits (token_id, owner_id, package_id, actions)
		SELECT ?, a.id, ?, ? FROM accounts a WHERE a.id = ? AND a.deleted_at IS NULL
		ON CONFLICT (token_id, owner_id, package_id) DO UPDATE SET actions = token_limits.actions | excluded.actions`,
		tokenID, l.PackageID, int64(l.Actions), l.OwnerID)
	if err != nil {
		return err
	}
	return oneRow(res, none)
}

// Tokens implements token.UserTokens.
func (s *Store) Tokens(ctx context.Context, accountID int64) ([]token.Token, error) {
	return s.tokens(ctx, `SELECT `+tokenColumns+` FROM tokens t
		WHERE t.account_id = ? AND t.kind IN ('php', 'phf') AND t.revoked_at IS NULL ORDER BY t.id DESC`, accountID)
}

// RepositoryTokens implements token.JobTokens.
func (s *Store) RepositoryTokens(ctx context.Context, repositoryID int64, now time.Time) ([]token.Token, error) {
	return s.tokens(ctx, `SELECT `+tokenColumns+` FROM tokens t
		WHERE t.repository_id = ? AND t.revoked_at IS NULL AND t.expires_at > ? ORDER BY t.id DESC`, repositoryID, toMicros(now))
}

func (s *Store) tokens(ctx context.Context, query string, args ...any) ([]token.Token, error) {
	rows, err := s.db.Read().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []token.Token
	for rows.Next() {
		var t tokenRow
		if err := rows.Scan(t.dest()...); err != nil {
			return nil, err
		}
		list = append(list, t.token())
	}
	return list, rows.Err()
}

// RevokeToken implements token.Issued.
func (s *Store) RevokeToken(ctx context.Context, accountID, id int64, e audit.Entry) error {
	return s.changeToken(ctx, e, errs.New(errs.NotFound, "no such token"),
		`UPDATE tokens SET revoked_at = ? WHERE id = ? AND account_id = ? AND revoked_at IS NULL`, toMicros(e.At), id, accountID)
}

// AuthorizeToken implements token.UserTokens. One that was authorized before stays so.
func (s *Store) AuthorizeToken(ctx context.Context, id, organizationID int64, e audit.Entry) error {
	return s.changeToken(ctx, e, errs.New(errs.NotFound, "no such token of a member of the organization"),
		`INSERT INTO token_authorizations (token_id, organization_id, created_at)
		SELECT t.id, m.organization_id, ? FROM tokens t
			JOIN memberships m ON m.user_id = t.account_id AND m.organization_id = ?
			WHERE t.id = ? AND t.kind IN ('php', 'phf') AND t.revoked_at IS NULL
		ON CONFLICT (token_id, organization_id) DO UPDATE SET created_at = token_authorizations.created_at`,
		toMicros(e.At), organizationID, id)
}

// DeauthorizeToken implements token.UserTokens.
func (s *Store) DeauthorizeToken(ctx context.Context, id, organizationID int64, e audit.Entry) error {
	return s.changeToken(ctx, e, errs.New(errs.NotFound, "the token was not authorized for the organization"),
		`DELETE FROM token_authorizations WHERE token_id = ? AND organization_id = ?`, id, organizationID)
}

// Authorizations returns the tokens of members that were authorized for the
// organization and hold, in the order of logins and ids.
func (s *Store) Authorizations(ctx context.Context, organizationID int64) ([]token.Authorization, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT `+tokenColumns+`, a.login, ta.created_at FROM token_authorizations ta
		JOIN tokens t ON t.id = ta.token_id AND t.revoked_at IS NULL
		JOIN accounts a ON a.id = t.account_id
		WHERE ta.organization_id = ? ORDER BY a.login, t.id`, organizationID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []token.Authorization
	for rows.Next() {
		var row tokenRow
		var one token.Authorization
		var at int64
		if err := rows.Scan(append(row.dest(), &one.Login, &at)...); err != nil {
			return nil, err
		}
		one.Token, one.At = row.token(), fromMicros(at)
		list = append(list, one)
	}
	return list, rows.Err()
}

// changeToken runs a statement that changes one row, or fails with none.
func (s *Store) changeToken(ctx context.Context, e audit.Entry, none *errs.Error, query string, args ...any) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, query, args...)
		if err != nil {
			return err
		}
		if err := oneRow(res, none); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

// ForgetJobTokens implements token.JobTokens.
func (s *Store) ForgetJobTokens(ctx context.Context, before time.Time, n int) (forgotten int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM token_limits WHERE token_id IN
			(SELECT id FROM tokens WHERE kind = 'phw' AND expires_at < ? ORDER BY expires_at, id LIMIT ?)`, toMicros(before), n)
		if err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `DELETE FROM tokens WHERE id IN
			(SELECT id FROM tokens WHERE kind = 'phw' AND expires_at < ? ORDER BY expires_at, id LIMIT ?)`, toMicros(before), n)
		if err != nil {
			return err
		}
		gone, err := res.RowsAffected()
		forgotten = int(gone)
		return err
	})
	return forgotten, err
}
