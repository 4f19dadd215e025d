package packagesettings_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/downloads"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/webtest"
)

// The addresses of a package of an organization, and of one of a user.
const (
	acme = "/orgs/acme/packages/container/app"
	anns = "/users/ann/packages/container/app"
)

type site struct {
	*webtest.Site
	ann, bob *webtest.Browser
	who      access.Principal
}

// open starts a site: ann owns acme, of which bob is a member; there are the
// packages acme/app and ann/app, and the repositories acme/src and acme/other.
func open(t *testing.T) *site {
	t.Helper()
	s := &site{Site: webtest.New(t, nil)}
	a := s.User("ann")
	s.who = access.Principal{AccountID: a.ID, Login: "ann", Scopes: access.AllScopes}
	s.User("bob")
	s.User("eve")
	s.Organization("acme", "ann")
	ctx, accounts := s.Context(), s.App.Accounts
	s.check(accounts.SetMember(ctx, audit.Operator, "acme", "bob", access.Member))
	none := access.RepositoryRole(0)
	s.check(accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{BaseRole: &none}))
	_, err := accounts.CreateTeam(ctx, audit.Operator, "acme", account.NewTeam{Slug: "devs"})
	s.check(err)
	s.check(accounts.AddToTeam(ctx, audit.Operator, "acme", "devs", "bob"))
	for _, name := range []string{"acme/src", "acme/other"} {
		_, err := accounts.CreateRepository(ctx, audit.Operator, name, access.Private)
		s.check(err)
	}
	s.Push("ann", "acme/app:one")
	s.Push("ann", "ann/app:one")
	s.ann, s.bob = s.SignedIn("ann"), s.SignedIn("bob")
	return s
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) document(name string) packages.Document {
	s.Helper()
	n, err := oci.ParseName(name)
	s.check(err)
	d, err := s.App.Packages.Document(s.Context(), s.who, access.Package{Type: access.Container, Name: n})
	s.check(err)
	return d
}

// reads checks whether a browser may open the package's page of versions, which
// those who may not read cannot.
func (s *site) reads(b *webtest.Browser, want bool, when string) {
	s.Helper()
	if got := b.Get(acme+"/versions").Status == 200; got != want {
		s.Errorf("reads %s: %t, want %t", when, got, want)
	}
}

// Every form, to those who are not to see it.
func TestSettingsAreForAdmins(t *testing.T) {
	t.Parallel()
	s := open(t)
	forms := []string{
		"", "/repository", "/repository/disconnect", "/inheritance", "/access", "/access/change", "/actions", "/actions/change",
		"/readme", "/immutable", "/rename", "/transfer", "/visibility", "/delete",
	}
	before := s.document("acme/app")
	for _, public := range []bool{false, true} {
		if public {
			s.ann.Post(acme+"/settings/visibility", "visibility", "public", "confirm", "app")
		}
		for _, form := range forms {
			path := acme + "/settings" + form
			fields := []string{
				"repository", "acme/src", "inherits", "1", "who", "bob", "role", "admin", "kind", "user", "name", "bob",
				"patterns", "*", "to", "mine", "visibility", "private", "confirm", "app", "readme", "text",
			}
			for name, b := range map[string]*webtest.Browser{"a member": s.bob, "nobody": s.Browser()} {
				if p := b.Get(path); p.Find(".danger-zone, .js-typed").Length() > 0 {
					t.Errorf("%s is shown to %s", path, name)
				}
				if p := b.Post(path, fields...); p.Status == 200 && p.Find(".flash-success").Length() > 0 {
					t.Errorf("%s works for %s", path, name)
				}
			}
			if form != "" {
				if got := s.bob.Post(path, fields...); got.Status != 404 {
					t.Errorf("%s is %d to a member", path, got.Status)
				}
			}
		}
	}
	after := s.document("acme/app")
	after.Visibility = before.Visibility
	if len(after.Grants) != len(before.Grants) || after.Repository != before.Repository || len(after.Immutable) > 0 {
		t.Errorf("changed to %+v", after)
	}
	s.ann.Get(acme+"/settings").Want(200, ".danger-zone").Want(200, `datalist option[value="acme/devs"]`).
		Want(200, `datalist option[value=bob]`).Want(200, `#linkable option[value="acme/src"]`)
}

