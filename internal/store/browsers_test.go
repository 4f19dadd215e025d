package store_test

import (
	"testing"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/store"
)

func TestBrowsersAreListedAndSignedOut(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		for i, hash := range []string{"aaaaaaaaaaaaaaaa1", "bbbbbbbbbbbbbbbb2", "cccccccccccccccc3"} {
			n := aSession(hash, ann, "")
			n.LastSeenAt = noon.Add(time.Duration(i) * time.Minute)
			startSession(t, s, n, "")
		}
		startSession(t, s, aSession("dddddddddddddddd4", bob, ""), "")
		names := func(id int64, now time.Time) (list string) {
			t.Helper()
			sessions, err := s.WebSessionsOf(ctx, id, now)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range sessions {
				list += n.Name()[:1]
				if n.AccountID != id || n.Address != "192.0.2.1" || n.Agent != "a browser" || !n.CreatedAt.Equal(noon) || n.ExpiresAt.IsZero() {
					t.Errorf("%+v", n)
				}
			}
			return list
		}
		if got := names(ann, noon); got != "cba" {
			t.Errorf("ann has %q", got)
		}
		if got := names(ann, noon.Add(time.Hour)); got != "" {
			t.Errorf("expired ones: %q", got)
		}
		e := audit.Entry{At: noon, Actor: "ann", Action: "user.end-session", Target: "ann"}
		for _, foreign := range []string{"dddddddddddddddd", "aaaaaaaaaaaaaaaa1", "", "aaaa"} {
			if err := s.EndWebSessionNamed(ctx, ann, foreign, e); !errs.Is(err, errs.NotFound) {
				t.Errorf("%q: %v", foreign, err)
			}
		}
		if err := s.EndWebSessionNamed(ctx, ann, "bbbbbbbbbbbbbbbb", e); err != nil {
			t.Fatal(err)
		}
		if got := names(ann, noon); got != "ca" {
			t.Errorf("after one ended: %q", got)
		}
		if err := s.EndWebSessionsOf(ctx, ann, "cccccccccccccccc3", e); err != nil {
			t.Fatal(err)
		}
		if got := names(ann, noon); got != "c" {
			t.Errorf("all but c: %q", got)
		}
		if err := s.EndWebSessionsOf(ctx, ann, "", e); err != nil {
			t.Fatal(err)
		}
		if ann, bob := names(ann, noon), names(bob, noon); ann != "" || bob != "d" {
			t.Errorf("in the end ann has %q, bob %q", ann, bob)
		}
		list, err := s.AuditEntries(ctx, audit.Query{Limit: 100, Action: "user.end-session"})
		if err != nil || len(list) != 3 {
			t.Errorf("recorded: %v, %v", list, err)
		}
	})
}

func TestReadmesAndPreferences(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		e := audit.Entry{At: noon, Actor: "ann", Action: "account.profile", Target: "ann"}
		language, theme := "de", "dark"
		if err := s.SetProfile(ctx, ann, account.Profile{Language: &language}, e); err != nil {
			t.Fatal(err)
		}
		if err := s.SetProfile(ctx, ann, account.Profile{Theme: &theme}, e); err != nil {
			t.Fatal(err)
		}
		if p, err := s.Preferences(ctx, ann); err != nil || p != (account.Preferences{Language: "de", Theme: "dark"}) {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := s.Preferences(ctx, ann+1); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		id, err := s.CreateRepository(ctx, account.Repository{OwnerID: ann, Name: named(t, "ann/app"), Visibility: "private"}, e)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := s.RepositoryReadme(ctx, id); text != "" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		if err := s.SetRepositoryReadme(ctx, id, "# App", e); err != nil {
			t.Fatal(err)
		}
		if text, err := s.RepositoryReadme(ctx, id); text != "# App" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		if err := s.DeleteRepository(ctx, id, e); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RepositoryReadme(ctx, id); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		if err := s.SetRepositoryReadme(ctx, id, "x", e); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
	})
}
