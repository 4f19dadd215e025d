package signin_test

import (
	"net/http"
	"net/url"
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

// withIssuer returns pages that a real issuer signs people in to.
func withIssuer(t *testing.T) (*fixture, *testkit.IssuerProcess) {
	t.Helper()
	issuer := testkit.Issuer(t)
	return newFixture(t, issuer.URL), issuer
}

func TestSignInFromOutside(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	issuer.SetUser(t, "monalisa", map[string]any{"groups": []string{"ops", "dev"}})
	issuer.SignInAs(t, "monalisa")
	b := f.browser(t)
	b.get("/login?return_to=/settings/tokens").want(t, "the form", http.StatusOK, `href="/login/oidc?return_to=%2Fsettings%2Ftokens"`, "Sign in with Example ID")
	res := b.get("/login/oidc?return_to=%2Fsettings%2Ftokens")
	res.want(t, "the way there and back", http.StatusOK, "signed in as monalisa")
	if res.Request.URL.Path != "/settings/tokens" {
		t.Errorf("the way back leads to %s", res.Request.URL)
	}
	a, err := f.accounts.Get(t.Context(), "monalisa")
	if err != nil || a.SiteAdmin || a.PasswordHash != "" {
		t.Fatalf("%+v, %v", a, err)
	}
	if got := f.groups.of[a.ID]; got != "dev ops" {
		t.Errorf("groups: %q", got)
	}
	session, _, err := f.deps.Sessions.Find(t.Context(), b.session())
	if err != nil || session.Issuer != issuer.URL {
		t.Errorf("%+v, %v", session, err)
	}
	// The provider calls her otherwise now, and has put her out of the groups.
	issuer.SetUser(t, "monalisa", map[string]any{"preferred_username": "mona", "groups": nil})
	other := f.browser(t)
	other.get(toProvider).want(t, "again", http.StatusOK, "signed in as monalisa")
	if got := f.groups.of[a.ID]; got != "" {
		t.Errorf("groups that were taken away: %q", got)
	}
	log := f.actions(t)
	for _, line := range []string{
		"server user.create monalisa map[issuer:" + issuer.URL + " subject:id-of-monalisa]",
		"monalisa user.sign-in monalisa map[address:192.0.2.1 by:" + issuer.URL + "]",
	} {
		if !strings.Contains(log, line) {
			t.Errorf("%q is not in\n%s", line, log)
		}
	}
}

// A login at the provider is no proof of who somebody is here.
func TestATakenLoginIsNotTakenOver(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	f.user(t, "admin", "admin's password")
	issuer.SetUser(t, "mallory", map[string]any{"preferred_username": "admin"})
	issuer.SignInAs(t, "mallory")
	b := f.browser(t)
	b.get(toProvider).want(t, "a taken login", http.StatusForbidden, "The login admin is taken", "sign in with your password once")
	if who := b.who(); who != "" {
		t.Fatalf("signed in as %s", who)
	}
	if log := f.actions(t); !strings.Contains(log, "server user.sign-in-failed identity id-of-mallory") {
		t.Errorf("the record says\n%s", log)
	}
}

func TestAnIdentityIsLinkedUnderSettings(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	f.user(t, "ann", "ann's password")
	f.user(t, "bob", "bob's password")
	issuer.SetUser(t, "ann", nil)
	issuer.SignInAs(t, "ann")
	b := f.browser(t)
	b.get(toProvider).want(t, "before", http.StatusForbidden, "is taken")
	b.signIn("ann", "ann's password").want(t, "by password", http.StatusOK)
	b.link().want(t, "link", http.StatusOK, "id-of-ann", "signed in as ann")
	fresh := f.browser(t)
	fresh.get(toProvider).want(t, "after", http.StatusOK, "signed in as ann")

	other := f.browser(t)
	other.signIn("bob", "bob's password").want(t, "bob", http.StatusOK)
	other.link().want(t, "another's identity", http.StatusConflict, "linked to another account")
	issuer.SetUser(t, "mallory", nil)
	issuer.SignInAs(t, "mallory")
	b.link().want(t, "a second identity", http.StatusConflict, "another identity of this provider")
	if log := f.actions(t); strings.Count(log, "ann user.link-identity ann") != 1 || strings.Contains(log, "bob user.link-identity") {
		t.Errorf("the record says\n%s", log)
	}
}

// link goes to the provider by the page that stands between.
func (b *browser) link() page {
	b.t.Helper()
	res := b.post("/settings/identities")
	res.want(b.t, "the page between", http.StatusOK, "Continue at Example ID")
	_, address, _ := strings.Cut(res.Header.Get("Refresh"), "url=")
	return b.get(address)
}

// Whoever signs in meanwhile does not get the identity of who set out.
func TestALinkIsForWhoSetOut(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	f.user(t, "ann", "ann's password")
	f.user(t, "bob", "bob's password")
	issuer.SetUser(t, "ann", nil)
	issuer.SignInAs(t, "ann")
	b := f.browser(t)
	b.signIn("ann", "ann's password").want(t, "ann", http.StatusOK)
	_, address, _ := strings.Cut(b.post("/settings/identities").Header.Get("Refresh"), "url=")
	b.signIn("bob", "bob's password").want(t, "bob", http.StatusOK)
	b.get(address).want(t, "bob comes back", http.StatusForbidden, "Somebody else has signed in meanwhile")
	if _, err := f.store.AccountByIdentity(t.Context(), issuer.URL, "id-of-ann"); !errs.Is(err, errs.NotFound) {
		t.Errorf("the identity is linked: %v", err)
	}
	b.post("/settings/identities")
	b.post("/logout")
	b.get("/login/oidc/callback?code=x&state=y").want(t, "a forged way back", http.StatusForbidden, "was not begun in this browser")
}

// SEC-063: the provider opens nothing that was shut here.
func TestSEC063_AShutAccountStaysShut(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	issuer.SetUser(t, "mona", map[string]any{"groups": []string{"dev"}})
	issuer.SignInAs(t, "mona")
	b := f.browser(t)
	b.get(toProvider).want(t, "before", http.StatusOK, "signed in as mona")
	a, err := f.accounts.Get(t.Context(), "mona")
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := f.deps.Personal.Create(t.Context(), audit.Operator, token.NewToken{AccountID: a.ID, Target: "mona", Scopes: access.ReadPackages})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.accounts.Suspend(t.Context(), audit.Operator, "mona", true); err != nil {
		t.Fatal(err)
	}
	issuer.SetUser(t, "mona", map[string]any{"groups": []string{"ops"}})
	shut := func(what string) {
		t.Helper()
		if who := b.who(); who != "" {
			t.Errorf("%s: the session still is %s", what, who)
		}
		f.browser(t).get(toProvider).want(t, what+": from outside", http.StatusForbidden, "suspended or was deleted")
		if _, err := f.authenticator().SignIn(t.Context(), &http.Request{}, "mona", made.Reveal()); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("%s: the token: %v", what, err)
		}
		if f.groups.of[a.ID] != "dev" {
			t.Errorf("%s: groups %q", what, f.groups.of[a.ID])
		}
	}
	shut("suspended")
	if err := f.accounts.Suspend(t.Context(), audit.Operator, "mona", false); err != nil {
		t.Fatal(err)
	}
	if who := b.who(); who != "" {
		t.Errorf("a session from before the suspension is %s", who)
	}
	b.get(toProvider).want(t, "after", http.StatusOK, "signed in as mona")
	if err := f.accounts.Delete(t.Context(), audit.Operator, "mona", account.User); err != nil {
		t.Fatal(err)
	}
	f.groups.of[a.ID] = "dev"
	shut("deleted")
}