func TestGrantATeam(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.reads(s.bob, false, "before")
	s.ann.Post(acme+"/settings/access", "who", "acme/devs", "role", "read").Want(200, ".flash-success").Want(200, ".grant-row")
	s.reads(s.bob, true, "with the team's role")
	s.ann.Post(acme+"/settings/access/change", "kind", "team", "name", "acme/devs", "role", "write").Want(200, ".flash-success").
		Want(200, `.grant-row option[value=write][selected]`)
	s.ann.Post(acme+"/settings/access/change", "kind", "team", "name", "acme/devs", "role", "write", "do", "remove").Want(200, ".flash-success")
	s.reads(s.bob, false, "afterwards")
	s.ann.Post(acme+"/settings/access", "who", "@bob", "role", "admin").Want(200, ".flash-success")
	s.bob.Get(acme+"/settings").Want(200, ".danger-zone")

	for _, who := range []string{"nobody", "acme/none", "eve", "other/team"} {
		p := s.ann.Post(acme+"/settings/access", "who", who, "role", "read")
		if p.Status < 400 || p.Status == 404 || p.Find(".flash-error").Length() == 0 || p.Find(`#who[value="`+who+`"]`).Length() == 0 {
			t.Errorf("access for %s: %d %s", who, p.Status, p.Text(".flash"))
		}
		if text := p.Text(".flash-error"); who == "acme/none" && text != `There is no team "acme/none".` {
			t.Errorf("access for %s: %s", who, text)
		}
	}
	s.ann.Post(acme+"/settings/access", "who", "bob", "role", "all").Want(400, ".flash-error")
	// An admin who takes its own role away is led to where it may still be.
	if p := s.bob.Post(acme+"/settings/access/change", "kind", "user", "name", "bob", "do", "remove"); !strings.HasPrefix(p.Path, "/orgs/acme/packages?") {
		t.Errorf("led to %s", p.Path)
	}
}

func TestRepositoryAndInheritance(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := s.Context()
	s.check(s.App.Accounts.GrantRepository(ctx, audit.Operator, "acme/src", account.RepositoryGrant{User: "bob", Role: access.RepositoryRead}))
	s.ann.Post(acme+"/settings/repository", "repository", "acme/none").Want(400, `.flash-error`)
	s.ann.Post(acme+"/settings/repository", "repository", "acme/src").Want(200, ".flash-success")
	if d := s.document("acme/app"); d.Repository.String() != "acme/src" || d.Inherits {
		t.Fatalf("linked: %+v", d)
	}
	linked := "/acme/src/pkgs/container/app/settings"
	s.ann.Get(acme+"/settings").Want(200, `form[action="`+linked+`/repository/disconnect"]`).Want(200, `input[name=inherits]:not([checked])`)
	s.ann.Post(linked+"/access", "who", "acme/devs", "role", "write")
	p := s.ann.Get(linked+"/inheritance?inherits=1").Want(200, "tbody tr")
	if text := p.Text("tbody"); !strings.Contains(text, "acme/devsWriteLoses access") || !strings.Contains(text, "bobNoneRead") {
		t.Errorf("the preview says %q", text)
	}
	s.ann.Post(linked+"/inheritance", "inherits", "1").Want(200, ".flash-success").Want(200, `input[name=inherits][checked]`).
		Without(`form[action="`+linked+`/access"]`).Want(200, ".grant-row")
	s.ann.Post(linked+"/access", "who", "bob", "role", "write").Want(409, ".flash-error")
	s.reads(s.bob, true, "as the repository's reader")
	if text := s.ann.Get(linked + "/inheritance").Text("tbody"); !strings.Contains(text, "bobReadLoses access") {
		t.Errorf("the preview back says %q", text)
	}
	s.ann.Post(linked+"/inheritance").Want(200, ".flash-success")
	s.reads(s.bob, false, "without the inheritance")
	s.ann.Post(linked+"/repository/disconnect").Want(200, ".flash-success").Want(200, "#link")
}

