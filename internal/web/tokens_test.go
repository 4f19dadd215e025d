package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// withIssuer returns pages that a real issuer signs people in to.
func withIssuer(t *testing.T) (*fixture, *testkit.IssuerProcess) {
	t.Helper()
	issuer := testkit.Issuer(t)
	return newFixture(t, issuer.URL), issuer
}

// link goes to the provider by the page that stands between.
func (b *browser) link() page {
	b.t.Helper()
	res := b.post("/settings/identities")
	res.want(b.t, "the page between", http.StatusOK, "Continue at Example ID")
	_, address, _ := strings.Cut(res.Header.Get("Refresh"), "url=")
	return b.get(address)
}

func TestPersonalTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	f.user(t, "bob", "bob's password")
	b, other := f.browser(t), f.browser(t)
	b.signIn("ann", "ann's password")
	other.signIn("bob", "bob's password")

	b.post("/settings/tokens", "note", "none", "expires", "30").want(t, "no scope", http.StatusBadRequest, "A token needs at least one scope")
	b.post("/settings/tokens", "scope", "admin", "expires", "30").want(t, "no such scope", http.StatusBadRequest, "No such scope")
	b.post("/settings/tokens", "scope", "read:packages", "expires", "0").want(t, "no days", http.StatusBadRequest, "1 to 3650")
	made := b.post("/settings/tokens", "note", "<laptop>", "scope", "read:packages", "scope", "delete:packages", "expires", "30")
	made.want(t, "make one", http.StatusOK, "&lt;laptop&gt;", "shown only now", "docker login")
	_, rest, _ := strings.Cut(made.body, "<code>php_")
	secret, _, _ := strings.Cut(rest, "<")
	r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
	r.SetBasicAuth("ann", "php_"+secret)
	who, err := f.authenticator().Authenticate(t.Context(), r)
	if err != nil || who.Login != "ann" || who.Scopes != access.ReadPackages|access.DeletePackages {
		t.Errorf("the token is %+v, %v", who, err)
	}
	list := b.get("/settings/tokens")
	list.want(t, "the list", http.StatusOK, "&lt;laptop&gt;", "<code>read:packages</code>, <code>delete:packages</code>", f.now().AddDate(0, 0, 30).UTC().Format("2006-01-02"))
	if secret == "" || strings.Contains(list.body, secret) {
		t.Error("the token is shown twice")
	}
	_, rest, _ = strings.Cut(list.body, `action="/settings/tokens/`)
	id, _, _ := strings.Cut(rest, "/")
	other.post("/settings/tokens/"+id+"/revoke").want(t, "somebody else's", http.StatusNotFound)
	f.browser(t).post("/settings/tokens/"+id+"/revoke").want(t, "nobody's", http.StatusOK, `action="/login"`)
	if _, err := f.authenticator().SignIn(t.Context(), r, "ann", "php_"+secret); err != nil {
		t.Errorf("after others tried: %v", err)
	}
	b.post("/settings/tokens/"+id+"/revoke").want(t, "revoke", http.StatusOK, "You have no such tokens")
	if _, err := f.authenticator().SignIn(t.Context(), r, "ann", "php_"+secret); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("after revoking: %v", err)
	}
	b.post("/settings/tokens/x/revoke").want(t, "no number", http.StatusNotFound)
}

func TestTokensAreAuthorizedBySingleSignOnAlone(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	ann := f.user(t, "ann", "ann's password")
	f.user(t, "bob", "bob's password")
	if _, err := f.accounts.CreateOrganization(t.Context(), audit.Operator, "acme", "ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts.CreateOrganization(t.Context(), audit.Operator, "other", "bob"); err != nil {
		t.Fatal(err)
	}
	demand := true
	for _, login := range []string{"acme", "other"} {
		if err := f.accounts.ChangeSettings(t.Context(), audit.Operator, login, account.SettingsChange{RequireSSO: &demand}); err != nil {
			t.Fatal(err)
		}
	}
	issuer.SetUser(t, "ann", nil)
	issuer.SignInAs(t, "ann")
	b := f.browser(t)
	b.signIn("ann", "ann's password")
	b.post("/settings/tokens", "scope", "read:packages", "expires", "none").want(t, "a token", http.StatusOK, "acme: not authorized", "sign in with Example ID")
	list, err := f.deps.Personal.List(t.Context(), ann.ID)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	path := "/settings/tokens/1/authorize"
	b.post(path, "organization", "acme").want(t, "by password", http.StatusForbidden, "Single sign-on is needed")
	b.link().want(t, "link", http.StatusOK, "id-of-ann")
	b.get("/settings/tokens").want(t, "the list", http.StatusOK, `action="`+path+`"`, "Authorize for acme")
	b.post(path, "organization", "other").want(t, "an organization of others", http.StatusNotFound)
	b.post("/settings/tokens/2/authorize", "organization", "acme").want(t, "no such token", http.StatusNotFound)
	foreign := token.NewToken{AccountID: ann.ID + 1, Target: "bob", Scopes: access.ReadPackages}
	if _, _, err := f.deps.Personal.Create(t.Context(), audit.Operator, foreign); err != nil {
		t.Fatal(err)
	}
	b.post("/settings/tokens/2/authorize", "organization", "acme").want(t, "somebody else's token", http.StatusNotFound)
	b.post(path, "organization", "acme").want(t, "authorize", http.StatusOK, "acme: authorized")
	if log := f.actions(t); !strings.Contains(log, "ann token.authorize acme") {
		t.Errorf("the record says\n%s", log)
	}
	f.ahead.Add(int64(time.Hour))
	b.post(path, "organization", "acme").want(t, "an hour later", http.StatusForbidden, "within the hour")
}
