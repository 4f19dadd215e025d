package signin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/token"
)

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
