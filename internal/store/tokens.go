package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

var (
	_ token.Store    = (*Store)(nil)
	_ token.KeyStore = (*Store)(nil)
)

// optionalMicros returns the column of a time that may be zero.
func optionalMicros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return toMicros(t)
}

// optionalTime is its reverse.
func optionalTime(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return fromMicros(us.Int64)
}

// CreateToken implements token.Store.
func (s *Store) CreateToken(ctx context.Context, t token.Token) (id int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		return tx.QueryRow(ctx, `INSERT INTO tokens (account_id, kind, note, secret_hash, scopes, created_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			t.AccountID, string(t.Kind), t.Note, t.SecretHash, int64(t.Scopes), toMicros(t.CreatedAt),
			optionalMicros(t.ExpiresAt)).Scan(&id)
	})
	return id, err
}

const (
	holderColumns = `a.id, a.login, a.site_admin, a.suspended_at IS NOT NULL`
	tokenColumns  = `t.id, t.account_id, t.kind, t.note, t.secret_hash, t.scopes, t.created_at, t.expires_at, t.last_used_at, t.revoked_at`
)

// holderRow and tokenRow scan holderColumns and tokenColumns.
type holderRow struct {
	h     token.Holder
	admin int64
}

func (r *holderRow) dest() []any { return []any{&r.h.AccountID, &r.h.Login, &r.admin, &r.h.Suspended} }

func (r *holderRow) holder() token.Holder {
	r.h.SiteAdmin = r.admin != 0
	return r.h
}

type tokenRow struct {
	t                          token.Token
	kind                       string
	scopes, created            int64
	expires, lastUsed, revoked sql.NullInt64
}

func (r *tokenRow) dest() []any {
	return []any{
		&r.t.ID, &r.t.AccountID, &r.kind, &r.t.Note, &r.t.SecretHash, &r.scopes, &r.created,
		&r.expires, &r.lastUsed, &r.revoked,
	}
}

func (r *tokenRow) token() token.Token {
	t := r.t
	t.Kind, t.Scopes, t.CreatedAt = token.Kind(r.kind), access.Scopes(r.scopes), fromMicros(r.created)
	t.ExpiresAt, t.LastUsedAt, t.RevokedAt = optionalTime(r.expires), optionalTime(r.lastUsed), optionalTime(r.revoked)
	return t
}

// TokenBySecret implements token.Store.
func (s *Store) TokenBySecret(ctx context.Context, hash string) (token.Token, token.Holder, error) {
	return s.credential(ctx, `SELECT `+holderColumns+`, `+tokenColumns+`
		FROM tokens t JOIN accounts a ON a.id = t.account_id WHERE t.secret_hash = ?`, hash)
}

// Credential implements token.Store.
func (s *Store) Credential(ctx context.Context, accountID, tokenID int64) (token.Token, token.Holder, error) {
	if tokenID != 0 {
		return s.credential(ctx, `SELECT `+holderColumns+`, `+tokenColumns+`
			FROM tokens t JOIN accounts a ON a.id = t.account_id WHERE t.id = ? AND a.id = ?`, tokenID, accountID)
	}
	var h holderRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+holderColumns+` FROM accounts a WHERE a.id = ?`, accountID).Scan(h.dest()...)
	return token.Token{}, h.holder(), noCredential(err)
}

func (s *Store) credential(ctx context.Context, query string, args ...any) (token.Token, token.Holder, error) {
	var h holderRow
	var t tokenRow
	err := s.db.Read().QueryRow(ctx, query, args...).Scan(append(h.dest(), t.dest()...)...)
	if err != nil {
		return token.Token{}, token.Holder{}, noCredential(err)
	}
	return t.token(), h.holder(), nil
}

func noCredential(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.NotFound, "no such credential")
	}
	return err
}

// Tokens implements token.Store.
func (s *Store) Tokens(ctx context.Context, accountID int64) ([]token.Token, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT `+tokenColumns+` FROM tokens t
		WHERE t.account_id = ? AND t.revoked_at IS NULL ORDER BY t.id DESC`, accountID)
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

// RevokeToken implements token.Store.
func (s *Store) RevokeToken(ctx context.Context, accountID, id int64, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE tokens SET revoked_at = ? WHERE id = ? AND account_id = ? AND revoked_at IS NULL`,
			toMicros(now), id, accountID)
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.NotFound, "no such token"))
	})
}

// TouchTokens implements token.Store. The tokens are taken in the order of their
// ids, so that two nodes never wait for each other.
func (s *Store) TouchTokens(ctx context.Context, used map[int64]time.Time) error {
	ids := slices.SortedFunc(maps.Keys(used), cmp.Compare)
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for _, id := range ids {
			at := toMicros(used[id])
			_, err := tx.Exec(ctx, `UPDATE tokens SET last_used_at = ?
				WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)`, at, id, at)
			if err != nil {
				return err
			}
		}
		return nil
	}, database.Relaxed)
}

// SigningKeys implements token.KeyStore.
func (s *Store) SigningKeys(ctx context.Context) ([]token.Key, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT id, private_key, created_at FROM signing_keys
		WHERE retired_at IS NULL ORDER BY created_at DESC, id DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []token.Key
	for rows.Next() {
		var k token.Key
		var created int64
		if err := rows.Scan(&k.ID, &k.Seed, &created); err != nil {
			return nil, err
		}
		k.CreatedAt = fromMicros(created)
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// AddSigningKey implements token.KeyStore. A retired key's row stays, without
// its secret, as a record of when it was in use.
func (s *Store) AddSigningKey(ctx context.Context, k token.Key) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO signing_keys (id, private_key, created_at) VALUES (?, ?, ?)`,
			k.ID, k.Seed, toMicros(k.CreatedAt))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE signing_keys SET retired_at = ?, private_key = ? WHERE retired_at IS NULL
			AND id NOT IN (SELECT id FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 2)`,
			toMicros(k.CreatedAt), []byte{})
		return err
	})
}
