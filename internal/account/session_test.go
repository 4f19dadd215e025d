package account_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

func (f *fixture) sessions() *account.Sessions {
	return &account.Sessions{Store: f.store, Now: func() time.Time { return f.now }, Random: rand.Reader}
}

// enter signs login in with its password and starts a session.
func (f *fixture) enter(t *testing.T, s *account.Sessions, login, password, issuer string, b account.Browser) string {
	t.Helper()
	who, err := f.SignIn(t.Context(), login, password, freely)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := s.Start(t.Context(), who, account.Way{Issuer: issuer}, b)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestASessionIsWhoSignedIn(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	ann := f.user(t, "ann", "ann's password")
	s := f.sessions()
	secret := f.enter(t, s, "ann", "ann's password", "https://id.test", account.Browser{Address: "192.0.2.1", Agent: strings.Repeat("ä", 200)})
	session, who, err := s.Find(ctx, secret)
	if err != nil || who.AccountID != ann.ID || who.Login != "ann" || who.Scopes != access.AllScopes || who.TokenID != 0 {
		t.Errorf("%+v, %v", who, err)
	}
	if session.Issuer != "https://id.test" || session.Address != "192.0.2.1" || len(session.Agent) > 200 || session.AccountID != ann.ID {
		t.Errorf("%+v", session)
	}
	for _, other := range []string{"", secret + "x", strings.ToLower(secret), session.SecretHash} {
		if _, _, err := s.Find(ctx, other); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("%q: %v", other, err)
		}
	}
	next := f.enter(t, s, "ann", "ann's password", "", account.Browser{Secret: secret})
	if next == secret {
		t.Error("the secret stays the same at a sign-in")
	}
	if _, _, err := s.Find(ctx, secret); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("the session of before holds: %v", err)
	}
	if err := s.End(ctx, next); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Find(ctx, next); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("after its end: %v", err)
	}
	if err := s.End(ctx, next); err != nil {
		t.Errorf("ending twice: %v", err)
	}
}

func TestASessionEndsWithoutUseAndInAnyCase(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "ann", "ann's password")
	s := f.sessions()
	start := f.now
	idle := f.enter(t, s, "ann", "ann's password", "", account.Browser{})
	used := f.enter(t, s, "ann", "ann's password", "", account.Browser{})
	for f.now.Sub(start) < account.SessionLife-24*time.Hour {
		f.now = f.now.Add(13 * 24 * time.Hour)
		if f.now.Sub(start) >= account.SessionLife {
			break
		}
		if _, _, err := s.Find(ctx, used); err != nil {
			t.Fatalf("in use after %v: %v", f.now.Sub(start), err)
		}
	}
	f.now = start.Add(account.SessionLife - time.Second)
	if _, _, err := s.Find(ctx, idle); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("without use: %v", err)
	}
	if _, _, err := s.Find(ctx, used); err != nil {
		t.Errorf("a second before its end: %v", err)
	}
	f.now = start.Add(account.SessionLife)
	if _, _, err := s.Find(ctx, used); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("after its life: %v", err)
	}
	if n, err := s.Sweep(ctx); n != 2 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
}

// SEC-063: nothing lets an account in that was shut out, and what was shut out
// stays out when the account comes back.
func TestSessionsEndWithTheirCause(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s := f.sessions()
	for name, end := range map[string]func(login string) error{
		"suspension": func(login string) error {
			if err := f.Suspend(ctx, audit.Operator, login, true); err != nil {
				return err
			}
			return f.Suspend(ctx, audit.Operator, login, false)
		},
		"password": func(login string) error { return f.SetPassword(ctx, audit.Operator, login, "another password") },
	} {
		t.Run(name, func(t *testing.T) {
			login := "by-" + name
			f.user(t, login, "the password")
			f.user(t, login+"-other", "the password")
			before := f.enter(t, s, login, "the password", "", account.Browser{})
			outside := f.enter(t, s, login, "the password", "https://id.test", account.Browser{})
			other := f.enter(t, s, login+"-other", "the password", "", account.Browser{})
			f.now = f.now.Add(time.Minute)
			if err := end(login); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{before, outside} {
				if _, _, err := s.Find(ctx, secret); !errs.Is(err, errs.Unauthenticated) {
					t.Errorf("the session holds: %v", err)
				}
			}
			if _, _, err := s.Find(ctx, other); err != nil {
				t.Errorf("somebody else's session: %v", err)
			}
		})
	}
}

// A sign-in that was under way when the account was shut out, or its password
// changed, comes too late.
func TestASignInThatComesTooLate(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s := f.sessions()
	sign := func(login string) access.Principal {
		t.Helper()
		f.user(t, login, "the password")
		who, err := f.SignIn(ctx, login, "the password", freely)
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
	suspended := sign("suspended")
	if err := f.Suspend(ctx, audit.Operator, "suspended", true); err != nil {
		t.Fatal(err)
	}
	changed := sign("changed")
	if err := f.SetPassword(ctx, audit.Operator, "changed", "another password"); err != nil {
		t.Fatal(err)
	}
	for _, who := range []access.Principal{suspended, changed, {AccountID: 4711, Login: "nobody"}} {
		if secret, err := s.Start(ctx, who, account.Way{}, account.Browser{}); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("%s gets in: %q, %v", who.Login, secret, err)
		}
	}
	if _, err := s.Start(ctx, suspended, account.Way{Issuer: "https://id.test"}, account.Browser{}); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("a suspended account gets in from outside: %v", err)
	}
	who, err := f.SignIn(ctx, "changed", "another password", freely)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := s.Start(ctx, who, account.Way{}, account.Browser{})
	if err != nil {
		t.Fatalf("with the new password: %v", err)
	}
	if _, _, err := s.Find(ctx, secret); err != nil {
		t.Errorf("the session of the new password: %v", err)
	}
}

func TestSignUpMakesAUserWithoutPrivilege(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	if _, err := f.SignUp(ctx, "mona-lisa", "mona's password"); !errs.Is(err, errs.Denied) {
		t.Errorf("before anybody opened it: %v", err)
	}
	if err := f.SetSignUp(ctx, audit.Operator, true); err != nil {
		t.Fatal(err)
	}
	who, err := f.SignUp(ctx, "Mona-Lisa", "mona's password")
	if err != nil || who.Login != "mona-lisa" || who.SiteAdmin {
		t.Fatalf("%+v, %v", who, err)
	}
	if _, err := f.SignIn(ctx, "mona-lisa", "mona's password", freely); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		login, password string
		kind            errs.Kind
	}{
		{"mona-lisa", "some password", errs.Exists}, {"MONA-LISA", "some password", errs.Exists}, {"login", "some password", errs.Invalid},
		{"a--b", "some password", errs.Invalid}, {"bob", "short", errs.Invalid}, {"bob", "", errs.Invalid},
	} {
		if _, err := f.SignUp(ctx, c.login, c.password); !errs.Is(err, c.kind) {
			t.Errorf("%q with %q: %v", c.login, c.password, err)
		}
	}
	if err := f.SetSignUp(ctx, audit.Operator, false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.SignUp(ctx, "bob", "bob's password"); !errs.Is(err, errs.Denied) {
		t.Errorf("while it is closed: %v", err)
	}
	if _, err := f.Get(ctx, "bob"); !errs.Is(err, errs.NotFound) {
		t.Errorf("bob is there: %v", err)
	}
}