// Who administers a package learns nothing of the people of its repository.
func TestThePreviewKeepsTheRepositorysPeople(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.check(s.App.Accounts.GrantRepository(s.Context(), audit.Operator, "acme/src", account.RepositoryGrant{User: "eve", Role: access.RepositoryRead}))
	s.ann.Post(acme+"/settings/repository", "repository", "acme/src").Want(200, ".flash-success")
	s.ann.Post("/acme/src/pkgs/container/app/settings/access", "who", "bob", "role", "admin").Want(200, ".flash-success")
	p := s.bob.Get(acme+"/settings/inheritance?inherits=1").Want(200, "tbody tr")
	if text := p.Text("tbody"); !strings.Contains(text, "bobAdminLoses access") || strings.Contains(text, "eve") {
		t.Errorf("the preview says %q", text)
	}
	if text := s.ann.Get("/acme/src/pkgs/container/app/settings/inheritance?inherits=1").Text("tbody"); !strings.Contains(text, "eveNoneRead") {
		t.Errorf("to the owner it says %q", text)
	}
}

func TestActionsAndCodespaces(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.ann.Post(acme+"/settings/actions", "repository", "acme/src", "role", "read", "codespaces", "1").Want(200, ".grant-row")
	s.ann.Post(acme+"/settings/actions", "repository", "acme/other", "role", "", "codespaces", "1").Want(200, ".grant-row")
	s.ann.Post(acme+"/settings/actions/change", "repository", "acme/src", "role", "write").Want(200, ".flash-success")
	if d := s.document("acme/app").Repositories; len(d) != 2 || d[1].Role != access.RoleWrite || d[1].Codespaces || !d[0].Codespaces || d[0].Role != "" {
		t.Errorf("repositories: %+v", d)
	}
	s.ann.Post(acme+"/settings/actions/change", "repository", "acme/other", "role", "").Want(200, ".flash-success")
	s.ann.Post(acme+"/settings/actions/change", "repository", "acme/src", "role", "write", "do", "remove").Want(200, ".flash-success")
	if d := s.document("acme/app").Repositories; len(d) != 0 {
		t.Errorf("left: %+v", d)
	}
	s.ann.Post(acme+"/settings/actions", "repository", "acme/src", "role", "").Want(400, `#actions-repository[value="acme/src"]`)
	s.ann.Post(acme+"/settings/actions", "repository", "acme/none", "role", "write", "codespaces", "1").Want(400, ".flash-error").
		Want(400, "#actions-role option[value=write][selected]").Want(400, `form[action$="/actions"] input[name=codespaces][checked]`)
}

func TestReadmeAndImmutableTags(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.ann.Post(acme+"/settings/readme", "readme", "# Hello").Want(200, ".flash-success")
	if text := s.ann.Get(acme + "/settings").Text("#readme-text"); text != "# Hello" {
		t.Errorf("the readme is %q", text)
	}
	s.ann.Post(acme+"/settings/immutable", "patterns", " v*\r\n\r\n1.?\n").Want(200, ".flash-success")
	if d := s.document("acme/app").Immutable; len(d) != 2 || d[1].String() != "1.?" {
		t.Errorf("patterns: %v", d)
	}
	if text := s.ann.Post(acme+"/settings/immutable", "patterns", "[").Want(400, ".flash-error").Text("#patterns"); text != "[" {
		t.Errorf("typed text became %q", text)
	}
	s.ann.Post(acme+"/settings/immutable").Want(200, ".flash-success")
	if d := s.document("acme/app").Immutable; len(d) != 0 {
		t.Errorf("patterns: %v", d)
	}
}

