package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-github/v89/github"
)

// conflicts has packages of the Docker registry: one that is in the way of
// nothing and moves, and one that cannot.
func conflicts(t *testing.T, w *world) {
	for _, name := range []string{"moves", "stays"} {
		ref := w.reference(t, "docker", "acme/shop/"+name+":v1")
		if err := remote.Write(ref, image(t, name, true), w.remote(t)...); err != nil {
			t.Fatal(err)
		}
	}
	w.push(t, "containers", "acme/shop/stays:v1", "in the way")
	const docker = "/orgs/acme/packages/docker/shop%2Fmoves"
	dockerVersion(t, w, docker)
	if _, said, err := w.TryAdmin(t, "migrate-docker", "acme"); err == nil {
		t.Errorf("nothing was in the way: %s", said)
	}
	dockerVersion(t, w, docker)
	if res, body := w.ask(t, "GET", "/orgs/acme/packages/container/shop%2Fmoves", w.token); res.StatusCode != 200 {
		t.Errorf("not moved: %s", body)
	}
	client, _ := w.gitHub(t, w.token)
	list, _, err := client.Organizations.ListPackages(t.Context(), "acme", &github.PackageListOptions{PackageType: github.Ptr("docker")})
	if err != nil || namesOf(list) != "shop/moves shop/stays" {
		t.Errorf("the list of Docker packages is %s, %v", namesOf(list), err)
	}
	for _, at := range []string{"/orgs/acme", "/users/acme"} {
		_, body := w.ask(t, "GET", at+"/docker/conflicts", w.token)
		var list []*github.Package
		if err := json.Unmarshal([]byte(body), &list); err != nil || namesOf(list) != "shop/stays" {
			t.Errorf("%s: %v %s", at, err, body)
		}
	}
	if _, body := w.ask(t, "GET", "/orgs/acme/docker/conflicts", w.Account(t, "conflicts-stranger")); !strings.Contains(body, "shop/stays") {
		t.Errorf("a public one is not told: %s", body)
	}
}

