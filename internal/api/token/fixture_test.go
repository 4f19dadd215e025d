package tokenapi_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	tokenapi "packhouse/internal/api/token"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

// fixture is a token endpoint on a real database. ann and bob are users, acme is
// ann's organization with bob as a member; ann/private, ann/internal, ann/public
// and acme/private exist, likewise ann/shared, to which bob may write.
type fixture struct {
	http.Handler
	auth     *token.Authenticator
	personal *token.PersonalTokens
	workflow *token.WorkflowTokens
	db       *database.DB
	accounts *account.Service
	store    *store.Store
	ids      map[string]int64
	now      time.Time
}

const password = "ann's password"

func newFixture(t testing.TB) *fixture {
	t.Helper()
	db, ctx := testkit.SQLite(t), t.Context()
	if err := store.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	f := &fixture{db: db, store: store.New(db), ids: map[string]int64{}, now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return f.now }
	var err error
	f.accounts, err = account.New(account.Options{
		Store: f.store, Now: clock, Random: rand.Reader,
		Passwords: account.NewPasswords(account.Cost{MemoryKiB: 64, Passes: 1, Threads: 1}, 2, rand.Reader),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.personal = &token.PersonalTokens{Store: f.store, Now: clock, Random: rand.Reader}
	f.workflow = &token.WorkflowTokens{Store: f.store, Now: clock, Random: rand.Reader}
	f.auth, err = token.NewAuthenticator(token.Options{
		Store: f.store, Keys: f.store, Passwords: f.accounts, Issuer: "https://registry.test", Service: "registry.test",
		Client: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") }, Now: clock, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Handler = tokenapi.New(tokenapi.Deps{Credentials: f.auth, Packages: facts{f.store}, Realm: "registry.test"})
	f.people(t, db)
	return f
}

func (f *fixture) people(t testing.TB, db *database.DB) {
	t.Helper()
	ctx := t.Context()
	for _, u := range []account.NewUser{
		{Login: "ann", Password: password}, {Login: "bob"}, {Login: "root", SiteAdmin: true},
	} {
		a, err := f.accounts.CreateUser(ctx, audit.Operator, u)
		if err != nil {
			t.Fatal(err)
		}
		f.ids[a.Login] = a.ID
	}
	org, err := f.accounts.CreateOrganization(ctx, audit.Operator, "acme", "ann")
	if err != nil {
		t.Fatal(err)
	}
	f.ids["acme"] = org.ID
	if err := f.accounts.SetMember(ctx, audit.Operator, "acme", "bob", access.Member); err != nil {
		t.Fatal(err)
	}
	err = db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for _, p := range [][3]string{
			{"ann", "private", "private"}, {"ann", "internal", "internal"}, {"ann", "public", "public"}, {"acme", "private", "private"},
			{"ann", "shared", "private"},
		} {
			_, err := tx.Exec(ctx, `INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by, published_at)
				VALUES (?, 'container', ?, ?, 0, 0, 0)`, f.ids[p[0]], p[1], p[2])
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO package_names (owner_id, name, type, package_id)
			SELECT owner_id, name, type, id FROM packages`)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO package_grants (package_id, account_id, role)
			SELECT id, ?, 'write' FROM packages WHERE name = 'shared'`, f.ids["bob"])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// facts asks the store, as the composition does.
type facts struct{ store *store.Store }

func (s facts) Facts(ctx context.Context, who access.Principal, name oci.Name) (access.Facts, error) {
	p, err := s.store.Package(ctx, who, access.Package{Type: access.Container, Also: access.Docker, Name: name})
	return p.Facts, err
}

// pat returns a new personal access token of login.
func (f *fixture) pat(t testing.TB, login string, s access.Scopes) string {
	t.Helper()
	secret, _, err := f.personal.Create(t.Context(), audit.Operator, token.NewToken{AccountID: f.ids[login], Target: login, Scopes: s})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

// fineGrained returns a new fine-grained token of login, which lasts a day.
func (f *fixture) fineGrained(t testing.TB, login string, limits ...access.Limit) string {
	t.Helper()
	secret, _, err := f.personal.Create(t.Context(), audit.Operator, token.NewToken{
		AccountID: f.ids[login], Target: login, Limits: limits, ExpiresAt: f.now.Add(24 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

// job returns a new workflow token of a repository that is there, which lasts an
// hour.
func (f *fixture) job(t testing.TB, repository string, s access.Scopes, codespace bool) string {
	t.Helper()
	r, err := f.accounts.Repository(t.Context(), repository)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := f.workflow.Create(t.Context(), audit.Operator, token.NewWorkflowToken{
		RepositoryID: r.ID, OwnerID: r.OwnerID, Scopes: s, Codespace: codespace, ExpiresAt: f.now.Add(time.Hour), Target: repository,
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

// repository makes a private repository and returns its id.
func (f *fixture) repository(t testing.TB, name string) int64 {
	t.Helper()
	r, err := f.accounts.CreateRepository(t.Context(), audit.Operator, name, access.Private)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// exec runs one statement on the database.
func (f *fixture) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	err := f.db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// packageID returns the id of a package of ann's.
func (f *fixture) packageID(t testing.TB, name string) (id int64) {
	t.Helper()
	err := f.db.Read().QueryRow(t.Context(), `SELECT id FROM packages WHERE owner_id = ? AND name = ?`, f.ids["ann"], name).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// basic returns an Authorization header of login with a new token.
func (f *fixture) basic(t testing.TB, login string, s access.Scopes) string {
	t.Helper()
	return basic(login, f.pat(t, login, s))
}

func basic(login, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+secret))
}

// body is every member that an answer of the endpoint may have.
type body struct {
	Token       string `json:"token"`
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
	IssuedAt    string `json:"issued_at"`
	Scope       string `json:"scope"`
	Refresh     string `json:"refresh_token"`
	Errors      []struct{ Code, Message string }
}

func (f *fixture) do(t testing.TB, r *http.Request) (*httptest.ResponseRecorder, body) {
	t.Helper()
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	var b body
	if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
	return w, b
}

func (f *fixture) get(t testing.TB, authorization string, scopes ...string) (*httptest.ResponseRecorder, body) {
	t.Helper()
	query := url.Values{"service": {"registry.test"}, "scope": scopes}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/token?"+query.Encode(), nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return f.do(t, r)
}

func (f *fixture) post(t testing.TB, form url.Values) (*httptest.ResponseRecorder, body) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return f.do(t, r)
}

// granted returns the scopes inside a bearer token, as the registry reads it.
func (f *fixture) granted(t testing.TB, text string) (access.Principal, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
	r.Header.Set("Authorization", "Bearer "+text)
	who, err := f.auth.Authenticate(t.Context(), r)
	if err != nil || !who.Restricted {
		t.Fatalf("the issued token signs in as %+v, %v", who, err)
	}
	var scopes []string
	for _, g := range who.Grants {
		var actions []string
		for _, a := range g.Actions {
			actions = append(actions, token.ActionName(a))
		}
		if len(actions) > 0 {
			scopes = append(scopes, "repository:"+g.Name.String()+":"+strings.Join(actions, ","))
		}
	}
	if who.Catalog {
		scopes = append(scopes, "registry:catalog:*")
	}
	return who, strings.Join(scopes, " ")
}
