package token_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// careless identifies every text as who, and trusts everybody but distrusted.
type careless struct {
	who        access.Principal
	distrusted error
}

func (c careless) Identify(context.Context, string, string) (access.Principal, error) {
	return c.who, nil
}

func (c careless) Trusted(context.Context, access.Principal) error { return c.distrusted }

func (f *fixture) careless(t *testing.T, c careless) *token.Authenticator {
	t.Helper()
	a, err := token.NewAuthenticator(token.Options{
		Store: f.store, Keys: f.store, Passwords: f.accounts, Identities: c, Issuer: issuer, Service: service,
		Client: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") }, Now: f.clock, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// identityToken looks like what an issuer signs.
var identityToken = encode(`{"alg":"RS256","typ":"JWT"}`) + "." + encode(`{"iss":"https://issuer.test"}`) + "." + encode("signature")

// Whatever is wrong behind it, an identity token becomes a job that a rule let
// in, and nobody else.
func TestAnIdentityTokenBecomesNoPerson(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	good := access.Principal{Login: "ann/app", Scopes: access.AllScopes, Workflow: &access.Workflow{RepositoryID: 1, Repository: name(t, "ann/app"), OwnerID: 1, TrustID: 2}}
	ask := func(who access.Principal, header string) (access.Principal, error) {
		return f.careless(t, careless{who: who}).Authenticate(t.Context(), request(header))
	}
	for what, header := range map[string]string{
		"basic": basic("any", identityToken), "basic, no name": basic("", identityToken), "bearer": "Bearer " + identityToken,
		"bearer, pair": "Bearer " + base64.StdEncoding.EncodeToString([]byte("any:"+identityToken)),
	} {
		if who, err := ask(good, header); err != nil || who.RepositoryID() != 1 {
			t.Errorf("%s: %+v, %v", what, who, err)
		}
	}
	for what, change := range map[string]func(*access.Principal){
		"nobody":             func(p *access.Principal) { *p = access.Principal{} },
		"no job":             func(p *access.Principal) { p.Workflow = nil },
		"a person":           func(p *access.Principal) { p.AccountID = 1 },
		"an administrator":   func(p *access.Principal) { p.SiteAdmin = true },
		"the operator":       func(p *access.Principal) { p.Operator = true },
		"a token of ours":    func(p *access.Principal) { p.TokenID = 1 },
		"a bearer token":     func(p *access.Principal) { p.Restricted = true },
		"no name":            func(p *access.Principal) { p.Login = "" },
		"no rule":            func(p *access.Principal) { p.Workflow = &access.Workflow{RepositoryID: 1, OwnerID: 1} },
		"no owner":           func(p *access.Principal) { p.Workflow = &access.Workflow{RepositoryID: 1, TrustID: 2} },
		"without any limits": func(p *access.Principal) { p.Workflow = &access.Workflow{OwnerID: 1, TrustID: 2} },
	} {
		who := good
		change(&who)
		if got, err := ask(who, basic("any", identityToken)); !errs.Is(err, errs.Internal) || !got.Anonymous() || got.Operator {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	// Our own bearer token is not sent to the issuers.
	a := f.careless(t, careless{who: good})
	b, err := a.Issue(t.Context(), access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := a.Authenticate(t.Context(), request(basic("any", b.Token.Reveal()))); !unauthenticated(err) {
		t.Errorf("a bearer token as a password: %+v, %v", who, err)
	}
	if who, err := a.Authenticate(t.Context(), request("Bearer "+b.Token.Reveal())); err != nil || who.AccountID != f.ann.ID {
		t.Errorf("a bearer token: %+v, %v", who, err)
	}
}

func TestAJobByARuleWritesWhileItIsTrusted(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	who := access.Principal{Login: "ann/app", Restricted: true, Workflow: &access.Workflow{RepositoryID: 1, OwnerID: 1, TrustID: 2}}
	if err := f.careless(t, careless{}).StillValid(ctx, who); err != nil {
		t.Errorf("trusted: %v", err)
	}
	gone := errs.New(errs.Unauthenticated, "the rule is gone")
	if err := f.careless(t, careless{distrusted: gone}).StillValid(ctx, who); !errors.Is(err, gone) {
		t.Errorf("not trusted: %v", err)
	}
	if err := f.StillValid(ctx, who); !unauthenticated(err) {
		t.Errorf("nobody to ask: %v", err)
	}
}

// A bearer token that came from a password writes until the password is another.
func TestANewPasswordEndsWrites(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	signIn := func(secret string) access.Principal {
		t.Helper()
		who, err := f.ask(t, basic("ann", secret))
		if err != nil {
			t.Fatal(err)
		}
		who.Restricted = true
		return who
	}
	first := signIn(password)
	for _, c := range []struct {
		next string
		old  access.Principal
	}{{"a second password", first}, {password, signIn(password)}} {
		if err := f.StillValid(ctx, c.old); c.next == "a second password" && err != nil {
			t.Errorf("before: %v", err)
		}
		f.now = f.now.Add(1000)
		if err := f.accounts.SetPassword(ctx, audit.Operator, "ann", c.next); err != nil {
			t.Fatal(err)
		}
		if err := f.StillValid(ctx, c.old); !unauthenticated(err) {
			t.Errorf("after %q: %v", c.next, err)
		}
		if err := f.StillValid(ctx, signIn(c.next)); err != nil {
			t.Errorf("with %q: %v", c.next, err)
		}
	}
}

func TestADeletedAccountsCredentialsEnd(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	classic, tok := f.personal(t, f.ann, access.AllScopes)
	if err := f.accounts.Delete(ctx, audit.Operator, "ann", account.User); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ask(t, basic("ann", classic)); !unauthenticated(err) {
		t.Errorf("the token: %v", err)
	}
	for what, who := range map[string]access.Principal{
		"the token's bearer token":    {AccountID: f.ann.ID, Login: "ann", TokenID: tok.ID, Restricted: true},
		"the password's bearer token": {AccountID: f.ann.ID, Login: "ann", Restricted: true},
	} {
		if err := f.StillValid(ctx, who); !unauthenticated(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTokensAreAuthorizedForAnOrganization(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	org, err := f.accounts.CreateOrganization(ctx, audit.Operator, "acme", "ann")
	if err != nil {
		t.Fatal(err)
	}
	_, anns := f.personal(t, f.ann, access.ReadPackages)
	_, bobs := f.personal(t, f.bob, access.ReadPackages)
	if err := f.Authorize(ctx, audit.Operator, bobs.ID, org.ID, "acme"); !errs.Is(err, errs.NotFound) {
		t.Errorf("a stranger's: %v", err)
	}
	if err := f.Authorize(ctx, audit.Operator, anns.ID, org.ID, "acme"); err != nil {
		t.Error(err)
	}
	if err := f.Deauthorize(ctx, audit.Operator, anns.ID, org.ID, "acme"); err != nil {
		t.Error(err)
	}
	entries, err := f.store.AuditEntries(ctx, audit.Query{Limit: 2})
	if err != nil || entries[0].Action != "token.deauthorize" || entries[1].Action != "token.authorize" || entries[1].Target != "acme" {
		t.Errorf("recorded are %+v, %v", entries, err)
	}
}
