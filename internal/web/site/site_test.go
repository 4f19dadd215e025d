package site_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/lifecycle"
	"packhouse/internal/web/webtest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a site with the users alice and mallory, and root who administers it.
func world(t *testing.T) *webtest.Site {
	t.Helper()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("mallory")
	s.Administrator("root")
	return s
}

// To others than administrators the administration is not there.
func TestWhoSeesTheAdministration(t *testing.T) {
	t.Parallel()
	s := world(t)
	root, alice := s.SignedIn("root"), s.SignedIn("alice")
	nothing := strings.ReplaceAll(alice.Get("/nothing/at/all").Want(404, "h1").Text("body"), "/nothing/at/all", "")
	for _, page := range []string{
		"", "/accounts", "/accounts/new", "/accounts/alice", "/registries", "/storage", "/collection", "/collection/explain", "/jobs", "/audit-log",
	} {
		root.Get("/site"+page).Want(200, ".SideNav [aria-current=page]")
		if got := alice.Get("/site"+page).Want(404, "h1").Text("body"); got != nothing {
			t.Errorf("/site%s: %q is told from %q", page, got, nothing)
		}
		if p := s.Browser().Get("/site" + page); !strings.HasPrefix(p.Path, "/login") {
			t.Errorf("a stranger came to %s", p.Path)
		}
	}
	for _, form := range [][]string{
		{"/site/accounts/new", "login", "evil", "administrator", "1"}, {"/site/accounts/alice/promote"}, {"/site/accounts/root/password", "password", "long enough"},
		{"/site/accounts/root/delete", "confirm", "root"}, {"/site/registries", "container", "disabled", "docker", "disabled", "guard", "0"},
		{"/site/registries/migrate", "all", "1"}, {"/site/collection/run"}, {"/site/collection/resume"},
		{"/site/collection/undelete", "digest", "x"}, {"/site/jobs/1/retry"}, {"/site/jobs/1/cancel"},
	} {
		alice.Post(form[0], form[1:]...).Want(404, "h1")
	}
	alice.Get("/site/audit-log/export").Want(404, "h1")
	a, err := s.App.Accounts.Get(t.Context(), "alice")
	must(t, err)
	if site, err := s.App.Accounts.Site(t.Context()); err != nil || a.SiteAdmin || site.Container != access.Enabled {
		t.Errorf("alice changed something: %+v, %+v, %v", a, site, err)
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	s := world(t)
	b := s.SignedIn("root")
	p := b.Get("/site").Want(200, ".flash-success").Want(200, `dt:contains("Blob store")`)
	if got := p.Text(`dd a[href="/site/accounts"]`); got != "3" {
		t.Errorf("%q users", got)
	}
	must(t, s.App.Accounts.SetRegistry(t.Context(), audit.Operator, access.Docker, access.ReadOnly))
	stop, err := json.Marshal(lifecycle.Stop{Reason: lifecycle.ClockJumped, Text: "<i>canary", At: time.Now()})
	must(t, err)
	must(t, s.App.Store.Note(t.Context(), lifecycle.Notes{lifecycle.StopNote: string(stop)}))
	p = b.Get("/site").Want(200, `.flash-error:contains("the clock jumped")`).Want(200, `.flash-warn:contains("Read-only")`)
	if strings.Contains(p.Body, "<i>canary") {
		t.Error("the text of a stop came out as it went in")
	}
}

func TestAccountsOfTheSite(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.Organization("acme", "alice")
	for i := range 60 {
		_, err := s.App.Accounts.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: fmt.Sprintf("user-%02d", i)})
		must(t, err)
	}
	b := s.SignedIn("root")
	p := b.Get("/site/accounts").Want(200, `li:contains("alice")`).Want(200, "a[rel=next]")
	next, _ := p.Find("a[rel=next]").Attr("href")
	rest := b.Get(next).Want(200, "a[rel=first]").Without("a[rel=next]")
	if first, more := p.Find("li.Box-row").Length(), rest.Find("li.Box-row").Length(); first != 50 || more != 13 {
		t.Errorf("pages of %d and %d", first, more)
	}
	p = b.Get("/site/accounts?query=USER-1").Want(200, "li.Box-row")
	if n := p.Find("li.Box-row").Length(); n != 10 {
		t.Errorf("%d accounts begin with user-1", n)
	}
	b.Get("/site/accounts?query=user-99").Want(200, ".blankslate")
	b.Get("/site/accounts?query=%00%ff").Want(200, "h2")
	b.Get("/site/accounts?kind=organization").Want(200, `li:contains("acme")`).Without(`li:contains("alice")`)
	b.Get("/site/accounts/alice").Want(200, `dd a[href="/orgs/acme/people"]`)
	b.Get("/site/accounts/acme").Want(200, "h2").Without("input[name=password]")
	b.Get("/site/accounts/nobody").Want(404, "h1")
}

