package token

import (
	"context"
	"time"

	"packhouse/internal/access"
)

// Token is what is known of a personal access token; its secret is not.
type Token struct {
	ID        int64
	AccountID int64
	Kind      Kind
	Note      string
	// SecretHash is hexadecimal SHA-256.
	SecretHash string
	Scopes     access.Scopes
	CreatedAt  time.Time
	// The zero time says never.
	ExpiresAt  time.Time
	LastUsedAt time.Time // whole minutes
	RevokedAt  time.Time
}

// Holder is the account behind a credential, as it is now.
type Holder struct {
	AccountID int64
	Login     string
	SiteAdmin bool
	Suspended bool
}

// Store keeps personal access tokens.
type Store interface {
	// CreateToken stores t and returns its id.
	CreateToken(ctx context.Context, t Token) (int64, error)
	// TokenBySecret returns the token with that hash and its account;
	// NotFound when there is none.
	TokenBySecret(ctx context.Context, hash string) (Token, Holder, error)
	// Credential returns the account, and its token of that id unless the id
	// is zero; NotFound when either is not there.
	Credential(ctx context.Context, accountID, tokenID int64) (Token, Holder, error)
	// Tokens returns an account's tokens that are not revoked, newest first.
	Tokens(ctx context.Context, accountID int64) ([]Token, error)
	// RevokeToken ends the account's token; NotFound when it has none of that
	// id that is not revoked.
	RevokeToken(ctx context.Context, accountID, id int64, now time.Time) error
	// TouchTokens records when tokens were used last; it may be lost by a
	// power cut.
	TouchTokens(ctx context.Context, used map[int64]time.Time) error
}

// Key is one signing key for bearer tokens.
type Key struct {
	ID        string
	Seed      []byte // of Ed25519, 32 bytes
	CreatedAt time.Time
}

// KeyStore keeps signing keys.
type KeyStore interface {
	// SigningKeys returns the keys in use, newest first.
	SigningKeys(ctx context.Context) ([]Key, error)
	// AddSigningKey stores k and retires all but the two newest keys, whose
	// secret part it erases.
	AddSigningKey(ctx context.Context, k Key) error
}

// live returns why a token or its account cannot be used now, or nil.
func live(t Token, h Holder, now time.Time) error {
	switch {
	case h.Suspended:
		return errCredential("the account is suspended")
	case !t.RevokedAt.IsZero():
		return errCredential("the token was revoked")
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return errCredential("the token has expired")
	}
	return nil
}
