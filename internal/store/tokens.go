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
	"packhouse/internal/oci"
	"packhouse/internal/token"
)

var (
	_ token.Store      = (*Store)(nil)
	_ token.UserTokens = (*Store)(nil)
	_ token.JobTokens  = (*Store)(nil)
	_ token.KeyStore   = (*Store)(nil)
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

const (
	holderColumns = `a.id, a.login, a.site_admin, a.suspended_at IS NOT NULL, a.deleted_at IS NOT NULL, a.password_changed_at, a.second_factor_at <> 0`
	tokenColumns  = `t.id, t.account_id, t.kind, t.note, t.secret_hash, t.scopes, t.created_at, t.expires_at, t.last_used_at,
		t.revoked_at, t.fine_grained, COALESCE(t.repository_id, 0), COALESCE(t.trust_id, 0), t.codespace`
	// A workflow token follows its repository to whoever owns it.
	credentialQuery = `SELECT ` + holderColumns + `, COALESCE(r.name, ''), t.trust_id IS NOT NULL AND w.id IS NULL, ` + tokenColumns + `
		FROM tokens t
		LEFT JOIN repositories r ON r.id = t.repository_id AND r.deleted_at IS NULL
		LEFT JOIN trust_rules w ON w.id = t.trust_id
		JOIN accounts a ON a.id = COALESCE(r.owner_id, t.account_id)`
)

// holderRow and tokenRow scan holderColumns and tokenColumns.
type holderRow struct {
	h     token.Holder
	admin int64
}

func (r *holderRow) dest() []any {
	return []any{&r.h.AccountID, &r.h.Login, &r.admin, &r.h.Suspended, &r.h.Deleted, &r.h.Generation, &r.h.SecondFactor}
}

func (r *holderRow) holder() token.Holder {
	r.h.SiteAdmin = r.admin != 0
	return r.h
}

type tokenRow struct {
	t                                   token.Token
	kind                                string
	scopes, created, limited, codespace int64
	expires, lastUsed, revoked          sql.NullInt64
}

func (r *tokenRow) dest() []any {
	return []any{
		&r.t.ID, &r.t.AccountID, &r.kind, &r.t.Note, &r.t.SecretHash, &r.scopes, &r.created,
		&r.expires, &r.lastUsed, &r.revoked, &r.limited, &r.t.RepositoryID, &r.t.TrustID, &r.codespace,
	}
}

func (r *tokenRow) token() token.Token {
	t := r.t
	t.Kind, t.Scopes, t.CreatedAt = token.Kind(r.kind), access.Scopes(r.scopes), fromMicros(r.created)
	t.ExpiresAt, t.LastUsedAt, t.RevokedAt = optionalTime(r.expires), optionalTime(r.lastUsed), optionalTime(r.revoked)
	t.Limited, t.Codespace = r.limited != 0, r.codespace != 0
	return t
}

// TokenBySecret implements token.Store.
func (s *Store) TokenBySecret(ctx context.Context, hash string) (token.Token, token.Holder, error) {
	return s.credential(ctx, credentialQuery+` WHERE t.secret_hash = ?`, hash)
}

// TokenByID implements token.Store.
func (s *Store) TokenByID(ctx context.Context, id int64) (token.Token, token.Holder, error) {
	return s.credential(ctx, credentialQuery+` WHERE t.id = ?`, id)
}

func (s *Store) credential(ctx context.Context, query string, arg any) (token.Token, token.Holder, error) {
	var row holderRow
	var t tokenRow
	var repository string
	var distrusted bool
	err := s.db.Read().QueryRow(ctx, query, arg).Scan(append(append(row.dest(), &repository, &distrusted), t.dest()...)...)
	if err != nil {
		return token.Token{}, token.Holder{}, noCredential(err)
	}
	h := row.holder()
	h.Distrusted = distrusted
	if repository != "" {
		h.Repository, err = oci.ParseName(h.Login + "/" + repository)
	}
	return t.token(), h, err
}

// HolderByID implements token.Store.
func (s *Store) HolderByID(ctx context.Context, accountID int64) (token.Holder, error) {
	var h holderRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+holderColumns+` FROM accounts a WHERE a.id = ?`, accountID).Scan(h.dest()...)
	return h.holder(), noCredential(err)
}

// HasLogin implements token.Store.
func (s *Store) HasLogin(ctx context.Context, accountID int64, login string) (bool, error) {
	if !storable(login) {
		return false, nil
	}
	var one int
	err := s.db.Read().QueryRow(ctx, `SELECT 1 FROM logins WHERE login = ? AND account_id = ?`, login, accountID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Limits implements token.Store.
func (s *Store) Limits(ctx context.Context, tokenID int64) ([]access.Limit, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT owner_id, package_id, actions FROM token_limits
		WHERE token_id = ? ORDER BY owner_id, package_id`, tokenID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []access.Limit
	for rows.Next() {
		var l access.Limit
		if err := rows.Scan(&l.OwnerID, &l.PackageID, &l.Actions); err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, rows.Err()
}

func noCredential(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.NotFound, "no such credential")
	}
	return err
}

// LimitNames returns what a limited token reaches, by the present names.
func (s *Store) LimitNames(ctx context.Context, tokenID int64) ([]token.LimitName, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT CASE WHEN l.package_id = 0 THEN o.login ELSE o.login || '/' || COALESCE(p.name, '') END, l.actions
		FROM token_limits l
		JOIN accounts o ON o.id = l.owner_id
		LEFT JOIN packages p ON p.id = l.package_id
		WHERE l.token_id = ? ORDER BY l.owner_id, l.package_id`, tokenID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []token.LimitName
	for rows.Next() {
		var n token.LimitName
		if err := rows.Scan(&n.Name, &n.Actions); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
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
