package organizations_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/web/webtest"
)

// acme is a site with an organization: olga owns it, mia is a member, eve is
// neither, and root administers the site.
func acme(t *testing.T) *webtest.Site {
	t.Helper()
	s := webtest.New(t, nil)
	for _, login := range []string{"olga", "mia", "eve"} {
		s.User(login)
	}
	s.Administrator("root")
	s.Organization("acme", "olga")
	must(t, s.App.Accounts.SetMember(t.Context(), audit.Operator, "acme", "mia", access.Member))
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is not for somebody looks as what is not there.
func TestWhoSeesThePagesOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := acme(t)
	_, err := s.App.Accounts.CreateTeam(t.Context(), audit.Operator, "acme", account.NewTeam{Slug: "core"})
	must(t, err)
	olga, mia, eve, root := s.SignedIn("olga"), s.SignedIn("mia"), s.SignedIn("eve"), s.SignedIn("root")
	members := []string{"people", "teams", "teams/core"}
	owners := []string{"profile", "packages", "deleted_packages", "audit-log"}
	strip := func(p *webtest.Page, name string) string { return strings.ReplaceAll(p.Text("body"), name, "NAME") }
	for _, page := range members {
		for _, b := range []*webtest.Browser{olga, mia, root} {
			b.Get("/orgs/acme/"+page).Want(200, "h1")
		}
		if got, want := strip(eve.Get("/orgs/acme/"+page).Want(404, "h1"), "acme"), strip(eve.Get("/orgs/nobody/"+page), "nobody"); got != want {
			t.Errorf("%s: %q is told from %q", page, got, want)
		}
	}
	for _, page := range owners {
		for _, b := range []*webtest.Browser{olga, root} {
			b.Get("/organizations/acme/settings/"+page).Want(200, ".SideNav [aria-current=page]")
		}
		for _, b := range []*webtest.Browser{eve, mia} {
			if got, want := strip(b.Get("/organizations/acme/settings/"+page).Want(404, "h1"), "acme"), strip(b.Get("/organizations/nobody/settings/"+page), "nobody"); got != want {
				t.Errorf("%s: %q is told from %q", page, got, want)
			}
		}
	}
	mia.Get("/orgs/acme/teams/core/settings").Want(404, "h1")
	olga.Get("/orgs/olga/people").Want(404, "h1") // a user is no organization
	if p := s.Browser().Get("/orgs/acme/people"); !strings.HasPrefix(p.Path, "/login") {
		t.Errorf("a stranger came to %s", p.Path)
	}
}

// Members change nothing, whatever they send.
func TestFormsOfAnOrganizationAreForItsOwners(t *testing.T) {
	t.Parallel()
	s := acme(t)
	_, err := s.App.Accounts.CreateTeam(t.Context(), audit.Operator, "acme", account.NewTeam{Slug: "core"})
	must(t, err)
	for _, b := range []*webtest.Browser{s.SignedIn("mia"), s.SignedIn("eve")} {
		for _, form := range [][]string{
			{"/orgs/acme/people", "login", "eve", "role", "owner"},
			{"/orgs/acme/people/mia/role", "role", "owner"},
			{"/orgs/acme/people/olga/remove"},
			{"/orgs/acme/teams", "name", "more"},
			{"/orgs/acme/teams/core/members", "login", "mia"},
			{"/orgs/acme/teams/core/members/remove", "login", "mia"},
			{"/orgs/acme/teams/core/repositories", "repository", "r", "role", "admin"},
			{"/orgs/acme/teams/core/repositories/remove", "repository", "r"},
			{"/orgs/acme/teams/core/settings", "name", "other"},
			{"/orgs/acme/teams/core/delete", "confirm", "core"},
			{"/organizations/acme/settings/profile", "name", "Mine"},
			{"/organizations/acme/settings/rename", "login", "mine", "confirm", "acme"},
			{"/organizations/acme/settings/delete", "confirm", "acme"},
			{"/organizations/acme/settings/packages", "base_role", "admin", "visibility", "public"},
			{"/organizations/acme/settings/packages/immutable_tags", "patterns", "*"},
			{"/organizations/acme/settings/packages/single_sign_on"},
			{"/organizations/acme/settings/deleted_packages", "type", "container", "name", "app"},
		} {
			if p := b.Post(form[0], form[1:]...); p.Status != 404 {
				t.Errorf("%s: status %d", form[0], p.Status)
			}
		}
	}
	if p := s.SignedIn("olga").Get("/organizations/acme/settings/audit-log"); strings.Contains(p.Text("main"), "mia") && strings.Contains(p.Text("td:nth-child(2)"), "mia") {
		t.Errorf("mia changed something: %s", p.Text("main"))
	}
}

func TestPeopleOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := acme(t)
	b := s.SignedIn("olga")
	b.Post("/orgs/acme/people", "login", "Eve", "role", "member").Want(200, ".flash-success")
	p := b.Get("/orgs/acme/people").Want(200, `li:contains("eve")`)
	if got := p.Text("h2 .Counter"); got != "30" {
		t.Errorf("members and outside collaborators: %q", got)
	}
	b.Post("/orgs/acme/people/eve/role", "role", "owner").Want(200, `li:contains("eve") option[value=owner][selected]`)
	b.Post("/orgs/acme/people/mia/remove").Want(200, ".flash-success").Without(`li:contains("mia")`)
	b.Post("/orgs/acme/people/mia/role", "role", "owner").Want(404, "h1") // not made a member by it
	b.Post("/orgs/acme/people", "login", "nobody", "role", "owner").Want(404, `.flash-error, details[open] input[value=nobody]`).Want(404, "option[value=owner][selected]")
	b.Post("/orgs/acme/people", "login", "mia", "role", "king").Want(400, ".flash-error")
	b.Post("/orgs/acme/people/eve/remove").Want(200, ".flash-success")
	b.Post("/orgs/acme/people/olga/remove").Want(409, ".flash-error") // the last owner
	b.Get("/orgs/acme/people?query=OLG").Want(200, `li:contains("olga")`)
	b.Get("/orgs/acme/people?query=zzz").Want(200, ".blankslate")
	if p := b.Get("/orgs/acme/outside-collaborators"); p.Path != "/orgs/acme/people" {
		t.Errorf("outside collaborators are at %s", p.Path)
	}
}

// Whoever leaves by their own form does not end at a page that is not there.
func TestAnOwnerLeaves(t *testing.T) {
	t.Parallel()
	s := acme(t)
	must(t, s.App.Accounts.SetMember(t.Context(), audit.Operator, "acme", "mia", access.Owner))
	if p := s.SignedIn("olga").Post("/orgs/acme/people/olga/remove"); !strings.HasPrefix(p.Path, "/orgs/acme/packages?") {
		t.Errorf("olga came to %s", p.Path)
	}
}

func TestPagesOfMembers(t *testing.T) {
	t.Parallel()
	s := acme(t)
	for i := range 60 {
		login := fmt.Sprintf("user-%02d", i)
		_, err := s.App.Accounts.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: login})
		must(t, err)
		must(t, s.App.Accounts.SetMember(t.Context(), audit.Operator, "acme", login, access.Member))
	}
	b := s.SignedIn("mia")
	p := b.Get("/orgs/acme/people?query=user").Want(200, "a[rel=next]")
	next, _ := p.Find("a[rel=next]").Attr("href")
	rest := b.Get(next).Want(200, "a[rel=first]").Without("a[rel=next]")
	if first, more := p.Find("li.Box-row").Length(), rest.Find("li.Box-row").Length(); first != 50 || more != 10 {
		t.Errorf("pages of %d and %d", first, more)
	}
	p.Without("form[method=post][action^='/orgs/']") // a member changes nothing
}

func TestOutsideCollaborators(t *testing.T) {
	t.Parallel()
	s := acme(t)
	_, err := s.App.Accounts.CreateRepository(t.Context(), audit.Operator, "acme/app", access.Private)
	must(t, err)
	must(t, s.App.Accounts.GrantRepository(t.Context(), audit.Operator, "acme/app", account.RepositoryGrant{User: "eve", Role: access.RepositoryRead}))
	s.SignedIn("olga").Get("/orgs/acme/people").Want(200, `#outside li:contains("eve")`)
	s.SignedIn("mia").Get("/orgs/acme/people").Want(200, "h2").Without("#outside")
}

func TestOrganizationsAreMadeByAdministrators(t *testing.T) {
	t.Parallel()
	s := acme(t)
	eve := s.SignedIn("eve")
	eve.Get("/organizations/new").Want(403, ".blankslate").Without("main form")
	eve.Post("/organizations/new", "login", "evil", "owner", "eve").Want(403, "h1")
	root := s.SignedIn("root")
	root.Get("/organizations/new").Want(200, "input[name=owner][value=root]")
	root.Post("/organizations/new", "login", "Globex", "name", "Globex Corporation", "owner", "mia").Want(200, `li:contains("mia")`)
	root.Post("/organizations/new", "login", "globex", "owner", "mia").Want(409, ".flash-error").Want(409, "input[name=login][value=globex]")
	root.Post("/organizations/new", "login", "other", "owner", "nobody").Want(404, ".flash-error")
	s.SignedIn("mia").Get("/organizations/globex/settings/profile").Want(200, "input[name=name][value='Globex Corporation']")
}
