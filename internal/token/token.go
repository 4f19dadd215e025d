package token

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
)

// Token is what is known of a token; its secret is not.
type Token struct {
	ID int64
	// AccountID is the user that it acts for. For a workflow token it is who
	// owned the repository, or the rule of trust, when it was made.
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
	// Limited is set for a token that reaches what its limits name, and nothing
	// else.
	Limited bool
	// A workflow token is bound to a repository, a rule of trust, or both; zero
	// means none.
	RepositoryID, TrustID int64
	// Codespace is set for a workflow token that only pulls.
	Codespace bool
}

// Holder is the account behind a credential, as it is now: for a workflow token
// the present owner of its repository.
type Holder struct {
	AccountID int64
	Login     string
	SiteAdmin bool
	Suspended bool
	Deleted   bool
	// Generation is when the password was set, in microseconds.
	Generation int64
	// SecondFactor is set when a password alone does not sign in.
	SecondFactor bool
	// Repository is the present name of a workflow token's; zero when it has
	// none, or it was deleted.
	Repository oci.Name
	// Distrusted is set when the rule that the token came from is gone.
	Distrusted bool
}

// Store is what an Authenticator asks of the tokens.
type Store interface {
	// TokenBySecret returns the token with that hash and its holder; NotFound
	// when there is none.
	TokenBySecret(ctx context.Context, hash string) (Token, Holder, error)
	// TokenByID does the same for an id.
	TokenByID(ctx context.Context, id int64) (Token, Holder, error)
	// HolderByID returns the account; NotFound when there is none.
	HolderByID(ctx context.Context, accountID int64) (Holder, error)
	// HasLogin reports whether the login, in lower case, leads to the account,
	// now or since former times.
	HasLogin(ctx context.Context, accountID int64, login string) (bool, error)
	// Limits returns what a limited token reaches.
	Limits(ctx context.Context, tokenID int64) ([]access.Limit, error)
	// TouchTokens records when tokens were used last; it may be lost by a
	// power cut.
	TouchTokens(ctx context.Context, used map[int64]time.Time) error
}

// Issued keeps the tokens that were given out. Every change is recorded as the
// entry that it is given, whose time is when the change is made.
type Issued interface {
	// CreateToken stores t with its limits and returns its id. NotFound when
	// its account, its repository, its rule or what a limit names is not there.
	CreateToken(ctx context.Context, t Token, limits []access.Limit, e audit.Entry) (int64, error)
	// TokenByID is that of Store.
	TokenByID(ctx context.Context, id int64) (Token, Holder, error)
	// RevokeToken ends the token with that account; NotFound when there is none
	// that is not revoked.
	RevokeToken(ctx context.Context, accountID, id int64, e audit.Entry) error
}

// UserTokens keeps the tokens of users.
type UserTokens interface {
	Issued
	// Tokens returns a user's own tokens that are not revoked, newest first.
	Tokens(ctx context.Context, accountID int64) ([]Token, error)
	// AuthorizeToken lets the token of a user reach an organization that
	// demands single sign-on. NotFound unless the user is a member of it.
	AuthorizeToken(ctx context.Context, id, organizationID int64, e audit.Entry) error
	// DeauthorizeToken takes that back; NotFound when it was not authorized.
	DeauthorizeToken(ctx context.Context, id, organizationID int64, e audit.Entry) error
}

// JobTokens keeps workflow tokens.
type JobTokens interface {
	Issued
	// RepositoryTokens returns the repository's tokens that are neither revoked
	// nor expired at now, newest first.
	RepositoryTokens(ctx context.Context, repositoryID int64, now time.Time) ([]Token, error)
	// ForgetJobTokens removes workflow tokens that expired before the time, at
	// most n, and returns how many.
	ForgetJobTokens(ctx context.Context, before time.Time, n int) (int, error)
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

// live returns why a token or its holder cannot be used now, or nil.
func live(t Token, h Holder, now time.Time) error {
	switch {
	case h.Deleted:
		return errCredential("the account was deleted")
	case t.RepositoryID != 0 && h.Repository.IsZero():
		return errCredential("the token's repository was deleted")
	case h.Distrusted:
		return errCredential("the rule of trust that the token came from was withdrawn")
	case !t.RevokedAt.IsZero():
		return errCredential("the token was revoked")
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return errCredential("the token has expired")
	case h.Suspended:
		return errCredential("the account is suspended")
	}
	return nil
}