// back goes to the provider in b and returns the address that the provider sends
// it back to, without going there.
func (b *browser) back(path string) *url.URL {
	b.t.Helper()
	stop := *b.Client
	stop.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/login/oidc/callback" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	halting := browser{&stop, b.f, b.t}
	to, err := halting.get(path).Location()
	if err != nil {
		b.t.Fatal(err)
	}
	return to
}

func TestAWayBackThatDoesNotHold(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	issuer.SetUser(t, "mona", nil)
	issuer.SignInAs(t, "mona")
	change := func(u *url.URL, set ...string) string {
		q := u.Query()
		for i := 0; i < len(set); i += 2 {
			q.Set(set[i], set[i+1])
		}
		u.RawQuery = q.Encode()
		return u.String()
	}
	notHere, refused := "was not begun in this browser", "The provider did not"
	for what, try := range map[string]func(b *browser) (address, text string){
		"in another browser": func(b *browser) (string, string) { return f.browser(t).back(toProvider).String(), notHere },
		"another browser's, with an attempt of one's own": func(b *browser) (string, string) {
			b.back(toProvider)
			return f.browser(t).back(toProvider).String(), notHere
		},
		"another browser's code": func(b *browser) (string, string) { // the code and the nonce are another's
			other := f.browser(t).back(toProvider)
			return change(b.back(toProvider), "code", other.Query().Get("code")), refused
		},
		"another state": func(b *browser) (string, string) { return change(b.back(toProvider), "state", "x"), notHere },
		"no code":       func(b *browser) (string, string) { return change(b.back(toProvider), "code", ""), refused },
		"a refusal": func(b *browser) (string, string) {
			return change(b.back(toProvider), "error", "access_denied"), "did not sign you in: access_denied"
		},
		"a refusal with markup": func(b *browser) (string, string) {
			return change(b.back(toProvider), "error", "<b>"), "did not sign you in: unknown"
		},
		"another issuer": func(b *browser) (string, string) {
			return change(b.back(toProvider), "iss", "https://other.test"), "Another provider sent you here"
		},
	} {
		b := f.browser(t)
		address, text := try(b)
		b.get(address).want(t, what, http.StatusForbidden, text)
		if who := b.who(); who != "" {
			t.Errorf("%s: signed in as %s", what, who)
		}
		f.ahead.Add(int64(time.Minute)) // or the limit of tries would answer
	}
	b := f.browser(t)
	address := b.back(toProvider).String()
	b.get(address).want(t, "once", http.StatusOK, "signed in as mona")
	b.post("/logout")
	b.get(address).want(t, "twice", http.StatusForbidden, notHere)
	b = f.browser(t)
	address = b.back(toProvider).String()
	f.ahead.Add(int64(11 * time.Minute))
	b.get(address).want(t, "too late", http.StatusForbidden, notHere)
}

