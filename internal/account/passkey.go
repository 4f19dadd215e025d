package account

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Limits of passkeys.
const (
	maxPasskeys    = 20
	maxPasskeyName = 100
	// ChallengeLife is how long somebody may take to use one.
	ChallengeLife = 5 * time.Minute
)

// Passkey is a key of a user that a browser, a phone or a security key keeps.
type Passkey struct {
	ID         int64
	AccountID  int64
	Name       string
	CreatedAt  time.Time
	LastUsedAt time.Time // zero for never

	CredentialID []byte
	PublicKey    []byte
	AAGUID       []byte
	Transports   []string
	// Flags are those of the authenticator's data when it was last seen.
	Flags byte
	// SignCount is how often it signed, as it says; zero from those that do not
	// count.
	SignCount uint32
}

// PasskeyStore keeps passkeys.
type PasskeyStore interface {
	// Passkeys returns the account's, the oldest first.
	Passkeys(ctx context.Context, accountID int64) ([]Passkey, error)
	// PasskeyByCredential returns a passkey and whose it is as it is now; NotFound
	// when there is none, or the user may not come in any more.
	PasskeyByCredential(ctx context.Context, credentialID []byte) (Passkey, Account, error)
	// AddPasskey stores p, and reports whether that turned the second factor on,
	// as n says. Exists for a credential that is there, Conflict for more than max.
	AddPasskey(ctx context.Context, p Passkey, max int, n Enabling, e audit.Entry) (first bool, err error)
	// UsePasskey notes a use with what the authenticator says now. Unauthenticated
	// when it counts and has counted as far before: there are two of it.
	UsePasskey(ctx context.Context, p Passkey) error
	// RenamePasskey and RemovePasskey return NotFound for a passkey that is not
	// the account's. With the last factor gone the second factor is off, which off
	// records.
	RenamePasskey(ctx context.Context, accountID, id int64, name string, e audit.Entry) error
	RemovePasskey(ctx context.Context, accountID, id int64, e, off audit.Entry) error
}

// Challenge is what an authenticator was asked to sign, and what for.
type Challenge struct {
	Hash      string // of the secret in the cookie
	Purpose   string
	AccountID int64 // zero when it may be anybody
	Data      []byte
	ExpiresAt time.Time
}

// ChallengeStore keeps challenges, each of which is taken once.
type ChallengeStore interface {
	AddChallenge(ctx context.Context, c Challenge) error
	// TakeChallenge returns the challenge and forgets it; NotFound when there is
	// none, or not any more.
	TakeChallenge(ctx context.Context, hash string, now time.Time) (Challenge, error)
	// SweepFactors removes challenges and waiting sign-ins that have expired.
	SweepFactors(ctx context.Context, now time.Time) (int, error)
}

// Sweep forgets what has expired. Run it now and then.
func (f *Factors) Sweep(ctx context.Context) (int, error) { return f.Store.SweepFactors(ctx, f.Now()) }

// RenamePasskey gives a passkey of who another name. NotFound when there is none.
func (f *Factors) RenamePasskey(ctx context.Context, who access.Principal, id int64, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	return f.Store.RenamePasskey(ctx, who.AccountID, id, name, f.entry(who, "user.passkey-rename", map[string]any{"name": name}))
}

// RemovePasskey takes a passkey from who. NotFound when there is none.
func (f *Factors) RemovePasskey(ctx context.Context, who access.Principal, id int64) error {
	return f.Store.RemovePasskey(ctx, who.AccountID, id, f.entry(who, "user.passkey-remove", nil), f.off(who))
}

func passkeyName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxPasskeyName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errs.New(errs.Invalid, "a passkey has a name of at most %d characters", maxPasskeyName)
	}
	return name, nil
}
