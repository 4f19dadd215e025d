package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// The second factors, as they are named in the record of changes.
const (
	FactorApp      = "authenticator app"
	FactorPasskey  = "passkey"
	FactorRecovery = "recovery code"
)

// FactorStore keeps the second factors of users. A user has one from the first
// authenticator app that was confirmed or the first passkey, whichever comes
// first, until there is neither.
type FactorStore interface {
	AppStore
	RecoveryStore
	PasskeyStore
	ChallengeStore
	PendingStore
	// ResetFactors takes all second factors from the account and ends its
	// sessions. NotFound when there is none.
	ResetFactors(ctx context.Context, accountID int64, e audit.Entry) error
}

// Enabling is what else happens when an account gets its first second factor:
// these become its recovery codes, and all its sessions end but the one whose
// hash is Keep.
type Enabling struct {
	Codes []string // hashes
	Keep  string
	Entry audit.Entry
}

// FactorOptions is what Factors are made of.
type FactorOptions struct {
	Store FactorStore
	// URL is the public address; its host is who passkeys are for.
	URL    *url.URL
	Now    func() time.Time
	Random io.Reader
}

// Factors are the ways in beyond passwords: authenticator apps, recovery codes
// and passkeys. Safe for concurrent use.
type Factors struct {
	FactorOptions
	web *webauthn.WebAuthn // nil where browsers know no passkeys
}

// NewFactors returns Factors on o. Passkeys are for names: at a bare address of
// the network there are none.
func NewFactors(o FactorOptions) (*Factors, error) {
	f := &Factors{FactorOptions: o}
	if _, err := netip.ParseAddr(o.URL.Hostname()); err == nil {
		return f, nil
	}
	var err error
	f.web, err = relyingParty(o.URL)
	return f, err
}

// FactorStatus is what a user has.
type FactorStatus struct {
	// Since is when the second factor was turned on; zero: it is not.
	Since time.Time
	// AppSince is when the authenticator app was confirmed; zero for none.
	AppSince time.Time
	Passkeys []Passkey
	// Codes is how many recovery codes are left.
	Codes int
}

// On reports whether a password alone does not sign in.
func (s FactorStatus) On() bool { return !s.Since.IsZero() }

// Status returns the second factors of the account.
func (f *Factors) Status(ctx context.Context, accountID int64) (s FactorStatus, err error) {
	app, err := f.Store.App(ctx, accountID)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return s, err
	}
	s.AppSince = app.ConfirmedAt
	if s.Passkeys, err = f.Store.Passkeys(ctx, accountID); err != nil {
		return s, err
	}
	s.Since, s.Codes, err = f.Store.RecoveryCodes(ctx, accountID)
	return s, err
}

// HasPasskeys reports whether passkeys can be used at this address.
func (f *Factors) HasPasskeys() bool { return f.web != nil }

// Reset takes all second factors from the user of that account, and ends its
// sessions: the way back for who has lost them all. NotFound when there is none.
func (f *Factors) Reset(ctx context.Context, by audit.Actor, a Account) error {
	return f.Store.ResetFactors(ctx, a.ID, audit.Entry{At: f.Now(), Actor: by, Action: "user.second-factor-reset", Target: a.Login})
}

func (f *Factors) entry(who access.Principal, action string, detail map[string]any) audit.Entry {
	return audit.Entry{At: f.Now(), Actor: audit.By(who), Action: action, Target: who.Login, Detail: detail}
}

// enabling makes the recovery codes of an account that gets its first second
// factor, by the way that detail names.
func (f *Factors) enabling(who access.Principal, factor string, keep Session) (Enabling, []string, error) {
	codes, hashes, err := f.newCodes()
	return Enabling{
		Codes: hashes, Keep: keep.SecretHash, Entry: f.entry(who, "user.second-factor-enabled", map[string]any{"by": factor}),
	}, codes, err
}

// secret returns a new secret of a cookie, with too many bits to be guessed.
func (f *Factors) secret() (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(f.Random, raw); err != nil {
		return "", errs.Wrap(errs.Internal, err, "no randomness for a secret")
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// hashOfSecret returns what is stored of a secret; "" for none.
func hashOfSecret(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
