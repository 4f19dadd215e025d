package web_test

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/webtest"
)

// Who goes to the pages: admin and reader have that role on the package and on
// the repository, member has none, owner owns the organization.
var (
	everybody = []string{"", "stranger", "member", "reader", "admin", "owner", "root"}
	signedIn  = everybody[1:]
	members   = everybody[2:]
	readers   = everybody[3:]
	admins    = everybody[4:]
	owners    = everybody[5:]
	site      = everybody[6:]
	itsOwner  = []string{"owner"}
)

// expectations says who reaches a route: the first that its pattern begins with.
// To all others there is nothing, whether there is something or not.
var expectations = []struct {
	begin string
	who   []string
}{
	{"GET {package}/settings", admins}, {"GET {package}/versions/delete", admins}, {"GET {package}/versions/{id}/delete", admins},
	{"GET {package}/", readers}, {"POST {package}/", admins},
	{"GET /{owner}/{repo}/settings", admins}, {"GET /{owner}/{repo}", members}, {"POST /{owner}/{repo}/", admins},
	{"GET /orgs/{org}/outside-collaborators", members},
	{"GET /orgs/{org}/teams/{slug}/settings", owners}, {"GET /orgs/{org}/", members}, {"POST /orgs/{org}/", owners},
	{"GET /organizations/{org}/settings", owners}, {"POST /organizations/{org}/settings", owners},
	{"GET /organizations/new", site}, {"POST /organizations/new", site}, {"GET /new", signedIn}, {"POST /new", signedIn},
	{"GET /site", site}, {"POST /site", site},
	{"GET /settings/hooks/{hook}", itsOwner}, {"POST /settings/hooks/{hook}", itsOwner},
	{"GET /settings/trust/{rule}", itsOwner}, {"POST /settings/trust/{rule}", itsOwner},
	{"GET /settings", signedIn}, {"POST /settings", signedIn}, {"GET /sessions/", signedIn}, {"POST /sessions/", signedIn},
	{"GET /packages/first", site},
	{"GET /orgs/{owner}", everybody}, {"GET /users/{owner}/packages", everybody}, {"GET /{owner}", everybody},
	{"GET /{$}", everybody}, {"GET /search", everybody}, {"GET /login", everybody}, {"GET /join", everybody}, {"GET /assets/", everybody},
	{"GET /robots.txt", everybody}, {"GET /favicon.ico", everybody},
	{"POST /login", everybody}, {"POST /logout", everybody}, {"POST /join", everybody}, {"POST /preferences", everybody},
}

func expected(pattern string) (who []string, ok bool) {
	for _, e := range expectations {
		if strings.HasPrefix(pattern, e.begin) {
			return e.who, true
		}
	}
	return nil, false
}

// The names of what there is and must not be told of, and of what there is not.
const secret, absent = "secret", "absent"

// TestWhoReachesWhat tries every route with everybody: those who are expected get
// there, and to the others what there is looks like what there is not.
func TestWhoReachesWhat(t *testing.T) {
	t.Parallel()
	f, _ := allPages(t)
	w := newAccessWorld(t)
	for _, pattern := range f.Patterns() {
		if strings.HasSuffix(pattern, "/{type}/{rest...}") {
			continue // where {package} is
		}
		who, ok := expected(pattern)
		if !ok {
			t.Errorf("%s: say in expectations who reaches it", pattern)
			continue
		}
		method, _, _ := strings.Cut(pattern, " ")
		here, nowhere := w.path(pattern, secret), w.path(pattern, absent)
		for _, caller := range everybody {
			if slices.Contains(who, caller) {
				if method == http.MethodGet {
					w.reaches(caller, here)
				}
				continue // what a form does is for the tests of its room
			}
			got, want := w.ask(caller, method, here), w.ask(caller, method, nowhere)
			if reached(got) {
				t.Errorf("%q reaches %s %s: %d", caller, method, here, got.Status)
			}
			if a, b := plain(got, here), plain(want, nowhere); a != b {
				t.Errorf("%q is told by %s %s that something is there: %s", caller, method, here, differ(a, b))
			}
		}
	}
}

// reached reports whether a page was shown, and not one to sign in.
func reached(p *webtest.Page) bool { return p.Status < 400 && !strings.HasPrefix(p.Path, "/login") }

var ofRequest = regexp.MustCompile(`request-\d+`)

// plain is what an answer tells: the path that was asked for and names are
// replaced, and what differs between any two requests.
func plain(p *webtest.Page, path string) string {
	h := p.Header.Clone()
	for _, name := range []string{"Date", "X-Request-Id", "Content-Length", "Set-Cookie"} {
		h.Del(name)
	}
	text := fmt.Sprintf("%d %s\n%v\n%s", p.Status, p.Path, h, ofRequest.ReplaceAllString(p.Body, ""))
	for _, form := range []string{path, url.QueryEscape(path), template.HTMLEscapeString(path)} {
		text = strings.ReplaceAll(text, form, "PATH")
	}
	return strings.ReplaceAll(text, absent, secret)
}

// differ returns the first lines that are not the same.
func differ(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("%.300q and %.300q", x[i], y[i])
		}
	}
	return "one is longer"
}

