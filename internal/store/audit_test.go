package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/store"
)

// entries returns the whole record, the newest first.
func entries(t *testing.T, s *store.Store) []audit.Entry {
	t.Helper()
	list, err := s.AuditEntries(t.Context(), audit.Query{Limit: audit.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAChangeAndItsEntryAreOne(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		e := audit.Entry{At: noon, Actor: "acme/app", Action: "user.password", Target: "ann", Detail: map[string]any{"a": "b", "n": 1.0}}
		if err := s.SetPassword(ctx, ann, "hash", "new", e); err != nil {
			t.Fatal(err)
		}
		want := []audit.Entry{e, {At: noon, Actor: audit.Operator, Action: "user.create", Target: "a-target", Detail: map[string]any{}}}
		got := entries(t, s)
		for i := range want {
			want[i].ID = got[i].ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := s.SetPassword(ctx, ann, "hash", "newer", e); !errs.Is(err, errs.Conflict) {
			t.Errorf("with an outdated hash: %v", err)
		}
		if again := entries(t, s); len(again) != len(got) {
			t.Errorf("a change that failed is on the record: %v", again)
		}
	})
}

// An entry without an actor comes of a mistake; the change must not happen.
func TestAChangeByNobodyIsNotMade(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ann := addUser(t, s, "ann")
		for what, e := range map[string]audit.Entry{
			"actor":  {At: noon, Action: "a.b", Target: "ann"},
			"action": {At: noon, Actor: "ann", Target: "ann"},
			"target": {At: noon, Actor: "ann", Action: "a.b"},
			"time":   {Actor: "ann", Action: "a.b", Target: "ann"},
		} {
			if err := s.SetPassword(t.Context(), ann, "hash", "new", e); err == nil {
				t.Errorf("an entry without %s was recorded", what)
			}
		}
		if a, _ := s.AccountByLogin(t.Context(), "ann"); a.PasswordHash != "hash" {
			t.Error("the password was changed")
		}
	})
}

func TestTheRecordComesInPages(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		for _, login := range []string{"u1", "u2", "u3", "u4", "u5"} {
			a := account.Account{Login: login, Kind: account.User, CreatedAt: noon}
			if _, err := s.CreateUser(t.Context(), a, audit.Entry{At: noon, Actor: "x", Action: "user.create", Target: login}); err != nil {
				t.Fatal(err)
			}
		}
		service := audit.Service{Store: s}
		var seen []string
		q := audit.Query{Limit: 2}
		for {
			page, err := service.List(t.Context(), q)
			if err != nil || len(page) > 2 {
				t.Fatalf("%v, %v", page, err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				seen = append(seen, e.Target)
			}
			q.Before = page[len(page)-1].ID
		}
		if diff := cmp.Diff([]string{"u5", "u4", "u3", "u2", "u1"}, seen); diff != "" {
			t.Error(diff)
		}
		if page, err := service.List(t.Context(), audit.Query{}); len(page) != 1 || err != nil {
			t.Errorf("without a limit: %v, %v", page, err)
		}
	})
}
