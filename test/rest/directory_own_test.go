package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v89/github"
)

// api sends requests of one caller and reads JSON.
type api struct {
	*testing.T
	w     *world
	token string
}

// do checks the status of the answer and returns its body.
func (a api) do(status int, method, path, body string) string {
	a.Helper()
	req, err := http.NewRequestWithContext(a.Context(), method, a.w.URL+"/api/v3"+path, strings.NewReader(body))
	if err != nil {
		a.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	res, err := a.w.transport().RoundTrip(req)
	if err != nil {
		a.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		a.Fatalf("%s %s: %d %s %v, want %d", method, path, res.StatusCode, content, err, status)
	}
	return string(content)
}

// read is do into v.
func (a api) read(v any, status int, method, path, body string) {
	a.Helper()
	if err := json.Unmarshal([]byte(a.do(status, method, path, body)), v); err != nil {
		a.Fatal(err)
	}
}

// ownCalls drives what GitHub has no call for, about accounts and settings.
func ownCalls(t *testing.T, w *world) {
	w.Admin(t, "user", "create", "gina")
	w.Admin(t, "user", "create", "hugo")
	w.Admin(t, "org", "create", "guild", "--owner", "gina")
	gina, admin := api{t, w, w.Token(t, "gina", everyScope)}, api{t, w, w.Token(t, "admin", everyScope)}
	gina.tokens()
	gina.do(422, "PATCH", "/user", `{"default_package_visibility":"internal"}`)
	if me := gina.do(200, "PATCH", "/user", `{"default_package_visibility":"public"}`); !strings.Contains(me, `"default_package_visibility":"public"`) {
		t.Fatal(me)
	}
	gina.do(201, "POST", "/orgs/guild/repos", `{"name":"forge","private":true}`)
	gina.workflowTokens()
	gina.readme()
	w.pushAs(t, "gina", gina.token, "guild/anvil")
	gina.packageSettings()
	gina.trust()
	gina.audit()
	admin.site()
	gina.do(201, "POST", "/orgs/guild/teams", `{"name":"smiths"}`)
	gina.do(200, "PUT", "/orgs/guild/teams/smiths/memberships/gina", "")
	if teams := gina.do(200, "GET", "/user/teams", ""); !strings.Contains(teams, "smiths") {
		t.Error(teams)
	}
	gina.do(200, "PATCH", "/orgs/guild", `{"single_sign_on_required":true}`)
	if teams := gina.do(200, "GET", "/user/teams", ""); strings.Contains(teams, "smiths") {
		t.Error("a team is told of without the single sign-on of its organization: " + teams)
	}
}

// pushAs makes a package.
func (w *world) pushAs(t *testing.T, login, token, name string) {
	t.Helper()
	api := api{t, w, token}
	const digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
	for _, one := range [][3]string{
		{"POST", "/v2/" + name + "/blobs/uploads/?digest=" + digest, "{}"},
		{"PUT", "/v2/" + name + "/manifests/v1", `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
			`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"` + digest + `","size":2},"layers":[]}`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), one[0], w.URL+one[1], strings.NewReader(one[2]))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "containers." + host
		req.SetBasicAuth(login, api.token)
		res, err := w.transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusCreated {
			t.Fatalf("%s %s: %d", one[0], one[1], res.StatusCode)
		}
	}
}

type madeToken struct {
	ID     int64
	Token  string
	Kind   string
	Scopes []string
	Limits []struct{ Name string }
}

func (a api) tokens() {
	var made, limited madeToken
	a.read(&made, 201, "POST", "/user/tokens", `{"note":"ci","scopes":["read:packages","read:user"]}`)
	a.read(&limited, 201, "POST", "/user/tokens", `{"limits":[{"name":"guild","actions":["pull"]}],"expires_at":"`+soon()+`"}`)
	if made.Kind != "classic" || limited.Kind != "fine-grained" || !strings.HasPrefix(limited.Token, "phf_") {
		a.Fatalf("%+v %+v", made, limited)
	}
	var list []madeToken
	a.read(&list, 200, "GET", "/user/tokens", "")
	if len(list) != 3 || list[0].Token != "" || list[0].Limits[0].Name != "guild" {
		a.Fatalf("%+v", list)
	}
	var organization map[string]any
	pulls := api{a.T, a.w, a.w.Token(a.T, "gina", "read:packages")} // no token for accounts
	pulls.read(&organization, 200, "GET", "/orgs/guild", "")
	if _, told := organization["single_sign_on_required"]; told {
		a.Errorf("a token for packages is told %v", organization)
	}
	a.read(&organization, 200, "GET", "/orgs/guild", "")
	if _, told := organization["single_sign_on_required"]; !told {
		a.Errorf("an owner is told %v", organization)
	}
	child := api{a.T, a.w, made.Token}
	child.do(200, "GET", "/user/tokens", "")
	child.do(403, "POST", "/user/tokens", `{"scopes":["read:packages"]}`) // it lacks the scope user
	api{a.T, a.w, limited.Token}.do(403, "GET", "/user/tokens", "")
	a.do(422, "POST", "/user/tokens", `{"scopes":["read:packages"],"note":"made by an administrator of the site"}`)
	a.do(422, "POST", "/user/tokens", `{"scopes":["read:packages"],"expires_at":"2100-01-02T03:04:05Z"}`) // longer than its own
	a.do(422, "POST", "/user/tokens", `{"scopes":["read:packages"],"expires_at":"0001-01-01T00:00:00Z"}`) // long ago, and not without an end
	a.do(422, "POST", "/user/tokens", `{"limits":[{"name":"guild/none","actions":["pull"]}]}`)
	a.do(204, "DELETE", fmt.Sprint("/user/tokens/", made.ID), "")
	child.do(401, "GET", "/user", "")
}

func (a api) workflowTokens() {
	var made madeToken
	const at = "/repos/guild/forge/workflow-tokens"
	a.read(&made, 201, "POST", at, `{"permissions":{"packages":"write","contents":"read"},"expires_in":600}`)
	job := api{a.T, a.w, made.Token}
	job.do(200, "GET", "/repos/guild/forge", "")
	job.do(403, "PATCH", "/repos/guild/forge", `{}`)
	a.do(422, "POST", at, `{"expires_in":864000}`)
	few := api{a.T, a.w, a.w.Token(a.T, "gina", "repo")}
	few.do(403, "POST", at, `{"permissions":{"packages":"write"}}`)
	a.do(204, "DELETE", fmt.Sprint(at, "/", made.ID), "")
	job.do(401, "GET", "/repos/guild/forge", "")
}

// readme writes the README of a repository, and reads it with GitHub's client.
func (a api) readme() {
	const at = "/repos/guild/forge/readme"
	client, _ := a.w.gitHub(a.T, a.token)
	read := func() (*github.RepositoryContent, int) {
		r, res, _ := client.Repositories.GetReadme(a.Context(), "guild", "forge", nil)
		return r, res.StatusCode
	}
	if _, status := read(); status != 404 {
		a.Errorf("without a README: %d", status)
	}
	a.do(422, "PUT", at, `{"content":"not base64"}`)
	a.do(422, "PUT", at, `{}`)
	a.do(200, "PUT", at, `{"content":"IyBG\nb3JnZQ=="}`)
	r, _ := read()
	text, err := r.GetContent()
	if err != nil || text != "# Forge" || r.GetName() != "README.md" || r.GetSHA() != "bd2bd07594cc650dc6bf1b7ff63bdd953a7a482c" {
		a.Errorf("%q %s %v", text, r.GetSHA(), err)
	}
	api{a.T, a.w, a.w.Token(a.T, "hugo", everyScope)}.do(404, "GET", at, "")
	api{a.T, a.w, a.w.Token(a.T, "hugo", everyScope)}.do(404, "PUT", at, `{"content":""}`)
	a.do(200, "PUT", at, `{"content":""}`)
	if _, status := read(); status != 404 {
		a.Errorf("after it was taken away: %d", status)
	}
}

func (a api) packageSettings() {
	const at = "/orgs/guild/packages/container/anvil"
	document := `{"visibility":"internal","repository":"guild/forge","inherits":false,"grants":[{"kind":"user","name":"gina","role":"admin"}],` +
		`"repositories":[{"name":"guild/forge","actions":"write","codespaces":true}],"immutable_tags":["v*"]}`
	first := a.do(200, "PUT", at+"/settings", document)
	a.do(400, "PUT", at+"/settings", document[:9]) // no JSON
	if again := a.do(200, "PUT", at+"/settings", first); again != first || a.do(200, "GET", at+"/settings", "") != first {
		a.Fatalf("a document that was read changes something when it is put:\n%s\n%s", first, again)
	}
	var d struct {
		Visibility, Repository string
		Inherits               bool
		Grants                 []struct{ Kind, Name, Role string }
		Repositories           []struct {
			Name, Actions string
			Codespaces    bool
		}
		Immutable []string `json:"immutable_tags"`
	}
	read := func() {
		a.Helper()
		d.Grants, d.Repositories, d.Repository = nil, nil, ""
		a.read(&d, 200, "GET", at+"/settings", "")
	}
	read()
	if d.Visibility != "internal" || d.Repository != "guild/forge" || len(d.Grants) != 1 || !d.Repositories[0].Codespaces || d.Immutable[0] != "v*" {
		a.Fatalf("%+v", d)
	}
	a.do(200, "PATCH", at, `{"visibility":"private"}`)
	a.do(204, "PUT", at+"/grants/repositories/guild/forge", `{"actions":"read"}`)
	a.do(422, "PUT", at+"/grants/users/nobody-there", `{"role":"read"}`)
	a.do(404, "DELETE", at+"/grants/users/hugo", "")
	a.do(204, "DELETE", at+"/repository", "")
	read()
	if d.Visibility != "private" || d.Repository != "" || d.Repositories[0].Codespaces || d.Repositories[0].Actions != "read" {
		a.Fatalf("%+v", d)
	}
	a.do(204, "PUT", at+"/repository", `{"repository":"guild/forge"}`)
	var plan struct {
		Change bool
		Lost   []struct{ Name string }
	}
	a.read(&plan, 200, "GET", at+"/inheritance?inherits=true", "")
	if !plan.Change || len(plan.Lost) != 1 || plan.Lost[0].Name != "gina" {
		a.Fatalf("%+v", plan)
	}
	a.do(204, "PUT", at+"/inheritance", `{"inherits":true}`)
	if read(); !d.Inherits || len(d.Grants) != 0 {
		a.Fatalf("%+v", d)
	}
	a.do(409, "PUT", at+"/grants/users/gina", `{"role":"read"}`)
	a.do(200, "PATCH", at, `{"name":"hammer"}`)
	a.do(202, "POST", "/orgs/guild/packages/container/hammer/transfer", `{"new_owner":"gina"}`)
	a.do(200, "GET", "/user/packages/container/hammer/settings", "")
	a.do(422, "POST", "/user/packages/container/hammer/transfer", `{"new_owner":"nobody-there"}`)
}

func (a api) trust() {
	for at, kind := range map[string]string{
		"/orgs/guild/trust-rules": "owner", "/user/trust-rules": "owner", "/repos/guild/forge/trust-rules": "repository",
		"/user/packages/container/hammer/trust-rules": "package",
	} {
		var rule struct {
			ID   int64
			Kind string
		}
		a.read(&rule, 201, "POST", at, `{"github":"guild/forge","ref":"main","actions":["push"]}`)
		if rule.Kind != kind || !strings.Contains(a.do(200, "GET", at, ""), "refs/heads/main") {
			a.Fatalf("%s: %+v", at, rule)
		}
		a.do(204, "DELETE", fmt.Sprint(at, "/", rule.ID), "")
		a.do(404, "DELETE", fmt.Sprint(at, "/", rule.ID), "")
	}
	few := api{a.T, a.w, a.w.Token(a.T, "gina", "repo,read:packages")}
	few.do(403, "POST", "/repos/guild/forge/trust-rules", `{"github":"guild/forge","actions":["push"]}`)
}

// audit reads the record of one organization in pages, forth and back.
func (a api) audit() {
	client, _ := a.w.gitHub(a.T, a.token)
	s := steps{a.T, a.Context()}
	var all []string
	opts := &github.GetAuditLogOptions{ListCursorOptions: github.ListCursorOptions{PerPage: 3}}
	for {
		list, res, err := client.Organizations.GetAuditLog(s.ctx, "guild", opts)
		s.ok("audit log", 200, res, err)
		for _, e := range list {
			all = append(all, e.GetAction())
		}
		if res.After == "" {
			break
		}
		opts.After = res.After
	}
	if len(all) < 8 || all[len(all)-1] != "org.create" {
		a.Fatalf("%q", all)
	}
	opts = &github.GetAuditLogOptions{Phrase: github.Ptr("action:repository.create")}
	list, res, err := client.Organizations.GetAuditLog(s.ctx, "guild", opts)
	s.ok("audit log of an action", 200, res, err)
	s.same("entries", len(list), 1)
	s.same("actor", list[0].GetActor(), "gina")
}

// site is what administrators of the server do by this server's own calls.
func (a api) site() {
	before := a.do(200, "GET", "/admin/settings", "")
	if again := a.do(200, "PATCH", "/admin/settings", before); again != before || !strings.Contains(before, `"download_guard":5000`) {
		a.Fatalf("%s %s", before, again)
	}
	if entries := a.do(200, "GET", "/admin/audit-log?phrase=action:site.set&per_page=1", ""); !strings.Contains(entries, "site.set") {
		a.Fatal(entries)
	}
	a.do(202, "POST", "/admin/docker-migrations", `{"owners":["guild"]}`)
	if list := a.do(200, "GET", "/admin/docker-migrations", ""); !strings.Contains(list, `"owner":"guild"`) {
		a.Fatal(list)
	}
	a.do(204, "PUT", "/admin/users/hugo/password", `{"password":"a rather long password"}`)
	client, _ := a.w.gitHub(a.T, a.token)
	s := steps{a.T, a.Context()}
	made, res, err := client.Admin.CreateUserImpersonation(s.ctx, "hugo", &github.ImpersonateUserOptions{Scopes: []string{"read:user"}})
	s.ok("impersonate", 201, res, err)
	hugo := api{a.T, a.w, made.GetToken()}
	if !strings.Contains(hugo.do(200, "GET", "/user", ""), `"login":"hugo"`) {
		a.Fatal("the token is somebody else's")
	}
	res, err = client.Admin.DeleteUserImpersonation(s.ctx, "hugo")
	s.ok("end it", 204, res, err)
	hugo.do(401, "GET", "/user", "")
}

// soon is a time that a fine-grained token may last until.
func soon() string { return time.Now().Add(time.Hour).UTC().Format(time.RFC3339) }
