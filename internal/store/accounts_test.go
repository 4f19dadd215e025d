package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/store"
)

// entry is the record of a change that a test makes.
func entry(action string) audit.Entry {
	return audit.Entry{At: noon, Actor: audit.Operator, Action: action, Target: "a-target"}
}

func organization(login string) account.Account {
	return account.Account{Login: login, DisplayLogin: login, Kind: account.Organization, CreatedAt: noon}
}

func addUser(t *testing.T, s *store.Store, login string) int64 {
	t.Helper()
	id, err := s.CreateUser(t.Context(), account.Account{Login: login, Kind: account.User, PasswordHash: "hash", CreatedAt: noon}, entry("user.create"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAnAccountComesBackAsItWasStored(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		want := account.Account{Login: "ann", DisplayLogin: "Ann", Kind: account.User, SiteAdmin: true, PasswordHash: "hash",
			CreatedAt: noon, Settings: account.DefaultSettings()}
		var err error
		if want.ID, err = s.CreateUser(t.Context(), want, entry("user.create")); err != nil {
			t.Fatal(err)
		}
		got, err := s.AccountByLogin(t.Context(), "ann")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		if err := s.SetSuspended(t.Context(), want.ID, true, entry("user.suspend")); !errs.Is(err, errs.Conflict) {
			t.Errorf("suspending the only site administrator: %v", err)
		}
		if _, err := s.CreateUser(t.Context(), account.Account{Login: "root", Kind: account.User, SiteAdmin: true}, entry("user.create")); err != nil {
			t.Fatal(err)
		}
		if err := s.SetSuspended(t.Context(), want.ID, true, entry("user.suspend")); err != nil {
			t.Fatal(err)
		}
		want.Suspended = true
		if got, _ := s.AccountByLogin(t.Context(), "ann"); got != want {
			t.Errorf("after suspending: %+v", got)
		}
		if err := s.SetSuspended(t.Context(), want.ID, false, entry("user.unsuspend")); err != nil {
			t.Fatal(err)
		}
		want.Suspended = false
		if got, _ := s.AccountByLogin(t.Context(), "ann"); got != want {
			t.Errorf("after lifting it: %+v", got)
		}
		if err := s.SetSuspended(t.Context(), want.ID+2, true, entry("user.suspend")); !errs.Is(err, errs.NotFound) {
			t.Errorf("suspending nobody: %v", err)
		}
		if _, err := s.AccountByLogin(t.Context(), "bob"); !errs.Is(err, errs.NotFound) {
			t.Errorf("unknown login: %v", err)
		}
	})
}

func TestALoginIsTakenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ann := addUser(t, s, "ann")
		org := organization("acme")
		if _, err := s.CreateOrganization(t.Context(), org, ann, entry("org.create")); err != nil {
			t.Fatal(err)
		}
		org.Login = "ann"
		if _, err := s.CreateOrganization(t.Context(), org, ann, entry("org.create")); !errs.Is(err, errs.Exists) {
			t.Errorf("an organization with a user's login: %v", err)
		}
		if _, err := s.CreateUser(t.Context(), account.Account{Login: "acme", Kind: account.User}, entry("user.create")); !errs.Is(err, errs.Exists) {
			t.Errorf("a user with an organization's login: %v", err)
		}
	})
}

func TestAnOrganizationWithoutItsOwnerIsNotMade(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		org := organization("acme")
		if _, err := s.CreateOrganization(t.Context(), org, 4711, entry("org.create")); err == nil {
			t.Error("an owner who does not exist was accepted")
		}
		if _, err := s.AccountByLogin(t.Context(), "acme"); !errs.Is(err, errs.NotFound) {
			t.Errorf("the organization is there: %v", err)
		}
	})
}

func TestAPasswordIsReplacedOnlyIfItIsStillTheOldOne(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		if err := s.SetPassword(t.Context(), ann, "hash", "new", entry("user.password")); err != nil {
			t.Fatal(err)
		}
		if err := s.SetPassword(t.Context(), ann, "hash", "newer", entry("user.password")); !errs.Is(err, errs.Conflict) {
			t.Errorf("with an outdated hash: %v", err)
		}
		a, _ := s.AccountByLogin(t.Context(), "ann")
		b, _ := s.AccountByLogin(t.Context(), "bob")
		if a.PasswordHash != "new" || b.PasswordHash != "hash" || b.ID != bob {
			t.Errorf("hashes are %q and %q", a.PasswordHash, b.PasswordHash)
		}
	})
}

