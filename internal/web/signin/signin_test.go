package signin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/token"
	"packhouse/internal/web"
)

func TestSignInWithAPassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.get("/settings/tokens").want(t, "without a session", http.StatusOK, `action="/login"`, `value="/settings/tokens"`)
	res := b.post("/login", "login", "Ann", "password", "ann's password", "return_to", "/settings/tokens")
	res.want(t, "the right password", http.StatusOK, "signed in as ann")
	if res.Request.URL.Path != "/settings/tokens" {
		t.Errorf("the sign-in leads to %s", res.Request.URL)
	}
	first := b.session()
	b.signIn("ann", "ann's password").want(t, "again", http.StatusOK)
	if second := b.session(); second == first || second == "" {
		t.Errorf("the session is the same after a sign-in: %q", second)
	}
	other := f.browser(t)
	base, _ := url.Parse(f.url)
	other.Jar.SetCookies(base, []*http.Cookie{{Name: "packhouse", Value: first, Path: "/"}})
	if who := other.who(); who != "" {
		t.Errorf("the replaced session still is %q", who)
	}
	last := b.session()
	b.post("/logout")
	other.Jar.SetCookies(base, []*http.Cookie{{Name: "packhouse", Value: last, Path: "/"}})
	if who := other.who(); who != "" || b.session() != "" {
		t.Errorf("after signing out: %q, cookie %q", who, b.session())
	}
	if log := f.actions(t); strings.Count(log, "ann user.sign-in ann map[address:192.0.2.1 by:password]") != 2 {
		t.Errorf("the record says\n%s", log)
	}
}

func TestWhatDoesNotSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	ann := f.user(t, "ann", "ann's password")
	tokens := &token.PersonalTokens{Store: f.store, Now: f.now, Random: f.deps.Random}
	secret, _, err := tokens.Create(t.Context(), audit.Operator, token.NewToken{AccountID: ann.ID, Target: "ann", Scopes: access.AllScopes})
	if err != nil {
		t.Fatal(err)
	}
	b := f.browser(t)
	for _, c := range [][2]string{
		{"ann", "wrong"}, {"ann", ""}, {"", ""}, {strings.Repeat("a", 500), "wrong"}, {"ann", secret.Reveal()}, {"nobody", "ann's password"}, {"my own password", ""},
	} {
		b.signIn(c[0], c[1]).want(t, c[0]+" with "+c[1], http.StatusForbidden, "The user name or the password is not right")
		if who := b.who(); who != "" {
			t.Errorf("%q with %q is signed in as %s", c[0], c[1], who)
		}
	}
	log := f.actions(t)
	if strings.Count(log, "server user.sign-in-failed ann map[address:192.0.2.1 by:password]") != 3 ||
		strings.Contains(log, "my own password") || strings.Contains(log, "nobody") {
		t.Errorf("the record says\n%s", log)
	}
}

func TestTooManyTries(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	for range 10 {
		b.signIn("ann", "wrong").want(t, "a wrong password", http.StatusForbidden)
	}
	// Neither are those without limit that cost nothing to check.
	before := strings.Count(f.actions(t), "\n")
	for range 30 {
		b.signIn("", "")
		b.signIn("", "php_000000000000000000000000000000000000")
	}
	if after := strings.Count(f.actions(t), "\n"); after > before+30 {
		t.Errorf("%d failures were recorded", after-before)
	}
	res := b.signIn("ann", "ann's password")
	res.want(t, "the eleventh", http.StatusTooManyRequests, "Too many failed sign-ins")
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// SEC-024: a login that exists answers like one that does not.
func TestSEC024_SignInTellsNothingOfAccounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "here", "the password")
	f.user(t, "shut", "the password")
	if err := f.accounts.Suspend(t.Context(), audit.Operator, "shut", true); err != nil {
		t.Fatal(err)
	}
	answers := map[string]bool{}
	for _, login := range []string{"here", "gone", "shut"} {
		password := "wrong"
		if login == "shut" {
			password = "the password"
		}
		res := f.browser(t).signIn(login, password)
		res.Header.Del("Date")
		res.Header.Del("X-Request-Id")
		var header strings.Builder
		if err := res.Header.Write(&header); err != nil {
			t.Fatal(err)
		}
		answers[res.Status+header.String()+strings.ReplaceAll(res.body, `value="`+login+`"`, "")] = true
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers: %v", len(answers), answers)
	}
}

// SEC-030: after the sign-in one stays here.
func TestSEC030_NoSignInLeadsElsewhere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for to, want := range map[string]string{
		"//e": "/", `/\e`: "/", "https:e": "/", "https://e": "/", "/%5ce": "/", "\t//e": "/", "/\t/e": "/", "/%2f/e": "/", "/%09/e": "/",
		`\\e`: "/", "javascript:alert(1)": "/", "e": "/", "": "/", "/\r\nLocation: //e": "/", "///e": "/", "/a\u2028b": "/", "?a": "/",
		"/settings/tokens": "/settings/tokens", "/settings/tokens?a=b//c": "/settings/tokens?a=b//c",
	} {
		res := b.post("/login", "login", "ann", "password", "ann's password", "return_to", to)
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != want {
			t.Errorf("%q leads to %q, %s", to, got, res.Status)
		}
		form := f.browser(t).get("/login?" + url.Values{"return_to": {to}}.Encode())
		if want == "/" && !strings.Contains(form.body, `name="return_to" value="/"`) {
			t.Errorf("the form for %q:\n%s", to, form.body)
		}
	}
}

