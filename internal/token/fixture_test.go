package token_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

const (
	service  = "registry.test"
	issuer   = "https://registry.test"
	password = "ann's password"
)

// fixture is an Authenticator on a real database with the users ann and bob and
// the site administrator root, and a clock that stands still.
type fixture struct {
	*token.Authenticator
	*token.PersonalTokens
	workflow *token.WorkflowTokens
	store    *countingStore
	accounts *account.Service
	now      time.Time
	ann, bob account.Account
}

// countingStore counts what is asked of the database.
type countingStore struct {
	*store.Store
	lookups, keyLoads, touches atomic.Int64
}

func (c *countingStore) TokenBySecret(ctx context.Context, hash string) (token.Token, token.Holder, error) {
	c.lookups.Add(1)
	return c.Store.TokenBySecret(ctx, hash)
}

func (c *countingStore) TouchTokens(ctx context.Context, used map[int64]time.Time) error {
	c.touches.Add(1)
	return c.Store.TouchTokens(ctx, used)
}

func (c *countingStore) SigningKeys(ctx context.Context) ([]token.Key, error) {
	c.keyLoads.Add(1)
	return c.Store.SigningKeys(ctx)
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	db := testkit.SQLite(t)
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: &countingStore{Store: store.New(db)}, now: time.Date(2026, 1, 2, 12, 0, 30, 0, time.UTC)}
	var err error
	f.accounts, err = account.New(account.Options{
		Store: f.store, Now: f.clock, Random: rand.Reader,
		Passwords: account.NewPasswords(account.Cost{MemoryKiB: 64, Passes: 1, Threads: 1}, 2, rand.Reader),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.PersonalTokens = &token.PersonalTokens{Store: f.store, Now: f.clock, Random: rand.Reader}
	f.workflow = &token.WorkflowTokens{Store: f.store, Now: f.clock, Random: rand.Reader}
	f.Authenticator = f.node(t, service)
	f.ann = f.user(t, "ann", password, false)
	f.bob = f.user(t, "bob", "bob's password", false)
	return f
}

func (f *fixture) clock() time.Time { return f.now }

// node returns another process's Authenticator on the same database.
func (f *fixture) node(t testing.TB, service string) *token.Authenticator {
	t.Helper()
	a, err := token.NewAuthenticator(token.Options{
		Store: f.store, Keys: f.store, Passwords: f.accounts, Issuer: issuer, Service: service,
		Client: func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() },
		Now:    f.clock, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *fixture) user(t testing.TB, login, password string, siteAdmin bool) account.Account {
	t.Helper()
	a, err := f.accounts.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: login, Password: password, SiteAdmin: siteAdmin})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// personal makes a token of the account and returns its text.
func (f *fixture) personal(t testing.TB, a account.Account, s access.Scopes) (string, token.Token) {
	t.Helper()
	secret, tok, err := f.Create(t.Context(), audit.Operator, token.NewToken{AccountID: a.ID, Target: a.Login, Note: "test", Scopes: s})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal(), tok
}

// fineGrained makes a token of the account that reaches limits for a day.
func (f *fixture) fineGrained(t testing.TB, a account.Account, limits ...access.Limit) (string, token.Token) {
	t.Helper()
	secret, tok, err := f.Create(t.Context(), audit.Operator, token.NewToken{
		AccountID: a.ID, Target: a.Login, Limits: limits, ExpiresAt: f.now.Add(24 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal(), tok
}

// repository makes a private repository.
func (f *fixture) repository(t testing.TB, name string) account.Repository {
	t.Helper()
	r, err := f.accounts.CreateRepository(t.Context(), audit.Operator, name, access.Private)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// job makes a workflow token of the repository that lasts an hour.
func (f *fixture) job(t testing.TB, r account.Repository, s access.Scopes) (string, token.Token) {
	t.Helper()
	secret, tok, err := f.workflow.Create(t.Context(), audit.Operator, token.NewWorkflowToken{
		RepositoryID: r.ID, OwnerID: r.OwnerID, Scopes: s, ExpiresAt: f.now.Add(time.Hour), Target: r.Name.String(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal(), tok
}

// request returns a request with these Authorization headers.
func request(authorization ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://registry.test/v2/", nil)
	r.Header["Authorization"] = authorization
	if len(authorization) == 0 {
		r.Header.Del("Authorization")
	}
	return r
}

func basic(login, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+secret))
}

func (f *fixture) ask(t testing.TB, authorization ...string) (access.Principal, error) {
	t.Helper()
	return f.Authenticate(t.Context(), request(authorization...))
}

func unauthenticated(err error) bool { return errs.Is(err, errs.Unauthenticated) }

func name(t testing.TB, s string) oci.Name {
	t.Helper()
	n, err := oci.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// bearer issues a token for ann's app and returns its text.
func (f *fixture) bearer(t testing.TB, who access.Principal, actions ...access.Action) string {
	t.Helper()
	b, err := f.Issue(t.Context(), who, []access.Grant{{Name: name(t, "ann/app"), Actions: actions}})
	if err != nil {
		t.Fatal(err)
	}
	return b.Token.Reveal()
}

// forger signs whatever it is given with the registry's own key, as an attacker
// never can: what is refused then is refused for its content.
type forger struct {
	key ed25519.PrivateKey
	id  string
}

func (f *fixture) forger(t testing.TB) forger {
	t.Helper()
	f.bearer(t, access.Principal{}) // sees to it that there is a key
	keys, err := f.store.Store.SigningKeys(t.Context())
	if err != nil || len(keys) == 0 {
		t.Fatal(err)
	}
	return forger{ed25519.NewKeyFromSeed(keys[0].Seed), keys[0].ID}
}

func (f forger) header() string {
	return `{"alg":"EdDSA","typ":"packhouse-registry+jwt","kid":"` + f.id + `"}`
}

func (f forger) sign(header, payload string) string {
	text := encode(header) + "." + encode(payload)
	return text + "." + encode(string(ed25519.Sign(f.key, []byte(text))))
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// payload returns the claims of a token that holds, with changes: a nil value
// takes a member away.
func (f *fixture) payload(t testing.TB, changes map[string]any) string {
	t.Helper()
	now := f.now.Unix()
	claims := map[string]any{
		"iss": issuer, "sub": "ann", "aud": service, "exp": now + 300, "nbf": now, "iat": now, "jti": "1",
		"access":            []any{map[string]any{"type": "repository", "name": "ann/app", "actions": []string{"pull"}}},
		"packhouse_account": f.ann.ID, "packhouse_token": 0, "packhouse_site_admin": false, "packhouse_scopes": "read:packages",
	}
	for k, v := range changes {
		if claims[k] = v; v == nil {
			delete(claims, k)
		}
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
