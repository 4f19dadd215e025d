package token_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/token"
)

func TestABearerTokenSaysWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.user(t, "root", "root's password", true)
	for what, who := range map[string]access.Principal{
		"nobody":        {},
		"by password":   {AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes},
		"by token":      {AccountID: f.ann.ID, Login: "ann", Scopes: access.ReadPackages, TokenID: 7},
		"administrator": {AccountID: root.ID, Login: "root", Scopes: access.AllScopes, SiteAdmin: true},
		"delete alone":  {AccountID: f.ann.ID, Login: "ann", Scopes: access.DeletePackages},
	} {
		text := f.bearer(t, who, access.Write, access.Read)
		for range 2 { // checked, then remembered
			got, err := f.ask(t, "Bearer "+text)
			if err != nil || got.AccountID != who.AccountID || got.Login != who.Login || got.Scopes != who.Scopes ||
				got.TokenID != who.TokenID || got.SiteAdmin != who.SiteAdmin || !got.Restricted || len(got.Grants) != 1 ||
				got.Grants[0].Name != name(t, "ann/app") || !slices.Equal(got.Grants[0].Actions, []access.Action{access.Write, access.Read}) {
				t.Errorf("%s: %+v, %v", what, got, err)
			}
		}
	}
}

func TestABearerTokenForNothingIsStillRestricted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b, err := f.Issue(t.Context(), access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}, nil)
	if err != nil {
		t.Fatal(err)
	}
	who, err := f.ask(t, "Bearer "+b.Token.Reveal())
	if err != nil || !who.Restricted || len(who.Grants) != 0 {
		t.Errorf("%+v, %v", who, err)
	}
	own := access.Facts{Exists: true, Visibility: access.Private, OwnerExists: true, OwnerID: f.ann.ID}
	if access.Decide(who, name(t, "ann/app"), own, access.Effects{Action: access.Read}).Allowed {
		t.Error("it reads a private package")
	}
}

func TestABearerTokenLastsFiveMinutes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.now = f.now.Add(999 * time.Millisecond)
	b, err := f.Issue(t.Context(), access.Principal{}, nil)
	if err != nil || b.Life != 5*time.Minute || b.IssuedAt.Nanosecond() != 0 {
		t.Fatalf("%+v, %v", b, err)
	}
	header, fresh := "Bearer "+b.Token.Reveal(), f.node(t, service)
	start := f.now
	for _, c := range []struct {
		after time.Duration
		ok    bool
	}{{0, true}, {299 * time.Second, true}, {300 * time.Second, false}, {time.Hour, false}, {-29 * time.Second, true}} {
		f.now = start.Add(c.after)
		if _, err := f.ask(t, header); (err == nil) != c.ok {
			t.Errorf("after %v, seen before: %v", c.after, err)
		}
		if _, err := f.node(t, service).Authenticate(t.Context(), request(header)); (err == nil) != c.ok {
			t.Errorf("after %v, seen for the first time: %v", c.after, err)
		}
	}
	f.now = start.Add(-32 * time.Second)
	if _, err := fresh.Authenticate(t.Context(), request(header)); !unauthenticated(err) {
		t.Errorf("before it was issued: %v", err)
	}
}

