package v2_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/access"
	"packhouse/internal/account"
	v2 "packhouse/internal/api/v2"
	"packhouse/internal/audit"
	"packhouse/internal/blob/fs"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// server is /v2/ on SQLite and a directory, behind the middleware of the real
// server, with two users.
type server struct {
	*httptest.Server
	t       testing.TB
	handler http.Handler
	tokens  *token.Authenticator
	who     map[string]access.Principal
	secret  map[string]string // personal access tokens by login
}

func newServer(t testing.TB) *server {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	db := testkit.SQLite(t)
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	rows := store.New(db)
	blobs, err := fs.Open(testkit.MemoryDir(t), fs.Options{})
	check(t, err)
	reg, err := registry.New(registry.Deps{
		Lookups: rows, Listings: rows, Sessions: rows, Commits: rows, Blobs: blobs, Now: time.Now,
		Limits: registry.Limits{MaxBlob: 8 << 20, MaxSessions: 100, SessionIdle: time.Minute, SessionLife: time.Hour, Grace: time.Hour},
		NewID:  uuid.NewString,
	})
	check(t, err)
	accounts, err := account.New(account.Options{
		Store: rows, Passwords: account.NewPasswords(account.DefaultCost, runtime.GOMAXPROCS(0), rand.Reader), Now: time.Now, Random: rand.Reader,
	})
	check(t, err)
	s := &server{t: t, who: map[string]access.Principal{}, secret: map[string]string{}}
	s.tokens, err = token.NewAuthenticator(token.Options{
		Store: rows, Keys: rows, Passwords: accounts, Issuer: "test", Service: "packhouse.test",
		Client: func(*http.Request) netip.Addr { return netip.Addr{} }, Now: time.Now, Random: rand.Reader,
	})
	check(t, err)
	public, err := url.Parse("https://packhouse.test")
	check(t, err)
	h, err := v2.New(v2.Deps{Registry: reg, Authenticator: s.tokens, Realm: v2.NewRealm(public), Type: access.Container, MaxParallelUploads: 2})
	check(t, err)
	ids, err := httpx.NewIDs(rand.Reader)
	check(t, err)
	s.handler = httpx.Wrap(h, httpx.Options{
		Log: slog.New(slog.DiscardHandler), NewID: ids, Body: httpx.BodyLimits{Idle: time.Minute, Grace: time.Minute},
	})
	s.Server = httptest.NewServer(s.handler)
	t.Cleanup(s.Close)
	personal := &token.PersonalTokens{Store: rows, Now: time.Now, Random: rand.Reader}
	for _, login := range []string{"alice", "bob"} {
		a, err := accounts.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: login})
		check(t, err)
		secret, tok, err := personal.Create(t.Context(), audit.Operator, token.NewToken{AccountID: a.ID, Target: login, Scopes: access.AllScopes})
		check(t, err)
		s.secret[login] = secret.Reveal()
		s.who[login] = access.Principal{AccountID: a.ID, Login: login, Scopes: access.AllScopes, TokenID: tok.ID}
	}
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// request is one exchange; login "" sends no credential.
type request struct {
	login, method, path string
	header              http.Header
	body                io.Reader
	length              int64 // when not 0, what Content-Length says
}

type answer struct {
	*http.Response
	body string
}

func (s *server) do(r request) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), r.method, s.URL+r.path, r.body)
	check(s.t, err)
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.login != "" {
		req.SetBasicAuth(r.login, s.secret[r.login])
	}
	if r.length != 0 {
		req.ContentLength = r.length
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	check(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	check(s.t, err)
	return answer{res, string(body)}
}

// get, send and so on are requests of alice.
func (s *server) get(path string) answer {
	s.t.Helper()
	return s.do(request{login: "alice", method: "GET", path: path})
}

func (s *server) send(method, path string, body []byte, header ...string) answer {
	s.t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return s.do(request{login: "alice", method: method, path: path, body: bytes.NewReader(body), header: h})
}

func (s *server) want(a answer, status int) answer {
	s.t.Helper()
	if a.StatusCode != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
	return a
}

// blob pushes b to name in one request.
func (s *server) blob(name string, b []byte) oci.Digest {
	s.t.Helper()
	d := oci.SHA256.FromBytes(b)
	s.want(s.send("POST", "/v2/"+name+"/blobs/uploads/?digest="+d.String(), b), 201)
	return d
}

// manifest pushes a config and returns an image manifest without layers.
func (s *server) manifest(name string) []byte {
	s.t.Helper()
	config := []byte("{}")
	d := s.blob(name, config)
	return []byte(`{"schemaVersion":2,"mediaType":"` + oci.MediaTypeImageManifest +
		`","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"` + d.String() + `","size":2},"layers":[]}`)
}

func (a answer) wantHeader(t *testing.T, name, want string) {
	t.Helper()
	if got := strings.Join(a.Header.Values(name), " | "); got != want {
		t.Errorf("%s %s: %s is %q, want %q", a.Request.Method, a.Request.URL.Path, name, got, want)
	}
}
