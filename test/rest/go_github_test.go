package rest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-github/v89/github"
)

// gitHub is GitHub's client for Go, pointed at the server, whose answers are
// checked.
func (w *world) gitHub(t *testing.T, token string) (*github.Client, *checker) {
	t.Helper()
	c := newChecker(t, w.d, w.transport())
	client, err := github.NewClient(github.WithTransport(c), github.WithAuthToken(token), github.WithEnterpriseURLs(w.URL, w.URL))
	if err != nil {
		t.Fatal(err)
	}
	return client, c
}

// place is one of the three places below which GitHub has the operations.
type place struct {
	owner, path string // login, and what addresses of the account begin with
	list        func(context.Context, *github.PackageListOptions) ([]*github.Package, *github.Response, error)
	get         func(ctx context.Context, kind, name string) (*github.Package, *github.Response, error)
	remove      func(ctx context.Context, kind, name string) (*github.Response, error)
	restore     func(ctx context.Context, kind, name string) (*github.Response, error)
	versions    func(ctx context.Context, kind, name, state string) ([]*github.PackageVersion, *github.Response, error)
	version     func(ctx context.Context, kind, name string, id int64) (*github.PackageVersion, *github.Response, error)
	removeOne   func(ctx context.Context, kind, name string, id int64) (*github.Response, error)
	restoreOne  func(ctx context.Context, kind, name string, id int64) (*github.Response, error)
}

func places(c *github.Client) map[string]place {
	org, users := c.Organizations, c.Users
	return map[string]place{
		"orgs": {
			"acme", "orgs/acme",
			func(ctx context.Context, o *github.PackageListOptions) ([]*github.Package, *github.Response, error) {
				return org.ListPackages(ctx, "acme", o)
			},
			func(ctx context.Context, kind, name string) (*github.Package, *github.Response, error) {
				return org.GetPackage(ctx, "acme", kind, name)
			},
			func(ctx context.Context, kind, name string) (*github.Response, error) {
				return org.DeletePackage(ctx, "acme", kind, name)
			},
			func(ctx context.Context, kind, name string) (*github.Response, error) {
				return org.RestorePackage(ctx, "acme", kind, name)
			},
			func(ctx context.Context, kind, name, state string) ([]*github.PackageVersion, *github.Response, error) {
				return org.PackageGetAllVersions(ctx, "acme", kind, name, &github.PackageListOptions{State: &state})
			},
			func(ctx context.Context, kind, name string, id int64) (*github.PackageVersion, *github.Response, error) {
				return org.PackageGetVersion(ctx, "acme", kind, name, id)
			},
			func(ctx context.Context, kind, name string, id int64) (*github.Response, error) {
				return org.PackageDeleteVersion(ctx, "acme", kind, name, id)
			},
			func(ctx context.Context, kind, name string, id int64) (*github.Response, error) {
				return org.PackageRestoreVersion(ctx, "acme", kind, name, id)
			},
		},
		"user":  ofUser(users, "", "user"),
		"users": ofUser(users, "ann", "users/ann"),
	}
}

func ofUser(users *github.UsersService, login, path string) place {
	return place{
		"ann", path,
		func(ctx context.Context, o *github.PackageListOptions) ([]*github.Package, *github.Response, error) {
			return users.ListPackages(ctx, login, o)
		},
		func(ctx context.Context, kind, name string) (*github.Package, *github.Response, error) {
			return users.GetPackage(ctx, login, kind, name)
		},
		func(ctx context.Context, kind, name string) (*github.Response, error) {
			return users.DeletePackage(ctx, login, kind, name)
		},
		func(ctx context.Context, kind, name string) (*github.Response, error) {
			return users.RestorePackage(ctx, login, kind, name)
		},
		func(ctx context.Context, kind, name, state string) ([]*github.PackageVersion, *github.Response, error) {
			if login != "" && state == "active" { // the client's call for others takes no state
				return users.ListUserPackageVersions(ctx, login, kind, name)
			}
			return users.ListPackageVersions(ctx, kind, name, &github.ListPackageVersionsOptions{State: state})
		},
		func(ctx context.Context, kind, name string, id int64) (*github.PackageVersion, *github.Response, error) {
			return users.PackageGetVersion(ctx, login, kind, name, id)
		},
		func(ctx context.Context, kind, name string, id int64) (*github.Response, error) {
			return users.PackageDeleteVersion(ctx, login, kind, name, id)
		},
		func(ctx context.Context, kind, name string, id int64) (*github.Response, error) {
			return users.PackageRestoreVersion(ctx, login, kind, name, id)
		},
	}
}

// goGitHub drives every operation below each place, on a package whose name has
// a slash.
func goGitHub(t *testing.T, w *world) {
	client, checked := w.gitHub(t, w.token)
	for label, p := range places(client) {
		name := "go/" + label
		w.push(t, "containers", p.owner+"/"+name+":v1", "first")
		digest := w.push(t, "containers", p.owner+"/"+name+":v2", "second")
		w.push(t, "containers", p.owner+"/"+name+":v1", "third")
		d := &drive{t: t, w: w, p: p, name: name}
		d.packages(digest)
		d.oneVersion(digest)
		d.conflicts(client)
		d.wholePackage()
	}
	checked.complete()
}

// drive drives the operations on one package.
type drive struct {
	t    *testing.T
	w    *world
	p    place
	name string
}

func (d *drive) check(what string, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("%s of %s/%s: %v", what, d.p.owner, d.name, err)
	}
}