// What a cookie says is bound into the state: a changed one is of no use.
func TestAChangedAttemptDoesNotHold(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	issuer.SetUser(t, "mona", nil)
	issuer.SignInAs(t, "mona")
	f.user(t, "ann", "ann's password")
	base, err := url.Parse(f.url)
	if err != nil {
		t.Fatal(err)
	}
	b := f.browser(t)
	b.signIn("ann", "ann's password").want(t, "ann", http.StatusOK)
	address := b.back(toProvider).String()
	for _, c := range b.Jar.Cookies(base) {
		parts := strings.Split(c.Value, ".")
		if c.Name != "packhouse-sign-in" || len(parts) != 5 {
			continue
		}
		parts[2], parts[3] = "link", "1" // to ann
		c.Value, c.Path = strings.Join(parts, "."), "/"
		b.Jar.SetCookies(base, []*http.Cookie{c})
	}
	b.get(address).want(t, "a changed cookie", http.StatusForbidden, "was not begun in this browser")
}

func TestAProviderThatDoesNotVouch(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	token := func(nonce any, more testkit.IssuerToken, set ...any) testkit.IssuerAnswer {
		more.Claims = map[string]any{
			"sub": "id-of-mona", "preferred_username": "mona", "groups": []string{}, "aud": testkit.IssuerClientID, "nonce": nonce,
		}
		for i := 0; i < len(set); i += 2 {
			more.Claims[set[i].(string)] = set[i+1]
		}
		return testkit.IssuerAnswer{Status: http.StatusOK, Body: `{"access_token":"a","token_type":"Bearer","id_token":"` + issuer.MintToken(t, more) + `"}`}
	}
	plain := testkit.IssuerToken{}
	for what, answer := range map[string]func(nonce string) testkit.IssuerAnswer{
		"no nonce":         func(string) testkit.IssuerAnswer { return token(nil, plain) },
		"another nonce":    func(string) testkit.IssuerAnswer { return token("x", plain) },
		"no subject":       func(n string) testkit.IssuerAnswer { return token(n, plain, "sub", nil) },
		"another audience": func(n string) testkit.IssuerAnswer { return token(n, plain, "aud", "somebody else") },
		"another issuer":   func(n string) testkit.IssuerAnswer { return token(n, plain, "iss", "https://other.test") },
		"an old token":     func(n string) testkit.IssuerAnswer { return token(n, plain, "exp", 1) },
		"a stranger's key": func(n string) testkit.IssuerAnswer { return token(n, testkit.IssuerToken{Stranger: true}) },
		"no signature":     func(n string) testkit.IssuerAnswer { return token(n, testkit.IssuerToken{Algorithm: "none"}) },
		"the public key":   func(n string) testkit.IssuerAnswer { return token(n, testkit.IssuerToken{Algorithm: "HS256"}) },
		"no token": func(string) testkit.IssuerAnswer {
			return testkit.IssuerAnswer{Status: http.StatusOK, Body: `{"access_token":"a","token_type":"Bearer"}`}
		},
		"not JSON": func(string) testkit.IssuerAnswer { return testkit.IssuerAnswer{Status: http.StatusOK, Body: `<html>`} },
		"an error": func(string) testkit.IssuerAnswer { return testkit.IssuerAnswer{Status: http.StatusInternalServerError} },
		"another address": func(string) testkit.IssuerAnswer {
			return testkit.IssuerAnswer{Status: http.StatusFound, Location: issuer.URL}
		},
	} {
		f.redeems(t, issuer, answer).want(t, what, http.StatusForbidden, "The provider did not confirm who you are")
		f.ahead.Add(int64(20 * time.Second)) // or the limit of tries would answer
	}
	right := func(n string) testkit.IssuerAnswer { return token(n, plain) }
	f.redeems(t, issuer, right).want(t, "nothing wrong", http.StatusOK, "signed in as mona")
	issuer.Rotate(t)
	f.redeems(t, issuer, right).want(t, "with new keys", http.StatusOK, "signed in as mona")
}

