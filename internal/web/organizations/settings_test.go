package organizations_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
)

// canary is what must never come out as it went in.
const canary = `<i>canary"'</i>`

func TestProfileOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := acme(t)
	b := s.SignedIn("olga")
	const at = "/organizations/acme/settings"
	p := b.Post(at+"/profile", "name", canary, "email", "all@acme.example", "description", canary).Want(200, ".flash-success")
	if strings.Contains(p.Body, "<i>canary") || strings.Contains(p.Body, `canary"`) {
		t.Error("a name came out as it went in")
	}
	b.Post(at+"/profile", "name", "Acme", "email", "nonsense").Want(400, ".flash-error").Want(400, "input[value=nonsense]")
	b.Post(at+"/rename", "login", "Initech", "confirm", "other").Want(400, ".flash-error").Want(400, "details[open] input[value=Initech]")
	b.Post(at+"/rename", "login", "eve", "confirm", "acme").Want(409, ".flash-error")
	if p := b.Post(at+"/rename", "login", "Initech", "confirm", "acme"); !strings.HasPrefix(p.Path, "/organizations/initech/settings/profile") {
		t.Errorf("the renamed organization is at %s", p.Path)
	}
	b.Get("/orgs/acme/people").Want(200, `h1:contains("Initech")`) // the old name leads there
	b.Post("/organizations/initech/settings/delete", "confirm", "acme").Want(400, ".flash-error")
	b.Post("/organizations/initech/settings/delete", "confirm", "initech")
	b.Get("/orgs/initech/people").Want(404, "h1")
}

func TestPackageSettingsOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := acme(t)
	b := s.SignedIn("olga")
	const at = "/organizations/acme/settings/packages"
	if p := b.Get("/organizations/acme/settings/member_privileges"); p.Path != at {
		t.Errorf("member privileges are at %s", p.Path)
	}
	p := b.Post(at, "private", "1", "visibility", "repository", "base_role", "write")
	p.Want(200, "input[name=private][checked]").Want(200, "option[value=repository][selected]").Want(200, "option[value=write][selected]")
	p.Without("input[name=public][checked]").Without("input[name=inherit][checked]")
	a, err := s.App.Accounts.Get(t.Context(), "acme")
	must(t, err)
	if set := a.Settings; set.MembersCreate != access.SetPrivate || set.InheritDefault || set.DefaultVisibility != access.AsRepository || set.BaseRole != access.RepositoryWrite {
		t.Errorf("the settings are %+v", set)
	}
	b.Post(at, "visibility", "odd", "base_role", "read").Want(400, ".flash-error")
	b.Post(at, "visibility", "private", "base_role", "odd").Want(400, "h1")
	b.Post(at+"/immutable_tags", "patterns", "v*\n1.2.?").Want(200, `textarea:contains("v*")`)
	b.Post(at+"/immutable_tags", "patterns", "v* /").Want(400, ".flash-error").Want(400, `textarea:contains("v* /")`)
	b.Get(at).Without("input[name=required]") // nobody to sign on at
	b.Post(at+"/single_sign_on", "required", "1").Want(412, ".flash-error")
	if a, err = s.App.Accounts.Get(t.Context(), "acme"); err != nil || a.Settings.RequireSSO {
		t.Errorf("single sign-on is required by one who did not come through it: %v", err)
	}
}

func TestDeletedPackagesOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := acme(t)
	s.Push("olga", "acme/deep/app:1")
	b := s.SignedIn("olga")
	const at = "/organizations/acme/settings/deleted_packages"
	b.Get(at).Want(200, ".blankslate")
	who := access.Principal{Operator: true}
	name, err := oci.ParseName("acme/deep/app")
	must(t, err)
	must(t, s.App.Packages.DeletePackage(t.Context(), who, access.Package{Type: access.Container, Name: name}))
	p := b.Get(at).Want(200, `li:contains("deep/app") form input[name=name][value="deep/app"]`)
	if text := p.Text("li"); !strings.Contains(text, "in 29 days") && !strings.Contains(text, "in 30 days") {
		t.Errorf("the time that is left is not said: %q", text)
	}
	b.Get(at+"?query=none").Want(200, ".blankslate")
	b.Post(at, "type", "container", "name", "deep/app").Want(200, ".flash-success").Want(200, ".blankslate")
	b.Post(at, "type", "container", "name", "deep/app").Want(404, ".flash-error")
	b.Post(at, "type", "container", "name", "../x").Want(404, "h1")
	_, err = s.App.Packages.Package(t.Context(), who, access.Package{Type: access.Container, Name: name})
	must(t, err)
}

func TestAuditLogOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := acme(t)
	_, err := s.App.Accounts.CreateTeam(t.Context(), audit.Operator, "acme", account.NewTeam{Slug: "core"})
	must(t, err)
	for i := range 60 {
		text := fmt.Sprint(canary, i)
		must(t, s.App.Accounts.SetProfile(t.Context(), "mia", "acme", account.Profile{Description: &text}))
	}
	b := s.SignedIn("olga")
	const at = "/organizations/acme/settings/audit-log"
	p := b.Get(at).Want(200, "tbody tr")
	next, _ := p.Find("a[rel=next]").Attr("href")
	rest := b.Get(next).Want(200, `code:contains("team.create")`).Want(200, "a[rel=first]")
	if n := p.Find("tbody tr").Length(); n != 50 || rest.Find("tbody tr").Length() < 10 {
		t.Errorf("pages of %d and %d", n, rest.Find("tbody tr").Length())
	}
	b.Get(at+"?action=team.create").Want(200, `tbody tr:contains("acme/core")`).Without(`code:contains("account.profile")`)
	b.Get(at+"?actor=mia").Want(200, `code:contains("account.profile")`).Without(`code:contains("team.create")`)
	b.Get(at+"?actor=mia").Want(200, `a[rel=next][href*="actor=mia"]`)
	b.Get(at+"?actor="+"%3Ci%3E").Want(200, ".blankslate").Without("i")
}
