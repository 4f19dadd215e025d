package tokenapi_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	tokenapi "packhouse/internal/api/token"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// exchanging is a fixture that trusts an issuer's jobs of acme/app.
type exchanging struct {
	*fixture
	issuer *testkit.IssuerProcess
}

func newExchanging(t *testing.T) *exchanging {
	t.Helper()
	f := &exchanging{newFixture(t), testkit.Issuer(t)}
	ctx, clock := t.Context(), func() time.Time { return f.now }
	trust := token.NewTrust(token.TrustOptions{
		Store: f.store, Rules: f.store, Client: httpx.Outbound(true, 1<<20, 10*time.Second), AllowPrivate: true,
		URL: "https://registry.test", Names: []string{"https://registry.test", "registry.test"}, Life: time.Hour, Now: clock,
		Tokens: &token.WorkflowTokens{Store: f.store, Now: clock, Random: rand.Reader},
	})
	f.Handler = tokenapi.New(tokenapi.Deps{Credentials: f.auth, Packages: facts{f.store}, Exchanger: trust, Realm: "registry.test"})
	if _, err := f.accounts.CreateRepository(ctx, audit.Operator, "acme/app", access.Private); err != nil {
		t.Fatal(err)
	}
	target, err := trust.Target(ctx, "repository", "acme/app")
	if err != nil {
		t.Fatal(err)
	}
	_, err = trust.Add(ctx, audit.Operator, access.Principal{Operator: true}, token.TrustRule{
		TrustTarget: target, Issuer: f.issuer.URL, Audience: "https://registry.test", Actions: access.Push,
		Claims: map[string]string{"repository": "acme/app"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// form is a good exchange with changes; an empty value takes a field away.
func (f *exchanging) form(t *testing.T, changes map[string]string) url.Values {
	t.Helper()
	form := url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":      {f.issuer.MintAt(t, f.now, map[string]any{"aud": "https://registry.test", "repository": "acme/app"})},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
	}
	for name, value := range changes {
		form.Set(name, value)
		if value == "" {
			form.Del(name)
		}
	}
	return form
}

// trade posts a form and returns all members of the answer.
func (f *exchanging) trade(t *testing.T, form url.Values) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
	return w, body
}

func TestExchangeAnswersAsRFC8693Says(t *testing.T) {
	t.Parallel()
	f := newExchanging(t)
	for what, changes := range map[string]map[string]string{
		"plain":             nil,
		"an id_token":       {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
		"all that is taken": {"requested_token_type": "urn:ietf:params:oauth:token-type:access_token", "audience": "registry.test", "resource": "acme/app", "scope": "push pull"},
		"a resource's URL":  {"resource": "https://registry.test/acme/app"},
		"an unknown field":  {"other": "x"},
	} {
		w, body := f.trade(t, f.form(t, changes))
		secret, _ := body["access_token"].(string)
		if w.Code != 200 || !strings.HasPrefix(secret, "phw_") || body["issued_token_type"] != "urn:ietf:params:oauth:token-type:access_token" ||
			body["token_type"] != "Bearer" || body["expires_in"] != 3600.0 || body["scope"] != "pull push" || len(body) != 5 {
			t.Errorf("%s: %d %v", what, w.Code, body)
			continue
		}
		if _, got := f.get(t, basic("ci", secret), "repository:acme/app:pull,push,delete"); got.Scope != "repository:acme/app:pull,push" {
			t.Errorf("%s: the token signs in for %q", what, got.Scope)
		}
	}
	if _, body := f.trade(t, f.form(t, map[string]string{"scope": "pull"})); body["scope"] != "pull" {
		t.Errorf("narrower: %v", body)
	}
}

func TestExchangeRefusesAsOAuthSays(t *testing.T) {
	t.Parallel()
	f := newExchanging(t)
	stranger := f.issuer.MintAt(t, f.now, map[string]any{"aud": "https://registry.test", "repository": "evil/app"})
	for what, c := range map[string]struct {
		changes   map[string]string
		code, has string
	}{
		"no token":              {map[string]string{"subject_token": ""}, "invalid_request", "subject_token"},
		"no type":               {map[string]string{"subject_token_type": ""}, "invalid_request", "subject_token_type"},
		"another type":          {map[string]string{"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request", "subject_token_type"},
		"another type to get":   {map[string]string{"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request", "requested_token_type"},
		"an actor":              {map[string]string{"actor_token": "x"}, "invalid_request", "actor_token"},
		"no JWT":                {map[string]string{"subject_token": "phw_x"}, "invalid_request", "JSON Web Token"},
		"a stranger's":          {map[string]string{"subject_token": stranger}, "invalid_request", "no rule of trust"},
		"another audience":      {map[string]string{"audience": "https://elsewhere.test"}, "invalid_target", "https://registry.test"},
		"another resource":      {map[string]string{"resource": "acme/other"}, "invalid_target", "acme/other"},
		"an unknown scope":      {map[string]string{"scope": "admin"}, "invalid_scope", "pull, push and delete"},
		"a scope out of reach":  {map[string]string{"scope": "pull delete"}, "invalid_scope", "allows pull,push"},
		"a scope of the others": {map[string]string{"scope": "repository:acme/app:pull"}, "invalid_scope", "pull, push"},
	} {
		w, body := f.trade(t, f.form(t, c.changes))
		text, _ := body["error_description"].(string)
		if w.Code != 400 || body["error"] != c.code || !strings.Contains(text, c.has) || len(body) != 2 || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d %v", what, w.Code, body)
		}
	}
	twice := f.form(t, nil)
	twice.Add("subject_token", twice.Get("subject_token"))
	if w, body := f.trade(t, twice); w.Code != 400 || body["error"] != "invalid_request" {
		t.Errorf("a parameter twice: %d %v", w.Code, body)
	}
	two := f.form(t, map[string]string{"resource": "acme/app"})
	two.Add("resource", "acme/other")
	if w, body := f.trade(t, two); w.Code != 400 || body["error"] != "invalid_target" {
		t.Errorf("two resources: %d %v", w.Code, body)
	}
	f.issuer.Answer(t, "/keys", testkit.IssuerAnswer{Status: 500})
	f.now = f.now.Add(2 * time.Hour)
	if w, body := f.trade(t, f.form(t, nil)); w.Code != 503 || body["error"] != "temporarily_unavailable" {
		t.Errorf("an issuer that does not answer: %d %v", w.Code, body)
	}
}

// Refusals count against the client's limit for sign-ins, and are then not
// looked at any more.
func TestSEC073_RefusedExchangesAreLimited(t *testing.T) {
	t.Parallel()
	f := newExchanging(t)
	stranger := f.issuer.MintAt(t, f.now, map[string]any{"aud": "https://registry.test", "repository": "evil/app"})
	for range 40 {
		if w, body := f.trade(t, f.form(t, nil)); w.Code != 200 {
			t.Fatalf("%d %v", w.Code, body)
		}
	}
	for i := range 30 {
		if w, body := f.trade(t, f.form(t, map[string]string{"subject_token": stranger})); w.Code != 400 {
			t.Fatalf("%d: %d %v", i, w.Code, body)
		}
	}
	for what, form := range map[string]url.Values{"a stranger's": f.form(t, map[string]string{"subject_token": stranger}), "a good one": f.form(t, nil)} {
		if w, body := f.trade(t, form); w.Code != 429 || w.Header().Get("Retry-After") != "2" {
			t.Errorf("%s: %d %v", what, w.Code, body)
		}
	}
	f.now = f.now.Add(2 * time.Second)
	if w, body := f.trade(t, f.form(t, nil)); w.Code != 200 {
		t.Errorf("after the wait: %d %v", w.Code, body)
	}
}

type exchanger func(context.Context, token.Exchange) (token.Exchanged, error)

func (e exchanger) Exchange(ctx context.Context, x token.Exchange) (token.Exchanged, error) {
	return e(ctx, x)
}

// Errors of ours show nothing of their cause, and a server without rules says so.
func TestExchangeThatCannotBe(t *testing.T) {
	t.Parallel()
	f := newExchanging(t)
	f.Handler = tokenapi.New(tokenapi.Deps{Credentials: f.auth, Packages: facts{f.store}, Realm: "registry.test"})
	if w, body := f.trade(t, f.form(t, nil)); w.Code != 400 || body["error"] != "invalid_request" {
		t.Errorf("%d %v", w.Code, body)
	}
	f.Handler = tokenapi.New(tokenapi.Deps{Credentials: f.auth, Packages: facts{f.store}, Realm: "registry.test", Exchanger: exchanger(
		func(context.Context, token.Exchange) (token.Exchanged, error) {
			return token.Exchanged{}, errs.Wrap(errs.Internal, errors.New("the secret cause"), "public")
		})})
	if w, body := f.trade(t, f.form(t, nil)); w.Code != 500 || strings.Contains(w.Body.String(), "secret cause") {
		t.Errorf("%d %v", w.Code, body)
	}
}
