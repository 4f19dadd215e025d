package lists_test

import (
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
	"packhouse/internal/testkit"
	"packhouse/internal/web/webtest"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// canary is in the name of everything that few may read.
const canary = "canary"

// town is a site with two users, an organization and packages.
type town struct{ *webtest.Site }

func newTown(t *testing.T) *town {
	s := &town{webtest.New(t, nil)}
	s.Administrator("root")
	s.User("alice")
	s.User("bob")
	s.User("eve")
	s.Organization("acme", "alice")
	s.check(s.App.Accounts.SetMember(t.Context(), audit.Operator, "acme", "bob", access.Member))
	_, err := s.App.Accounts.CreateRepository(t.Context(), audit.Operator, "acme/canary-src", access.Private)
	s.check(err)
	_, err = s.App.Accounts.CreateRepository(t.Context(), audit.Operator, "acme/open-src", access.Public)
	s.check(err)
	s.Push("alice", "alice/open:1")
	s.Push("alice", "alice/canary-own:1")
	s.Push("alice", "acme/open-linked:1")
	s.Push("alice", "acme/canary-internal:1")
	s.Push("alice", "acme/canary-private:1")
	alice := s.principal("alice")
	for name, v := range map[string]access.Visibility{
		"alice/open": access.Public, "acme/open-linked": access.Public, "acme/canary-internal": access.Internal,
	} {
		s.check(s.App.Packages.SetVisibility(t.Context(), alice, s.pkg(name), v))
	}
	s.check(s.App.Packages.Link(t.Context(), alice, s.pkg("acme/open-linked"), "acme/canary-src", false))
	return s
}

func (s *town) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *town) pkg(name string) access.Package {
	s.Helper()
	n, err := oci.ParseName(name)
	s.check(err)
	return access.Package{Type: access.Container, Name: n}
}

func (s *town) principal(login string) access.Principal {
	s.Helper()
	who, err := s.App.Accounts.SignIn(s.Context(), login, webtest.Password, func() (func(bool), error) { return func(bool) {}, nil })
	s.check(err)
	return who
}

