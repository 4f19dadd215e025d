package account_test

import (
	"crypto/rand"
	"encoding/base32"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

func (f *fixture) factors(t *testing.T) *account.Factors {
	t.Helper()
	public, err := url.Parse("https://packages.test.example:8443")
	if err != nil {
		t.Fatal(err)
	}
	s, err := account.NewFactors(account.FactorOptions{Store: f.store, URL: public, Now: func() time.Time { return f.now }, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// person makes a user and returns who it is after a sign-in.
func (f *fixture) person(t *testing.T, login string) access.Principal {
	t.Helper()
	f.user(t, login, login+"'s password")
	who, err := f.SignIn(t.Context(), login, login+"'s password", freely)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// app is an authenticator app: it knows the secret and the time.
type app struct {
	f      *fixture
	secret []byte
}

func (a app) code(off time.Duration) string {
	return account.OneTimeCode(a.secret, a.f.now.Add(off).Unix()/30)
}

// withApp turns the second factor on, by an app.
func (f *fixture) withApp(t *testing.T, s *account.Factors, who access.Principal) (a app, recovery []string) {
	t.Helper()
	if err := s.BeginApp(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	setup, err := s.AppSetup(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	a = app{f: f}
	if a.secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Key); err != nil || len(a.secret) != 20 {
		t.Fatal(setup, err)
	}
	if want := "otpauth://totp/packages.test.example:" + who.Login + "?issuer=packages.test.example&secret=" + setup.Key; setup.Address != want {
		t.Errorf("%s, want %s", setup.Address, want)
	}
	recovery, err = s.ConfirmApp(t.Context(), who, a.code(0), account.Session{})
	if err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(time.Minute) // its codes up to here are used
	return a, recovery
}

func (f *fixture) actions(t *testing.T) string {
	t.Helper()
	list, err := f.store.AuditEntries(t.Context(), audit.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range list {
		b.WriteString(string(e.Actor) + " " + e.Action + " " + e.Target + "\n")
	}
	return b.String()
}

// The vectors of RFC 6238, of which apps show the last six digits.
func TestOneTimeCodes(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := account.OneTimeCode([]byte("12345678901234567890"), at/30); got != want[2:] {
			t.Errorf("at %d: %s, want %s", at, got, want[2:])
		}
	}
}

func wrong(t *testing.T, what string, err error) {
	t.Helper()
	if !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("%s: %v", what, err)
	}
}

func TestACodeIsTakenOnce(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, who := f.factors(t), f.person(t, "ann")
	wrong(t, "without an app", s.CheckApp(ctx, who.AccountID, "000000"))
	if err := s.BeginApp(ctx, who); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ConfirmApp(ctx, who, "12345", account.Session{}); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("a wrong first code: %v", err)
	}
	a, _ := f.withApp(t, s, who)
	if err := s.BeginApp(ctx, who); !errs.Is(err, errs.Conflict) {
		t.Errorf("another app: %v", err)
	}
	check := func(code string) error { return s.CheckApp(ctx, who.AccountID, code) }
	wrong(t, "two steps ago", check(a.code(-time.Minute)))
	wrong(t, "two steps ahead", check(a.code(time.Minute)))
	for _, code := range []string{"", "0", "000000000000", strings.Repeat("1", 1000)} {
		wrong(t, code, check(code))
	}
	if err := check(a.code(-30 * time.Second)); err != nil {
		t.Errorf("the step before: %v", err)
	}
	wrong(t, "that again", check(a.code(-30*time.Second)))
	if err := check(" " + a.code(0)[:3] + " " + a.code(0)[3:]); err != nil {
		t.Errorf("this step: %v", err)
	}
	wrong(t, "this step again", check(a.code(0)))
	wrong(t, "an earlier one after a later one", check(a.code(-30*time.Second)))
	if err := check(a.code(30 * time.Second)); err != nil {
		t.Errorf("the step after: %v", err)
	}
	f.now = f.now.Add(time.Hour)
	if ok := race(8, func() error { return check(a.code(0)) }); ok != 1 {
		t.Errorf("%d of 8 at once were let in by one code", ok)
	}
}

// race does the same from several at once, and returns how many succeeded.
func race(n int, do func() error) (ok int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if do() == nil {
				mu.Lock()
				ok++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ok
}

func TestRecoveryCodesAreUsedOnce(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, who, other := f.factors(t), f.person(t, "ann"), f.person(t, "bob")
	if _, err := s.RenewRecoveryCodes(ctx, who); !errs.Is(err, errs.Conflict) {
		t.Errorf("without a second factor: %v", err)
	}
	_, codes := f.withApp(t, s, who)
	f.withApp(t, s, other)
	if len(codes) != 10 {
		t.Fatal(codes)
	}
	wrong(t, "somebody else's", s.UseRecoveryCode(ctx, other, codes[0]))
	for _, code := range []string{"", "-", codes[0][1:], strings.Repeat("a", 10000)} {
		wrong(t, code[:min(10, len(code))], s.UseRecoveryCode(ctx, who, code))
	}
	if ok := race(8, func() error { return s.UseRecoveryCode(ctx, who, codes[0]) }); ok != 1 {
		t.Errorf("%d of 8 at once were let in by one code", ok)
	}
	if err := s.UseRecoveryCode(ctx, who, " "+strings.ToUpper(strings.ReplaceAll(codes[1], "-", " "))); err != nil {
		t.Errorf("typed otherwise: %v", err)
	}
	if status, err := s.Status(ctx, who.AccountID); err != nil || status.Codes != 8 || !status.On() {
		t.Errorf("%+v, %v", status, err)
	}
	fresh, err := s.RenewRecoveryCodes(ctx, who)
	if err != nil || len(fresh) != 10 {
		t.Fatal(fresh, err)
	}
	wrong(t, "one of before", s.UseRecoveryCode(ctx, who, codes[2]))
	if err := s.UseRecoveryCode(ctx, who, fresh[9]); err != nil {
		t.Error(err)
	}
	if log := f.actions(t); strings.Count(log, "ann user.recovery-code-use ann") != 3 || strings.Contains(log, codes[0]) {
		t.Errorf("recorded:\n%s", log)
	}
}

func TestTheSecondFactorIsOnAndOff(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, sessions, who := f.factors(t), f.sessions(), f.person(t, "ann")
	password := "ann's password"
	here := f.enter(t, sessions, "ann", password, "", account.Browser{})
	elsewhere := f.enter(t, sessions, "ann", password, "", account.Browser{})
	session, _, err := sessions.Find(ctx, here)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.BeginApp(ctx, who); err != nil {
		t.Fatal(err)
	}
	setup, err := s.AppSetup(ctx, who)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Key)
	if _, err := s.ConfirmApp(ctx, who, account.OneTimeCode(secret, f.now.Unix()/30), session); err != nil {
		t.Fatal(err)
	}
	if _, _, err := sessions.Find(ctx, here); err != nil {
		t.Errorf("the browser that turned it on: %v", err)
	}
	if _, _, err := sessions.Find(ctx, elsewhere); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("another browser: %v", err)
	}
	if _, err := f.SignIn(ctx, "ann", password, freely); !errs.Is(err, errs.Unauthenticated) || !strings.Contains(err.Error(), "personal access token") {
		t.Errorf("a password where nobody can be asked: %v", err)
	}
	if _, err := f.SignIn(ctx, "ann", "wrong", freely); !errs.Is(err, errs.Unauthenticated) || strings.Contains(err.Error(), "token") {
		t.Errorf("a wrong password: %v", err)
	}
	if again, second, err := f.ByPassword(ctx, "ann", password, freely); err != nil || !second || again.AccountID != who.AccountID {
		t.Errorf("a password on the pages: %+v, %v, %v", again, second, err)
	}
	if _, err := sessions.Start(ctx, who, account.Way{}, account.Browser{}); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("a session by the password alone: %v", err)
	}
	if err := s.RemoveApp(ctx, who); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveApp(ctx, who); !errs.Is(err, errs.NotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if status, err := s.Status(ctx, who.AccountID); err != nil || status.On() || status.Codes != 0 {
		t.Errorf("%+v, %v", status, err)
	}
	if _, err := f.SignIn(ctx, "ann", password, freely); err != nil {
		t.Errorf("a password after that: %v", err)
	}
	log := f.actions(t)
	for _, action := range []string{"user.authenticator-app-add", "user.second-factor-enabled", "user.authenticator-app-remove", "user.second-factor-disabled"} {
		if strings.Count(log, "ann "+action+" ann") != 1 {
			t.Errorf("%s is not recorded once:\n%s", action, log)
		}
	}
}

func TestTheWayBack(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, sessions, who := f.factors(t), f.sessions(), f.person(t, "ann")
	a, err := f.Get(ctx, "ann")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(ctx, audit.Operator, a); !errs.Is(err, errs.NotFound) {
		t.Errorf("without a second factor: %v", err)
	}
	f.withApp(t, s, who)
	secret, err := sessions.Start(ctx, who, account.Way{Factor: account.FactorApp}, account.Browser{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(ctx, audit.Operator, a); err != nil {
		t.Fatal(err)
	}
	if _, _, err := sessions.Find(ctx, secret); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("the session holds: %v", err)
	}
	if _, err := f.SignIn(ctx, "ann", "ann's password", freely); err != nil {
		t.Error(err)
	}
	if status, err := s.Status(ctx, who.AccountID); err != nil || status.On() || !status.AppSince.IsZero() || status.Codes != 0 {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestASignInThatWaits(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, sessions, who := f.factors(t), f.sessions(), f.person(t, "ann")
	f.withApp(t, s, who)
	wait := func() string {
		t.Helper()
		secret, err := s.Wait(ctx, who, "/settings/tokens")
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	over := func(what, secret string) {
		t.Helper()
		_, _, err := s.Waiting(ctx, secret)
		wrong(t, what, err)
	}
	over("none", "")
	over("another", "x")
	secret := wait()
	if got, to, err := s.Waiting(ctx, secret); err != nil || got.AccountID != who.AccountID || to != "/settings/tokens" || got.Generation != who.Generation {
		t.Errorf("%+v, %s, %v", got, to, err)
	}
	if ok := race(12, func() error { return s.Try(ctx, secret) }); ok != 5 {
		t.Errorf("%d tries", ok)
	}
	over("after five tries", secret)
	secret = wait()
	way := account.Way{Factor: account.FactorApp, Pending: secret}
	if ok := race(4, func() error { _, err := sessions.Start(ctx, who, way, account.Browser{}); return err }); ok != 1 {
		t.Errorf("one wait leads to %d sessions", ok)
	}
	over("after the session began", secret)
	secret = wait()
	f.now = f.now.Add(account.PendingLife)
	over("too late", secret)
	if n, err := s.Sweep(ctx); n == 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	secret = wait()
	f.now = f.now.Add(time.Second)
	if err := f.SetPassword(ctx, audit.Operator, "ann", "another password"); err != nil {
		t.Fatal(err)
	}
	over("with a new password", secret)
	who, _, _ = f.ByPassword(ctx, "ann", "another password", freely)
	secret = wait()
	if err := f.Suspend(ctx, audit.Operator, "ann", true); err != nil {
		t.Fatal(err)
	}
	over("suspended", secret)
}

func TestShowingAgainWhoOneIs(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, who := f.sessions(), f.person(t, "ann")
	secret := f.enter(t, s, "ann", "ann's password", "", account.Browser{})
	session, _, err := s.Find(ctx, secret)
	if err != nil || !session.SudoUntil.Equal(f.now.Add(account.SudoLife)) {
		t.Fatal(session, err)
	}
	f.now = f.now.Add(time.Hour)
	next, fresh, err := s.Confirm(ctx, session, who, account.Way{Passkey: true}, account.Browser{Secret: secret})
	if err != nil || fresh == secret {
		t.Fatal(err)
	}
	if _, _, err := s.Find(ctx, secret); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("the old secret holds: %v", err)
	}
	got, _, err := s.Find(ctx, fresh)
	if err != nil || got.SecretHash != next.SecretHash || !got.SudoUntil.Equal(f.now.Add(account.SudoLife)) || !got.CreatedAt.Equal(session.CreatedAt) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, _, err := s.Confirm(ctx, session, who, account.Way{}, account.Browser{}); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("a session that went on elsewhere: %v", err)
	}
	if log := f.actions(t); strings.Count(log, "ann user.confirm ann") != 1 {
		t.Errorf("recorded:\n%s", log)
	}
}
