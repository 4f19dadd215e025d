package tokenapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
)

func TestATokenIsIssuedForWhatTheCallerMayDo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const all = "pull,push,delete"
	readWrite := access.ReadPackages | access.WritePackages
	nobody, ann := "", f.basic(t, "ann", access.AllScopes)
	bob, root := f.basic(t, "bob", access.AllScopes), f.basic(t, "root", access.AllScopes)
	for _, c := range []struct {
		what, authorization string
		scopes              []string
		want                string
	}{
		{"no scope", ann, nil, ""},
		{"an empty scope", ann, []string{""}, ""},
		{"nobody, no scope", nobody, nil, ""},
		{"nobody, public", nobody, []string{"repository:ann/public:pull,push"}, "repository:ann/public:pull"},
		{"nobody, private", nobody, []string{"repository:ann/private:pull"}, ""},
		{"nobody, internal", nobody, []string{"repository:ann/internal:pull"}, ""},
		{"nobody, absent", nobody, []string{"repository:ann/absent:pull,push"}, ""},
		{"empty user and password", "Basic Og==", []string{"repository:ann/public:pull"}, "repository:ann/public:pull"},
		{"owner", ann, []string{"repository:ann/private:pull,push,delete"}, "repository:ann/private:" + all},
		{"owner by password", basic("ann", password), []string{"repository:ann/private:*"}, "repository:ann/private:" + all},
		{"order is kept", ann, []string{"repository:ann/private:push,pull"}, "repository:ann/private:push,pull"},
		{"owner, read token", f.basic(t, "ann", access.ReadPackages), []string{"repository:ann/private:*"}, "repository:ann/private:pull"},
		{"owner, write token", f.basic(t, "ann", readWrite), []string{"repository:ann/private:*"}, "repository:ann/private:pull,push"},
		{"owner, delete token", f.basic(t, "ann", access.DeletePackages), []string{"repository:ann/private:*"}, ""},
		{"organization's owner", ann, []string{"repository:acme/private:*"}, "repository:acme/private:" + all},
		{"member", bob, []string{"repository:acme/private:*"}, ""},
		{"stranger, private", bob, []string{"repository:ann/private:pull"}, ""},
		{"stranger, internal", bob, []string{"repository:ann/internal:*"}, "repository:ann/internal:pull"},
		{"stranger, public", bob, []string{"repository:ann/public:*"}, "repository:ann/public:pull"},
		{"write role", bob, []string{"repository:ann/shared:*"}, "repository:ann/shared:pull,push"},
		{"stranger, absent", bob, []string{"repository:ann/absent:*"}, ""},
		{"stranger, no such owner", bob, []string{"repository:nobody/absent:*"}, ""},
		{"owner, new package", ann, []string{"repository:ann/new:pull,push"}, "repository:ann/new:pull,push"},
		{"member, new package", bob, []string{"repository:acme/new:pull,push"}, "repository:acme/new:pull,push"},
		{"read token, new package", f.basic(t, "ann", access.ReadPackages), []string{"repository:ann/new:pull,push"}, ""},
		{"administrator", root, []string{"repository:ann/private:*"}, "repository:ann/private:" + all},
		{"two scopes in one value", ann, []string{"repository:ann/private:pull repository:ann/public:pull"}, "repository:ann/private:pull repository:ann/public:pull"},
		{"two values", ann, []string{"repository:ann/private:pull", "repository:ann/new:push"}, "repository:ann/private:pull repository:ann/new:push"},
		{"one package twice", ann, []string{"repository:ann/private:pull repository:ann/private:pull,push"}, "repository:ann/private:pull,push"},
		{"some granted, some not", bob, []string{"repository:ann/private:pull repository:ann/public:pull,push"}, "repository:ann/public:pull"},
		{"a class", ann, []string{"repository(plugin):ann/private:pull"}, "repository:ann/private:pull"},
		{"unknown actions", ann, []string{"repository:ann/private:pull,admin,metadata"}, "repository:ann/private:pull"},
		{"another type", ann, []string{"registry:ann/private:pull", "artifact(repository):ann/private:pull"}, ""},
		{"half a class", ann, []string{"repository(plugin:ann/private:pull", "repositoryplugin):ann/private:pull"}, ""},
		{"the catalog", ann, []string{"registry:catalog:*"}, "registry:catalog:*"},
		{"the catalog and a package", ann, []string{"registry:catalog:* repository:ann/private:pull"}, "repository:ann/private:pull registry:catalog:*"},
		{"the catalog, delete token", f.basic(t, "ann", access.DeletePackages), []string{"registry:catalog:*"}, ""},
		{"nobody, the catalog", nobody, []string{"registry:catalog:*"}, ""},
		{"another catalog", ann, []string{"registry:catalog:pull", "registry:catalog", "repository:catalog:*"}, ""},
		{"an owner alone", ann, []string{"repository:ann:push"}, ""},
		{"owner in upper case", ann, []string{"repository:Ann/private:pull"}, "repository:ann/private:pull"},
		{"package in upper case", ann, []string{"repository:ann/Private:pull"}, ""},
		{"a host", ann, []string{"repository:localhost:5000/ann/private:pull"}, ""},
		{"nonsense", ann, []string{"repository", ":::", "repository::pull", "repository:ann/private", "repository:ann/private:"}, ""},
	} {
		w, b := f.get(t, c.authorization, c.scopes...)
		if w.Code != http.StatusOK || b.Scope != c.want {
			t.Errorf("%s: %d, %q; want %q", c.what, w.Code, b.Scope, c.want)
			continue
		}
		if _, inside := f.granted(t, b.Token); inside != c.want {
			t.Errorf("%s: the token holds for %q", c.what, inside)
		}
	}
}