// listed returns the names of the rows, separated.
func listed(p *webtest.Page, selector string) string {
	var all []string
	for _, n := range p.Find(selector + " .js-row").EachIter() {
		name, _ := n.Attr("data-name")
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestWhoSeesWhat(t *testing.T) {
	t.Parallel()
	s := newTown(t)
	nobody, eve, bob, alice := s.Browser(), s.SignedIn("eve"), s.SignedIn("bob"), s.SignedIn("alice")
	for _, tt := range []struct {
		path                       string
		nobody, eve, member, owner string
	}{
		{"/alice?tab=packages", "open", "open", "open", "canary-own open"},
		{"/alice", "open", "open", "open", "canary-own open"},
		{"/orgs/acme/packages", "open-linked", "canary-internal open-linked", "canary-internal open-linked", "canary-internal canary-private open-linked"},
		{"/orgs/acme/packages?visibility=private", "", "", "", "canary-private"},
		{"/orgs/acme/packages?visibility=public", "open-linked", "open-linked", "open-linked", "open-linked"},
		{"/orgs/acme/packages?q=PRIV+canary", "", "", "", "canary-private"},
		{"/orgs/acme/packages?type=docker", "", "", "", ""},
		{"/orgs/acme/packages?repo_name=canary-src", "", "", "open-linked", "open-linked"},
		{"/orgs/acme/packages?page=2", "", "", "", ""},
		{"/search?q=open", "acme/open-linked alice/open", "acme/open-linked alice/open", "acme/open-linked alice/open", "acme/open-linked alice/open"},
		{"/search?q=canary", "", "acme/canary-internal", "acme/canary-internal", "acme/canary-internal acme/canary-private alice/canary-own"},
		{"/search?q=repo:acme/canary-src", "", "", "acme/open-linked", "acme/open-linked"},
		{"/search?q=is:internal&type=registrypackages", "", "acme/canary-internal", "acme/canary-internal", "acme/canary-internal"},
		{"/search?q=%00%ff", "", "", "", ""},
	} {
		for _, v := range []struct {
			who  string
			b    *webtest.Browser
			want string
		}{{"nobody", nobody, tt.nobody}, {"a stranger", eve, tt.eve}, {"a member", bob, tt.member}, {"the owner", alice, tt.owner}} {
			p := v.b.Get(tt.path).Want(200, "h1")
			if got := listed(p, ".js-list"); got != v.want {
				t.Errorf("%s for %s: %q, want %q", tt.path, v.who, got, v.want)
			}
			if strings.Contains(p.Text(".list-rows"), canary) && !strings.Contains(v.want, canary) && v.who != "a member" && v.who != "the owner" {
				t.Errorf("%s for %s tells of a canary: %s", tt.path, v.who, p.Text("main"))
			}
		}
	}
	for _, path := range []string{"/", "/alice", "/orgs/acme/packages", "/acme?tab=repositories", "/search?q=open"} {
		if p := nobody.Get(path); strings.Contains(p.Body, canary) {
			t.Errorf("%s tells everybody of a canary:\n%s", path, p.Text("main"))
		}
	}
	if p := eve.Get("/acme?tab=repositories"); strings.Contains(p.Body, canary) || !strings.Contains(p.Text(".list-rows"), "open-src") {
		t.Errorf("a stranger's repositories: %s", p.Text("main"))
	}
	if p := bob.Get("/acme?tab=repositories&q=CANARY"); p.Text(".list-rows .list-name a") != "canary-src" {
		t.Errorf("a member's repositories: %s", p.Text("main"))
	}
}

func TestFirstPage(t *testing.T) {
	t.Parallel()
	s := newTown(t)
	p := s.Browser().Get("/").Want(200, `a[href="/login"]`).Without(`a[href="/join"]`)
	if got := listed(p, "main"); got != "acme/open-linked alice/open" {
		t.Errorf("the newest public packages: %q", got)
	}
	s.check(s.App.Accounts.SetSignUp(t.Context(), audit.Operator, true))
	s.Browser().Get("/").Want(200, `a[href="/join"]`)
	alice := s.SignedIn("alice").Get("/").Want(200, `a[href="/orgs/acme/packages"]`).
		Want(200, `a[href="/new"]`).Want(200, `main a[href^="/settings/tokens/new"]`).Without(`a[href="/organizations/new"]`).Without(".js-first-push")
	s.SignedIn("root").Get("/").Want(200, `a[href="/organizations/new"]`)
	if got := listed(alice, "main"); !strings.HasPrefix(got, "canary-own open ") {
		t.Errorf("alice's own, the last pushed first: %q", got)
	}
	s.SignedIn("eve").Get("/").Want(200, ".js-first-push")
}

func TestAddressesLeadToOne(t *testing.T) {
	t.Parallel()
	s := newTown(t)
	b := s.Browser()
	for _, tt := range []struct{ from, to string }{
		{"/Alice", "/alice"},
		{"/ALICE?tab=packages&q=x", "/alice?q=x&tab=packages"},
		{"/acme", "/orgs/acme/packages"},
		{"/ACME?tab=packages&repo_name=open-src", "/orgs/acme/packages?repo_name=open-src"},
		{"/Acme?tab=repositories", "/acme?tab=repositories"},
		{"/orgs/acme", "/orgs/acme/packages"},
		{"/orgs/ACME/packages?sort=updated", "/orgs/acme/packages?sort=updated"},
		{"/orgs/alice/packages", "/alice?tab=packages"},
		{"/users/Alice/packages?repo_name=x", "/alice?repo_name=x&tab=packages"},
		{"/users/acme/packages", "/orgs/acme/packages"},
	} {
		if p := b.Get(tt.from); p.Status != 200 || p.Path != tt.to {
			t.Errorf("%s leads to %s, %d; want %s", tt.from, p.Path, p.Status, tt.to)
		}
	}
	s.check(s.App.Accounts.Rename(t.Context(), audit.Operator, "alice", "mona"))
	if p := b.Get("/alice?tab=packages"); p.Status != 200 || p.Path != "/mona?tab=packages" {
		t.Errorf("a former login leads to %s, %d", p.Path, p.Status)
	}
	for _, path := range []string{"/nobody", "/orgs/nobody/packages", "/users/nobody/packages", "/a..b"} {
		b.Get(path).Want(404, "h1")
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	s := newTown(t)
	b := s.SignedIn("alice")
	if got := listed(b.Get("/orgs/acme/packages?sort=updated"), ".js-list"); got != "canary-private canary-internal open-linked" {
		t.Errorf("the last published first: %q", got)
	}
	s.Push("alice", "acme/open-linked:2")
	if got := listed(b.Get("/orgs/acme/packages?sort=updated"), ".js-list"); got != "open-linked canary-private canary-internal" {
		t.Errorf("after another push: %q", got)
	}
	if got := listed(b.Get("/orgs/acme/packages?sort=downloads"), ".js-list"); got != "canary-internal canary-private open-linked" {
		t.Errorf("none was downloaded: %q", got)
	}
	if p := b.Get("/orgs/acme/packages"); !strings.Contains(p.Text(`.js-row[data-name="open-linked"]`), "2 versions") || !strings.Contains(p.Text(".js-count"), "3 packages") {
		t.Errorf("a row says %s", p.Text(".js-list"))
	}
}

func TestSearchPage(t *testing.T) {
	t.Parallel()
	s := newTown(t)
	b := s.Browser()
	b.Get("/search").Want(200, "#query-help").Without(".js-count")
	b.Get("/search?q=user%3A").Want(400, ".flash-error").Without(".js-list")
	b.Get("/search?q=alice").Want(200, `.list-account a[href="/alice?tab=packages"]`)
	b.Get("/search?q=ACME").Want(200, `.list-account a[href="/orgs/acme/packages"]`)
	b.Get("/search?q=nobody").Want(200, ".blankslate").Without(".list-account")
	if p := b.Get("/search?q=open"); p.Find(`#site-search[value="open"]`).Length() == 0 {
		t.Error("the box in the head forgets")
	}
	de := s.Browser()
	de.Language = "de"
	if p := de.Get("/search?q=colour:red"); !strings.Contains(p.Text(".flash-error"), "Qualifizierer „colour:“") {
		t.Errorf("a problem in German: %s", p.Text(".flash-error"))
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := &town{webtest.New(t, nil)}
	s.User("alice")
	for i := range 31 {
		s.Push("alice", "alice/p"+string(rune('a'+i%26))+strings.Repeat("x", i/26)+":1")
	}
	b := s.SignedIn("alice")
	one := b.Get("/alice?tab=packages&q=p").Want(200, `.pagination a[rel="next"]`)
	next, _ := one.Find(`a[rel="next"]`).Attr("href")
	two := b.Get(next).Want(200, `.pagination a[rel="prev"]`).Without(`a[rel="next"]`)
	if n, m := one.Find(".js-row").Length(), two.Find(".js-row").Length(); n != 30 || m != 1 || next != "/alice?page=2&q=p&tab=packages" {
		t.Errorf("%d and %d rows, by %s", n, m, next)
	}
}

func TestRobotsAndIcon(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	p := s.Browser().Get("/robots.txt")
	if p.Status != 200 || !strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") || !strings.Contains(p.Body, "Disallow: /api/\n") || strings.Contains(p.Body, "Disallow: /\n") {
		t.Errorf("%d %v\n%s", p.Status, p.Header, p.Body)
	}
	for _, path := range []string{"/favicon.ico", attr(s.Browser().Get("/"), `link[rel="icon"]`, "href")} {
		if p := s.Browser().Get(path); p.Status != 200 || p.Header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("%s: %d %v", path, p.Status, p.Header)
		}
	}
}

func attr(p *webtest.Page, selector, name string) string {
	v, _ := p.Find(selector).Attr(name)
	return v
}
