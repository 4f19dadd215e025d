package account_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// freely admits every check.
func freely() (func(bool), error) { return func(bool) {}, nil }

// counter counts the checks that were paid for.
type counter struct{ asked, right, wrong int }

func (c *counter) admit() (func(bool), error) {
	c.asked++
	return func(ok bool) {
		if ok {
			c.right++
		} else {
			c.wrong++
		}
	}, nil
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	ann := f.user(t, "ann", "ann's password")
	f.user(t, "tokens-only", "")
	f.user(t, "shut-out", "shut-out password")
	if err := f.Suspend(ctx, audit.Operator, "shut-out", true); err != nil {
		t.Fatal(err)
	}
	if _, err := f.CreateOrganization(ctx, audit.Operator, "acme", "ann"); err != nil {
		t.Fatal(err)
	}

	for _, login := range []string{"ann", "ANN"} {
		who, err := f.SignIn(ctx, login, "ann's password", freely)
		if err != nil || who.AccountID != ann.ID || who.Login != "ann" || who.SiteAdmin || who.Scopes != access.AllScopes || who.Restricted {
			t.Errorf("%s signs in as %+v, %v", login, who, err)
		}
	}
	answers := map[string]bool{}
	for _, c := range [][2]string{
		{"ann", "wrong password"}, {"ann", ""}, {"ann", "Ann's password"}, {"ann", strings.Repeat("x", 1<<20)},
		{"nobody", "ann's password"}, {"", "ann's password"}, {"a/b", "x"}, {"tokens-only", ""}, {"tokens-only", "x"},
		{"shut-out", "shut-out password"}, {"acme", ""},
	} {
		var n counter
		who, err := f.SignIn(ctx, c[0], c[1], n.admit)
		if !errs.Is(err, errs.Unauthenticated) || who.AccountID != 0 {
			t.Errorf("%q with %.20q: %+v, %v", c[0], c[1], who, err)
			continue
		}
		answers[err.Error()] = true
		if n != (counter{asked: 1, wrong: 1}) {
			t.Errorf("%q with %.20q was counted as %+v", c[0], c[1], n)
		}
	}
	if len(answers) != 1 {
		t.Errorf("failures can be told apart: %v", answers)
	}
	if err := f.Suspend(ctx, audit.Operator, "shut-out", false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.SignIn(ctx, "shut-out", "shut-out password", freely); err != nil {
		t.Errorf("after the suspension: %v", err)
	}
}

func TestAThrottledSignInChecksNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user(t, "ann", "ann's password")
	stop := errs.New(errs.RateLimited, "wait")
	_, err := f.SignIn(t.Context(), "ann", "ann's password", func() (func(bool), error) { return nil, stop })
	if !errs.Is(err, errs.RateLimited) {
		t.Errorf("%v", err)
	}
}

// A check that fails for a reason of ours is not held against the user.
func TestAFailureOfOursIsNotCounted(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	ann := f.user(t, "ann", "ann's password")
	if err := f.store.RehashPassword(ctx, ann.ID, ann.PasswordHash, "damaged"); err != nil {
		t.Fatal(err)
	}
	var n counter
	if _, err := f.SignIn(ctx, "ann", "ann's password", n.admit); err == nil || errs.Is(err, errs.Unauthenticated) {
		t.Errorf("%v", err)
	}
	if n != (counter{asked: 1, right: 1}) {
		t.Errorf("counted as %+v", n)
	}
}

func TestARightPasswordIsRememberedForAMinute(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "ann", "ann's password")
	f.user(t, "bob", "bob's password")
	var n counter
	try := func(what, login, password string, asked int, ok bool) {
		t.Helper()
		before := n.asked
		_, err := f.SignIn(ctx, login, password, n.admit)
		if (err == nil) != ok || n.asked-before != asked {
			t.Errorf("%s: %v after %d checks", what, err, n.asked-before)
		}
	}
	try("first", "ann", "ann's password", 1, true)
	try("again", "ann", "ann's password", 0, true)
	try("wrong password", "ann", "bob's password", 1, false)
	try("wrong password again", "ann", "bob's password", 1, false)
	try("other account", "bob", "ann's password", 1, false)
	f.now = f.now.Add(59 * time.Second)
	try("within the minute", "ann", "ann's password", 0, true)
	f.now = f.now.Add(time.Second)
	try("after the minute", "ann", "ann's password", 1, true)

	if err := f.Suspend(ctx, audit.Operator, "ann", true); err != nil {
		t.Fatal(err)
	}
	try("suspended", "ann", "ann's password", 1, false)
	if err := f.Suspend(ctx, audit.Operator, "ann", false); err != nil {
		t.Fatal(err)
	}
	// Another process changes the password: what this one remembers is void.
	if err := f.open(t, cheap).SetPassword(ctx, audit.Operator, "ann", "a new password"); err != nil {
		t.Fatal(err)
	}
	try("old password", "ann", "ann's password", 1, false)
	try("new password", "ann", "a new password", 1, true)
}

func TestAPasswordIsTheSameHoweverItIsTyped(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user(t, "ann", "gr\u00fc\u00dfe aus K\u00f6ln")
	if _, err := f.SignIn(t.Context(), "ann", "gru\u0308\u00dfe aus Ko\u0308ln", freely); err != nil {
		t.Errorf("decomposed: %v", err)
	}
}

func TestAPasswordMovesToTheNewCost(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	old := f.user(t, "ann", "ann's password")
	dearer := f.open(t, account.Cost{MemoryKiB: 128, Passes: 2, Threads: 1})
	if _, err := dearer.SignIn(ctx, "ann", "wrong password", freely); err == nil {
		t.Error("a wrong password was taken")
	}
	if a, _ := f.Get(ctx, "ann"); a.PasswordHash != old.PasswordHash {
		t.Error("a wrong password changed the hash")
	}
	var n counter
	for range 2 {
		if _, err := dearer.SignIn(ctx, "ann", "ann's password", n.admit); err != nil {
			t.Fatal(err)
		}
	}
	if n.asked != 1 {
		t.Errorf("the password was checked %d times", n.asked)
	}
	a, err := f.Get(ctx, "ann")
	if err != nil || !strings.HasPrefix(a.PasswordHash, "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("stored is %q, %v", a.PasswordHash, err)
	}
	if _, err := f.SignIn(ctx, "ann", "ann's password", freely); err != nil {
		t.Errorf("with the new hash: %v", err)
	}
}

func TestAFloodOfSignInsIsTurnedAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := account.NewPasswords(cheap, 1, rand.Reader)
		hash := func(ctx context.Context) error {
			_, err := p.Hash(ctx, "long enough")
			return err
		}
		release, err := p.Acquire(t.Context()) // the one slot is taken, so every check waits
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, account.MaxWaiting)
		for range account.MaxWaiting {
			go func() { results <- hash(ctx) }()
		}
		synctest.Wait()
		if err := hash(ctx); !errs.Is(err, errs.Unavailable) {
			t.Errorf("one too many: %v", err)
		}
		cancel()
		for range account.MaxWaiting {
			if err := <-results; err == nil {
				t.Error("a check that gave up succeeded")
			}
		}
		release()
		if err := hash(t.Context()); err != nil {
			t.Errorf("after the flood: %v", err)
		}
	})
}
