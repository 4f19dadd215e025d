package organizations_test

import (
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
)

func TestTeamsOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := acme(t)
	b := s.SignedIn("olga")
	b.Get("/orgs/acme/teams").Want(200, ".blankslate")
	if p := b.Post("/orgs/acme/teams", "name", "Core Platform", "description", "They build it"); !strings.HasPrefix(p.Path, "/orgs/acme/teams/core-platform") {
		t.Fatalf("a new team is at %s", p.Path)
	}
	b.Get("/orgs/acme/teams?parent=core-platform").Want(200, "details[open] option[value=core-platform][selected]")
	b.Post("/orgs/acme/teams", "name", "Night", "parent", "core-platform").Want(200, "h2")
	b.Post("/orgs/acme/teams", "name", "Deep night", "parent", "night").Want(200, "h2")
	b.Get("/orgs/acme/teams").Want(200, `li.team-0:contains("They build it")`).Want(200, `li.team-1:contains("Night")`).Want(200, `li.team-2:contains("Deep night")`)
	b.Get("/orgs/acme/teams?query=deep").Want(200, `li:contains("Deep night")`).Without(`li:contains("build")`)
	b.Get("/orgs/acme/teams/core-platform").Want(200, `li a[href="/orgs/acme/teams/night"]`)
	b.Post("/orgs/acme/teams", "name", "night").Want(409, ".flash-error").Want(409, "details[open] input[value=night]")
	b.Post("/orgs/acme/teams", "name", "???").Want(400, ".flash-error")

	settings := b.Get("/orgs/acme/teams/core-platform/settings").Want(200, "input[name=name][value='Core Platform']")
	settings.Without("option[value=night]").Without("option[value=deep-night]") // below itself
	b.Post("/orgs/acme/teams/core-platform/settings", "name", "Core Platform", "parent", "night").Want(409, ".flash-error")
	b.Post("/orgs/acme/teams/night/settings", "name", "Late", "description", "New").Want(200, ".flash-success").Want(200, "input[name=name][value=Late]")
	b.Get("/orgs/acme/teams").Want(200, `li.team-0 a[href="/orgs/acme/teams/late"]`)
	b.Post("/orgs/acme/teams/late/delete", "confirm", "night").Want(400, ".flash-error")
	b.Post("/orgs/acme/teams/late/delete", "confirm", "late").Want(200, ".flash-success").Without(`a[href="/orgs/acme/teams/late"]`)
}

func TestWhoIsInATeam(t *testing.T) {
	t.Parallel()
	s := acme(t)
	_, err := s.App.Accounts.CreateTeam(t.Context(), audit.Operator, "acme", account.NewTeam{Slug: "core"})
	must(t, err)
	_, err = s.App.Accounts.CreateTeam(t.Context(), audit.Operator, "acme", account.NewTeam{Slug: "theirs", Group: "staff"})
	must(t, err)
	b := s.SignedIn("olga")
	b.Get("/orgs/acme/teams/core").Want(200, "datalist option[value=mia]")
	b.Post("/orgs/acme/teams/core/members", "login", "mia").Want(200, `li:contains("mia")`).Without("datalist option[value=mia]")
	b.Post("/orgs/acme/teams/core/members", "login", "eve").Want(409, ".flash-error").Want(409, "input[name=login][value=eve]") // no member
	s.SignedIn("mia").Get("/orgs/acme/teams/core").Want(200, `li:contains("mia")`).Without("main form[method=post]")
	b.Post("/orgs/acme/teams/core/members/remove", "login", "mia").Want(200, ".flash-success").Without(`li:contains("mia")`)
	b.Get("/orgs/acme/teams/theirs").Want(200, `.flash:contains("staff")`).Without("form[action$=members]")
	b.Post("/orgs/acme/teams/theirs/members", "login", "mia").Want(409, ".flash-error")
	b.Get("/orgs/acme/teams/none").Want(404, "h1")
}

func TestRolesOfATeamOnRepositories(t *testing.T) {
	t.Parallel()
	s := acme(t)
	ctx, accounts := t.Context(), s.App.Accounts
	_, err := accounts.CreateTeam(ctx, audit.Operator, "acme", account.NewTeam{Slug: "core"})
	must(t, err)
	s.Organization("other", "eve")
	var none access.RepositoryRole
	must(t, accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{BaseRole: &none}))
	for _, name := range []string{"acme/app", "other/app", "acme/moved"} {
		_, err := accounts.CreateRepository(ctx, audit.Operator, name, access.Private)
		must(t, err)
	}
	b := s.SignedIn("olga")
	b.Post("/orgs/acme/teams/core/repositories", "repository", "APP", "role", "write").Want(200, `li:contains("acme/app") option[value=write][selected]`)
	b.Post("/orgs/acme/teams/core/repositories", "repository", "acme/app", "role", "triage").Want(200, `option[value=triage][selected]`)
	b.Post("/orgs/acme/teams/core/repositories", "repository", "other/app", "role", "admin").Want(400, ".flash-error")
	b.Post("/orgs/acme/teams/core/repositories", "repository", "none", "role", "admin").Want(404, ".flash-error")
	b.Post("/orgs/acme/teams/core/repositories", "repository", "app", "role", "king").Want(400, ".flash-error")
	s.SignedIn("mia").Get("/orgs/acme/teams/core").Want(200, "h3").Without(`li:contains("acme/app")`) // it has no role there
	_, err = accounts.TransferRepository(ctx, audit.Operator, "acme/moved", "other")
	must(t, err)
	b.Post("/orgs/acme/teams/core/repositories", "repository", "moved", "role", "admin").Want(404, ".flash-error")
	b.Post("/orgs/acme/teams/core/repositories/remove", "repository", "acme/app").Want(200, ".flash-success").Without(`li:contains("acme/app")`)
}