func TestTheAnswerOfASuccess(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ann := f.basic(t, "ann", access.AllScopes)
	r := httptest.NewRequest(http.MethodGet, "/token?service=registry.test&account=ann&client_id=docker&offline_token=true", nil)
	r.Header.Set("Authorization", ann)
	w, b := f.do(t, r)
	if w.Code != http.StatusOK || b.Token == "" || b.AccessToken != b.Token || b.ExpiresIn != 300 || b.Refresh != "" ||
		b.IssuedAt != f.now.Format(time.RFC3339) || strings.Contains(w.Body.String(), "refresh") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if who, _ := f.granted(t, b.Token); who.Login != "ann" {
		t.Errorf("the token is %+v's", who)
	}
	if w.Header().Get("WWW-Authenticate") != "" {
		t.Error("a success asks for a credential")
	}
}

func TestBadCredentialsAreNeverTakenForNobody(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pat := f.pat(t, "ann", access.AllScopes)
	_, issued := f.get(t, basic("ann", pat))
	for what, authorization := range map[string]string{
		"wrong password":      basic("ann", "wrong"),
		"unknown user":        basic("nobody", "wrong"),
		"another user's name": basic("bob", pat),
		"malformed":           "Basic !",
		"another scheme":      "Negotiate x",
		"a bearer token":      "Bearer " + issued.Token,
	} {
		for _, scope := range []string{"", "repository:ann/public:pull"} {
			w, b := f.get(t, authorization, scope)
			if w.Code != http.StatusUnauthorized || len(b.Errors) != 1 || b.Errors[0].Code != "UNAUTHORIZED" ||
				b.Errors[0].Message == "" || b.Token != "" || w.Header().Get("WWW-Authenticate") != `Basic realm="registry.test"` {
				t.Errorf("%s, scope %q: %d %s %v", what, scope, w.Code, w.Body, w.Header())
			}
		}
	}
}

func TestPostWithPassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pat := f.pat(t, "ann", access.ReadPackages)
	form := func(pairs ...string) url.Values {
		v := url.Values{"grant_type": {"password"}, "service": {"registry.test"}, "client_id": {"containerd-client"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	scope := "repository:ann/private:pull,push repository:ann/public:pull"
	for _, c := range []struct {
		what   string
		form   url.Values
		status int
		scope  string
	}{
		{"by token", form("username", "ann", "password", pat, "scope", scope), 200, "repository:ann/private:pull repository:ann/public:pull"},
		{"by password", form("username", "ann", "password", password, "scope", scope), 200, "repository:ann/private:pull,push repository:ann/public:pull"},
		{"offline access", form("username", "ann", "password", pat, "access_type", "offline"), 200, ""},
		{"nobody", form("scope", scope), 200, "repository:ann/public:pull"},
		{"wrong password", form("username", "ann", "password", "wrong", "scope", scope), 401, ""},
		{"another's token", form("username", "bob", "password", pat), 401, ""},
		{"refresh token", form("grant_type", "refresh_token", "refresh_token", "x"), 400, ""},
		{"no grant type", form("grant_type", "", "username", "ann", "password", pat), 400, ""},
		{"unknown grant type", form("grant_type", "client_credentials"), 400, ""},
	} {
		w, b := f.post(t, c.form)
		if w.Code != c.status || b.Scope != c.scope || b.Refresh != "" {
			t.Errorf("%s: %d %s", c.what, w.Code, w.Body)
		}
		if ok := c.status == 200; ok != (b.AccessToken != "") || ok != (len(b.Errors) == 0) {
			t.Errorf("%s: %s", c.what, w.Body)
		}
		if c.what == "refresh token" && !strings.Contains(b.Errors[0].Message, "refresh tokens are not used") {
			t.Errorf("%s: %s", c.what, w.Body)
		}
		if c.status == 200 {
			if _, inside := f.granted(t, b.AccessToken); inside != c.scope {
				t.Errorf("%s: the token holds for %q", c.what, inside)
			}
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	form := "application/x-www-form-urlencoded"
	var eleven []string
	for i := range 11 {
		eleven = append(eleven, fmt.Sprintf("scope=repository:ann/p%d:pull", i))
	}
	for _, c := range []struct {
		what, method, target, kind, body string
		status                           int
	}{
		{"PUT", "PUT", "/token", "", "", 405},
		{"DELETE", "DELETE", "/token", "", "", 405},
		{"HEAD", "HEAD", "/token", "", "", 405},
		{"a query that is none", "GET", "/token?scope=%zz", "", "", 400},
		{"eleven packages", "GET", "/token?" + strings.Join(eleven, "&"), "", "", 400},
		{"eleven packages in one value", "GET", "/token?scope=" + strings.ReplaceAll(strings.Join(eleven, "+"), "scope=", ""), "", "", 400},
		{"one package a thousand times", "GET", "/token?scope=" + strings.Repeat("repository:a/b:pull+", 1000), "", "", 400},
		{"a form that is none", "POST", "/token", form, "grant_type=%zz&password=secret", 400},
		{"JSON", "POST", "/token", "application/json", `{"grant_type":"password"}`, 400},
		{"plain text", "POST", "/token", "text/plain", "grant_type=password&username=&password=", 400},
		{"no type", "POST", "/token", "", "grant_type=password", 400},
		{"a credential in the address", "POST", "/token?grant_type=password&username=ann&password=x", form, "", 400},
		{"a huge form", "POST", "/token", form, "grant_type=password&scope=" + strings.Repeat("x", 64<<10), 413},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.target, strings.NewReader(c.body))
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		w, b := f.do(t, r)
		if w.Code != c.status || len(b.Errors) != 1 || b.Errors[0].Code == "" || b.Errors[0].Message == "" ||
			strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", c.what, w.Code, w.Body)
		}
		if c.status == 405 && w.Header().Get("Allow") != "GET, POST" {
			t.Errorf("%s: Allow is %q", c.what, w.Header().Get("Allow"))
		}
	}
}

func TestTenPackagesAreGranted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var scopes []string
	for i := range 10 {
		name := strings.Repeat("x", 190) + fmt.Sprint(i) // as long as names can be
		scopes = append(scopes, "repository:ann/"+name+":pull,push,delete")
	}
	w, b := f.get(t, f.basic(t, "ann", access.AllScopes), scopes...)
	if w.Code != http.StatusOK || b.Scope != strings.Join(scopes, " ") || len(b.Token) > 8<<10 {
		t.Errorf("%d, %d bytes: %.300s", w.Code, len(b.Token), w.Body)
	}
}

func TestAFloodOfGuessesIsToldToWait(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var w *httptest.ResponseRecorder
	var b body
	for range 11 {
		w, b = f.get(t, basic("ann", "wrong"))
	}
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "6" || b.Errors[0].Code != "TOOMANYREQUESTS" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
}

// SEC-051: a token exchange dropped the scopes of the personal access token.
func TestSEC051_TheExchangeKeepsTheScopes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	own := access.Facts{Exists: true, Visibility: access.Private, OwnerExists: true, OwnerID: f.ids["ann"]}
	actions := map[access.Action]access.Scopes{
		access.Read: access.ReadPackages, access.Write: access.WritePackages,
		access.Delete: access.DeletePackages | access.ReadPackages, access.Administer: 0,
	}
	for scopes := access.Scopes(1); scopes <= access.AllScopes; scopes++ {
		_, b := f.get(t, f.basic(t, "ann", scopes), "repository:ann/private:*")
		who, _ := f.granted(t, b.Token)
		for action, needed := range actions {
			held := scopes
			if held&access.WritePackages != 0 {
				held |= access.ReadPackages
			}
			want := needed != 0 && held&needed == needed
			got := access.Decide(who, mustName(t, "ann/private"), own, access.Effects{Action: action}).Allowed
			if got != want {
				t.Errorf("scopes %v, action %d: allowed %v", scopes, action, got)
			}
		}
	}
}

