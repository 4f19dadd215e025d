package app

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

const testHost = "packages.test.example"

// ci is a whole server that trusts an issuer, which runs in a process of its own.
type ci struct {
	*running
	issuer *testkit.IssuerProcess
}

func newCI(t *testing.T) *ci {
	t.Helper()
	cfg := testConfig(t)
	cfg.Identity.AllowPrivateIssuers = true
	c := &ci{composed(t, cfg), testkit.Issuer(t)}
	ctx := t.Context()
	if _, err := c.app.Accounts.CreateOrganization(ctx, audit.Operator, "acme", "admin"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.app.Accounts.CreateRepository(ctx, audit.Operator, "acme/app", access.Private); err != nil {
		t.Fatal(err)
	}
	return c
}

// trust makes a rule for jobs of the repository acme/app at the issuer.
func (c *ci) trust(t *testing.T, kind, name string, actions access.Actions) int64 {
	t.Helper()
	target, err := c.app.Trust.Target(t.Context(), kind, name)
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.app.Trust.Add(t.Context(), audit.Operator, access.Principal{Operator: true}, token.TrustRule{
		TrustTarget: target, Issuer: c.issuer.URL, Audience: "http://" + testHost, Actions: actions,
		Claims: map[string]string{"repository": "acme/app", "ref": "refs/heads/*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// job returns an identity token of acme/app's main branch, with changes.
func (c *ci) job(t *testing.T, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{"aud": "http://" + testHost, "repository": "acme/app", "ref": "refs/heads/main"}
	maps.Copy(claims, changes)
	return c.issuer.Mint(t, claims)
}

// login is what docker does with a user name and a password before it works on a
// package: it gets a bearer token.
func (c *ci) login(t *testing.T, user, password, name, actions string) http.Header {
	t.Helper()
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	scope := url.Values{"service": {testHost}, "scope": {"repository:" + name + ":" + actions}}
	res, text := c.ask(t, "GET", testHost, "/token?"+scope.Encode(), r.Header, nil)
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || res.StatusCode != 200 {
		t.Fatalf("login as %s: %d %s", user, res.StatusCode, text)
	}
	return http.Header{"Authorization": {"Bearer " + answer.Token}}
}

// push, pull and remove return the status of the last request that they make.
func (c *ci) push(t *testing.T, as http.Header, name string) int {
	t.Helper()
	if res, _ := c.ask(t, "POST", testHost, "/v2/"+name+"/blobs/uploads/?digest="+emptyConfig, as, strings.NewReader("{}")); res.StatusCode != 201 {
		return res.StatusCode
	}
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"` + emptyConfig + `","size":2},"layers":[]}`
	res, _ := c.ask(t, "PUT", testHost, "/v2/"+name+"/manifests/1", as, strings.NewReader(manifest))
	return res.StatusCode
}

func (c *ci) pull(t *testing.T, as http.Header, name string) int {
	t.Helper()
	res, _ := c.ask(t, "GET", testHost, "/v2/"+name+"/manifests/1", as, nil)
	return res.StatusCode
}

func (c *ci) remove(t *testing.T, as http.Header, name string) int {
	t.Helper()
	res, _ := c.ask(t, "DELETE", testHost, "/v2/"+name+"/manifests/1", as, nil)
	return res.StatusCode
}

// exchange trades an identity token for a workflow token.
func (c *ci) exchange(t *testing.T, identity string) string {
	t.Helper()
	form := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {identity},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
	}
	res, text := c.ask(t, "POST", testHost, "/token", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, strings.NewReader(form.Encode()))
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || res.StatusCode != 200 {
		t.Fatalf("exchange: %d %s", res.StatusCode, text)
	}
	return answer.Token
}

// A job pushes, pulls and is held to its rule, with its identity token as the
// password and with the token that it got for it.
func TestAJobPushesWithoutASecret(t *testing.T) {
	t.Parallel()
	for name, password := range map[string]func(c *ci, t *testing.T) string{
		"straight":  func(c *ci, t *testing.T) string { return c.job(t, nil) },
		"exchanged": func(c *ci, t *testing.T) string { return c.exchange(t, c.job(t, nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCI(t)
			id := c.trust(t, "repository", "acme/app", access.Push)
			admin := c.login(t, "admin", "a long password", "acme/foreign", "pull,push")
			if status := c.push(t, admin, "acme/foreign"); status != 201 {
				t.Fatalf("push by a person: %d", status)
			}
			secret := password(c, t)
			as := func(name string) http.Header { return c.login(t, "ci", secret, name, "pull,push,delete") }
			mine, foreign := as("acme/image"), as("acme/foreign")
			for what, c := range map[string][2]int{
				"push":                        {c.push(t, mine, "acme/image"), 201},
				"pull":                        {c.pull(t, as("acme/image"), "acme/image"), 200},
				"delete":                      {c.remove(t, as("acme/image"), "acme/image"), 401},
				"pull what is not linked":     {c.pull(t, foreign, "acme/foreign"), 401}, // jobs of the owner are told why
				"push to what is not linked":  {c.push(t, foreign, "acme/foreign"), 401},
				"push to another's namespace": {c.push(t, as("admin/image"), "admin/image"), 401},
			} {
				if c[0] != c[1] {
					t.Errorf("%s: %d, want %d", what, c[0], c[1])
				}
			}
			before := as("acme/image")
			if err := c.app.Trust.Remove(t.Context(), audit.Operator, id); err != nil {
				t.Fatal(err)
			}
			if status := c.push(t, before, "acme/image"); status != 401 {
				t.Errorf("push with a bearer token from before the rule was removed: %d", status)
			}
			if status := c.pull(t, before, "acme/image"); status != 200 {
				t.Errorf("pull with it: %d", status)
			}
			r := &http.Request{Header: http.Header{}}
			r.SetBasicAuth("ci", secret)
			if res, _ := c.ask(t, "GET", testHost, "/token", r.Header, nil); res.StatusCode != 401 {
				t.Errorf("a login after the rule was removed: %d", res.StatusCode)
			}
		})
	}
}

// A rule about a package or an owner allows what it says, and that there alone.
func TestRulesAboutPackagesAndOwners(t *testing.T) {
	t.Parallel()
	c := newCI(t)
	for _, name := range []string{"acme/one", "acme/two"} {
		if status := c.push(t, c.login(t, "admin", "a long password", name, "pull,push"), name); status != 201 {
			t.Fatalf("push by a person: %d", status)
		}
	}
	one := c.trust(t, "package", "acme/one", access.Push)
	status := func(name string) [3]int {
		t.Helper()
		as := c.login(t, "ci", c.job(t, nil), name, "pull,push,delete")
		return [3]int{c.push(t, as, name), c.pull(t, as, name), c.remove(t, as, name)}
	}
	if got := status("acme/one"); got != [3]int{201, 200, 401} {
		t.Errorf("the package of the rule: %v", got)
	}
	if got := status("acme/two"); got[0] != 401 || got[1] == 200 || got[2] == 202 {
		t.Errorf("another package: %v", got)
	}
	if got := status("acme/new"); got[0] != 401 {
		t.Errorf("a package that is not there: %v", got)
	}
	if err := c.app.Trust.Remove(t.Context(), audit.Operator, one); err != nil {
		t.Fatal(err)
	}
	c.trust(t, "owner", "acme", access.Push|access.Remove)
	for _, name := range []string{"acme/two", "acme/new"} {
		if got := status(name); got != [3]int{201, 200, 202} {
			t.Errorf("%s with a rule about the owner: %v", name, got)
		}
	}
	if got := status("admin/new"); got[0] != 401 {
		t.Errorf("another owner's namespace: %v", got)
	}
}
