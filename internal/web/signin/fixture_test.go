package signin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/httpx"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
	"packhouse/internal/web"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// fixture is the pages on a real database, at a real address.
type fixture struct {
	url      string
	handler  http.Handler
	deps     web.Deps
	store    *store.Store
	accounts *account.Service
	groups   *groups
	ahead    atomic.Int64 // of the real clock, in nanoseconds
}

// A page for those who are signed in, and the way to the provider and there.
const (
	home       = "/settings/security"
	toProvider = "/login/oidc?return_to=" + home
)

// groups remembers what the outside provider said last.
type groups struct{ of map[int64]string }

func (g *groups) ReplaceGroups(_ context.Context, userID int64, names []string) error {
	g.of[userID] = strings.Join(names, " ")
	return nil
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (f *fixture) now() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }

// newFixture serves the pages; issuer is the address of an outside provider, or
// empty for none.
func newFixture(t *testing.T, issuer string) *fixture {
	t.Helper()
	db := testkit.SQLite(t)
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{url: "http://localhost:" + port, store: store.New(db), groups: &groups{of: map[int64]string{}}}
	f.accounts, err = account.New(account.Options{
		Store: f.store, Now: f.now, Random: rand.Reader,
		Passwords: account.NewPasswords(account.Cost{MemoryKiB: 64, Passes: 1, Threads: 1}, 2, rand.Reader),
	})
	if err != nil {
		t.Fatal(err)
	}
	client := func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") }
	credentials, err := token.NewAuthenticator(token.Options{
		Store: f.store, Keys: f.store, Passwords: f.accounts, Issuer: f.url, Service: "us", Client: client, Now: f.now, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	public, err := url.Parse(f.url)
	if err != nil {
		t.Fatal(err)
	}
	factors, err := account.NewFactors(account.FactorOptions{Store: f.store, URL: public, Now: f.now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	f.deps = web.Deps{
		Factors:     factors,
		Credentials: credentials, Accounts: f.accounts, URL: public, ContainerHost: public.Host, Client: client, Now: f.now, Random: rand.Reader,
		Directory: f.store, TokenLists: f.store, Browsers: &account.Browsers{Store: f.store, Now: f.now},
		Sessions: &account.Sessions{Store: f.store, Now: f.now, Random: rand.Reader},
		Personal: &token.PersonalTokens{Store: f.store, Now: f.now, Random: rand.Reader},
	}
	if issuer != "" {
		f.provide(issuer)
	}
	f.serve(t, listener)
	return f
}

// provide adds an outside provider.
func (f *fixture) provide(issuer string) {
	f.deps.ProviderName = "Example ID"
	f.deps.Provider = account.NewProvider(account.ProviderOptions{
		Issuer: issuer, ClientID: testkit.IssuerClientID, ClientSecret: testkit.IssuerClientSecret, Scopes: []string{"openid"},
		LoginClaim: "preferred_username", GroupsClaim: "groups", RedirectURL: f.url + web.CallbackPath, Now: f.now,
	})
	f.deps.Identities = &account.Identities{
		Store: f.store, Groups: f.groups, Now: f.now,
		Create: func(context.Context) (bool, error) { return true, nil },
	}
}

func (f *fixture) serve(t *testing.T, listener net.Listener) {
	t.Helper()
	pages, err := web.New(f.deps)
	if err != nil {
		t.Fatal(err)
	}
	var ids atomic.Int64
	f.handler = httpx.Wrap(pages, httpx.Options{
		Log: discard(), NewID: func() string { return fmt.Sprint("id-", ids.Add(1)) },
		Body: httpx.BodyLimits{Idle: time.Minute, Grace: time.Minute}, WriteIdle: time.Minute,
	})
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: f.handler}}
	server.Start()
	t.Cleanup(server.Close)
}

func (f *fixture) user(t *testing.T, login, password string) account.Account {
	t.Helper()
	a, err := f.accounts.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: login, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *fixture) authenticator() *token.Authenticator {
	return f.deps.Credentials.(*token.Authenticator)
}

// browser is a client with cookies that follows redirects.
type browser struct {
	*http.Client
	f *fixture
	t *testing.T
}

func (f *fixture) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar}, f, t}
}

type selection = goquery.Selection

// page is an answer that was read whole.
type page struct {
	*http.Response
	body string
	doc  *goquery.Document
}

func (p page) who() string { return strings.TrimSpace(p.doc.Find(".site-nav summary").Text()) }

func (b *browser) do(method, path string, form url.Values, header ...string) page {
	b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = b.f.url + path
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost { // as browsers do
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.f.url)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	return page{res, string(body), doc}
}

func (b *browser) get(path string) page { b.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, fields ...string) page {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

func (b *browser) signIn(login, password string) page {
	b.t.Helper()
	return b.post("/login", "login", login, "password", password, "return_to", home)
}

// who returns the login that pages name, or "".
func (b *browser) who() string {
	b.t.Helper()
	return b.get(home).who()
}

// session returns the secret of the browser's session.
func (b *browser) session() string {
	u, _ := url.Parse(b.f.url)
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == "packhouse" {
			return c.Value
		}
	}
	return ""
}

// want checks the status and that the page holds each text, or shows it. Of
// "signed in as LOGIN" the page has to name the login.
func (p page) want(t *testing.T, what string, status int, texts ...string) {
	t.Helper()
	shown := strings.Join(strings.Fields(p.doc.Find("main").Text()), " ")
	if p.StatusCode != status {
		t.Errorf("%s: %s, want %d\n%s", what, p.Status, status, shown)
	}
	for _, text := range texts {
		if who, ok := strings.CutPrefix(text, "signed in as "); ok && p.who() == who {
			continue
		}
		if !strings.Contains(p.body, text) && !strings.Contains(shown, text) {
			t.Errorf("%s: %q is not on the page\n%s", what, text, shown)
		}
	}
}

// actions returns the record of changes, the newest first.
func (f *fixture) actions(t *testing.T) string {
	t.Helper()
	list, err := f.store.AuditEntries(t.Context(), audit.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range list {
		texts = append(texts, fmt.Sprintf("%s %s %s %v", e.Actor, e.Action, e.Target, e.Detail))
	}
	return strings.Join(texts, "\n")
}
