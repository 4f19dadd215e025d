package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/store"
)

func aSession(hash string, accountID int64, issuer string) account.Session {
	return account.Session{
		SecretHash: hash, AccountID: accountID, Issuer: issuer, Address: "192.0.2.1", Agent: "a browser",
		CreatedAt: noon, LastSeenAt: noon, ExpiresAt: noon.Add(time.Hour),
	}
}

func signInEntry(login string) audit.Entry {
	return audit.Entry{At: noon, Actor: audit.Actor(login), Action: "user.sign-in", Target: login}
}

func startSession(t *testing.T, s *store.Store, n account.Session, replaced string) {
	t.Helper()
	if err := s.StartWebSession(t.Context(), account.NewSession{Session: n, Replaced: replaced}, signInEntry("ann")); err != nil {
		t.Fatal(err)
	}
}

func TestASessionComesBackAsItWasStored(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		want := aSession("1", ann, "https://id.test")
		startSession(t, s, want, "")
		got, a, err := s.WebSession(ctx, "1", noon)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || a.Login != "ann" || a.ID != ann {
			t.Errorf("%+v, %v\n%s", a, err, diff)
		}
		want.LastSeenAt, want.ExpiresAt = noon.Add(time.Minute), noon.Add(2*time.Hour)
		if err := s.TouchWebSession(ctx, "1", want.LastSeenAt, want.ExpiresAt); err != nil {
			t.Fatal(err)
		}
		if err := s.TouchWebSession(ctx, "1", noon, noon); err != nil { // of a request that came late
			t.Fatal(err)
		}
		got, _, err = s.WebSession(ctx, "1", noon.Add(2*time.Hour-time.Microsecond))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		startSession(t, s, aSession("2", ann, ""), "1")
		for hash, at := range map[string]time.Time{"1": noon, "2": noon.Add(time.Hour), "": noon, "3": noon} {
			if _, _, err := s.WebSession(ctx, hash, at); !errs.Is(err, errs.NotFound) {
				t.Errorf("%q: %v", hash, err)
			}
		}
		if n, err := s.SweepWebSessions(ctx, noon.Add(time.Hour)); n != 1 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
	})
}

func TestWhoMayHaveASession(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		entry := audit.Entry{At: noon, Actor: audit.Operator, Action: "user.change", Target: "ann"}
		org, err := s.CreateOrganization(ctx, account.Account{Login: "acme", Kind: account.Organization, CreatedAt: noon, Settings: account.DefaultSettings()}, ann, entry)
		if err != nil {
			t.Fatal(err)
		}
		refused := func(what string, id, passwordSet int64) {
			t.Helper()
			before, _ := s.AuditEntries(ctx, audit.Query{Limit: 100})
			err := s.StartWebSession(ctx, account.NewSession{Session: aSession("refused", id, ""), PasswordSet: passwordSet}, signInEntry("ann"))
			after, _ := s.AuditEntries(ctx, audit.Query{Limit: 100})
			if !errs.Is(err, errs.Unauthenticated) || len(before) != len(after) {
				t.Errorf("%s: %v, %d entries", what, err, len(after)-len(before))
			}
		}
		refused("an organization", org, -1)
		refused("nobody", 4711, -1)
		startSession(t, s, aSession("1", ann, ""), "")
		changed := entry
		changed.At = noon.Add(time.Second)
		if err := s.SetPassword(ctx, ann, "hash", "another", changed); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.WebSession(ctx, "1", noon); !errs.Is(err, errs.NotFound) {
			t.Errorf("after a new password: %v", err)
		}
		refused("the password of before", ann, 0)
		after := aSession("2", ann, "")
		after.CreatedAt = changed.At
		if err := s.StartWebSession(ctx, account.NewSession{Session: after, PasswordSet: changed.At.UnixMicro()}, signInEntry("ann")); err != nil {
			t.Errorf("the new password: %v", err)
		}
		after.SecretHash = "3"
		if err := s.StartWebSession(ctx, account.NewSession{Session: after, PasswordSet: -1}, signInEntry("ann")); err != nil {
			t.Errorf("without a password: %v", err)
		}
		for _, suspended := range []bool{true, false} {
			if err := s.SetSuspended(ctx, ann, suspended, entry); err != nil {
				t.Fatal(err)
			}
			for _, hash := range []string{"2", "3"} {
				if _, _, err := s.WebSession(ctx, hash, noon); !errs.Is(err, errs.NotFound) {
					t.Errorf("suspended %v, %s: %v", suspended, hash, err)
				}
			}
			if suspended {
				refused("a suspended user", ann, -1)
			}
		}
	})
}