func TestHasSiteAdmin(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		addUser(t, s, "ann")
		if found, err := s.HasSiteAdmin(t.Context()); found || err != nil {
			t.Errorf("without one: %v, %v", found, err)
		}
		if _, err := s.CreateUser(t.Context(), account.Account{Login: "root", Kind: account.User, SiteAdmin: true}, entry("user.create")); err != nil {
			t.Fatal(err)
		}
		if found, err := s.HasSiteAdmin(t.Context()); !found || err != nil {
			t.Errorf("with one: %v, %v", found, err)
		}
	})
}

func members(list []account.Member) string {
	var texts []string
	for _, m := range list {
		texts = append(texts, m.Login+":"+string(m.Role))
	}
	return strings.Join(texts, " ")
}

func TestAnOrganizationKeepsAnOwner(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann, bob, carl := addUser(t, s, "ann"), addUser(t, s, "bob"), addUser(t, s, "carl")
		org, err := s.CreateOrganization(ctx, organization("acme"), ann, entry("org.create"))
		if err != nil {
			t.Fatal(err)
		}
		// Another organization's owners count for nothing here.
		if _, err := s.CreateOrganization(ctx, organization("other"), bob, entry("org.create")); err != nil {
			t.Fatal(err)
		}
		steps := []struct {
			what string
			do   func() error
			kind errs.Kind // Internal means success
			list string
		}{
			{"demote the last owner", func() error { return s.SetMember(ctx, org, ann, access.Member, entry("member.set")) }, errs.Conflict, "ann:owner"},
			{"remove the last owner", func() error { return s.RemoveMember(ctx, org, ann, entry("member.remove")) }, errs.Conflict, "ann:owner"},
			{"add a member", func() error { return s.SetMember(ctx, org, carl, access.Member, entry("member.set")) }, errs.Internal, "ann:owner carl:member"},
			{"a member is no owner", func() error { return s.RemoveMember(ctx, org, ann, entry("member.remove")) }, errs.Conflict, "ann:owner carl:member"},
			{"keep the last owner an owner", func() error { return s.SetMember(ctx, org, ann, access.Owner, entry("member.set")) }, errs.Internal, "ann:owner carl:member"},
			{"add an owner", func() error { return s.SetMember(ctx, org, bob, access.Owner, entry("member.set")) }, errs.Internal, "ann:owner bob:owner carl:member"},
			{"demote one of two", func() error { return s.SetMember(ctx, org, ann, access.Member, entry("member.set")) }, errs.Internal, "ann:member bob:owner carl:member"},
			{"remove a member", func() error { return s.RemoveMember(ctx, org, ann, entry("member.remove")) }, errs.Internal, "bob:owner carl:member"},
			{"remove a stranger", func() error { return s.RemoveMember(ctx, org, ann, entry("member.remove")) }, errs.NotFound, "bob:owner carl:member"},
		}
		for _, step := range steps {
			err := step.do()
			if ok := err == nil; ok != (step.kind == errs.Internal) || !ok && !errs.Is(err, step.kind) {
				t.Errorf("%s: %v", step.what, err)
			}
			list, err := s.ListMembers(ctx, org)
			if got := members(list); got != step.list || err != nil {
				t.Errorf("%s: members are %s, want %s; %v", step.what, got, step.list, err)
			}
		}
	})
}

func TestTwoOwnersWhoRemoveEachOtherLeaveOne(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		org, err := s.CreateOrganization(ctx, organization("acme"), ann, entry("org.create"))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			for _, owner := range []int64{ann, bob} {
				if err := s.SetMember(ctx, org, owner, access.Owner, entry("member.set")); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			failures := make([]error, 2)
			for i, owner := range []int64{ann, bob} {
				wg.Go(func() { failures[i] = s.RemoveMember(ctx, org, owner, entry("member.remove")) })
			}
			wg.Wait()
			list, err := s.ListMembers(ctx, org)
			if len(list) != 1 || err != nil {
				t.Fatalf("left are %v, %v; the removals said %v", list, err, errors.Join(failures...))
			}
		}
	})
}
