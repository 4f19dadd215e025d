package token_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

func TestOnlyWhatTheIssuerSignedIsTaken(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app")
	other := testkit.Issuer(t)
	check := func(what, text string, ok bool) {
		t.Helper()
		_, err := f.ask(t, basic("ci", text))
		if (err == nil) != ok || err != nil && !unauthenticated(err) {
			t.Errorf("%s: %v", what, err)
		}
		if _, bearer := f.ask(t, "Bearer "+text); (bearer == nil) != ok {
			t.Errorf("%s as a bearer token: %v", what, bearer)
		}
	}
	mint := func(k testkit.IssuerToken) string {
		if k.Claims == nil {
			k.Claims = f.claims(nil)
		}
		return f.issuer.MintToken(t, k)
	}
	for _, alg := range []string{"", "ES256", "RS256", "EdDSA"} {
		check("a token by "+alg, mint(testkit.IssuerToken{Algorithm: alg}), true)
	}
	check("without a key's id", mint(testkit.IssuerToken{Header: map[string]any{"kid": ""}}), true)
	check("none", mint(testkit.IssuerToken{Algorithm: "none"}), false)
	check("HMAC with the public key", mint(testkit.IssuerToken{Algorithm: "HS256"}), false)
	check("another algorithm than the key's", mint(testkit.IssuerToken{Algorithm: "RS256", Header: map[string]any{"alg": "PS256"}}), false)
	check("a critical header", mint(testkit.IssuerToken{Header: map[string]any{"crit": []string{"x"}, "x": true}}), false)
	check("another issuer's", other.MintToken(t, testkit.IssuerToken{Claims: f.claims(map[string]any{"iss": other.URL})}), false)
	check("another issuer's in its name", other.MintToken(t, testkit.IssuerToken{Claims: f.claims(map[string]any{"iss": f.issuer.URL})}), false)
	check("another audience", f.job(t, map[string]any{"aud": "https://elsewhere.test"}), false)
	check("one of several audiences", f.job(t, map[string]any{"aud": []string{"https://elsewhere.test", issuer}}), true)
	check("no audience", f.job(t, map[string]any{"aud": nil}), false)
	check("another claim", f.job(t, map[string]any{"repository": "acme/app2"}), false)
	check("no such claim", f.job(t, map[string]any{"repository": nil}), false)
	check("too long", f.job(t, map[string]any{"pad": strings.Repeat("x", token.MaxIdentity)}), false)
	good := f.job(t, nil)
	parts := strings.Split(good, ".")
	check("a changed payload", parts[0]+"."+encode(strings.Replace(string(decode(t, parts[1])), "acme/app", "acme/ap", 1))+"."+parts[2], false)
	check("no signature", parts[0]+"."+parts[1]+".", false)
	check("a serialization of another kind", `{"payload":"`+parts[1]+`","protected":"`+parts[0]+`","signature":"`+parts[2]+`"}`, false)
	if n := len(other.Requests(t)); n != 0 {
		t.Errorf("an issuer that no rule names was asked: %v", other.Requests(t))
	}
}

// TestSEC004: what a token brings along in its header is never a key.
func TestSEC004KeysInTheHeaderAreIgnored(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app")
	lure := testkit.Issuer(t)
	for what, header := range map[string]map[string]any{
		"jwk":         nil, // Stranger puts its key there, under a trusted id
		"jku":         {"jku": lure.URL + "/keys"},
		"x5u":         {"x5u": lure.URL + "/keys"},
		"x5c":         {"x5c": []string{"MIIB"}},
		"another kid": {"kid": "other"},
		"no kid":      {"kid": ""},
		"a path":      {"kid": "../../../../dev/null"},
	} {
		t.Run(what, func(t *testing.T) {
			for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
				text := f.issuer.MintToken(t, testkit.IssuerToken{Claims: f.claims(nil), Algorithm: alg, Header: header, Stranger: true})
				if who, err := f.ask(t, basic("ci", text)); !unauthenticated(err) {
					t.Errorf("%s: %+v, %v", alg, who, err)
				}
			}
		})
	}
	if n := len(lure.Requests(t)); n != 0 {
		t.Errorf("the header's address was asked: %v", lure.Requests(t))
	}
	if _, err := f.ask(t, basic("ci", f.job(t, nil))); err != nil {
		t.Error(err)
	}
}

