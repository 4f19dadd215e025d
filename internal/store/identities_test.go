package store_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/store"
)

func anIdentity(subject string) account.Identity {
	return account.Identity{Issuer: "https://id.test", Subject: subject, CreatedAt: noon}
}

func linkEntry() audit.Entry {
	return audit.Entry{At: noon, Actor: "ann", Action: "user.link-identity", Target: "ann"}
}

func TestAnIdentityLeadsToOneAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		user := account.Account{Login: "mona", DisplayLogin: "Mona", Kind: account.User, CreatedAt: noon, Settings: account.DefaultSettings()}
		var err error
		if user.ID, err = s.CreateUserWithIdentity(ctx, user, anIdentity("1"), linkEntry()); err != nil {
			t.Fatal(err)
		}
		got, err := s.AccountByIdentity(ctx, "https://id.test", "1")
		if diff := cmp.Diff(user, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		for _, c := range [][2]string{{"https://id.test", "2"}, {"https://other.test", "1"}, {"", ""}} {
			if _, err := s.AccountByIdentity(ctx, c[0], c[1]); !errs.Is(err, errs.NotFound) {
				t.Errorf("%v: %v", c, err)
			}
		}
		// Neither half is stored when the other is taken.
		user.Login = "lisa"
		if _, err := s.CreateUserWithIdentity(ctx, user, anIdentity("1"), linkEntry()); !errs.Is(err, errs.Exists) {
			t.Errorf("a taken identity: %v", err)
		}
		if _, err := s.AccountByLogin(ctx, "lisa"); !errs.Is(err, errs.NotFound) {
			t.Errorf("its account is there: %v", err)
		}
		user.Login = "ann"
		if _, err := s.CreateUserWithIdentity(ctx, user, anIdentity("2"), linkEntry()); !errs.Is(err, errs.Exists) {
			t.Errorf("a taken login: %v", err)
		}
		for _, c := range []struct {
			what    string
			account int64
			subject string
			kind    errs.Kind // Internal means success
		}{
			{"a free one", ann, "2", errs.Internal},
			{"the same again", ann, "2", errs.Internal},
			{"another's", bob, "2", errs.Conflict},
			{"a second one", ann, "3", errs.Conflict},
			{"another's first", ann, "1", errs.Conflict},
			{"to nobody", 4711, "3", errs.NotFound},
		} {
			err := s.LinkIdentity(ctx, c.account, anIdentity(c.subject), linkEntry())
			if ok := err == nil; ok != (c.kind == errs.Internal) || !ok && !errs.Is(err, c.kind) {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		list, err := s.ListIdentities(ctx, ann)
		if diff := cmp.Diff([]account.Identity{anIdentity("2")}, list); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		if err := s.UnlinkIdentities(ctx, bob, linkEntry()); !errs.Is(err, errs.NotFound) {
			t.Errorf("unlinking none: %v", err)
		}
	})
}

func TestTwoWhoLinkAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		users := []int64{addUser(t, s, "ann"), addUser(t, s, "bob")}
		for _, subject := range []string{"1", "2", "3"} {
			var wg sync.WaitGroup
			failures := make([]error, len(users))
			for i, user := range users {
				wg.Go(func() { failures[i] = s.LinkIdentity(t.Context(), user, anIdentity(subject), linkEntry()) })
			}
			wg.Wait()
			lost := slices.IndexFunc(failures, func(err error) bool { return err != nil })
			if lost < 0 || failures[1-lost] != nil || !errs.Is(failures[lost], errs.Conflict) {
				t.Errorf("%v", failures)
			}
			if err := s.UnlinkIdentities(t.Context(), users[1-lost], linkEntry()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOrganizationsThatDemandSingleSignOn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		entry := linkEntry()
		orgs := map[string]int64{}
		for login, owner := range map[string]int64{"zoo": ann, "acme": ann, "open": ann, "bobs": bob} {
			id, err := s.CreateOrganization(ctx, account.Account{Login: login, Kind: account.Organization, CreatedAt: noon}, owner, entry)
			if err != nil {
				t.Fatal(err)
			}
			demand := login != "open"
			if err := s.SetSettings(ctx, id, account.SettingsChange{RequireSSO: &demand}, entry); err != nil {
				t.Fatal(err)
			}
			orgs[login] = id
		}
		first, second, revoked := addToken(t, s, ann, "1").ID, addToken(t, s, ann, "2").ID, addToken(t, s, ann, "3").ID
		for _, c := range [][2]int64{{first, orgs["zoo"]}, {second, orgs["zoo"]}, {revoked, orgs["acme"]}} {
			if err := s.AuthorizeToken(ctx, c[0], c[1], entry); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.RevokeToken(ctx, ann, revoked, entry); err != nil {
			t.Fatal(err)
		}
		want := []account.SignOn{
			{OrganizationID: orgs["acme"], Login: "acme"},
			{OrganizationID: orgs["zoo"], Login: "zoo", Tokens: []int64{first, second}},
		}
		got, err := s.SignOnOrganizations(ctx, ann)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		// What an identity vouched for ends with it.
		if err := s.LinkIdentity(ctx, ann, account.Identity{Issuer: "https://id.test", Subject: "ann"}, entry); err != nil {
			t.Fatal(err)
		}
		if err := s.UnlinkIdentities(ctx, ann, entry); err != nil {
			t.Fatal(err)
		}
		want[1].Tokens = nil
		got, err = s.SignOnOrganizations(ctx, ann)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("after the identity is gone: %v\n%s", err, diff)
		}
	})
}