// posts are all forms.
func posts() []string {
	return []string{
		"/login", "/logout", "/join", "/settings/tokens", "/settings/tokens/1/revoke", "/settings/tokens/1/authorize", "/settings/identities",
	}
}

// SEC-022: no form is taken from another site.
func TestSEC022_OtherSitesCannotPost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "http://127.0.0.1:1")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.signIn("ann", "ann's password").want(t, "sign in", http.StatusOK)
	for _, path := range posts() {
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Sec-Fetch-Site", "cross-site", "Origin", f.url},
			{"Origin", "https://elsewhere.test"},
			{"Origin", "null"},
			{"Origin", strings.Replace(f.url, "http:", "https:", 1) + "0"},
		} {
			res := b.do(http.MethodPost, path, url.Values{"login": {"ann"}}, header...)
			res.want(t, path+" "+strings.Join(header, " "), http.StatusForbidden, "Another site sent this request")
		}
	}
	if b.who() != "ann" {
		t.Error("another site ended the session")
	}
	if who, _, err := f.deps.Sessions.Find(t.Context(), b.session()); err != nil {
		t.Error(who, err)
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "http://127.0.0.1:1")
	b := f.browser(t)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answers := []page{b.do(http.MethodPost, "/login", nil, "Sec-Fetch-Site", "cross-site"), b.do(http.MethodPut, "/login", nil)}
	for _, path := range append(posts(), "/login/oidc", "/login/oidc/callback", "/nothing", "/settings", "//e", "/login/../x") {
		answers = append(answers, b.get(path), b.post(path, "password", "x"))
	}
	for _, res := range answers {
		what := res.Request.Method + " " + res.Request.URL.Path
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
				"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", what, name, got)
			}
		}
		if to := res.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, "://") {
			t.Errorf("%s leads to %s", what, to)
		}
		if res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable || strings.Count(res.body, "<script") > 1 {
			t.Errorf("%s: %s\n%s", what, res.Status, res.body)
		}
	}
}

func TestCookiesUnderTLS(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	for scheme, want := range map[string]string{
		"http":  "packhouse=S; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax",
		"https": "__Host-packhouse=S; Path=/; Max-Age=7776000; HttpOnly; Secure; SameSite=Lax",
	} {
		d := f.deps
		d.URL = &url.URL{Scheme: scheme, Host: "packages.test"}
		pages, err := web.New(d)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader("login=ann&password=ann%27s+password"))
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		name, rest, _ := strings.Cut(w.Header().Get("Set-Cookie"), "=")
		secret, rest, _ := strings.Cut(rest, ";")
		if got := name + "=S;" + rest; got != want || len(secret) != 43 {
			t.Errorf("%s sets %q with a secret of %d", scheme, got, len(secret))
		}
	}
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	b := f.browser(t)
	b.get("/join").want(t, "the form while closed", http.StatusOK, "Sign-up is closed")
	b.post("/join", "login", "mona", "password", "mona's password").want(t, "while closed", http.StatusForbidden, "Sign-up is closed")
	if _, err := f.accounts.Get(t.Context(), "mona"); !errs.Is(err, errs.NotFound) {
		t.Fatalf("mona is there: %v", err)
	}
	if err := f.accounts.SetSignUp(t.Context(), audit.Operator, true); err != nil {
		t.Fatal(err)
	}
	b.get("/login").want(t, "the form of a sign-in", http.StatusOK, `href="/join"`)
	b.get("/join").want(t, "the form", http.StatusOK, `action="/join"`)
	b.post("/join", "login", "mona", "password", "short").want(t, "a short password", http.StatusBadRequest, "at least 8", `value="mona"`)
	// SEC-020: fields of an account that the form does not have change nothing.
	b.post("/join", "login", "Mona", "password", "mona's password", "site_admin", "true", "SiteAdmin", "1", "admin", "on", "has_admin_role", "true",
		"kind", "organization", "id", "1", "suspended", "false")
	if who := b.who(); who != "mona" {
		t.Errorf("after signing up: %q", who)
	}
	a, err := f.accounts.Get(t.Context(), "mona")
	if err != nil || a.SiteAdmin || a.Kind != "user" {
		t.Errorf("%+v, %v", a, err)
	}
	f.browser(t).post("/join", "login", "MONA", "password", "another password").want(t, "a taken login", http.StatusConflict, "is taken")
	if log := f.actions(t); !strings.Contains(log, "mona user.create mona") {
		t.Errorf("the record says\n%s", log)
	}
	for range 20 {
		res := b.post("/join", "login", "x", "password", "short")
		if res.StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("tries to sign up are not limited")
}