func TestABearerTokenIsNotExchangedForAnother(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	who, err := f.ask(t, "Bearer "+f.bearer(t, access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Issue(t.Context(), who, nil); !unauthenticated(err) {
		t.Errorf("%v", err)
	}
}

func TestAdministeringIsNotGranted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	text := f.bearer(t, access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}, access.Administer, access.Delete)
	who, err := f.ask(t, "Bearer "+text)
	if err != nil || len(who.Grants) != 1 || !slices.Equal(who.Grants[0].Actions, []access.Action{access.Delete}) {
		t.Errorf("%+v, %v", who, err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[1])
	if err != nil || !strings.Contains(string(payload), `"actions":["delete"]`) {
		t.Errorf("the token says %s, %v", payload, err)
	}
}

func TestOnlyRepositoriesAreGranted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	forge := f.forger(t)
	who, err := f.ask(t, "Bearer "+forge.sign(forge.header(), f.payload(t, map[string]any{"access": []any{
		map[string]any{"type": "registry", "name": "ann/app", "actions": []string{"pull"}},
		map[string]any{"type": "repository", "name": "ANN/app", "actions": []string{"pull"}},
		map[string]any{"type": "repository", "name": "ann/app", "actions": []string{"admin", "", "PULL"}},
	}})))
	if err != nil || len(who.Grants) != 1 || len(who.Grants[0].Actions) != 0 {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestWritesEndWithTheCredential(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	_, tok := f.personal(t, f.ann, access.AllScopes)
	soon, _, err := f.Create(ctx, audit.Operator, token.NewToken{AccountID: f.ann.ID, Target: "ann", Scopes: access.AllScopes, ExpiresAt: f.now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	root := f.user(t, "root", "root's password", true)
	restricted := func(p access.Principal) access.Principal {
		p.Restricted = true
		return p
	}
	byToken := restricted(access.Principal{AccountID: f.ann.ID, Login: "ann", TokenID: tok.ID})
	byPassword := restricted(access.Principal{AccountID: f.ann.ID, Login: "ann"})
	soonEnding, err := f.ask(t, basic("ann", soon.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, who access.Principal, ok bool) {
		t.Helper()
		if err := f.StillValid(ctx, who); (err == nil) != ok || err != nil && !unauthenticated(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("nobody", access.Principal{}, true)
	check("nobody's bearer token", restricted(access.Principal{}), true)
	check("by token", byToken, true)
	check("by password", byPassword, true)
	check("administrator", restricted(access.Principal{AccountID: root.ID, SiteAdmin: true}), true)
	check("no longer an administrator", restricted(access.Principal{AccountID: f.ann.ID, SiteAdmin: true}), false)
	check("another's token", restricted(access.Principal{AccountID: f.bob.ID, TokenID: tok.ID}), false)
	check("unknown account", restricted(access.Principal{AccountID: 4711}), false)

	f.now = f.now.Add(time.Minute)
	check("expired", restricted(soonEnding), false)
	if err := f.Revoke(ctx, audit.Operator, f.ann.ID, tok.ID); err != nil {
		t.Fatal(err)
	}
	check("revoked", byToken, false)
	check("the account's password", byPassword, true)
	if err := f.accounts.Suspend(ctx, audit.Operator, "ann", true); err != nil {
		t.Fatal(err)
	}
	check("suspended", byPassword, false)
}

func TestKeysAreSharedAndRotated(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	other := f.node(t, service)
	holds := func(what string, a *token.Authenticator, text string, ok bool) {
		t.Helper()
		if _, err := a.Authenticate(ctx, request("Bearer "+text)); (err == nil) != ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	keys := func(want int) []token.Key {
		t.Helper()
		list, err := f.store.Store.SigningKeys(ctx)
		if err != nil || len(list) != want {
			t.Fatalf("%d keys, %v; want %d", len(list), err, want)
		}
		return list
	}
	issue := func() string { return f.bearer(t, access.Principal{}) }

	first := issue()
	holds("another node", other, first, true)
	if _, err := f.node(t, service).Issue(ctx, access.Principal{}, nil); err != nil {
		t.Error(err)
	}
	keys(1) // the further node signs with the key that is there
	f.now = f.now.Add(30*24*time.Hour - time.Second)
	old := issue()
	holds("before rotation", f.node(t, service), old, true)
	keys(1)
	f.now = f.now.Add(time.Second)
	fresh := issue()
	if keys(2)[0].CreatedAt != f.now {
		t.Error("the new key is not the newest")
	}
	newest := keys(2)[0].ID
	for _, text := range []string{fresh, issue()} {
		header, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[0])
		if err != nil || !strings.Contains(string(header), newest) || keys(2)[0].ID != newest {
			t.Errorf("signed with %s, %v; the newest key is %s", header, err, newest)
		}
	}
	holds("the old key after rotation", f.Authenticator, old, true)
	holds("the old key on another node", other, old, true)
	holds("the new key on a node that knew the old one", other, fresh, true)
	f.now = f.now.Add(30 * 24 * time.Hour)
	issue()
	for _, k := range keys(2) {
		if k.CreatedAt.Before(f.now.Add(-30 * 24 * time.Hour)) {
			t.Error("the oldest key is still in use")
		}
	}
}

func TestUnknownKeysDoNotFloodTheDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	forge := f.forger(t)
	before := f.store.keyLoads.Load()
	for range 50 {
		if _, err := f.ask(t, "Bearer "+forge.sign(`{"alg":"EdDSA","typ":"packhouse-registry+jwt","kid":"other"}`, f.payload(t, nil))); !unauthenticated(err) {
			t.Fatal(err)
		}
	}
	f.now = f.now.Add(time.Second)
	if _, err := f.ask(t, "Bearer a.b."+encode(string(make([]byte, 64)))); !unauthenticated(err) {
		t.Fatal(err)
	}
	if n := f.store.keyLoads.Load() - before; n > 2 {
		t.Errorf("the keys were read %d times", n)
	}
}

func TestARememberedTokenCostsNoMemory(t *testing.T) {
	f := newFixture(t)
	r := request("Bearer " + f.bearer(t, access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}, access.Read))
	ctx := t.Context()
	allocations := testing.AllocsPerRun(1000, func() {
		if _, err := f.Authenticate(ctx, r); err != nil {
			t.Error(err)
		}
	})
	if allocations > 0 {
		t.Errorf("%v allocations a request", allocations)
	}
}

func BenchmarkBearerSeenBefore(b *testing.B) {
	f := newFixture(b)
	r := request("Bearer " + f.bearer(b, access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}, access.Read))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Authenticate(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPersonalTokenByBasic(b *testing.B) {
	f := newFixture(b)
	pat, _ := f.personal(b, f.ann, access.AllScopes)
	r, ctx := request(basic("ann", pat)), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Authenticate(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
}
