package app

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/testkit"
)

// person is somebody with a browser before a whole server.
type person struct {
	*http.Client
	t *testing.T
}

// newPerson returns a browser that finds the server under its public name.
func newPerson(t *testing.T, r *running) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == testHost+":80" {
			address = r.addr
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	transport := &http.Transport{DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &person{&http.Client{Jar: jar, Transport: transport}, t}
}

// see opens a page, or sends a form when there are fields, and wants a text on
// the page that comes of it.
func (p *person) see(text, path string, fields ...string) string {
	p.t.Helper()
	address := "http://" + testHost + path
	res, err := p.Get(address)
	if len(fields) > 0 {
		form := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			form.Add(fields[i], fields[i+1])
		}
		res, err = p.PostForm(address, form)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if who, ok := strings.CutPrefix(text, "signed in as "); ok { // the head names who it is
		text = `<a href="/` + who + `?tab=packages">`
	}
	if err != nil || !strings.Contains(string(body), text) {
		p.t.Fatalf("%s: %s without %q, %v\n%s", path, res.Status, text, err, body)
	}
	return string(body)
}

// token makes a personal access token on its page.
func (p *person) token(scope string) string {
	p.t.Helper()
	_, rest, _ := strings.Cut(p.see("new-token", "/settings/tokens", "note", "for a test", "expires", "30", "scope", scope), "<code>php_")
	secret, _, _ := strings.Cut(rest, "<")
	return "php_" + secret
}

func outsideConfig(t *testing.T, issuer *testkit.IssuerProcess) *config.Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.OIDC.Issuer, cfg.OIDC.ClientID = issuer.URL, testkit.IssuerClientID
	cfg.OIDC.ClientSecret, cfg.OIDC.Name = config.NewSecret(testkit.IssuerClientSecret), "Example ID"
	return cfg
}

// A person comes from an outside provider, whose groups make her a member of an
// organization that demands single sign-on.
func TestFromSignInToAPush(t *testing.T) {
	t.Parallel()
	issuer := testkit.Issuer(t)
	cfg := outsideConfig(t, issuer)
	c := &ci{composed(t, cfg), issuer}
	ctx := t.Context()
	if _, err := c.app.Accounts.CreateOrganization(ctx, audit.Operator, "acme", "admin"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.app.Accounts.CreateTeam(ctx, audit.Operator, "acme", account.NewTeam{Slug: "dev", Group: "engineers"}); err != nil {
		t.Fatal(err)
	}
	demand := true
	if err := c.app.Accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{RequireSSO: &demand}); err != nil {
		t.Fatal(err)
	}
	issuer.SetUser(t, "mona", map[string]any{"groups": []string{"engineers"}, "auth_time": time.Now().Unix()})
	issuer.SignInAs(t, "mona")
	mona := newPerson(t, c.running)
	mona.see("A registry for container images", "/")
	mona.see("signed in as mona", "/login/oidc")
	secret := mona.token("write:packages")
	push := func(what string, status int, name string) {
		t.Helper()
		if got := c.push(t, c.login(t, "mona", secret, name, "pull,push"), name); got != status {
			t.Errorf("%s: a push to %s is %d, want %d", what, name, got, status)
		}
	}
	push("one's own", http.StatusCreated, "mona/app")
	push("before the token is authorized", http.StatusUnauthorized, "acme/app")
	_, rest, _ := strings.Cut(mona.see("Authorize for acme", "/settings/tokens"), `action="/settings/tokens/`)
	id, _, _ := strings.Cut(rest, "/")
	mona.see("acme: authorized", "/settings/tokens/"+id+"/authorize", "organization", "acme")
	push("after that", http.StatusCreated, "acme/app")

	issuer.SetUser(t, "mona", map[string]any{"groups": []string{"sales"}})
	newPerson(t, c.running).see("signed in as mona", "/login/oidc")
	push("after leaving the group", http.StatusUnauthorized, "acme/other")
	push("one's own, still", http.StatusCreated, "mona/app")

	if err := UnlinkIdentities(ctx, cfg, "mona"); err != nil {
		t.Fatal(err)
	}
	mona.see(`action="/login"`, "/settings/tokens")
	mona.see("The login mona is taken", "/login/oidc")
}

// In the pages a session of the provider has done single sign-on; one of a
// password is told where to do it.
func TestSingleSignOnInThePages(t *testing.T) {
	t.Parallel()
	issuer := testkit.Issuer(t)
	c := &ci{composed(t, outsideConfig(t, issuer)), issuer}
	ctx := t.Context()
	ann, err := c.app.Accounts.CreateUser(ctx, audit.Operator, account.NewUser{Login: "ann", Password: "ann's password"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.app.Accounts.CreateOrganization(ctx, audit.Operator, "acme", "ann"); err != nil {
		t.Fatal(err)
	}
	entry := audit.Entry{At: ann.CreatedAt, Actor: "ann", Action: "user.link-identity", Target: "ann"}
	if err := c.app.Store.LinkIdentity(ctx, ann.ID, account.Identity{Issuer: issuer.URL, Subject: "id-of-ann"}, entry); err != nil {
		t.Fatal(err)
	}
	demand := true
	if err := c.app.Accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{RequireSSO: &demand}); err != nil {
		t.Fatal(err)
	}
	issuer.SetUser(t, "ann", nil)
	issuer.SignInAs(t, "ann")
	const settings = "/organizations/acme/settings/profile"
	person := newPerson(t, c.running)
	person.see("signed in as ann", "/login", "login", "ann", "password", "ann's password")
	person.see(`id="sign-on" href="/login/oidc?return_to=%2Forganizations%2Facme%2Fsettings%2Fprofile"`, settings)
	person.see(`action="`+settings, "/login/oidc?return_to="+settings)
	person.see(`action="`+settings, settings)
}

func TestSignUpOnAWholeServer(t *testing.T) {
	t.Parallel()
	c := &ci{running: composed(t, testConfig(t))}
	newPerson(t, c.running).see("Sign-up is closed", "/join")
	if err := c.app.Accounts.SetSignUp(t.Context(), audit.Operator, true); err != nil {
		t.Fatal(err)
	}
	mona := newPerson(t, c.running)
	mona.see("signed in as mona", "/join", "login", "Mona", "password", "mona's password")
	secret := mona.token("write:packages")
	if got := c.push(t, c.login(t, "mona", secret, "mona/app", "pull,push"), "mona/app"); got != http.StatusCreated {
		t.Errorf("a push is %d", got)
	}
	mona.see("Sign in", "/logout", "x", "y")
	mona.see("signed in as mona", "/login", "login", "mona", "password", "mona's password")
	mona.see("There is no such page", "/nothing")
}