type accessWorld struct {
	*webtest.Site
	browsers map[string]*webtest.Browser
	ids      map[string]string // what stands for a part of a pattern, by its beginning
}

func newAccessWorld(t *testing.T) *accessWorld {
	t.Helper()
	s := webtest.New(t, nil)
	w := &accessWorld{s, map[string]*webtest.Browser{"": s.Browser()}, map[string]string{}}
	s.Administrator("root")
	for _, login := range everybody[1:6] {
		s.User(login)
	}
	s.Organization("acme", "owner")
	ctx, a := t.Context(), s.App.Accounts
	for _, login := range []string{"member", "reader", "admin"} {
		w.must(a.SetMember(ctx, audit.Operator, "acme", login, access.Member))
	}
	_, err := a.CreateTeam(ctx, audit.Operator, "acme", account.NewTeam{Slug: secret + "-team"})
	w.must(err)
	_, err = a.CreateRepository(ctx, audit.Operator, "acme/"+secret+"-repo", access.Private)
	w.must(err)
	s.Push("owner", "acme/"+secret+"-app:v1")
	name, err := oci.ParseName("acme/" + secret + "-app")
	w.must(err)
	ref := access.Package{Type: access.Container, Name: name}
	for login, roles := range map[string]struct {
		repository access.RepositoryRole
		role       access.Role
	}{"reader": {access.RepositoryRead, access.RoleRead}, "admin": {access.RepositoryAdmin, access.RoleAdmin}} {
		w.must(a.GrantRepository(ctx, audit.Operator, "acme/"+secret+"-repo", account.RepositoryGrant{User: login, Role: roles.repository}))
		w.must(s.App.Packages.Grant(ctx, access.Principal{Operator: true}, ref, packages.Grant{Grantee: packages.Grantee{Kind: packages.User, Name: login}, Role: roles.role}))
	}
	for _, login := range everybody[1:] {
		w.browsers[login] = s.SignedIn(login)
	}
	w.findIDs()
	return w
}

func (w *accessWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// findIDs makes a hook and a rule of trust of everything that has some, and
// remembers them by the beginning of their patterns.
func (w *accessWorld) findIDs() {
	owner := w.browsers["owner"]
	for begin, base := range map[string]string{
		"{package}": packageBase(secret) + "/settings", "/organizations/{org}": "/organizations/acme/settings",
		"/{owner}/{repo}": "/acme/" + secret + "-repo/settings", "/settings": "/settings",
	} {
		owner.Post(base+"/hooks", "url", "https://hooks.test.example/", "content_type", "json", "event", "package").Want(200, "main")
		w.ids[begin+"{hook}"] = w.number(owner, base+"/hooks", `/hooks/(\d+)`)
	}
	w.ids["{package}{id}"] = w.number(owner, packageBase(secret)+"/versions", `/`+secret+`-app/(\d+)"`)
}

// number returns what the pattern finds on a page.
func (w *accessWorld) number(b *webtest.Browser, path, pattern string) string {
	w.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(b.Get(path).Body)
	if found == nil {
		w.Fatalf("nothing like %s at %s", pattern, path)
	}
	return found[1]
}

func packageBase(kind string) string { return "/orgs/acme/packages/container/" + kind + "-app" }

// path fills a pattern with what there is, or with what there is not.
func (w *accessWorld) path(pattern, kind string) string {
	_, p, _ := strings.Cut(pattern, " ")
	if p == "{package}/{$}" {
		return "/orgs/acme/packages/container/package/" + kind + "-app"
	}
	known := map[string]string{
		"package": packageBase(kind), "org": "acme", "owner": "acme", "repo": kind + "-repo", "slug": kind + "-team",
		"login": "member", "tag": "v1", "what": "suspend", "name": "0000", "$": "",
	}
	if p == "{package}/versions/delete" {
		p += "?version={id}"
	}
	return partPattern.ReplaceAllStringFunc(p, func(part string) string {
		if value, ok := known[strings.Trim(part, "{}")]; ok {
			return value
		}
		for begin, value := range w.ids {
			if at, ok := strings.CutSuffix(begin, part); ok && strings.HasPrefix(p, at) && kind == secret {
				return value
			}
		}
		return "77777" // there is none of that number
	})
}

var partPattern = regexp.MustCompile(`\{[^}]*\}`)

func (w *accessWorld) ask(caller, method, path string) *webtest.Page {
	w.Helper()
	if method == http.MethodPost {
		return w.browsers[caller].Post(path)
	}
	return w.browsers[caller].Get(path)
}

// reaches fails the test unless the page is there for the caller. Pages of what
// has no number here are not.
func (w *accessWorld) reaches(caller, path string) {
	w.Helper()
	p := w.ask(caller, http.MethodGet, path)
	if strings.Contains(path, "77777") || strings.HasPrefix(path, "/login") || strings.HasPrefix(path, "/assets/") {
		return
	}
	if !reached(p) && p.Status != http.StatusBadRequest {
		w.Errorf("%q does not reach %s: %d at %s\n%s", caller, path, p.Status, p.Path, p.Text("main"))
	}
}