// E1: what is private and what is absent give one answer, byte for byte but for
// the token.
func TestE1_PrivateAndAbsentLookTheSame(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for what, authorization := range map[string]string{"nobody": "", "stranger": f.basic(t, "bob", access.AllScopes)} {
		for _, actions := range []string{"pull", "push", "pull,push", "delete", "*", "admin"} {
			var seen []string
			for _, name := range []string{"ann/private", "ann/absent", "nobody/absent"} {
				w, b := f.get(t, authorization, "repository:"+name+":"+actions)
				_, inside := f.granted(t, b.Token)
				text := strings.ReplaceAll(w.Body.String(), b.Token, "")
				seen = append(seen, fmt.Sprint(w.Code, text, inside, w.Header().Values("WWW-Authenticate")))
			}
			if seen[0] != seen[1] || seen[1] != seen[2] {
				t.Errorf("%s, %s: %q", what, actions, seen)
			}
		}
	}
}

// SEC-011: who leaves an organization keeps nothing, whatever was issued before.
func TestSEC011_LeavingTakesTheRightsAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	bob := f.basic(t, "bob", access.AllScopes)
	if _, b := f.get(t, bob, "repository:acme/new:push"); b.Scope == "" {
		t.Fatal("a member may not push")
	}
	if err := f.accounts.RemoveMember(t.Context(), audit.Operator, "acme", "bob"); err != nil {
		t.Fatal(err)
	}
	if _, b := f.get(t, bob, "repository:acme/new:push"); b.Scope != "" {
		t.Errorf("afterwards: %q", b.Scope)
	}
}

func TestAnUnknownFailureIsNotTold(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ann := f.basic(t, "ann", access.AllScopes)
	if _, err := f.accounts.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: "carl"}); err != nil {
		t.Fatal(err)
	}
	f.Handler = brokenFacts(f)
	w, b := f.get(t, ann, "repository:ann/private:pull")
	if w.Code != http.StatusInternalServerError || b.Errors[0].Code != "UNKNOWN" || strings.Contains(w.Body.String(), "table") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A token names what it was asked for in vain, so that the refusal it meets can
// say why; it says nothing of whether there is such a package.
func TestATokenNamesWhatItWasAskedForInVain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, name := range []string{"ann/private", "ann/absent"} {
		_, b := f.get(t, f.basic(t, "bob", access.AllScopes), "repository:"+name+":pull,push")
		who, _ := f.granted(t, b.Token)
		if len(who.Grants) != 1 || who.Grants[0].Name != mustName(t, name) || len(who.Grants[0].Actions) != 0 || b.Scope != "" {
			t.Errorf("%s: scope %q, inside %+v", name, b.Scope, who.Grants)
		}
	}
}