// redeems lets a browser set out and come back to a token endpoint that answers
// so; the answer may know the nonce.
func (f *fixture) redeems(t *testing.T, issuer *testkit.IssuerProcess, answer func(nonce string) testkit.IssuerAnswer) page {
	t.Helper()
	b := f.browser(t)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	to, err := b.get(toProvider).Location()
	if err != nil {
		t.Fatal(err)
	}
	b.CheckRedirect = nil
	issuer.Answer(t, "/token", answer(to.Query().Get("nonce")))
	return b.get("/login/oidc/callback?" + url.Values{"code": {"x"}, "state": {to.Query().Get("state")}}.Encode())
}

func TestClaimsThatAreNotInTheToken(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	for _, c := range []struct {
		what   string
		claims map[string]any
		info   string // of the user information; empty: as the token
		status int
		text   string
	}{
		{"the user information has the rest", map[string]any{"preferred_username": nil}, `{"sub":"id-of-mona","preferred_username":"mona","groups":["dev"]}`, http.StatusOK, "signed in as mona"},
		{"the user information is about another", map[string]any{"groups": nil}, `{"sub":"id-of-ann","groups":["admins"]}`, http.StatusForbidden, "did not confirm"},
		{"one group as a text", map[string]any{"groups": "dev"}, "", http.StatusOK, "signed in as mona"},
		{"groups that are none", map[string]any{"groups": []any{1}}, "", http.StatusForbidden, "no list of groups"},
		{"groups as an object", map[string]any{"groups": map[string]any{"dev": true}}, "", http.StatusForbidden, "no list of groups"},
		{"groups elsewhere", map[string]any{"_claim_names": map[string]any{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]any{"endpoint": "https://id.test"}}}, "", http.StatusForbidden, "too many groups"},
	} {
		claims := map[string]any{"groups": []string{"dev"}}
		for k, v := range c.claims {
			claims[k] = v
		}
		issuer.SetUser(t, "mona", claims)
		issuer.SignInAs(t, "mona")
		issuer.Answer(t, "/userinfo", testkit.IssuerAnswer{})
		if c.info != "" {
			issuer.Answer(t, "/userinfo", testkit.IssuerAnswer{Status: http.StatusOK, Body: c.info})
		}
		f.browser(t).get(toProvider).want(t, c.what, c.status, c.text)
		f.ahead.Add(int64(20 * time.Second))
	}
}

// The pages work while the provider is away, and find it when it is back.
func TestTheProviderIsAway(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	f.user(t, "ann", "ann's password")
	issuer.SetUser(t, "mona", nil)
	issuer.SignInAs(t, "mona")
	issuer.Answer(t, "/.well-known/openid-configuration", testkit.IssuerAnswer{Status: http.StatusBadGateway})
	b := f.browser(t)
	res := b.get(toProvider)
	res.want(t, "away", http.StatusServiceUnavailable, "The sign-in provider does not answer", "Request id-")
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.signIn("ann", "ann's password").want(t, "by password", http.StatusOK, "signed in as ann")
	issuer.Answer(t, "/.well-known/openid-configuration", testkit.IssuerAnswer{})
	b.get(toProvider).want(t, "back", http.StatusOK, "signed in as mona")
	issuer.Stop()
	f.browser(t).get("/settings/tokens").want(t, "gone", http.StatusOK, "Sign in with Example ID")
}
