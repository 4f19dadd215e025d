package trust_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"packhouse/internal/config"
	"packhouse/internal/testkit"
	"packhouse/internal/web/webtest"
)

const ofPackage = "/users/alice/packages/container/app/settings/trust"

// exchange trades an identity token for a workflow token, as a job does, and
// returns the status and what it may do.
func exchange(s *webtest.Site, identity string) (status int, scope string) {
	s.Helper()
	res, err := (&http.Client{Transport: s.Transport()}).PostForm("http://"+webtest.Host+"/token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {identity},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
	})
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	var answer struct{ Scope string }
	_ = json.Unmarshal(body, &answer)
	return res.StatusCode, answer.Scope
}

// A rule that was made by the form lets in the jobs that it means, until it is removed.
func TestARuleLetsJobsIn(t *testing.T) {
	t.Parallel()
	issuer := testkit.Issuer(t)
	s := webtest.New(t, func(c *config.Config) { c.Identity.AllowPrivateIssuers = true })
	s.User("alice")
	s.Push("alice", "alice/app:1")
	b := s.SignedIn("alice")
	job := func(subject string) string {
		return issuer.Mint(t, map[string]any{"aud": "http://" + webtest.Host, "sub": subject})
	}
	b.Get(ofPackage).Want(200, ".blankslate").Want(200, `a[href="`+ofPackage+`/new"]`)
	if status, _ := exchange(s, job("deploy")); status != 400 {
		t.Errorf("without a rule: %d", status)
	}
	p := b.Post(ofPackage, "provider", "other", "issuer", issuer.URL, "claims", "sub = deploy\r\n", "action", "push")
	p.Want(200, ".flash-success").Want(200, ".danger-zone")
	rule := strings.Split(p.Path, "?")[0]
	for _, want := range []string{"docker login " + webtest.Host + " -u alice/app", webtest.Host + "/alice/app", "http://" + webtest.Host + "/token", "resource=alice/app"} {
		if !strings.Contains(p.Text(".command"), want) {
			t.Errorf("%q is not in %s", want, p.Text(".command"))
		}
	}
	if status, scope := exchange(s, job("deploy")); status != 200 || scope != "pull push" {
		t.Errorf("with a rule: %d, %q", status, scope)
	}
	if status, _ := exchange(s, job("other")); status != 400 {
		t.Errorf("another job: %d", status)
	}
	list := b.Get(ofPackage).Want(200, "tbody tr")
	if text := list.Text("tbody"); !strings.Contains(text, "sub = deploy") || !strings.Contains(text, "pull push") {
		t.Errorf("listed: %s", text)
	}
	b.Get("/settings/trust").Want(200, "tbody tr")
	b.Post(rule+"/delete").Want(200, ".blankslate")
	if status, _ := exchange(s, job("deploy")); status != 400 {
		t.Errorf("after it was removed: %d", status)
	}
	if p := b.Get(rule); p.Status != 404 {
		t.Errorf("the rule is still there: %d", p.Status)
	}
}

// Each form makes the issuer and the claims that jobs of its kind have.
func TestForms(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	b := s.SignedIn("alice")
	for _, c := range []struct {
		fields []string
		want   []string
		sample string
	}{
		{[]string{"provider", "github", "project", "acme/app", "ref", "main", "environment", "production"},
			[]string{"https://token.actions.githubusercontent.com", "repository = acme/app", "ref = refs/heads/main", "environment = production"}, "ACTIONS_ID_TOKEN_REQUEST_URL"},
		{[]string{"provider", "github", "project", "acme/app", "issuer", "https://forge.example.com/_services/token"},
			[]string{"https://forge.example.com/_services/token", "repository = acme/app"}, "id-token: write"},
		{[]string{"provider", "gitlab", "project", "acme/group/app", "ref", "refs/tags/v*"},
			[]string{"https://gitlab.com", "project_path = acme/group/app", "ref = v*", "ref_type = tag"}, "id_tokens:"},
		{[]string{"provider", "gitea", "project", "https://git.example.com/acme/app", "claims", "repository_owner_id=7"},
			[]string{"https://git.example.com/api/actions", "repository = acme/app", "repository_owner_id = 7"}, "enable-openid-connect"},
		{[]string{"provider", "buildkite", "project", "acme/app", "ref", "main"},
			[]string{"https://agent.buildkite.com", "organization_slug = acme", "pipeline_slug = app", "build_branch = main"}, "buildkite-agent oidc request-token"},
		{[]string{"provider", "kubernetes", "project", "prod/builder", "issuer", "https://cluster.example.com"},
			[]string{"https://cluster.example.com", "sub = system:serviceaccount:prod:builder"}, "serviceAccountToken"},
		{[]string{"provider", "other", "issuer", "https://issuer.example.com", "claims", "sub=a=b\n\n/groups/0=dev", "audience", "us"},
			[]string{"https://issuer.example.com", "sub = a=b", "/groups/0 = dev", "us"}, "IDENTITY_TOKEN"},
	} {
		provider := c.fields[1]
		b.Get("/settings/trust/new?provider="+provider).Want(200, `input[name=provider][value=`+provider+`]`)
		p := b.Post("/settings/trust", append(c.fields, "action", "push")...).Want(200, ".flash-success")
		for _, want := range c.want {
			if !strings.Contains(p.Text(".trust-facts"), want) {
				t.Errorf("%v: %q is not in %s", c.fields, want, p.Text(".trust-facts"))
			}
		}
		if !strings.Contains(p.Text(".command"), c.sample) {
			t.Errorf("%v: %q is not in %s", c.fields, c.sample, p.Text(".command"))
		}
	}
}

