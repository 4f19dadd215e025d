package account_test

import (
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

const op = audit.Operator

// organized returns a fixture with ann, who owns acme, and bob.
func organized(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.user(t, "ann", "the password of ann")
	f.user(t, "bob", "the password of bob")
	if _, err := f.CreateOrganization(t.Context(), op, "Acme", "ann"); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAnOldLoginSignsIn(t *testing.T) {
	t.Parallel()
	f, ctx := organized(t), t.Context()
	if err := f.Rename(ctx, op, "Bob", "Bill"); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{"bob", "BILL"} {
		who, err := f.SignIn(ctx, login, "the password of bob", freely)
		if err != nil || who.Login != "bill" {
			t.Errorf("%s signs in as %+v, %v", login, who, err)
		}
	}
	if a, err := f.Get(ctx, "bob"); a.DisplayLogin != "Bill" || err != nil {
		t.Errorf("bob is shown as %+v, %v", a, err)
	}
	for login, kind := range map[string]errs.Kind{"v2": errs.Invalid, "a b": errs.Invalid, "ann": errs.Exists, "acme": errs.Exists} {
		if err := f.Rename(ctx, op, "bob", login); !errs.Is(err, kind) {
			t.Errorf("renaming to %s: %v", login, err)
		}
	}
}

// SEC-063: a deleted account has no way in, and nobody gets its name.
func TestSEC063_ADeletedUserDoesNotSignIn(t *testing.T) {
	t.Parallel()
	f, ctx := organized(t), t.Context()
	if _, err := f.SignIn(ctx, "bob", "the password of bob", freely); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(ctx, op, "bob", account.Organization); !errs.Is(err, errs.NotFound) {
		t.Errorf("a user deleted as an organization: %v", err)
	}
	if err := f.Delete(ctx, op, "bob", "robot"); !errs.Is(err, errs.Invalid) {
		t.Errorf("a robot: %v", err)
	}
	if err := f.Delete(ctx, op, "bob", account.User); err != nil {
		t.Fatal(err)
	}
	if who, err := f.SignIn(ctx, "bob", "the password of bob", freely); !errs.Is(err, errs.Unauthenticated) {
		t.Errorf("a deleted user signs in as %+v, %v", who, err)
	}
	if _, err := f.CreateUser(ctx, op, account.NewUser{Login: "bob"}); !errs.Is(err, errs.Exists) {
		t.Errorf("the login again: %v", err)
	}
}

func TestSettingsThatThereAreNot(t *testing.T) {
	t.Parallel()
	f, ctx := organized(t), t.Context()
	role, wrongRole := access.RepositoryWrite, access.RepositoryAdmin+1
	set, wrongSet := access.SetPublic, access.SetAll+1
	internal, wrong, yes := access.Internal, access.Visibility("secret"), true
	for what, c := range map[string]struct {
		login  string
		change account.SettingsChange
		ok     bool
	}{
		"a role":                     {"acme", account.SettingsChange{BaseRole: &role}, true},
		"no such role":               {"acme", account.SettingsChange{BaseRole: &wrongRole}, false},
		"a user's base role":         {"ann", account.SettingsChange{BaseRole: &role}, false},
		"visibilities":               {"acme", account.SettingsChange{MembersCreate: &set}, true},
		"no such visibilities":       {"acme", account.SettingsChange{MembersCreate: &wrongSet}, false},
		"a user's members":           {"ann", account.SettingsChange{MembersCreate: &set}, false},
		"internal by default":        {"acme", account.SettingsChange{DefaultVisibility: &internal}, true},
		"a user's internal packages": {"ann", account.SettingsChange{DefaultVisibility: &internal}, false},
		"no such visibility":         {"acme", account.SettingsChange{DefaultVisibility: &wrong}, false},
		"a user's inheritance":       {"ann", account.SettingsChange{InheritDefault: &yes}, true},
		"single sign-on":             {"acme", account.SettingsChange{RequireSSO: &yes}, true},
		"a user's single sign-on":    {"ann", account.SettingsChange{RequireSSO: &yes}, false},
	} {
		err := f.ChangeSettings(ctx, op, c.login, c.change)
		if c.ok != (err == nil) || !c.ok && !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	a, err := f.Get(ctx, "acme")
	want := account.Settings{BaseRole: role, MembersCreate: set, InheritDefault: true, DefaultVisibility: internal, RequireSSO: true}
	if a.Settings != want || err != nil {
		t.Errorf("settings are %+v, %v", a.Settings, err)
	}
}

func TestRepositoriesFollowTheirOwners(t *testing.T) {
	t.Parallel()
	f, ctx := organized(t), t.Context()
	r, err := f.CreateRepository(ctx, op, "Acme/App", access.Internal)
	if err != nil || r.Name.String() != "acme/app" {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := f.Rename(ctx, op, "acme", "acme-inc"); err != nil {
		t.Fatal(err)
	}
	if r, err := f.CreateRepository(ctx, op, "acme/other", access.Public); err != nil || r.Name.String() != "acme-inc/other" {
		t.Errorf("under the old login: %+v, %v", r, err)
	}
	if _, err := f.TransferRepository(ctx, op, "acme/app", "acme-inc"); !errs.Is(err, errs.Conflict) {
		t.Errorf("to its owner: %v", err)
	}
	if _, err := f.RenameRepository(ctx, op, "acme/app", "a/b"); !errs.Is(err, errs.Invalid) {
		t.Errorf("into another namespace by renaming: %v", err)
	}
	moved, err := f.TransferRepository(ctx, op, "acme/app", "bob")
	if err != nil || moved.Name.String() != "bob/app" || moved.Visibility != access.Private {
		t.Errorf("a user's is %+v, %v", moved, err)
	}
	if got, err := f.Repository(ctx, "ACME/App"); got != moved || err != nil {
		t.Errorf("the first name leads to %+v, %v", got, err)
	}
	if err := f.SetRepositoryVisibility(ctx, op, "acme/app", access.Internal); !errs.Is(err, errs.Invalid) {
		t.Errorf("a user's internal one: %v", err)
	}
	list, err := f.Repositories(ctx, "acme")
	if err != nil || len(list) != 1 || list[0].Name.String() != "acme-inc/other" {
		t.Errorf("left are %v, %v", list, err)
	}
}

func TestOnlyAnOrganizationHasTeams(t *testing.T) {
	t.Parallel()
	f, ctx := organized(t), t.Context()
	if _, err := f.CreateRepository(ctx, op, "bob/app", access.Private); err != nil {
		t.Fatal(err)
	}
	grant := account.RepositoryGrant{Team: "devs", Role: access.RepositoryRead}
	for what, err := range map[string]error{
		"a user's team":       second(f.CreateTeam(ctx, op, "bob", account.NewTeam{Slug: "devs"})),
		"a user's teams":      second(f.Teams(ctx, "bob")),
		"a team's role there": f.GrantRepository(ctx, op, "bob/app", grant),
		"an unknown team":     second(f.Team(ctx, "acme", "devs")),
		"no team's name":      second(f.Team(ctx, "acme", "a b")),
	} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := f.CreateTeam(ctx, op, "acme", account.NewTeam{Slug: "a b"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a bad name: %v", err)
	}
}

func TestSwitchesOfTheServer(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	want := account.Site{Container: access.Enabled, Docker: access.Enabled, DownloadGuard: 5000}
	if site, err := f.Site(ctx); site != want || err != nil {
		t.Errorf("at first: %+v, %v", site, err)
	}
	if err := f.SetRegistry(ctx, op, access.Docker, access.ReadOnly); err != nil {
		t.Fatal(err)
	}
	if err := f.SetSignUp(ctx, op, true); err != nil {
		t.Fatal(err)
	}
	if err := f.SetDownloadGuard(ctx, op, 7); err != nil {
		t.Fatal(err)
	}
	want.Docker, want.SignUp, want.DownloadGuard = access.ReadOnly, true, 7
	if site, err := f.open(t, cheap).Site(ctx); site != want || err != nil {
		t.Errorf("as another process sees it: %+v, %v", site, err)
	}
	for what, err := range map[string]error{
		"no guard":    f.SetDownloadGuard(ctx, op, -1),
		"no mode":     f.SetRegistry(ctx, op, access.Docker, ""),
		"no registry": f.SetRegistry(ctx, op, "npm", access.Enabled),
	} {
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if site, err := f.Site(ctx); site != want || err != nil {
		t.Errorf("after refusals: %+v, %v", site, err)
	}
}
