package account_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

func yes(context.Context) (bool, error) { return true, nil }
func no(context.Context) (bool, error)  { return false, nil }

// groups remembers what it was told; the teams that follow are tested with them.
type groups struct {
	of   map[int64][]string
	fail error
}

func (g *groups) ReplaceGroups(_ context.Context, userID int64, names []string) error {
	if g.fail == nil {
		g.of[userID] = names
	}
	return g.fail
}

func (f *fixture) identities(create func(context.Context) (bool, error)) (*account.Identities, *groups) {
	g := &groups{of: map[int64][]string{}}
	return &account.Identities{Store: f.store, Groups: g, Create: create, Now: func() time.Time { return f.now }}, g
}

func outside(subject, login string, groups ...string) account.Identity {
	return account.Identity{Issuer: "https://id.test", Subject: subject, Login: login, Groups: groups, GroupsKnown: true}
}

func TestTheFirstSignInMakesAnAccount(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, g := f.identities(yes)
	who, err := s.SignIn(ctx, outside("1", "Mona.Lisa@example.test", "dev", "ops"))
	if err != nil || who.Login != "mona-lisa" || who.SiteAdmin {
		t.Fatalf("%+v, %v", who, err)
	}
	if !slices.Equal(g.of[who.AccountID], []string{"dev", "ops"}) {
		t.Errorf("groups: %v", g.of)
	}
	// The subject is who it is, whatever the provider calls the person now.
	again, err := s.SignIn(ctx, outside("1", "other"))
	if err != nil || again.AccountID != who.AccountID || again.Login != "mona-lisa" {
		t.Errorf("%+v, %v", again, err)
	}
	if got, ok := g.of[who.AccountID]; !ok || len(got) != 0 {
		t.Errorf("groups that the provider took away are still there: %v", got)
	}
	if _, err := f.SignIn(ctx, "mona-lisa", "", freely); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("an account without a password signs in with none: %v", err)
	}
	other := outside("1", "mona-lisa")
	other.Issuer = "https://other.test"
	if who, err := s.SignIn(ctx, other); !errs.Is(err, errs.Denied) {
		t.Errorf("the same subject of another issuer is %+v, %v", who, err)
	}
}

func TestWhoDoesNotGetIn(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "taken", "the password")
	open, g := f.identities(yes)
	closed, _ := f.identities(no)
	for what, try := range map[string]func() error{
		"a taken login":          func() error { _, err := open.SignIn(ctx, outside("1", "taken")); return err },
		"a taken login, in part": func() error { _, err := open.SignIn(ctx, outside("1", "TAKEN@example.test")); return err },
		"a reserved login":       func() error { _, err := open.SignIn(ctx, outside("1", "settings")); return err },
		"no login":               func() error { _, err := open.SignIn(ctx, outside("1", "")); return err },
		"a login of no letters":  func() error { _, err := open.SignIn(ctx, outside("1", "…@example.test")); return err },
		"sign-up is closed":      func() error { _, err := closed.SignIn(ctx, outside("1", "mona")); return err },
	} {
		if err := try(); !errs.Is(err, errs.Denied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// SEC-063: an outside provider does not open what was shut here.
	who, err := open.SignIn(ctx, outside("2", "mona", "dev"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Suspend(ctx, audit.Operator, "mona", true); err != nil {
		t.Fatal(err)
	}
	if _, err := open.SignIn(ctx, outside("2", "mona", "ops")); !errs.Is(err, errs.Denied) {
		t.Errorf("a suspended account: %v", err)
	}
	if a, err := f.Get(ctx, "mona"); err != nil || !a.Suspended {
		t.Errorf("the account is %+v, %v", a, err)
	}
	if !slices.Equal(g.of[who.AccountID], []string{"dev"}) {
		t.Errorf("the groups of a suspended account changed: %v", g.of)
	}
}

// Groups that cannot be stored let nobody in: those of before may be too many.
func TestGroupsComeBeforeTheSession(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, g := f.identities(yes)
	g.fail = errors.New("the database is gone")
	if _, err := s.SignIn(ctx, outside("1", "mona", "dev")); !errors.Is(err, g.fail) {
		t.Errorf("%v", err)
	}
	g.fail = nil
	unknown := outside("1", "mona")
	unknown.GroupsKnown = false
	if who, err := s.SignIn(ctx, unknown); err != nil || len(g.of) != 0 {
		t.Errorf("%+v, %v; groups %v", who, err, g.of)
	}
}

func TestAnIdentityIsLinkedWhileSignedIn(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, g := f.identities(no)
	var who [2]access.Principal
	for i, login := range []string{"ann", "bob"} {
		a := f.user(t, login, login+"'s password")
		who[i] = access.Principal{AccountID: a.ID, Login: a.Login}
	}
	ann, bob := who[0], who[1]
	if err := s.Link(ctx, ann, outside("1", "ann", "dev")); err != nil {
		t.Fatal(err)
	}
	if err := s.Link(ctx, ann, outside("1", "ann", "dev")); err != nil {
		t.Errorf("twice: %v", err)
	}
	if !slices.Equal(g.of[ann.AccountID], []string{"dev"}) {
		t.Errorf("groups: %v", g.of)
	}
	if err := s.Link(ctx, bob, outside("1", "ann")); !errs.Is(err, errs.Conflict) {
		t.Errorf("somebody else's: %v", err)
	}
	if err := s.Link(ctx, ann, outside("2", "mallory")); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second one of the provider: %v", err)
	}
	if who, err := s.SignIn(ctx, outside("1", "whatever")); err != nil || who.AccountID != ann.AccountID {
		t.Errorf("%+v, %v", who, err)
	}
	list, err := s.List(ctx, ann)
	if err != nil || len(list) != 1 || list[0].Subject != "1" || !list[0].CreatedAt.Equal(f.now) {
		t.Errorf("%+v, %v", list, err)
	}
	sessions := f.sessions()
	inside := f.enter(t, sessions, "ann", "ann's password", "", account.Browser{})
	fromOutside := f.enter(t, sessions, "ann", "ann's password", "https://id.test", account.Browser{})
	a, err := f.Get(ctx, "ann")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Unlink(ctx, audit.Operator, a); err != nil {
		t.Fatal(err)
	}
	if got := g.of[ann.AccountID]; len(got) != 0 {
		t.Errorf("groups after unlinking: %v", got)
	}
	if _, _, err := sessions.Find(ctx, inside); err != nil {
		t.Errorf("the session of the password: %v", err)
	}
	if _, _, err := sessions.Find(ctx, fromOutside); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("the session of the identity: %v", err)
	}
	if _, err := s.SignIn(ctx, outside("1", "ann")); !errs.Is(err, errs.Denied) {
		t.Errorf("after unlinking: %v", err)
	}
	if err := s.Unlink(ctx, audit.Operator, a); !errs.Is(err, errs.NotFound) {
		t.Errorf("twice: %v", err)
	}
}

// Two requests of one person at their first sign-in are one account.
func TestTwoFirstSignInsAtOnce(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	ids, failures := make([]int64, 4), make([]error, 4)
	var wg sync.WaitGroup
	for i := range ids {
		s, _ := f.identities(yes)
		wg.Go(func() {
			who, err := s.SignIn(ctx, outside("1", "mona"))
			ids[i], failures[i] = who.AccountID, err
		})
	}
	wg.Wait()
	if err := errors.Join(failures...); err != nil || len(slices.Compact(ids)) != 1 {
		t.Errorf("%v, %v", ids, err)
	}
}