// Complaint 19: everything on the page is also one document for the API.
func TestComplaint19SettingsAsAFile(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.ann.Post(acme+"/settings/access", "who", "acme/devs", "role", "read")
	s.ann.Post(acme+"/settings/actions", "repository", "acme/src", "role", "write")
	var commands []string
	s.ann.Get(acme + "/settings").Find(`section[aria-labelledby=file] pre`).Each(func(_ int, pre *goquery.Selection) {
		commands = append(commands, pre.Text())
	})
	if len(commands) != 2 {
		t.Fatalf("commands: %q", commands)
	}
	var d map[string]any
	if err := json.Unmarshal([]byte(commands[0]), &d); err != nil {
		t.Fatalf("%v in %s", err, commands[0])
	}
	if d["visibility"] != "private" || !strings.Contains(commands[0], `"acme/devs"`) || !strings.Contains(commands[0], `"acme/src"`) {
		t.Errorf("the file is %s", commands[0])
	}
	if !strings.HasSuffix(commands[1], "/api/v3/orgs/acme/packages/container/app/settings") {
		t.Errorf("to be sent to %s", commands[1])
	}
}

func TestMakePublic(t *testing.T) {
	t.Parallel()
	s := open(t)
	path := acme + "/settings/visibility"
	s.ann.Get(path).Want(200, "input[value=public]:not([disabled])").Want(200, "input[value=private][disabled]").Want(200, "input[value=internal]")
	s.ann.Get(anns+"/settings/visibility").Want(200, "input[value=public]").Without("input[value=internal]")
	s.reads(s.Browser(), false, "while private")
	s.ann.Post(path, "visibility", "public", "confirm", "wrong").Want(400, ".flash-error").Want(400, "input[value=public][checked]")
	s.ann.Post(path, "visibility", "open", "confirm", "app").Want(400, ".flash-error")
	s.ann.Post(path, "visibility", "public", "confirm", "app").Want(200, ".flash-success")
	s.reads(s.Browser(), true, "when public")
	s.ann.Post(path, "visibility", "private", "confirm", "app").Want(200, ".flash-success")
	s.reads(s.Browser(), false, "when private again")
}

func TestRenameAndTransfer(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.ann.Post(acme+"/settings/rename", "to", "tool", "confirm", "tool").Want(400, `#to[value=tool]`)
	p := s.ann.Post(acme+"/settings/rename", "to", "tool", "confirm", "app").Want(200, ".flash-success")
	if !strings.HasPrefix(p.Path, "/orgs/acme/packages/container/tool/settings?") {
		t.Errorf("led to %s", p.Path)
	}
	if got := s.ann.Get(acme + "/settings").Path; got != "/orgs/acme/packages/container/tool/settings" {
		t.Errorf("the old address leads to %s", got)
	}
	at := "/orgs/acme/packages/container/tool/settings/transfer"
	s.ann.Get(at).Want(200, "option[value=ann]").Without("option[value=acme]")
	s.ann.Post(at, "to", "nobody", "confirm", "tool").Want(400, ".flash-error")
	if got := s.ann.Post(at, "to", "bob", "confirm", "tool"); got.Status != 403 || got.Find(".flash-error").Length() == 0 {
		t.Errorf("a transfer to another is %d", got.Status)
	}
	if p := s.ann.Post(at, "to", "ann", "confirm", "tool"); !strings.HasPrefix(p.Path, "/users/ann/packages/container/tool/settings?") {
		t.Errorf("led to %s", p.Path)
	}
}