func (d *drive) packages(digest string) {
	t, ctx := d.t, d.t.Context()
	list, _, err := d.p.list(ctx, &github.PackageListOptions{PackageType: github.Ptr("container"), Visibility: github.Ptr("private")})
	d.check("list", err)
	one, _, err := d.p.get(ctx, "container", d.name)
	d.check("get", err)
	if !slices.ContainsFunc(list, func(p *github.Package) bool { return p.GetID() == one.GetID() && p.GetName() == d.name }) {
		t.Errorf("the list lacks %s: %v", d.name, list)
	}
	escaped := strings.ReplaceAll(d.name, "/", "%2F")
	at := "/users/ann/packages/container/"
	if d.p.owner == "acme" {
		at = "/orgs/acme/packages/container/"
	}
	if one.GetName() != d.name || one.GetPackageType() != "container" || one.GetVisibility() != "private" || one.GetVersionCount() != 3 ||
		one.GetOwner().GetLogin() != d.p.owner || one.GetOwner().GetID() == 0 || one.GetRepository() != nil ||
		one.GetURL() != d.w.URL+"/api/v3"+at+escaped || one.GetHTMLURL() != d.w.URL+at+"package/"+escaped {
		t.Errorf("got the package %v", one)
	}
	all, res, err := d.p.versions(ctx, "container", d.name, "active")
	d.check("list of versions", err)
	if len(all) != 3 || res.NextPage != 0 || !slices.IsSortedFunc(all, func(a, b *github.PackageVersion) int { return int(b.GetID() - a.GetID()) }) {
		t.Errorf("got the versions %v", all)
	}
	tags := map[string]string{}
	for _, v := range all {
		tags[v.GetName()] = strings.Join(tagsOf(t, v), " ")
	}
	if len(tags) != 3 || tags[digest] != "v2" {
		t.Errorf("got the tags %v", tags)
	}
}

// tagsOf returns the tags of a version, which are there even when there are none.
func tagsOf(t *testing.T, v *github.PackageVersion) []string {
	t.Helper()
	var metadata struct {
		PackageType string `json:"package_type"`
		Container   struct{ Tags []string }
	}
	if err := json.Unmarshal(v.Metadata, &metadata); err != nil || metadata.Container.Tags == nil || metadata.PackageType != "container" {
		t.Fatalf("the version %v has the metadata %s", v, v.Metadata)
	}
	return metadata.Container.Tags
}

func (d *drive) find(state, digest string) int64 {
	d.t.Helper()
	all, _, err := d.p.versions(d.t.Context(), "container", d.name, state)
	d.check("versions", err)
	for _, v := range all {
		if v.GetName() == digest {
			return v.GetID()
		}
	}
	return 0
}

func (d *drive) oneVersion(digest string) {
	t, ctx := d.t, d.t.Context()
	id := d.find("active", digest)
	v, _, err := d.p.version(ctx, "container", d.name, id)
	d.check("version", err)
	if v.GetID() != id || v.GetName() != digest || v.GetCreatedAt().Location().String() != "UTC" && v.GetCreatedAt().Nanosecond() != 0 {
		t.Errorf("got the version %v", v)
	}
	res, err := d.p.removeOne(ctx, "container", d.name, id)
	d.check("deletion of a version", err)
	if res.StatusCode != http.StatusNoContent || d.find("active", digest) != 0 {
		t.Errorf("%s is still there", digest)
	}
	if _, err := d.p.removeOne(ctx, "container", d.name, id); messageOf(err) != "404 Package not found." {
		t.Errorf("deleted twice: %v", err)
	}
	if d.p.path != "users/ann" && d.find("deleted", digest) != id {
		t.Errorf("%s is not among the deleted", digest)
	}
	_, err = d.p.restoreOne(ctx, "container", d.name, id)
	d.check("restoration of a version", err)
	if d.find("active", digest) != id {
		t.Errorf("%s did not come back", digest)
	}
	d.w.pullable(t, d.w.reference(t, "containers", d.p.owner+"/"+d.name+":v2"))
}

// conflicts asks what the client has no call for.
func (d *drive) conflicts(client *github.Client) {
	d.t.Helper()
	req, err := client.NewRequest(d.t.Context(), "GET", d.p.path+"/docker/conflicts", nil)
	d.check("request", err)
	var list []*github.Package
	_, err = client.Do(req, &list)
	d.check("list of conflicts", err)
}

func (d *drive) wholePackage() {
	t, ctx := d.t, d.t.Context()
	before, _, err := d.p.get(ctx, "container", d.name)
	d.check("get", err)
	_, err = d.p.remove(ctx, "container", d.name)
	d.check("deletion", err)
	if _, _, err := d.p.get(ctx, "container", d.name); messageOf(err) != "404 Package not found." {
		t.Errorf("it is still there: %v", err)
	}
	if list, _, err := d.p.list(ctx, &github.PackageListOptions{PackageType: github.Ptr("container"), State: github.Ptr("deleted")}); err != nil ||
		!slices.ContainsFunc(list, func(p *github.Package) bool { return p.GetID() == before.GetID() }) {
		t.Errorf("it is not among the deleted: %v %v", list, err)
	}
	_, err = d.p.restore(ctx, "container", d.name)
	d.check("restoration", err)
	after, _, err := d.p.get(ctx, "container", d.name)
	d.check("get", err)
	if after.GetID() != before.GetID() || after.GetVersionCount() != before.GetVersionCount() {
		t.Errorf("%v came back as %v", before, after)
	}
	d.w.pullable(t, d.w.reference(t, "containers", d.p.owner+"/"+d.name+":v1"))
}
