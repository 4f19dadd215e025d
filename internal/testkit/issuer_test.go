package testkit_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"packhouse/internal/testkit"
)

func verifier(t *testing.T, p *testkit.IssuerProcess) *oidc.IDTokenVerifier {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), p.URL)
	if err != nil {
		t.Fatal(err)
	}
	return provider.VerifierContext(context.WithoutCancel(t.Context()), &oidc.Config{
		ClientID: "us", SupportedSigningAlgs: []string{"ES256", "RS256", "EdDSA"},
	})
}

func TestAnIssuersTokensHold(t *testing.T) {
	t.Parallel()
	p := testkit.Issuer(t)
	v := verifier(t, p)
	check := func(what string, token testkit.IssuerToken, ok bool) {
		t.Helper()
		token.Claims = map[string]any{"aud": "us", "repository": "acme/app"}
		id, err := v.Verify(t.Context(), p.MintToken(t, token))
		if (err == nil) != ok {
			t.Errorf("%s: %v", what, err)
		}
		if ok && err == nil && (id.Issuer != p.URL || id.Subject != "job") {
			t.Errorf("%s: %+v", what, id)
		}
	}
	check("ES256", testkit.IssuerToken{}, true)
	check("RS256", testkit.IssuerToken{Algorithm: "RS256"}, true)
	check("EdDSA", testkit.IssuerToken{Algorithm: "EdDSA"}, true)
	check("HS256", testkit.IssuerToken{Algorithm: "HS256"}, false)
	check("none", testkit.IssuerToken{Algorithm: "none"}, false)
	check("stranger", testkit.IssuerToken{Stranger: true}, false)
	p.Rotate(t)
	check("after rotation", testkit.IssuerToken{}, true)
	if n := p.Requests(t)["/keys"]; n < 2 {
		t.Errorf("the keys were asked for %d times", n)
	}
	p.Answer(t, "/keys", testkit.IssuerAnswer{Status: http.StatusInternalServerError})
	p.Rotate(t)
	check("without its keys", testkit.IssuerToken{}, false)
	p.Answer(t, "/keys", testkit.IssuerAnswer{})
	check("with its keys again", testkit.IssuerToken{}, true)
}

// A browser and a client go through the code flow.
func TestAnIssuerSignsPeopleIn(t *testing.T) {
	t.Parallel()
	p := testkit.Issuer(t)
	p.SetUser(t, "monalisa", map[string]any{"groups": []string{"dev"}})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	sum := sha256.Sum256([]byte("verifier"))
	q := url.Values{
		"client_id": {testkit.IssuerClientID}, "response_type": {"code"}, "scope": {"openid groups"}, "state": {"s"}, "nonce": {"n"},
		"redirect_uri": {"http://us.test/back"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	get := func(status int) *http.Response {
		t.Helper()
		res, err := client.Get(p.URL + "/authorize?" + q.Encode())
		if err != nil || res.StatusCode != status {
			t.Fatal(res, err)
		}
		res.Body.Close()
		return res
	}
	get(http.StatusOK) // nobody sits before the browser
	p.SignInAs(t, "monalisa")
	back, err := get(http.StatusFound).Location()
	if err != nil || back.Query().Get("state") != "s" || !strings.HasPrefix(back.String(), "http://us.test/back?") {
		t.Fatal(back, err)
	}
	redeem := func(verifier string) (answer struct {
		ID     string `json:"id_token"`
		Access string `json:"access_token"`
	}) {
		t.Helper()
		res, err := client.PostForm(p.URL+"/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {"http://us.test/back"},
			"code_verifier": {verifier}, "client_id": {testkit.IssuerClientID}, "client_secret": {testkit.IssuerClientSecret},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	answer := redeem("verifier")
	if redeem("verifier").ID != "" {
		t.Error("a code was redeemed twice")
	}
	claims := strings.Split(answer.ID, ".")
	if len(claims) != 3 || answer.Access == "" {
		t.Fatalf("%+v", answer)
	}
	text, _ := base64.RawURLEncoding.DecodeString(claims[1])
	for _, part := range []string{`"nonce":"n"`, `"sub":"id-of-monalisa"`, `"groups":["dev"]`, `"aud":"packhouse"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
}