func TestDeleteThePackage(t *testing.T) {
	t.Parallel()
	s := open(t)
	path := acme + "/settings/delete"
	s.ann.Get(path).Want(200, "input[name=confirm]")
	s.ann.Post(path, "confirm", "acme").Want(400, ".flash-error")
	if p := s.ann.Post(path, "confirm", "app"); p.Path != "/organizations/acme/settings/deleted_packages?done=package-deleted" {
		t.Errorf("led to %s", p.Path)
	}
	s.reads(s.ann, false, "when deleted")
	n, err := oci.ParseName("acme/app")
	s.check(err)
	s.check(s.App.Packages.RestorePackage(s.Context(), s.who, access.Package{Type: access.Container, Name: n}))
	s.reads(s.ann, true, "when restored")
	if p := s.ann.Post(anns+"/settings/delete", "confirm", "app"); p.Path != "/settings/deleted_packages?done=package-deleted" {
		t.Errorf("led to %s", p.Path)
	}

	// What holds a tag for good holds its package.
	s.ann.Post(acme+"/settings/immutable", "patterns", "*")
	s.ann.Post(path, "confirm", "app").Want(409, ".flash-error")
}

// Complaint 15: what cannot be deleted says for which count, and who can.
func TestComplaint15TheGuardOfDownloadsIsNamed(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.check(s.App.Accounts.SetDownloadGuard(s.Context(), audit.Operator, 10))
	n, err := oci.ParseName("acme/app")
	s.check(err)
	ref := access.Package{Type: access.Container, Name: n}
	page, err := s.App.Packages.Browse(s.Context(), s.who, ref, packages.Browse{})
	s.check(err)
	v := page.Versions[0]
	s.check(s.App.Store.AddDownloads(s.Context(), []downloads.Count{{PackageID: v.PackageID, VersionID: v.ID, Tag: "one", Day: 20_000, N: 11}}))
	path := acme + "/settings/delete"
	s.ann.Post(acme+"/settings/visibility", "visibility", "public", "confirm", "app")
	text := s.ann.Post(path, "confirm", "app").Want(400, ".flash-error").Text(".flash-error, ul")
	for _, want := range []string{"more than 10 downloads", "administrator of this server", "downloaded 11 times"} {
		if !strings.Contains(text, want) {
			t.Errorf("the refusal says %q, not %q", text, want)
		}
	}
	s.ann.Post(acme+"/settings/visibility", "visibility", "private", "confirm", "app")
	if p := s.ann.Post(path, "confirm", "app"); p.Status == 400 {
		t.Error("a private package is guarded, too")
	}
}

func TestADockerPackageFollowsItsRepository(t *testing.T) {
	t.Parallel()
	s := &site{Site: webtest.New(t, func(c *config.Config) { c.BareHost = config.BareDocker })}
	s.User("ann")
	_, err := s.App.Accounts.CreateRepository(s.Context(), audit.Operator, "ann/src", access.Private)
	s.check(err)
	s.Push("ann", "ann/src/app:one")
	b := s.SignedIn("ann")
	at := "/ann/src/pkgs/docker/app/settings"
	b.Get(at).Want(200, ".danger-zone").Want(200, `a[href="/ann/src/settings/access"]`).Without(`form[action$="/settings/access"]`).Without(`a[href="`+at+`/visibility"]`).
		Without(`form[action$="/settings/repository"]`).Want(200, `a[href="`+at+`/delete"]`)
	for _, form := range []string{"visibility", "rename", "transfer"} {
		b.Post(at+"/"+form, "visibility", "public", "to", "other", "confirm", "src/app").Want(405, ".flash-error")
	}
	b.Post(at+"/immutable", "patterns", "v*").Want(200, ".flash-success")
	b.Get("/ann/src/pkgs/docker/app/versions").Want(200, ".version-row")
}

func TestSettingsInAllLanguages(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.ann.Post(acme+"/settings/repository", "repository", "acme/src")
	linked := "/acme/src/pkgs/container/app/settings"
	for language, want := range map[string]string{"en": "Danger zone", "de": "Gefahrenzone", "fr": "Zone de danger", "zh-CN": "危险区域"} {
		s.ann.Language = language
		if text := s.ann.Get(linked).Want(200, "#danger").Text("#danger"); text != want {
			t.Errorf("%s: %q", language, text)
		}
		for _, page := range []string{"/inheritance?inherits=1", "/rename", "/transfer", "/visibility", "/delete"} {
			s.ann.Get(linked+page).Want(200, "h2.Subhead-heading")
		}
	}
}