func TestTimesOfIdentityTokens(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app")
	now := f.now.Unix()
	for what, c := range map[string]struct {
		changes map[string]any
		says    string // "" when it holds
	}{
		"just expired":             {map[string]any{"exp": now - 29}, ""},
		"expired":                  {map[string]any{"exp": now - 30}, "has expired"},
		"our clock is late":        {map[string]any{"iat": now + 30, "nbf": now + 30}, ""},
		"issued in the future":     {map[string]any{"iat": now + 31, "nbf": now}, "does not hold yet"},
		"not before":               {map[string]any{"nbf": now + 31}, "does not hold yet"},
		"no nbf":                   {map[string]any{"nbf": nil}, ""},
		"nbf is no number":         {map[string]any{"nbf": "soon"}, "does not hold"},
		"no exp":                   {map[string]any{"exp": nil}, "when it expires"},
		"no iat":                   {map[string]any{"iat": nil}, "when it was issued"},
		"a day":                    {map[string]any{"exp": now + 24*3600}, ""},
		"more than a day":          {map[string]any{"exp": now + 24*3600 + 1}, "longer than 24 hours"},
		"issued long ago":          {map[string]any{"iat": now - 23*3600, "exp": now + 3600}, ""},
		"issued too long ago":      {map[string]any{"iat": now - 24*3600, "exp": now + 3600}, "longer than 24 hours"},
		"no subject":               {map[string]any{"sub": nil}, "names no subject"},
		"claims that are no claim": {map[string]any{"exp": "never"}, "does not hold"},
	} {
		_, err := f.ask(t, basic("ci", f.job(t, c.changes)))
		if (err == nil) != (c.says == "") || err != nil && (!unauthenticated(err) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// An issuer changes its keys without telling us; nobody can make us ask it often.
func TestKeysOfIssuersAreFollowed(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app")
	try := func(what string, ok bool, asked int) {
		t.Helper()
		before := f.asked(t)
		_, err := f.ask(t, basic("ci", f.job(t, nil)))
		if (err == nil) != ok || f.asked(t)-before != asked {
			t.Errorf("%s: %v, the issuer was asked %d times, want %d", what, err, f.asked(t)-before, asked)
		}
	}
	try("the first", true, 1)
	try("the second", true, 0)
	old := f.issuer.MintToken(t, testkit.IssuerToken{Claims: f.claims(map[string]any{"exp": f.now.Add(3 * time.Hour).Unix()})})
	f.issuer.Rotate(t)
	try("a new key at once", false, 0)
	f.now = f.now.Add(10 * time.Second)
	try("a new key", true, 1)
	f.now = f.now.Add(10 * time.Second)
	before := f.asked(t)
	for range 20 {
		text := f.issuer.MintToken(t, testkit.IssuerToken{Claims: f.claims(nil), Header: map[string]any{"kid": "unknown"}})
		if _, err := f.ask(t, basic("ci", text)); !unauthenticated(err) {
			t.Fatal(err)
		}
	}
	if n := f.asked(t) - before; n > 1 {
		t.Errorf("20 tokens with unknown keys made %d requests", n)
	}
	if _, err := f.ask(t, basic("ci", old)); !unauthenticated(err) {
		t.Errorf("a key that was taken back is still taken: %v", err)
	}
	f.now = f.now.Add(time.Hour)
	try("after an hour", true, 1)
}

func TestIssuersThatFail(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app")
	other := testkit.Issuer(t)
	const discovery = "/.well-known/openid-configuration"
	unavailable := func(what, path string, a testkit.IssuerAnswer) {
		t.Helper()
		before := f.issuer.Requests(t)[path]
		f.issuer.Answer(t, path, a)
		f.now = f.now.Add(2 * time.Hour) // what is remembered has had its time
		for range 3 {
			if _, err := f.ask(t, basic("ci", f.job(t, nil))); !errs.Is(err, errs.Unavailable) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := f.issuer.Requests(t)[path] - before; n > 1 {
			t.Errorf("%s: asked %d times", what, n)
		}
		f.issuer.Answer(t, path, testkit.IssuerAnswer{})
		f.now = f.now.Add(10 * time.Second)
		if _, err := f.ask(t, basic("ci", f.job(t, nil))); err != nil {
			t.Errorf("after %s: %v", what, err)
		}
		unknown := f.issuer.MintToken(t, testkit.IssuerToken{Claims: f.claims(nil), Header: map[string]any{"kid": "unknown"}})
		if _, err := f.ask(t, basic("ci", unknown)); !unauthenticated(err) {
			t.Errorf("an unknown key after %s: %v", what, err)
		}
	}
	unavailable("an error", "/keys", testkit.IssuerAnswer{Status: http.StatusInternalServerError})
	unavailable("no JSON", "/keys", testkit.IssuerAnswer{Status: http.StatusOK, Body: "<html>"})
	unavailable("endless keys", "/keys", testkit.IssuerAnswer{Status: http.StatusOK, Padding: 200 << 10, Body: `{"keys":[]}`})
	unavailable("endless discovery", discovery, testkit.IssuerAnswer{Status: http.StatusOK, Padding: 200 << 10, Body: `{}`})
	unavailable("keys elsewhere", "/keys", testkit.IssuerAnswer{Status: http.StatusFound, Location: other.URL + "/keys"})
	unavailable("discovery elsewhere", discovery, testkit.IssuerAnswer{Status: http.StatusFound, Location: other.URL + discovery})
	unavailable("another issuer's discovery", discovery, testkit.IssuerAnswer{
		Status: http.StatusOK, Body: `{"issuer":"` + other.URL + `","jwks_uri":"` + f.issuer.URL + `/keys"}`,
	})
	unavailable("keys behind a password", discovery, testkit.IssuerAnswer{
		Status: http.StatusOK, Body: `{"issuer":"` + f.issuer.URL + `","jwks_uri":"` + strings.Replace(f.issuer.URL, "://", "://u:p@", 1) + `/keys"}`,
	})
	if n := len(other.Requests(t)); n != 0 {
		t.Errorf("a redirect was followed to another host: %v", other.Requests(t))
	}
	f.issuer.Answer(t, "/keys", testkit.IssuerAnswer{
		Status: http.StatusOK, Body: `{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"new"},{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`,
	})
	f.now = f.now.Add(2 * time.Hour)
	if _, err := f.ask(t, basic("ci", f.job(t, nil))); !unauthenticated(err) {
		t.Errorf("keys of other kinds: %v", err)
	}
}

// A key is taken for what its issuer published it for.
func TestKeysOfIssuersHaveTheirUse(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app")
	text := f.issuer.MintToken(t, testkit.IssuerToken{Claims: f.claims(nil), Algorithm: "RS256"})
	res, err := http.Get(f.issuer.URL + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	keys, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		old, new string
		ok       bool
	}{
		{`"use":"sig"`, `"use":"sig"`, true}, {`"use":"sig",`, ``, true}, {`"alg":"RS256",`, ``, true},
		{`"use":"sig"`, `"use":"enc"`, false}, {`"alg":"RS256"`, `"alg":"PS256"`, false},
	} {
		if !strings.Contains(string(keys), c.old) {
			t.Fatalf("the keys are %s", keys)
		}
		f.issuer.Answer(t, "/keys", testkit.IssuerAnswer{Status: 200, Body: strings.ReplaceAll(string(keys), c.old, c.new)})
		if _, err := f.trust(true).Identify(t.Context(), "ci", text); (err == nil) != c.ok || err != nil && !unauthenticated(err) {
			t.Errorf("%s for %s: %v", c.new, c.old, err)
		}
	}
}

// What issuers publish is asked for at public addresses alone.
func TestPrivateIssuersAreNotAsked(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app")
	closed := f.trust(false)
	if _, err := closed.Identify(t.Context(), "ci", f.job(t, nil)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("an issuer of this machine: %v", err)
	}
	if n := len(f.issuer.Requests(t)); n != 0 {
		t.Errorf("a private address was asked: %v", f.issuer.Requests(t))
	}
}