func namesOf(list []*github.Package) string {
	var names []string
	for _, p := range list {
		names = append(names, p.GetName())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// dockerVersion reads a version as one of the Docker registry, before and after
// it was moved.
func dockerVersion(t *testing.T, w *world, pkg string) {
	t.Helper()
	_, body := w.ask(t, "GET", pkg+"/versions", w.token)
	var list []struct {
		Metadata struct {
			PackageType string `json:"package_type"`
			Docker      struct{ Tag, Tags []string }
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != 1 {
		t.Fatalf("%v %s", err, body)
	}
	m := list[0].Metadata
	if m.PackageType != "docker" || !slices.Equal(m.Docker.Tag, []string{"v1"}) || !slices.Equal(m.Docker.Tags, []string{"v1"}) {
		t.Errorf("got %s", body)
	}
	if _, body := w.ask(t, "GET", pkg, w.token); !strings.Contains(body, `"full_name":"acme/shop"`) {
		t.Errorf("the repository is missing: %s", body)
	}
}

// jobs lists with the tokens of workflows and with fine-grained tokens: what each
// may read.
func jobs(t *testing.T, w *world) {
	for _, name := range []string{"one", "two", "open"} {
		w.push(t, "containers", "acme/jobs/"+name+":v1", name)
	}
	w.Admin(t, "repo", "create", "acme/jobs", "--visibility", "private")
	w.Admin(t, "package", "link", "acme/jobs/one", "acme/jobs")
	w.Admin(t, "package", "grant", "acme/jobs/one", "--repository", "acme/jobs", "--role", "write")
	w.Admin(t, "package", "visibility", "acme/jobs/open", "public", "--yes")
	workflow := w.Admin(t, "workflow-token", "create", "acme/jobs", "--permissions", "packages=write")
	fine := w.Admin(t, "token", "create-fine-grained", "ann", "--package", "acme/jobs/two:pull")
	for token, want := range map[string]string{workflow: "jobs/one jobs/open", fine: "jobs/open jobs/two"} {
		client, _ := w.gitHub(t, token)
		list, _, err := client.Organizations.ListPackages(t.Context(), "acme", &github.PackageListOptions{
			PackageType: github.Ptr("container"), ListOptions: github.ListOptions{PerPage: 100},
		})
		list = slices.DeleteFunc(list, func(p *github.Package) bool { return !strings.HasPrefix(p.GetName(), "jobs/") })
		if err != nil || namesOf(list) != want {
			t.Errorf("listed %s, want %s: %v", namesOf(list), want, err)
		}
		if _, _, err := client.Organizations.GetPackage(t.Context(), "acme", "container", strings.Fields(want)[0]); err != nil {
			t.Error(err)
		}
	}
	client, _ := w.gitHub(t, workflow)
	if _, _, err := client.Users.ListPackages(t.Context(), "", &github.PackageListOptions{PackageType: github.Ptr("container")}); messageOf(err) !=
		"403 Resource not accessible by integration" {
		t.Errorf("a job has packages of its own: %v", err)
	}
	if _, _, err := client.Organizations.GetPackage(t.Context(), "acme", "container", "jobs/two"); err == nil {
		t.Error("a job reads what it was not given")
	}
}

// visibilities lists packages of each visibility, and of a repository.
func visibilities(t *testing.T, w *world) {
	stranger := w.Account(t, "visibilities-stranger")
	w.Admin(t, "org", "create", "visible", "--owner", "ann")
	w.Admin(t, "repo", "create", "visible/code", "--visibility", "private")
	for _, v := range []string{"public", "private", "internal"} {
		w.push(t, "containers", "visible/"+v+":v1", v)
		w.Admin(t, "package", "link", "visible/"+v, "visible/code")
		if v != "private" {
			w.Admin(t, "package", "visibility", "visible/"+v, v, "--yes")
		}
	}
	for token, want := range map[string]string{w.token: "internal private public", stranger: "internal public"} {
		client, _ := w.gitHub(t, token)
		for _, v := range []string{"", "public", "private", "internal"} {
			o := &github.PackageListOptions{PackageType: github.Ptr("container")}
			expected := want
			if v != "" {
				o.Visibility = &v
				if expected = v; !strings.Contains(want, v) {
					expected = ""
				}
			}
			list, _, err := client.Users.ListPackages(t.Context(), "visible", o)
			if err != nil || namesOf(list) != expected {
				t.Errorf("%q: %s, want %s: %v", v, namesOf(list), expected, err)
			}
			for _, p := range list {
				if told := p.GetRepository().GetFullName() == "visible/code"; told != (token == w.token) || p.GetVisibility() != p.GetName() {
					t.Errorf("%v", p)
				}
			}
		}
	}
}

// pages follows Link headers.
func pages(t *testing.T, w *world) {
	for i := range 7 {
		w.push(t, "containers", "ann/pages:v"+fmt.Sprint(i), fmt.Sprint("page ", i))
	}
	const pkg = "/users/ann/packages/container/pages/versions"
	res, _ := w.ask(t, "GET", pkg+"?per_page=3&page=2", w.token)
	at := w.URL + "/api/v3" + pkg
	want := fmt.Sprintf(`<%[1]s?page=1&per_page=3>; rel="prev", <%[1]s?page=3&per_page=3>; rel="next", <%[1]s?page=3&per_page=3>; rel="last", <%[1]s?page=1&per_page=3>; rel="first"`, at)
	if got := res.Header.Get("Link"); got != want {
		t.Errorf("Link is\n%s\nwant\n%s", got, want)
	}
	etag := res.Header.Get("ETag")
	req, _ := http.NewRequestWithContext(t.Context(), "GET", at+"?per_page=3&page=2", nil)
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("If-None-Match", etag)
	again, err := w.transport().RoundTrip(req)
	if err != nil || again.StatusCode != http.StatusNotModified {
		t.Errorf("%v %v", again, err)
	}
	ids := w.versionsOf(t, "/users/ann/packages/container/pages")
	_, body := w.ask(t, "GET", fmt.Sprint(pkg, "?per_page=2&after=", ids[2]), w.token)
	if !strings.Contains(body, fmt.Sprint(`"id":`, ids[3], ",")) || strings.Contains(body, fmt.Sprint(`"id":`, ids[2], ",")) {
		t.Errorf("after %d: %s", ids[2], body)
	}
}

// names finds a package by any way to write its address.
func names(t *testing.T, w *world) {
	w.push(t, "containers", "acme/names/a/b:v1", "names")
	var ids []string
	for _, path := range []string{
		"/orgs/acme/packages/container/names%2Fa%2Fb", "/orgs/acme/packages/container/names/a/b", "/orgs/ACME/packages/container/names%2fa/b",
		"/users/acme/packages/container/names/a/b", "/users/Acme/packages/container/Names%2FA%2FB",
	} {
		res, body := w.ask(t, "GET", path, w.token)
		var p struct {
			ID   int64
			Name string
		}
		if err := json.Unmarshal([]byte(body), &p); err != nil || res.StatusCode != 200 || p.Name != "names/a/b" {
			t.Errorf("%s: %d %v %s", path, res.StatusCode, err, body)
		}
		ids = append(ids, fmt.Sprint(p.ID))
		if res, body := w.ask(t, "GET", path+"/versions", w.token); res.StatusCode != 200 || !strings.Contains(body, `"tags":["v1"]`) {
			t.Errorf("%s/versions: %d %s", path, res.StatusCode, body)
		}
	}
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("different packages: %v", ids)
	}
	w.Admin(t, "package", "rename", "acme/names/a/b", "names/c")
	if res, body := w.ask(t, "GET", "/orgs/acme/packages/container/names%2Fa%2Fb", w.token); res.StatusCode != 200 || !strings.Contains(body, `"name":"names/c"`) {
		t.Errorf("the old name: %d %s", res.StatusCode, body)
	}
	w.Admin(t, "org", "create", "names-before", "--owner", "ann")
	w.push(t, "containers", "names-before/app:v1", "names")
	w.Admin(t, "org", "rename", "names-before", "names-after")
	for _, login := range []string{"names-before", "names-after"} {
		if res, body := w.ask(t, "GET", "/orgs/"+login+"/packages/container/app", w.token); res.StatusCode != 200 || !strings.Contains(body, `/orgs/names-after/packages/container/app"`) {
			t.Errorf("by %s: %d %s", login, res.StatusCode, body)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", strings.Replace(w.URL, "//", "//api.", 1)+"/orgs/acme/packages/container/names%2Fc", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	if res, err := w.transport().RoundTrip(req); err != nil || res.StatusCode != 200 {
		t.Errorf("on the host of the API: %v %v", res, err)
	}
}

// search finds what the caller may read, and nothing else.
func search(t *testing.T, w *world) {
	for _, name := range []string{"acme/search/needle", "acme/search/hidden-needle", "ann/search-needle"} {
		w.push(t, "containers", name+":v1", name)
	}
	w.Admin(t, "package", "visibility", "acme/search/needle", "public", "--yes")
	stranger := w.Account(t, "search-stranger")
	for _, c := range []struct{ token, q, want string }{
		{w.token, "needle", "search-needle search/hidden-needle search/needle"},
		{w.token, "needle+user:ann", "search-needle"},
		{w.token, "NEEDLE+org:Acme+is:private", "search/hidden-needle"},
		{w.token, "is:public+type:container+needle", "search/needle"},
		{w.token, "needle+type:docker", ""},
		{w.token, "needle%25", ""},
		{stranger, "needle", "search/needle"},
		{"", "needle", "search/needle"},
	} {
		res, body := w.ask(t, "GET", "/search/packages?q="+c.q, c.token)
		var found struct {
			Total int `json:"total_count"`
			Items []*github.Package
		}
		if err := json.Unmarshal([]byte(body), &found); err != nil || namesOf(found.Items) != c.want || found.Total != len(found.Items) {
			t.Errorf("%s: %d %v %s", c.q, res.StatusCode, err, body)
		}
	}
	for _, q := range []string{"two+words", "is:odd", "type:npm", "license:mit", "user:"} {
		if res, body := w.ask(t, "GET", "/search/packages?q="+q, w.token); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", q, res.StatusCode, body)
		}
	}
}