func TestWhatIsDoneToAnAccount(t *testing.T) {
	t.Parallel()
	s := world(t)
	b := s.SignedIn("root")
	find := func(login string) account.Account {
		t.Helper()
		a, err := s.App.Accounts.Get(t.Context(), login)
		must(t, err)
		return a
	}
	b.Post("/site/accounts/new", "login", "Nina", "name", `<i>canary"`, "password", "long enough").Want(200, ".flash-success")
	b.Post("/site/accounts/new", "login", "bare").Want(200, ".flash-success") // signs in by token alone
	b.Post("/site/accounts/new", "login", "nina").Want(409, "input[name=login][value=nina]")
	b.Post("/site/accounts/new", "login", "short", "password", "x").Want(400, ".flash-error")
	if p := b.Get("/site/accounts/nina"); strings.Contains(p.Body, "<i>canary") || strings.Contains(p.Body, `canary"`) {
		t.Error("a name came out as it went in")
	}
	b.Post("/site/accounts/nina/suspend").Want(200, `.Label--danger`)
	if !find("nina").Suspended {
		t.Error("nina is not suspended")
	}
	b.Post("/site/accounts/nina/unsuspend").Want(200, ".flash-success")
	b.Post("/site/accounts/nina/promote").Want(200, `form[action$=demote]`)
	b.Post("/site/accounts/nina/demote").Want(200, `form[action$=promote]`)
	if a := find("nina"); a.Suspended || a.SiteAdmin {
		t.Errorf("nina is %+v", a)
	}
	b.Post("/site/accounts/alice/password", "password", "short").Want(400, ".flash-error")
	b.Post("/site/accounts/alice/password", "password", "another long one").Want(200, ".flash-success")
	if p := s.Browser().Post("/login", "login", "alice", "password", "another long one", "return_to", "/"); strings.HasPrefix(p.Path, "/login") {
		t.Errorf("alice cannot sign in: %s", p.Text("main"))
	}
	b.Post("/site/accounts/nina/rename", "login", "Ninette", "confirm", "nina").Want(200, `h2:contains("Ninette")`)
	b.Post("/site/accounts/ninette/rename", "login", "alice", "confirm", "ninette").Want(409, "details[open] input[value=alice]")
	b.Post("/site/accounts/ninette/delete", "confirm", "nina").Want(400, ".flash-error")
	b.Post("/site/accounts/ninette/delete", "confirm", "ninette").Want(200, ".flash-success").Without(`li:contains("Ninette")`)
	b.Post("/site/accounts/root/delete", "confirm", "root").Want(403, ".flash-error")
	b.Post("/site/accounts/root/suspend").Want(403, ".flash-error")
	b.Post("/site/accounts/root/demote").Want(409, ".flash-error")  // the last administrator
	b.Post("/site/accounts/alice/unlink").Want(404, ".flash-error") // no provider
	b.Post("/site/accounts/alice/frob").Want(404, "h1")
	b.Get("/site/audit-log?actor=root&action=user.password").Want(200, `tbody tr:contains("alice")`)
}

func TestRegistriesOfTheSite(t *testing.T) {
	t.Parallel()
	s := world(t)
	b := s.SignedIn("root")
	b.Get("/site/registries").Want(200, "input[name=container][value=enabled][checked]").Want(200, "input[name=guard][value='5000']")
	b.Post("/site/registries", "container", "read-only", "docker", "disabled", "sign_up", "1", "keep_public", "1", "guard", "10").
		Want(200, ".flash-success").Want(200, "input[name=docker][value=disabled][checked]").Want(200, "input[name=sign_up][checked]")
	got, err := s.App.Accounts.Site(t.Context())
	must(t, err)
	want := account.Site{Container: access.ReadOnly, Docker: access.Disabled, SignUp: true, KeepPublic: true, DownloadGuard: 10}
	if got != want {
		t.Errorf("the site is %+v, want %+v", got, want)
	}
	b.Post("/site/registries", "container", "odd", "docker", "disabled", "guard", "10").Want(400, ".flash-error")
	b.Post("/site/registries", "container", "enabled", "docker", "enabled", "guard", "many").Want(400, "input[name=guard][value=many]")
	if after, err := s.App.Accounts.Site(t.Context()); err != nil || after != want {
		t.Errorf("a form that failed changed %+v: %v", after, err)
	}
}

func TestAuditLogOfTheSite(t *testing.T) {
	t.Parallel()
	s := world(t)
	for i := range 1010 {
		name := fmt.Sprint("<i>canary", i)
		must(t, s.App.Accounts.SetProfile(t.Context(), "mallory", "mallory", account.Profile{Name: &name}))
	}
	b := s.SignedIn("root")
	p := b.Get("/site/audit-log?actor=mallory").Want(200, "a[rel=next]")
	if n := p.Find("tbody tr").Length(); n != 50 {
		t.Errorf("%d entries", n)
	}
	export, _ := p.Find("a[download]").Attr("href")
	answer := b.Get(export)
	lines := strings.Split(strings.TrimSpace(answer.Body), "\n")
	if answer.Status != 200 || len(lines) != 1010 || answer.Header.Get("Content-Disposition") == "" {
		t.Fatalf("status %d, %d lines", answer.Status, len(lines))
	}
	last := int64(1 << 62)
	for _, text := range lines {
		var line struct {
			ID                    int64
			Actor, Action, Target string
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil || line.Actor != "mallory" || line.Action != "account.profile" || line.ID >= last {
			t.Fatalf("%s: %v", text, err)
		}
		last = line.ID
	}
}
