package token_test

import (
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
)

// secondFactor turns the second factor of ann on.
func (f *fixture) secondFactor(t *testing.T) {
	t.Helper()
	e := audit.Entry{At: f.now, Actor: "ann", Action: "user.second-factor-enabled", Target: "ann"}
	if err := f.store.BeginApp(t.Context(), f.ann.ID, []byte("secret"), f.now); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.ConfirmApp(t.Context(), f.ann.ID, []byte("secret"), 1, account.Enabling{Entry: e}, e); err != nil {
		t.Fatal(err)
	}
}

// With a second factor the password is not taken where nobody can be asked for
// it; tokens are.
func TestASecondFactorEndsPasswords(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	before, err := f.ask(t, basic("ann", password))
	if err != nil {
		t.Fatal(err)
	}
	before.Restricted = true
	secret, _ := f.personal(t, f.ann, access.ReadPackages)
	f.secondFactor(t)
	if who, err := f.ask(t, basic("ann", password)); !unauthenticated(err) || !strings.Contains(err.Error(), "use a personal access token") {
		t.Errorf("the password: %+v, %v", who, err)
	}
	if _, err := f.ask(t, basic("ann", "wrong")); !unauthenticated(err) || strings.Contains(err.Error(), "second factor") {
		t.Errorf("a wrong password tells of it: %v", err)
	}
	if err := f.StillValid(ctx, before); !unauthenticated(err) {
		t.Errorf("a bearer token of before: %v", err)
	}
	if who, err := f.ask(t, basic("ann", secret)); err != nil || who.AccountID != f.ann.ID {
		t.Errorf("a token: %+v, %v", who, err)
	}
	if _, err := f.ask(t, basic("bob", "bob's password")); err != nil {
		t.Errorf("somebody else's password: %v", err)
	}
	r := request()
	who, second, err := f.ByPassword(ctx, r, "ann", password)
	if err != nil || !second || who.AccountID != f.ann.ID {
		t.Errorf("on the pages: %+v, %v, %v", who, second, err)
	}
}

// Wrong second factors count as wrong passwords of the account do.
func TestTriesOfASecondFactorAreTheAccounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 10 {
		settle, err := f.AttemptAs(request(), "Ann")
		if err != nil {
			t.Fatal(i, err)
		}
		settle(false)
	}
	if _, err := f.AttemptAs(request(), "ann"); err == nil {
		t.Error("the eleventh is let in")
	}
	if _, err := f.ask(t, basic("ann", password)); err == nil {
		t.Error("so is a password")
	}
	settle, err := f.AttemptAs(request(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	settle(true)
}

// A code has six digits: who knows the password must not try them through.
func TestFewCodesAreTried(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tried := 0
	for range 24 * 60 {
		for {
			settle, err := f.AttemptCode(request(), "Ann")
			if err != nil {
				break
			}
			settle(false)
			tried++
		}
		f.now = f.now.Add(time.Minute)
	}
	if tried < 100 || tried > 300 {
		t.Errorf("%d codes in a day", tried)
	}
	if _, err := f.ask(t, basic("ann", password)); err != nil {
		t.Errorf("nothing but codes is refused: %v", err)
	}
	f.now = f.now.Add(24 * time.Hour)
	for range 50 {
		settle, err := f.AttemptCode(request(), "ann")
		if err != nil {
			t.Fatal("right codes are counted: ", err)
		}
		settle(true)
	}
}
