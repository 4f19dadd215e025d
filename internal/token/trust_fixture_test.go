package token_test

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/httpx"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// trusting is a fixture that takes identity tokens, with an issuer in a process
// of its own, the organization acme of ann's, and its repository acme/app.
type trusting struct {
	*fixture
	*token.Trust
	issuer *testkit.IssuerProcess
	asks   atomic.Uint32
}

// ask sends each request from an address of its own: refusals are counted by
// address, and most tests are not about that.
func (f *trusting) ask(t testing.TB, authorization ...string) (access.Principal, error) {
	t.Helper()
	n := f.asks.Add(1)
	return f.askFrom(t, netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), authorization...)
}

func (f *trusting) askFrom(t testing.TB, client netip.Addr, authorization ...string) (access.Principal, error) {
	t.Helper()
	r := request(authorization...)
	r.RemoteAddr = netip.AddrPortFrom(client, 1).String()
	return f.Authenticate(t.Context(), r)
}

func newTrusting(t *testing.T) *trusting {
	t.Helper()
	f := &trusting{fixture: newFixture(t), issuer: testkit.Issuer(t)}
	f.Trust = f.trust(true)
	var err error
	f.Authenticator, err = token.NewAuthenticator(token.Options{
		Store: f.store, Keys: f.store, Passwords: f.accounts, Identities: f.Trust, Issuer: issuer, Service: service,
		Client: func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() },
		Now:    f.clock, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts.CreateOrganization(t.Context(), audit.Operator, "acme", "ann"); err != nil {
		t.Fatal(err)
	}
	f.repository(t, "acme/app")
	return f
}

// trust returns a Trust as the composition makes it.
func (f *trusting) trust(private bool) *token.Trust {
	return token.NewTrust(token.TrustOptions{
		Store: f.store, Rules: f.store, Client: httpx.Outbound(private, 100<<10, 10*time.Second), AllowPrivate: private,
		URL: issuer, Names: []string{issuer, service}, Life: time.Hour, Now: f.clock,
		Tokens: &token.WorkflowTokens{Store: f.store, Now: f.clock, Random: rand.Reader},
	})
}

func (f *trusting) repository(t *testing.T, name string) {
	t.Helper()
	if _, err := f.accounts.CreateRepository(t.Context(), audit.Operator, name, access.Private); err != nil {
		t.Fatal(err)
	}
}

// rule makes a rule about what kind and name say, with changes, and returns it.
func (f *trusting) rule(t *testing.T, kind, name string, changes ...func(*token.TrustRule)) token.TrustRule {
	t.Helper()
	target, err := f.Target(t.Context(), kind, name)
	if err != nil {
		t.Fatal(err)
	}
	r := token.TrustRule{
		TrustTarget: target, Issuer: f.issuer.URL, Audience: issuer, Actions: access.Push,
		Claims: map[string]string{"repository": "acme/app"},
	}
	for _, change := range changes {
		change(&r)
	}
	if r.ID, err = f.Add(t.Context(), audit.Operator, access.Principal{Operator: true}, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// job returns an identity token of acme/app's for this registry, with changes.
func (f *trusting) job(t *testing.T, changes map[string]any) string {
	t.Helper()
	return f.issuer.MintToken(t, testkit.IssuerToken{Claims: f.claims(changes)})
}

func (f *trusting) claims(changes map[string]any) map[string]any {
	claims := f.issuer.At(f.now, map[string]any{"aud": issuer, "repository": "acme/app", "ref": "refs/heads/main"})
	for name, value := range changes {
		claims[name] = value
	}
	return claims
}

// asked is how often the issuer was asked for its keys.
func (f *trusting) asked(t *testing.T) int {
	t.Helper()
	return f.issuer.Requests(t)["/keys"]
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
