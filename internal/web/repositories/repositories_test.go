package repositories_test

import (
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
	"packhouse/internal/testkit"
	"packhouse/internal/web/webtest"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// site has alice, who owns acme, bob, who is a member of it, and carol.
func site(t *testing.T) *webtest.Site {
	t.Helper()
	s := webtest.New(t, nil)
	for _, login := range []string{"alice", "bob", "carol"} {
		s.User(login)
	}
	s.Organization("acme", "alice")
	check(t, s.App.Accounts.SetMember(t.Context(), audit.Operator, "acme", "bob", access.Member))
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func repository(s *webtest.Site, name string, v access.Visibility) account.Repository {
	s.Helper()
	r, err := s.App.Accounts.CreateRepository(s.Context(), audit.Operator, name, v)
	check(s.T, err)
	return r
}

func TestANewRepository(t *testing.T) {
	t.Parallel()
	s := site(t)
	if p := s.Browser().Get("/new"); !strings.HasPrefix(p.Path, "/login?") {
		t.Errorf("strangers see %s", p.Path)
	}
	b := s.SignedIn("alice")
	b.Get("/new?owner=acme&name=app").Want(200, `#owner option[value=acme][selected]`).Want(200, `#name[value=app]`)
	p := b.Post("/new", "owner", "acme", "name", "App", "description", "the <app>", "visibility", "internal").Want(200, ".package-head")
	if p.Path != "/acme/app" || !strings.Contains(p.Text(".package-head"), "the <app>") {
		t.Errorf("%s: %s", p.Path, p.Text(".package-head"))
	}
	for what, fields := range map[string][]string{
		"taken":            {"owner", "acme", "name", "app", "visibility", "private"},
		"a slash":          {"owner", "alice", "name", "a/b", "visibility", "private"},
		"no name":          {"owner", "alice", "name", "", "visibility", "private"},
		"no visibility":    {"owner", "alice", "name", "x", "visibility", ""},
		"of somebody else": {"owner", "bob", "name", "x", "visibility", "private"},
		"of nobody":        {"owner", "nobody", "name", "x", "visibility", "private"},
	} {
		if p := b.Post("/new", fields...); p.Status < 400 || p.Status >= 500 || p.Find(`.flash-error`).Length() != 1 || p.Find("#new-form").Length() != 1 {
			t.Errorf("%s: %d", what, p.Status)
		}
	}
	// A member of the organization is not its owner.
	s.SignedIn("bob").Post("/new", "owner", "acme", "name", "mine", "visibility", "private").Want(403, ".flash-error").Without("#owner option[value=acme]")
}

func TestTheRepositoryPage(t *testing.T) {
	t.Parallel()
	s := site(t)
	repository(s, "acme/app", access.Private)
	s.Push("alice", "acme/app:1")
	s.Push("alice", "acme/alone:1")
	n, err := oci.ParseName("acme/app")
	check(t, err)
	alice, err := s.App.Accounts.Get(t.Context(), "alice")
	check(t, err)
	who := access.Principal{AccountID: alice.ID, Login: "alice", Scopes: access.EveryScope}
	check(t, s.App.Packages.Link(t.Context(), who, access.Package{Type: access.Container, Name: n}, "acme/app", true))
	check(t, s.App.Accounts.SetRepositoryReadme(t.Context(), audit.Operator, "acme/app", "# Hello\n<script>x</script>\n\n[a](https://a.example)"))

	absent := s.SignedIn("carol").Get("/acme/none")
	for _, b := range []*webtest.Browser{s.Browser(), s.SignedIn("carol")} {
		for _, path := range []string{"/acme/app", "/acme/app/packages"} {
			p := b.Get(path).Want(404, ".blankslate")
			if strings.Contains(p.Text("main"), "Hello") {
				t.Errorf("%s: %s", path, p.Text("main"))
			}
		}
	}
	if p := s.SignedIn("carol").Get("/acme/app"); p.Text("main") != absent.Text("main") || p.Text("title") != absent.Text("title") {
		t.Error("a private repository is told from none")
	}
	b := s.SignedIn("alice")
	p := b.Get("/acme/app").Want(200, `a[href="/acme/app/pkgs/container/app"]`).Want(200, `.readme h3#user-content-hello`).
		Want(200, `.readme a[rel="nofollow noopener"]`).Without(".readme script").Without(`a[href*=alone]`)
	if n := p.Find("h1").Length(); n != 1 {
		t.Errorf("%d h1", n)
	}
	b.Get("/acme/app/packages").Want(200, `a[href="/acme/app/pkgs/container/app"]`).Without(".readme")
	if p := b.Get("/ACME/App"); p.Path != "/acme/app" {
		t.Errorf("another case leads to %s", p.Path)
	}
	s.SignedIn("bob").Get("/acme/app").Want(200, ".package-head").Without(`a[href="/acme/app/settings"]`)
}

// settings are the pages and forms of the settings of acme/app.
func settings() (pages, forms []string) {
	const at = "/acme/app/settings"
	return []string{at, at + "/access", at + "/workflow-tokens"}, []string{
		at + "/description", at + "/readme", at + "/visibility", at + "/rename", at + "/transfer", at + "/delete",
		at + "/access", at + "/access/remove", at + "/workflow-tokens", at + "/workflow-tokens/1/revoke",
	}
}

func TestSettingsAreForAdministrators(t *testing.T) {
	t.Parallel()
	s := site(t)
	repository(s, "acme/app", access.Public)
	pages, forms := settings()
	bob := s.SignedIn("bob")
	for _, path := range pages {
		bob.Get(path).Want(404, ".blankslate")
		if p := s.Browser().Get(path); !strings.HasPrefix(p.Path, "/login?") {
			t.Errorf("%s shows strangers %s", path, p.Path)
		}
	}
	for _, path := range forms {
		bob.Post(path, "description", "x", "login", "bob", "role", "admin", "confirm", "acme/app", "to", "bob", "visibility", "private").Want(404, ".blankslate")
	}
	alice := s.SignedIn("alice")
	for _, language := range []string{"en", "zh-CN", "de", "fr"} {
		alice.Language = language
		for _, path := range append([]string{"/new", "/acme/app"}, pages...) {
			if p := alice.Get(path).Want(200, `html[lang="`+language+`"] h1`); p.Path != path {
				t.Errorf("%s leads to %s", path, p.Path)
			}
		}
	}
}

func TestDescriptionReadmeAndName(t *testing.T) {
	t.Parallel()
	s := site(t)
	repository(s, "acme/app", access.Public)
	b := s.SignedIn("alice")
	b.Post("/acme/app/settings/description", "description", "what it is").Want(200, ".flash-success")
	p := b.Post("/acme/app/settings/readme", "readme", "# App\r\n\r\ntext").Want(200, ".flash-success")
	if got := p.Find("#readme").Text(); got != "# App\n\ntext" {
		t.Errorf("the readme is %q", got)
	}
	s.Browser().Get("/acme/app").Want(200, ".readme h3")
	p = b.Post("/acme/app/settings/readme", "readme", strings.Repeat("x", account.MaxReadme+1)).Want(413, ".flash-error")
	if got := len(p.Find("#readme").Text()); got != account.MaxReadme+1 {
		t.Errorf("%d bytes of what was typed are left", got)
	}
	b.Post("/acme/app/settings/rename", "name", "a/b").Want(400, `.flash-error`).Want(400, `#name[value="a/b"]`)
	if p := b.Post("/acme/app/settings/rename", "name", "Other").Want(200, ".flash-success"); !strings.HasPrefix(p.Path, "/acme/other/settings") {
		t.Errorf("renamed, %s is shown", p.Path)
	}
	if p := b.Get("/acme/app"); p.Path != "/acme/other" {
		t.Errorf("the old name leads to %s", p.Path)
	}
}

func TestDangerousChanges(t *testing.T) {
	t.Parallel()
	s := site(t)
	repository(s, "acme/app", access.Private)
	b := s.SignedIn("alice")
	for path, fields := range map[string][]string{
		"visibility": {"visibility", "public"}, "transfer": {"to", "alice"}, "delete": nil,
	} {
		p := b.Post("/acme/app/settings/"+path, append(fields, "confirm", "app")...).Want(400, ".flash-error")
		if !strings.Contains(p.Text(".flash-error"), "acme/app") {
			t.Errorf("%s: %s", path, p.Text(".flash-error"))
		}
	}
	s.Browser().Get("/acme/app").Want(404, ".blankslate")
	b.Post("/acme/app/settings/visibility", "visibility", "public", "confirm", "acme/app").Want(200, ".flash-success")
	s.Browser().Get("/acme/app").Want(200, ".package-head")
	check(t, s.App.Accounts.SetKeepPublic(t.Context(), audit.Operator, true))
	b.Post("/acme/app/settings/visibility", "visibility", "private", "confirm", "acme/app").Want(403, ".flash-error")
	s.Browser().Get("/acme/app").Want(200, ".package-head")
	b.Post("/acme/app/settings/transfer", "to", "bob", "confirm", "acme/app").Want(403, ".flash-error")
	b.Post("/acme/app/settings/transfer", "to", "acme", "confirm", "acme/app").Want(409, ".flash-error")
	if p := b.Post("/acme/app/settings/transfer", "to", "alice", "confirm", "acme/app").Want(200, ".flash-success"); !strings.HasPrefix(p.Path, "/alice/app") {
		t.Errorf("transferred, %s is shown", p.Path)
	}
	b.Post("/alice/app/settings/delete", "confirm", "alice/app").Want(200, ".flash-success")
	b.Get("/alice/app").Want(404, ".blankslate")
}

// An outside collaborator may administer a repository, and neither delete it, give
// it away, nor learn who else is in the organization.
func TestOutsideCollaborators(t *testing.T) {
	t.Parallel()
	s := site(t)
	repository(s, "acme/app", access.Private)
	_, err := s.App.Accounts.CreateTeam(t.Context(), audit.Operator, "acme", account.NewTeam{Slug: "secret-team"})
	check(t, err)
	check(t, s.App.Accounts.GrantRepository(t.Context(), audit.Operator, "acme/app", account.RepositoryGrant{User: "carol", Role: access.RepositoryAdmin}))
	carol := s.SignedIn("carol")
	carol.Get("/acme/app/settings").Want(200, "#visibility-form").Without("#delete-form").Without("#transfer-form")
	p := carol.Get("/acme/app/settings/access").Want(200, "#add-person").Without("#add-team")
	if strings.Contains(p.Body, "secret-team") {
		t.Error("an outsider is shown teams")
	}
	there := carol.Post("/acme/app/settings/access", "team", "secret-team", "role", "read").Want(400, ".flash-error").Text(".flash-error")
	absent := carol.Post("/acme/app/settings/access", "team", "no-such-team", "role", "read").Want(400, ".flash-error").Text(".flash-error")
	if strings.ReplaceAll(there, "secret-team", "no-such-team") != absent {
		t.Errorf("teams are told from none: %q, %q", there, absent)
	}
	there = carol.Post("/acme/app/settings/access/remove", "team", "secret-team").Want(404, ".flash-error").Text(".flash-error")
	absent = carol.Post("/acme/app/settings/access/remove", "team", "no-such-team").Want(404, ".flash-error").Text(".flash-error")
	if strings.ReplaceAll(there, "secret-team", "no-such-team") != absent {
		t.Errorf("a role taken away tells teams from none: %q, %q", there, absent)
	}
	carol.Post("/acme/app/settings/delete", "confirm", "acme/app").Want(403, ".flash-error")
	carol.Post("/acme/app/settings/transfer", "to", "carol", "confirm", "acme/app").Want(403, ".flash-error")
	s.SignedIn("alice").Get("/acme/app").Want(200, ".package-head")
}

func TestRolesOnARepository(t *testing.T) {
	t.Parallel()
	s := site(t)
	repository(s, "acme/app", access.Private)
	_, err := s.App.Accounts.CreateTeam(t.Context(), audit.Operator, "acme", account.NewTeam{Slug: "devs"})
	check(t, err)
	const at = "/acme/app/settings/access"
	b := s.SignedIn("alice")
	b.Post(at, "login", "Carol", "role", "write").Want(200, ".flash-success").Want(200, `#role-login-carol option[value=write][selected]`)
	s.SignedIn("carol").Get("/acme/app").Want(200, ".package-head")
	b.Post(at, "login", "carol", "role", "read").Want(200, `#role-login-carol option[value=read][selected]`)
	b.Post(at, "team", "devs", "role", "maintain").Want(200, `#role-team-devs option[value=maintain][selected]`)
	for what, fields := range map[string][]string{
		"nobody":    {"login", "nobody", "role", "read"},
		"no role":   {"login", "bob", "role", "king"},
		"the owner": {"login", "acme", "role", "read"},
		"no team":   {"team", "none", "role", "read"},
		"neither":   {"role", "read"},
	} {
		if p := b.Post(at, fields...); p.Status != 400 || p.Find(".flash-error").Length() != 1 {
			t.Errorf("%s: %d", what, p.Status)
		}
	}
	b.Post(at+"/remove", "team", "devs").Want(200, ".flash-success").Without("#role-team-devs")
	b.Post(at+"/remove", "login", "carol").Want(200, ".flash-success").Without("#role-login-carol")
	s.SignedIn("carol").Get("/acme/app").Want(404, ".blankslate")
}

func TestWorkflowTokens(t *testing.T) {
	t.Parallel()
	s := site(t)
	repository(s, "acme/app", access.Private)
	other := repository(s, "acme/other", access.Private)
	const at = "/acme/app/settings/workflow-tokens"
	b := s.SignedIn("alice")
	p := b.Post(at, "permission", "write", "minutes", "15").Want(200, "#new-token .js-copy")
	secret := p.Text("#new-token .command:nth-of-type(1) code")
	login := func() int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+webtest.Host+"/v2/", nil)
		check(t, err)
		r.SetBasicAuth("acme/app", secret)
		res, err := (&http.Client{Transport: s.Transport()}).Do(r)
		check(t, err)
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := login(); got != 200 || secret == "" || p.Header.Get("Content-Encoding") != "" {
		t.Errorf("the token %q gets %d", secret, got)
	}
	list := b.Get(at).Want(200, ".token")
	if strings.Contains(list.Body, secret) {
		t.Error("the secret is shown twice")
	}
	b.Post(at, "permission", "write", "minutes", "361").Want(400, ".flash-error")
	b.Post(at, "permission", "all", "minutes", "15").Want(400, ".flash-error")
	b.Post(at, "permission", "write", "minutes", "60", "codespace", "1").Want(200, "#new-token")
	action, _ := list.Find(".token form").Attr("action")
	b.Post(strings.Replace(action, "/app/", "/"+other.Name.Package()+"/", 1)).Want(404, ".blankslate")
	if got := login(); got != 200 {
		t.Errorf("another repository ended the token: %d", got)
	}
	b.Post(action).Want(200, ".flash-success")
	if got := login(); got != 401 {
		t.Errorf("revoked, the token gets %d", got)
	}
}
