package token

import (
	"context"
	"io"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// MaxNote is the longest note on a token, in bytes.
const MaxNote = 200

// PersonalTokens makes, lists and ends the personal access tokens of accounts. Safe for concurrent use.
type PersonalTokens struct {
	Store  Store
	Now    func() time.Time
	Random io.Reader
}

// NewToken describes a token to create.
type NewToken struct {
	AccountID int64
	Note      string
	Scopes    access.Scopes
	// ExpiresAt may be zero: the token then lasts until it is revoked.
	ExpiresAt time.Time
}

// Create makes a token. The secret is returned here and nowhere else.
func (p *PersonalTokens) Create(ctx context.Context, n NewToken) (Secret, Token, error) {
	switch {
	case n.Scopes == 0 || n.Scopes&^access.AllScopes != 0:
		return Secret{}, Token{}, errs.New(errs.Invalid, "a token needs at least one scope, such as read:packages")
	case !n.ExpiresAt.IsZero() && !n.ExpiresAt.After(p.Now()):
		return Secret{}, Token{}, errs.New(errs.Invalid, "a token cannot expire before it is made")
	case len(n.Note) > MaxNote:
		return Secret{}, Token{}, errs.New(errs.Invalid, "a note has at most %d bytes", MaxNote)
	}
	secret, err := generate(Personal, p.Random)
	if err != nil {
		return Secret{}, Token{}, err
	}
	t := Token{
		AccountID: n.AccountID, Kind: Personal, Note: n.Note, SecretHash: hashOf(secret.Reveal()),
		Scopes: n.Scopes, CreatedAt: p.Now(), ExpiresAt: n.ExpiresAt,
	}
	if t.ID, err = p.Store.CreateToken(ctx, t); err != nil {
		return Secret{}, Token{}, err
	}
	return secret, t, nil
}

// List returns the account's tokens that are not revoked, newest first.
func (p *PersonalTokens) List(ctx context.Context, accountID int64) ([]Token, error) {
	return p.Store.Tokens(ctx, accountID)
}

// Revoke ends a token of the account. What it signed in is refused at once,
// except reads by bearer tokens, which end within their five minutes.
func (p *PersonalTokens) Revoke(ctx context.Context, accountID, id int64) error {
	return p.Store.RevokeToken(ctx, accountID, id, p.Now())
}
