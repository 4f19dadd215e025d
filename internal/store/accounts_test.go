package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/store"
)

func addUser(t *testing.T, s *store.Store, login string) int64 {
	t.Helper()
	id, err := s.CreateUser(t.Context(), account.Account{Login: login, Kind: account.User, PasswordHash: "hash", CreatedAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAnAccountComesBackAsItWasStored(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		want := account.Account{Login: "ann", Kind: account.User, SiteAdmin: true, PasswordHash: "hash", CreatedAt: noon}
		var err error
		if want.ID, err = s.CreateUser(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := s.AccountByLogin(t.Context(), "ann")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		if err := s.SetSuspended(t.Context(), want.ID, noon); err != nil {
			t.Fatal(err)
		}
		want.Suspended = true
		if got, _ := s.AccountByLogin(t.Context(), "ann"); got != want {
			t.Errorf("after suspending: %+v", got)
		}
		if err := s.SetSuspended(t.Context(), want.ID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		want.Suspended = false
		if got, _ := s.AccountByLogin(t.Context(), "ann"); got != want {
			t.Errorf("after lifting it: %+v", got)
		}
		if err := s.SetSuspended(t.Context(), want.ID+1, noon); !errs.Is(err, errs.NotFound) {
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
		org := account.Account{Login: "acme", Kind: account.Organization, CreatedAt: noon}
		if _, err := s.CreateOrganization(t.Context(), org, ann); err != nil {
			t.Fatal(err)
		}
		org.Login = "ann"
		if _, err := s.CreateOrganization(t.Context(), org, ann); !errs.Is(err, errs.Exists) {
			t.Errorf("an organization with a user's login: %v", err)
		}
		if _, err := s.CreateUser(t.Context(), account.Account{Login: "acme", Kind: account.User}); !errs.Is(err, errs.Exists) {
			t.Errorf("a user with an organization's login: %v", err)
		}
	})
}

func TestAnOrganizationWithoutItsOwnerIsNotMade(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		org := account.Account{Login: "acme", Kind: account.Organization, CreatedAt: noon}
		if _, err := s.CreateOrganization(t.Context(), org, 4711); err == nil {
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
		if err := s.SetPasswordHash(t.Context(), ann, "hash", "new"); err != nil {
			t.Fatal(err)
		}
		if err := s.SetPasswordHash(t.Context(), ann, "hash", "newer"); !errs.Is(err, errs.Conflict) {
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
		if _, err := s.CreateUser(t.Context(), account.Account{Login: "root", Kind: account.User, SiteAdmin: true}); err != nil {
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
		org, err := s.CreateOrganization(ctx, account.Account{Login: "acme", Kind: account.Organization, CreatedAt: noon}, ann)
		if err != nil {
			t.Fatal(err)
		}
		// Another organization's owners count for nothing here.
		if _, err := s.CreateOrganization(ctx, account.Account{Login: "other", Kind: account.Organization, CreatedAt: noon}, bob); err != nil {
			t.Fatal(err)
		}
		steps := []struct {
			what string
			do   func() error
			kind errs.Kind // Internal means success
			list string
		}{
			{"demote the last owner", func() error { return s.SetMember(ctx, org, ann, access.Member, noon) }, errs.Conflict, "ann:owner"},
			{"remove the last owner", func() error { return s.RemoveMember(ctx, org, ann) }, errs.Conflict, "ann:owner"},
			{"add a member", func() error { return s.SetMember(ctx, org, carl, access.Member, noon) }, errs.Internal, "ann:owner carl:member"},
			{"a member is no owner", func() error { return s.RemoveMember(ctx, org, ann) }, errs.Conflict, "ann:owner carl:member"},
			{"keep the last owner an owner", func() error { return s.SetMember(ctx, org, ann, access.Owner, noon) }, errs.Internal, "ann:owner carl:member"},
			{"add an owner", func() error { return s.SetMember(ctx, org, bob, access.Owner, noon) }, errs.Internal, "ann:owner bob:owner carl:member"},
			{"demote one of two", func() error { return s.SetMember(ctx, org, ann, access.Member, noon) }, errs.Internal, "ann:member bob:owner carl:member"},
			{"remove a member", func() error { return s.RemoveMember(ctx, org, ann) }, errs.Internal, "bob:owner carl:member"},
			{"remove a stranger", func() error { return s.RemoveMember(ctx, org, ann) }, errs.NotFound, "bob:owner carl:member"},
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
		org, err := s.CreateOrganization(ctx, account.Account{Login: "acme", Kind: account.Organization, CreatedAt: noon}, ann)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			for _, owner := range []int64{ann, bob} {
				if err := s.SetMember(ctx, org, owner, access.Owner, noon); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			failures := make([]error, 2)
			for i, owner := range []int64{ann, bob} {
				wg.Go(func() { failures[i] = s.RemoveMember(ctx, org, owner) })
			}
			wg.Wait()
			list, err := s.ListMembers(ctx, org)
			if len(list) != 1 || err != nil {
				t.Fatalf("left are %v, %v; the removals said %v", list, err, errors.Join(failures...))
			}
		}
	})
}
