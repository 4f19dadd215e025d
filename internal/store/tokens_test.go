package store_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/store"
	"packhouse/internal/token"
)

func addToken(t *testing.T, s *store.Store, account int64, hash string) token.Token {
	t.Helper()
	tok := token.Token{
		AccountID: account, Kind: token.Personal, Note: "for " + hash, SecretHash: hash,
		Scopes: access.ReadPackages | access.DeletePackages, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour),
	}
	var err error
	if tok.ID, err = s.CreateToken(t.Context(), tok, nil, entry("token.create")); err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestATokenIsFoundByItsSecret(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		want := addToken(t, s, ann, "aa")
		addToken(t, s, bob, "bb")
		holder := token.Holder{AccountID: ann, Login: "ann"}

		got, h, err := s.TokenBySecret(ctx, "aa")
		if diff := cmp.Diff(want, got); diff != "" || h != holder || err != nil {
			t.Errorf("by secret: %+v, %v\n%s", h, err, diff)
		}
		got, h, err = s.TokenByID(ctx, want.ID)
		if diff := cmp.Diff(want, got); diff != "" || h != holder || err != nil {
			t.Errorf("by id: %+v, %v\n%s", h, err, diff)
		}
		if h, err := s.HolderByID(ctx, ann); h != holder || err != nil {
			t.Errorf("without a token: %+v, %v", h, err)
		}
		for what, ask := range map[string]func() error{
			"unknown secret":  func() error { _, _, err := s.TokenBySecret(ctx, "cc"); return err },
			"empty secret":    func() error { _, _, err := s.TokenBySecret(ctx, ""); return err },
			"unknown token":   func() error { _, _, err := s.TokenByID(ctx, 4711); return err },
			"no token":        func() error { _, _, err := s.TokenByID(ctx, 0); return err },
			"unknown account": func() error { _, err := s.HolderByID(ctx, 4711); return err },
		} {
			if err := ask(); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for login, want := range map[string]bool{"ann": true, "bob": false, "carl": false} {
			if own, err := s.HasLogin(ctx, ann, login); own != want || err != nil {
				t.Errorf("%s leads to ann: %v, %v", login, own, err)
			}
		}
		if err := s.SetSuspended(ctx, ann, true, entry("user.suspend")); err != nil {
			t.Fatal(err)
		}
		if _, h, _ := s.TokenBySecret(ctx, "aa"); !h.Suspended {
			t.Error("the holder's suspension is not told")
		}
	})
}

func TestTokensAreListedAndRevokedByTheirAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		first, second := addToken(t, s, ann, "aa"), addToken(t, s, ann, "bb")
		addToken(t, s, bob, "cc")

		list, err := s.Tokens(ctx, ann)
		if diff := cmp.Diff([]token.Token{second, first}, list); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		if err := s.RevokeToken(ctx, bob, first.ID, entry("token.revoke")); !errs.Is(err, errs.NotFound) {
			t.Errorf("revoking another's: %v", err)
		}
		if err := s.RevokeToken(ctx, ann, first.ID, entry("token.revoke")); err != nil {
			t.Fatal(err)
		}
		later := entry("token.revoke")
		later.At = noon.Add(time.Hour)
		if err := s.RevokeToken(ctx, ann, first.ID, later); !errs.Is(err, errs.NotFound) {
			t.Errorf("revoking twice: %v", err)
		}
		if got, _, _ := s.TokenBySecret(ctx, "aa"); !got.RevokedAt.Equal(noon) {
			t.Errorf("revoked at %v", got.RevokedAt)
		}
		if list, _ := s.Tokens(ctx, ann); len(list) != 1 || list[0].ID != second.ID {
			t.Errorf("left are %+v", list)
		}
		var said []string
		entries, err := s.AuditEntries(ctx, audit.Query{Limit: 10})
		for _, e := range entries {
			if strings.HasPrefix(e.Action, "token.") {
				said = append(said, e.Action)
			}
		}
		if want := []string{"token.revoke", "token.create", "token.create", "token.create"}; !slices.Equal(said, want) || err != nil {
			t.Errorf("recorded are %v, %v", said, err)
		}
	})
}

func TestLastUseOnlyMovesForward(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		a, b := addToken(t, s, ann, "aa"), addToken(t, s, ann, "bb")
		for _, used := range []map[int64]time.Time{
			{a.ID: noon.Add(time.Minute), 4711: noon},
			{a.ID: noon, b.ID: noon},
			{},
		} {
			if err := s.TouchTokens(ctx, used); err != nil {
				t.Fatal(err)
			}
		}
		gotA, _, _ := s.TokenBySecret(ctx, "aa")
		gotB, _, _ := s.TokenBySecret(ctx, "bb")
		if !gotA.LastUsedAt.Equal(noon.Add(time.Minute)) || !gotB.LastUsedAt.Equal(noon) {
			t.Errorf("last used at %v and %v", gotA.LastUsedAt, gotB.LastUsedAt)
		}
	})
}

func TestTheTwoNewestSigningKeysAreInUse(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var want []token.Key
		for i, id := range []string{"one", "two", "three"} {
			k := token.Key{ID: id, Seed: bytes.Repeat([]byte{byte(i)}, 32), CreatedAt: noon.Add(time.Duration(i) * time.Hour)}
			if err := s.AddSigningKey(ctx, k); err != nil {
				t.Fatal(err)
			}
			want = append([]token.Key{k}, want...)[:min(2, i+1)]
			got, err := s.SigningKeys(ctx)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("after %s: %v\n%s", id, err, diff)
			}
		}
	})
}

func TestCertificates(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if _, err := s.GetCertificate(ctx, "example.org"); !errs.Is(err, errs.NotFound) {
			t.Errorf("before: %v", err)
		}
		for _, content := range []string{"one", "two"} {
			if err := s.PutCertificate(ctx, "example.org", []byte(content), noon); err != nil {
				t.Fatal(err)
			}
			if got, err := s.GetCertificate(ctx, "example.org"); string(got) != content || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		}
		for range 2 {
			if err := s.DeleteCertificate(ctx, "example.org"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.GetCertificate(ctx, "example.org"); !errs.Is(err, errs.NotFound) {
			t.Errorf("after: %v", err)
		}
	})
}
