package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what authenticator apps know
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// stepLength is how long one code of an authenticator app holds; those of the
// step before and of the one after are taken too, for clocks that go wrong.
const stepLength = 30

// App is the secret that a user shares with an authenticator app.
type App struct {
	Secret []byte
	// ConfirmedAt is zero until the app has shown a right code.
	ConfirmedAt time.Time
	// LastStep is the step of the last code that was taken.
	LastStep int64
}

// AppStore keeps authenticator apps, one for each user.
type AppStore interface {
	// App returns NotFound when there is none.
	App(ctx context.Context, accountID int64) (App, error)
	// BeginApp stores the secret of an app that is to be confirmed, in place of
	// another that was not. Conflict when there is one that was.
	BeginApp(ctx context.Context, accountID int64, secret []byte, at time.Time) error
	// ConfirmApp makes the app with that secret one that counts, whose step was
	// used, and reports whether that turned the second factor on, as n says.
	// Conflict when there is no such app to be confirmed.
	ConfirmApp(ctx context.Context, accountID int64, secret []byte, step int64, n Enabling, e audit.Entry) (first bool, err error)
	// UseStep notes that a code was taken; Unauthenticated when one of that step
	// or of a later one was already.
	UseStep(ctx context.Context, accountID, step int64) error
	// RemoveApp forgets the app. The second factor is off when it was the last,
	// which off records. NotFound when there is none.
	RemoveApp(ctx context.Context, accountID int64, e, off audit.Entry) error
}

// AppSetup is what is put into an authenticator app: as a text, and as the
// address that a QR code holds.
type AppSetup struct{ Key, Address string }

// BeginApp makes a secret for the authenticator app of who. Conflict when there is
// an app already.
func (f *Factors) BeginApp(ctx context.Context, who access.Principal) error {
	secret := make([]byte, 20)
	if _, err := io.ReadFull(f.Random, secret); err != nil {
		return errs.Wrap(errs.Internal, err, "no randomness for an authenticator app")
	}
	return f.Store.BeginApp(ctx, who.AccountID, secret, f.Now())
}

// AppSetup returns what who puts into the app that was begun last; NotFound when
// none waits to be confirmed.
func (f *Factors) AppSetup(ctx context.Context, who access.Principal) (AppSetup, error) {
	app, err := f.Store.App(ctx, who.AccountID)
	if err == nil && !app.ConfirmedAt.IsZero() {
		err = errs.New(errs.NotFound, "no authenticator app waits to be confirmed")
	}
	if err != nil {
		return AppSetup{}, err
	}
	key := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(app.Secret)
	issuer := f.URL.Hostname()
	address := url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + who.Login,
		RawQuery: url.Values{"secret": {key}, "issuer": {issuer}}.Encode(),
	}
	return AppSetup{Key: key, Address: address.String()}, nil
}

// ConfirmApp takes the first code of the app. When it is the first second factor
// of who, recovery codes are returned, to be shown once, and all sessions end but
// keep. Unauthenticated for a wrong code.
func (f *Factors) ConfirmApp(ctx context.Context, who access.Principal, code string, keep Session) (codes []string, err error) {
	app, err := f.Store.App(ctx, who.AccountID)
	if err != nil {
		return nil, err
	}
	step, ok := app.match(code, f.Now())
	if !ok {
		return nil, errCode()
	}
	n, codes, err := f.enabling(who, FactorApp, keep)
	if err != nil {
		return nil, err
	}
	first, err := f.Store.ConfirmApp(ctx, who.AccountID, app.Secret, step, n, f.entry(who, "user.authenticator-app-add", nil))
	if err != nil || !first {
		return nil, err
	}
	return codes, nil
}

// CheckApp returns nil once for each code of the account's app, and
// Unauthenticated for any other.
func (f *Factors) CheckApp(ctx context.Context, accountID int64, code string) error {
	app, err := f.Store.App(ctx, accountID)
	if errs.Is(err, errs.NotFound) || err == nil && app.ConfirmedAt.IsZero() {
		return errCode()
	}
	if err != nil {
		return err
	}
	step, ok := app.match(code, f.Now())
	if !ok {
		return errCode()
	}
	return f.Store.UseStep(ctx, accountID, step)
}

// RemoveApp takes the authenticator app from who. NotFound when there is none.
func (f *Factors) RemoveApp(ctx context.Context, who access.Principal) error {
	return f.Store.RemoveApp(ctx, who.AccountID, f.entry(who, "user.authenticator-app-remove", nil), f.off(who))
}

func (f *Factors) off(who access.Principal) audit.Entry {
	return f.entry(who, "user.second-factor-disabled", nil)
}

// errCode is the one answer to every wrong or used code.
func errCode() *errs.Error { return errs.New(errs.Unauthenticated, "the code is not right") }

// match returns the step that code is of, among those that are taken now and were
// not used.
func (a App) match(code string, now time.Time) (step int64, ok bool) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' {
			return -1
		}
		return r
	}, code)
	current := now.Unix() / stepLength
	for step := current - 1; step <= current+1; step++ {
		right := subtle.ConstantTimeCompare([]byte(oneTimeCode(a.Secret, step)), []byte(code)) == 1
		if right && step > a.LastStep {
			return step, true
		}
	}
	return 0, false
}

// oneTimeCode is the code of a step as RFC 6238 has it, with six digits.
func oneTimeCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}