// A form that means nothing says so, and keeps what was typed.
func TestWrongForms(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	b := s.SignedIn("alice")
	for _, c := range []struct {
		fields []string
		says   string
	}{
		{[]string{"provider", "github", "project", "acme", "action", "push"}, "OWNER/REPO"},
		{[]string{"provider", "gitea", "project", "acme/app", "action", "push"}, "https://HOST/OWNER/REPO"},
		{[]string{"provider", "gitlab", "project", "acme//app", "action", "push"}, "GROUP/PROJECT"},
		{[]string{"provider", "github", "project", "acme/app"}, "at least one action"},
		{[]string{"provider", "github", "project", "acme/app", "action", "push", "claims", "repository=x/y"}, "set twice"},
		{[]string{"provider", "buildkite", "project", "acme/app", "action", "push", "claims", "pipeline_slug=y"}, "set twice"},
		{[]string{"provider", "other", "issuer", "https://issuer.example.com", "action", "push", "claims", "sub"}, "NAME=PATTERN"},
		{[]string{"provider", "other", "claims", "sub=x", "action", "push"}, "issuer"},
		{[]string{"provider", "kubernetes", "project", "prod/builder", "action", "push"}, "issuer"},
		{[]string{"provider", "other", "issuer", "https://issuer.example.com", "action", "push"}, "pin at least one"},
		{[]string{"provider", "other", "issuer", "http://127.0.0.1", "claims", "sub=x", "action", "push"}, "https://"},
	} {
		p := b.Post("/settings/trust", c.fields...).Want(400, ".flash-error").Want(400, `input[name=provider][value=`+c.fields[1]+`]`)
		if !strings.Contains(p.Text(".flash-error"), c.says) || strings.Contains(p.Text(".flash-error"), "--") {
			t.Errorf("%v: %s", c.fields, p.Text(".flash-error"))
		}
		if name := c.fields[2]; name == "project" {
			p.Want(400, `input[name=project][value="`+c.fields[3]+`"]`)
		}
	}
	b.Get("/settings/trust").Want(200, ".blankslate")
}

// Who may not change something finds no rules of it, whether it exists or not.
func TestStrangersFindNoRules(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("mallory")
	s.Organization("acme", "alice")
	s.Push("alice", "alice/app:1")
	if _, err := s.App.Accounts.CreateRepository(t.Context(), "alice", "alice/code", "public"); err != nil {
		t.Fatal(err)
	}
	b, others := s.SignedIn("alice"), s.SignedIn("mallory")
	for _, base := range []string{ofPackage, "/organizations/acme/settings/trust", "/alice/code/settings/trust"} {
		p := b.Post(base, "provider", "github", "project", "acme/app", "action", "push").Want(200, ".flash-success")
		rule := strings.Split(p.Path, "?")[0]
		for _, at := range []string{base, base + "/new", rule} {
			b.Get(at).Want(200, "h1")
			if p := others.Get(at); p.Status != 404 {
				t.Errorf("%s is there for others: %d", at, p.Status)
			}
		}
		for _, at := range []string{base, rule + "/delete"} {
			if p := others.Post(at, "provider", "github", "project", "acme/app", "action", "push"); p.Status != 404 {
				t.Errorf("others may POST %s: %d", at, p.Status)
			}
		}
		id := rule[strings.LastIndexByte(rule, '/')+1:]
		if p := others.Post("/settings/trust/" + id + "/delete"); p.Status != 404 {
			t.Errorf("another's rule was removed: %d", p.Status)
		}
		b.Get(rule).Want(200, ".trust-facts")
	}
}
