package app

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// office is a server with the user mona, who has the repository mona/app and the
// packages mona/one and mona/two, and whose tokens come from the commands.
type office struct {
	*ci
	cfg *config.Config
}

func newOffice(t *testing.T) *office {
	t.Helper()
	cfg := testConfig(t)
	o := &office{ci: &ci{running: composed(t, cfg)}, cfg: cfg}
	if _, err := o.app.Accounts.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: "mona", Password: "a long password"}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.app.Accounts.CreateRepository(t.Context(), audit.Operator, "mona/app", access.Private); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mona/one", "mona/two"} {
		if status := o.push(t, o.login(t, "mona", "a long password", name, "pull,push"), name); status != 201 {
			t.Fatalf("push of %s: %d", name, status)
		}
	}
	return o
}

func (o *office) token(t *testing.T, r TokenRequest) string {
	t.Helper()
	r.User = "mona"
	secret, err := CreateToken(t.Context(), o.cfg, r)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func (o *office) job(t *testing.T, permission string, codespace bool) string {
	t.Helper()
	secret, err := CreateWorkflowToken(t.Context(), o.cfg, WorkflowTokenRequest{
		Repository: "mona/app", Permissions: []string{"contents=read", "packages=" + permission}, Life: 1 << 40, Codespace: codespace,
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

const day = 24 * 60 * 60 * 1_000_000_000

// The login, the push and the pull of docker with each kind of token.
func TestDockerWorksWithEachKindOfToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const all = "pull,push,delete"
	for what, c := range map[string]struct {
		user, secret, name string
		push, pull, remove int
	}{
		"classic":                   {"mona", o.token(t, TokenRequest{Scopes: []string{"write:packages", "delete:packages"}}), "mona/one", 201, 200, 202},
		"classic that reads":        {"mona", o.token(t, TokenRequest{Scopes: []string{"read:packages"}}), "mona/two", 401, 200, 401},
		"classic for code":          {"mona", o.token(t, TokenRequest{Scopes: []string{"repo"}}), "mona/two", 401, 404, 401},
		"fine-grained":              {"mona", o.token(t, TokenRequest{Packages: []string{"mona/two:pull,push"}, Life: day}), "mona/two", 201, 200, 401},
		"fine-grained, another":     {"mona", o.token(t, TokenRequest{Packages: []string{"mona/two:push"}, Life: day}), "mona/three", 401, 404, 404},
		"fine-grained, a namespace": {"mona", o.token(t, TokenRequest{Namespaces: []string{"Mona:push"}, Life: day}), "mona/new", 201, 200, 401},
		"workflow, new":             {"github-actions", o.job(t, "write", false), "mona/built", 201, 200, 202},
		"workflow, not linked":      {"github-actions", o.job(t, "write", false), "mona/two", 401, 404, 404},
		"workflow that reads":       {"github-actions", o.job(t, "read", false), "mona/fresh", 401, 404, 404},
		"workflow that may nothing": {"github-actions", o.job(t, "none", false), "mona/fresh", 401, 404, 404},
		"codespace":                 {"mona", o.job(t, "write", true), "mona/fresh", 401, 404, 404},
	} {
		as := o.login(t, c.user, c.secret, c.name, all)
		push := o.push(t, as, c.name)
		pull := o.pull(t, as, c.name)
		remove := o.remove(t, as, c.name)
		refused := func(got, want int) bool { return got == want || want == 404 && got == 401 || want == 401 && got == 404 }
		if push != c.push || !refused(pull, c.pull) || !refused(remove, c.remove) {
			t.Errorf("%s: push %d, pull %d, delete %d; want %d, %d, %d", what, push, pull, remove, c.push, c.pull, c.remove)
		}
	}
}

// SEC-070: a revoked credential went on working. It signs in no more and its
// bearer tokens write no more, at once; reads end with them, after five minutes.
func TestSEC070_ARevokedTokenWritesNoMore(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	revokeNewest := func(ctx context.Context) error {
		list, err := ListTokens(ctx, o.cfg, "mona")
		if err != nil {
			return err
		}
		return RevokeToken(ctx, o.cfg, list[0].ID)
	}
	classic := func() string { return o.token(t, TokenRequest{Scopes: []string{"write:packages"}}) }
	for _, c := range []struct {
		what   string
		secret func() string
		end    func(ctx context.Context) error
	}{
		{"classic", classic, revokeNewest},
		{"fine-grained", func() string { return o.token(t, TokenRequest{Packages: []string{"mona/one:push"}, Life: day}) }, revokeNewest},
		{"password", func() string { return "a long password" }, func(ctx context.Context) error {
			return o.app.Accounts.SetPassword(ctx, audit.Operator, "mona", "another long password")
		}},
		{"workflow", func() string { return o.job(t, "write", false) }, func(ctx context.Context) error {
			list, err := ListWorkflowTokens(ctx, o.cfg, "mona/app")
			if err != nil {
				return err
			}
			return RevokeWorkflowToken(ctx, o.cfg, list[0].ID)
		}},
		{"suspended", classic, func(ctx context.Context) error {
			return o.app.Accounts.Suspend(ctx, audit.Operator, "mona", true)
		}},
	} {
		name := "mona/one"
		if c.what == "workflow" {
			name = "mona/built"
		}
		secret := c.secret()
		as := o.login(t, "mona", secret, name, "pull,push")
		if status := o.push(t, as, name); status != 201 {
			t.Errorf("%s: before: %d", c.what, status)
		}
		if err := c.end(t.Context()); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if status := o.push(t, as, name); status != 401 {
			t.Errorf("%s: push afterwards: %d", c.what, status)
		}
		if status := o.pull(t, as, name); status != 200 && c.what != "suspended" {
			t.Errorf("%s: pull with a bearer token from before: %d", c.what, status)
		}
		if res, text := o.ask(t, "GET", testHost, "/token", basicHeader("mona", secret), nil); res.StatusCode != 401 {
			t.Errorf("%s: signing in afterwards: %d %s", c.what, res.StatusCode, text)
		}
	}
}

// SEC-052 and SEC-053: the limits of a token were forgotten by single routes, or
// when it came in another way.
func TestSEC053_ATokenHasItsLimitsInEveryWay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	secret := o.token(t, TokenRequest{Packages: []string{"mona/one:pull"}, Life: day})
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	digest := "sha256:" + strings.Repeat("0", 64)
	for way, as := range map[string]http.Header{
		"basic":          basicHeader("mona", secret),
		"bearer":         bearerHeader(secret),
		"bearer, base64": bearerHeader(b64(secret)),
		"bearer, pair":   bearerHeader(b64("mona:" + secret)),
		"bearer token":   o.login(t, "mona", secret, "mona/one", "pull,push,delete"),
	} {
		if status := o.pull(t, as, "mona/one"); status != 200 {
			t.Errorf("%s: pull: %d", way, status)
		}
		for _, route := range []string{
			"GET two/manifests/1", "HEAD two/manifests/1", "GET two/tags/list", "GET two/blobs/" + emptyConfig, "GET two/referrers/" + digest,
			"DELETE two/manifests/1", "DELETE one/manifests/1", "PUT two/manifests/2", "PUT one/manifests/2", "POST two/blobs/uploads/",
			"POST one/blobs/uploads/", "POST one/blobs/uploads/?mount=" + emptyConfig + "&from=mona/two", "DELETE one/blobs/" + emptyConfig,
		} {
			method, path, _ := strings.Cut(route, " ")
			res, text := o.ask(t, method, testHost, "/v2/mona/"+path, as, strings.NewReader("{}"))
			if res.StatusCode != 401 && res.StatusCode != 404 && !strings.HasSuffix(text, `"manifests":[]}`) {
				t.Errorf("%s: %s: %d %s", way, route, res.StatusCode, text)
			}
		}
		res, text := o.ask(t, "GET", testHost, "/v2/_catalog", as, nil)
		if strings.Contains(text, "mona/two") || res.StatusCode != 200 && res.StatusCode != 401 {
			t.Errorf("%s: the catalog: %d %s", way, res.StatusCode, text)
		}
	}
	if status := o.pull(t, http.Header{}, "mona/one?access_token="+secret); status != 401 && status != 404 {
		t.Errorf("in the query: %d", status)
	}
}

// SEC-054: a token made one with more scope. Here none makes another.
func TestSEC054_ATokenMakesNoToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	secret := o.token(t, TokenRequest{Scopes: []string{"read:packages"}})
	bearer := strings.TrimPrefix(o.login(t, "mona", secret, "mona/one", "pull").Get("Authorization"), "Bearer ")
	scope := "/token?scope=repository:mona/one:pull,push"
	for way, as := range map[string]http.Header{
		"as bearer": bearerHeader(bearer), "as a password": basicHeader("mona", bearer), "as a user name": basicHeader(bearer, ""),
	} {
		if res, text := o.ask(t, "GET", testHost, scope, as, nil); res.StatusCode != 401 || strings.Contains(text, `"token"`) {
			t.Errorf("%s: %d %s", way, res.StatusCode, text)
		}
	}
	for what, form := range map[string]url.Values{
		"as a password":      {"grant_type": {"password"}, "username": {"mona"}, "password": {bearer}},
		"as a refresh token": {"grant_type": {"refresh_token"}, "refresh_token": {bearer}},
		"to be exchanged":    {"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {secret}},
	} {
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		res, text := o.ask(t, "POST", testHost, "/token", header, strings.NewReader(form.Encode()))
		if res.StatusCode < 400 || res.StatusCode >= 500 || strings.Contains(text, `"token"`) {
			t.Errorf("%s: %d %s", what, res.StatusCode, text)
		}
	}
}

func TestTokenCommandsThatAreRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	for what, r := range map[string]TokenRequest{
		"no such package":   {Packages: []string{"mona/none:pull"}, Life: day},
		"no such owner":     {Namespaces: []string{"nobody:pull"}, Life: day},
		"no actions":        {Packages: []string{"mona/one"}, Life: day},
		"an unknown action": {Packages: []string{"mona/one:admin"}, Life: day},
		"no end":            {Packages: []string{"mona/one:pull"}},
		"too long":          {Packages: []string{"mona/one:pull"}, Life: 367 * day},
		"scopes too":        {Scopes: []string{"all"}},
	} {
		r.User = "mona"
		if secret, err := CreateToken(ctx, o.cfg, r); secret != "" || err == nil {
			t.Errorf("%s: %q, %v", what, secret, err)
		}
	}
	for what, err := range map[string]error{
		"no such token":           RevokeToken(ctx, o.cfg, 4711),
		"no such workflow token":  RevokeWorkflowToken(ctx, o.cfg, 4711),
		"authorized for no one":   AuthorizeToken(ctx, o.cfg, 1, "mona", true),
		"authorized for nobody":   AuthorizeToken(ctx, o.cfg, 1, "nobody", true),
		"deauthorized for nobody": AuthorizeToken(ctx, o.cfg, 1, "nobody", false),
	} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, r := range map[string]WorkflowTokenRequest{
		"no repository":       {Repository: "mona/none", Life: day / 24},
		"not a permission":    {Repository: "mona/app", Permissions: []string{"packages=admin"}, Life: day / 24},
		"without a level":     {Repository: "mona/app", Permissions: []string{"packages"}, Life: day / 24},
		"longer than a job":   {Repository: "mona/app", Permissions: []string{"packages=read"}, Life: day},
		"an endless token":    {Repository: "mona/app", Permissions: []string{"packages=read"}},
		"a repository's name": {Repository: "mona", Permissions: []string{"packages=read"}, Life: day / 24},
	} {
		if secret, err := CreateWorkflowToken(ctx, o.cfg, r); secret != "" || err == nil {
			t.Errorf("%s: %q, %v", what, secret, err)
		}
	}
}
