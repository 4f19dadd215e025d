package settings_test

import (
	"strings"
	"testing"

	"packhouse/internal/testkit"
	"packhouse/internal/web/webtest"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// pages are all pages of the room that are opened without knowing more.
func pages() []string {
	return []string{
		"/settings/profile", "/settings/sessions", "/settings/tokens", "/settings/tokens/new", "/settings/personal-access-tokens",
		"/settings/personal-access-tokens/new", "/settings/identities", "/settings/organizations", "/settings/packages",
		"/settings/deleted_packages", "/settings/audit-log", "/settings/audit-log/mine",
	}
}

func TestPagesInAllLanguages(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	b := s.SignedIn("alice")
	for _, language := range []string{"en", "zh-CN", "de", "fr"} {
		b.Language = language
		for _, path := range pages() {
			p := b.Get(path).Want(200, `html[lang="`+language+`"] nav.SideNav a[aria-current=page]`)
			if n := p.Find("h1").Length(); n != 1 || p.Path != path {
				t.Errorf("%s in %s: %d h1, shown at %s", path, language, n, p.Path)
			}
		}
	}
	if p := b.Get("/settings"); p.Path != "/settings/profile" {
		t.Errorf("the first page is %s", p.Path)
	}
}

func TestStrangersSignInFirst(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	for _, path := range pages() {
		if p := s.Browser().Get(path); !strings.HasPrefix(p.Path, "/login?") {
			t.Errorf("%s shows %s", path, p.Path)
		}
	}
	for _, path := range []string{
		"/settings/profile", "/settings/preferences", "/settings/sessions/end-all", "/settings/tokens", "/settings/tokens/1/revoke",
		"/settings/personal-access-tokens", "/settings/organizations/acme/leave", "/settings/packages", "/settings/deleted_packages",
	} {
		if p := s.Browser().Post(path); !strings.HasPrefix(p.Path, "/login?") {
			t.Errorf("a form to %s shows %s", path, p.Path)
		}
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	b := s.SignedIn("alice")
	b.Post("/settings/profile", "name", "Alice A.", "email", "alice@example.test", "description", "<b>me</b>").Want(200, ".flash-success")
	p := b.Get("/settings/profile").Want(200, `#name[value="Alice A."]`)
	if got := p.Text("#description"); got != "<b>me</b>" {
		t.Errorf("the description is %q", got)
	}
	b.Post("/settings/profile", "name", "Alice", "email", "nothing").Want(400, `.flash-error, #email[value="nothing"]`)
	b.Get("/settings/profile").Want(200, `#email[value="alice@example.test"]`)

	b.Post("/settings/preferences", "language", "de", "theme", "dark").Want(200, `html[lang=de][data-theme=dark] .flash-success`)
	b.Get("/settings/profile").Want(200, `#language option[value=de][selected]`).Want(200, `#preferences-form #theme option[value=dark][selected]`)
	b.Post("/settings/preferences", "language", "xx", "theme", "dark").Want(400, ".flash-error")
	b.Post("/settings/preferences", "language", "", "theme", "auto").Want(200, `html[lang=en][data-theme=auto]`)
	b.Get("/settings/profile").Without("#language option[selected]")
}

func TestSessions(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("bob")
	b, other, third, bob := s.SignedIn("alice"), s.SignedIn("alice"), s.SignedIn("alice"), s.SignedIn("bob")
	in := func(b *webtest.Browser) bool { return b.Get("/settings/sessions").Path == "/settings/sessions" }
	p := b.Get("/settings/sessions").Want(200, ".session")
	if n := p.Find(".session").Length(); n != 3 {
		t.Fatalf("%d sessions", n)
	}
	if n := p.Find(".session .Label--success").Length(); n != 1 {
		t.Errorf("%d are this one", n)
	}
	action, _ := other.Get("/settings/sessions").Find(".session:has(.Label--success) form").Attr("action")
	if action == "" || bob.Post(action).Status != 404 {
		t.Errorf("somebody else's session, %q, can be ended", action)
	}
	b.Post(action).Want(200, ".flash-success")
	if in(other) || !in(b) || !in(third) {
		t.Error("ending one session did not end it alone")
	}
	b.Post("/settings/sessions/end-others").Want(200, ".flash-success")
	if in(third) || !in(b) || !in(bob) {
		t.Error("signing out everywhere else did not do that")
	}
	if p := b.Post("/settings/sessions/end-all"); p.Path != "/login" || in(b) || !in(bob) {
		t.Errorf("after signing out everywhere %s is shown", p.Path)
	}
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("bob")
	s.Organization("acme", "alice")
	s.Organization("secret", "bob")
	b := s.SignedIn("alice")
	b.Get("/settings/organizations").Want(200, `form[action="/settings/organizations/acme/leave"]`).Without(`a[href="/secret"]`).Without(`a[href="/organizations/new"]`)
	b.Post("/settings/organizations/acme/leave").Want(409, ".flash-error")
	b.Post("/settings/organizations/secret/leave").Want(404, ".flash-error")
	if err := s.App.Accounts.SetMember(t.Context(), "operator", "acme", "bob", "owner"); err != nil {
		t.Fatal(err)
	}
	b.Post("/settings/organizations/acme/leave").Want(200, ".flash-success").Without(`a[href="/acme"]`)
}

func TestPackageSettings(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	b := s.SignedIn("alice")
	b.Get("/settings/packages").Want(200, `#visibility option[value=private][selected]`).Want(200, "input[name=inherit][checked]")
	b.Post("/settings/packages", "visibility", "public").Want(200, ".flash-success").
		Want(200, `#visibility option[value=public][selected]`).Without("input[name=inherit][checked]")
	b.Post("/settings/packages", "visibility", "internal").Want(400, ".flash-error")
	p := b.Post("/settings/packages/immutable_tags", "patterns", "v*\r\nrelease-*").Want(200, ".flash-success")
	if got := p.Text("#patterns"); got != "v* release-*" {
		t.Errorf("the patterns are %q", got)
	}
	p = b.Post("/settings/packages/immutable_tags", "patterns", "v[").Want(400, ".flash-error")
	if got := p.Text("#patterns"); got != "v[" {
		t.Errorf("what was typed is %q", got)
	}
}

func TestDeletedPackages(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("bob")
	s.Push("alice", "alice/app:1")
	b := s.SignedIn("alice")
	b.Get("/settings/deleted_packages").Want(200, ".blankslate")
	deletePackage(s, "alice", "alice/app")
	b.Get("/settings/deleted_packages").Want(200, `input[name=name][value=app]`)
	s.SignedIn("bob").Get("/settings/deleted_packages").Want(200, ".blankslate")
	s.SignedIn("bob").Post("/settings/deleted_packages", "type", "container", "name", "app").Want(404, ".flash-error")
	b.Post("/settings/deleted_packages", "type", "container", "name", "app").Want(200, ".flash-success").Want(200, ".blankslate")
	b.Post("/settings/deleted_packages", "type", "container", "name", "App/../x").Want(404, ".flash-error")
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("bob")
	b := s.SignedIn("alice")
	s.SignedIn("bob").Post("/settings/profile", "name", "Bob")
	b.Post("/settings/profile", "name", "Alice")
	for _, path := range []string{"/settings/audit-log", "/settings/audit-log/mine"} {
		p := b.Get(path).Want(200, "tbody tr")
		if text := p.Text("tbody"); !strings.Contains(text, "account.profile") || strings.Contains(text, "bob") {
			t.Errorf("%s: %s", path, text)
		}
	}
	if p := b.Get("/settings/audit-log"); !strings.Contains(p.Text("tbody"), "operator") {
		t.Error("what the operator did to the account is not there")
	}
	if p := b.Get("/settings/audit-log/mine"); strings.Contains(p.Text("tbody"), "operator") {
		t.Error("what the operator did is said to be alice's")
	}
	b.Get("/settings/audit-log/mine?actor=bob").Want(200, ".blankslate")
}
