package store_test

import (
	"context"
	"sync"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// world is a store with the users ann, bob and carl, and the organization
// acme, which ann owns.
type world struct {
	*store.Store
	db                   *database.DB
	ann, bob, carl, acme int64
}

// onBothWorlds runs a test on a new world of either engine.
func onBothWorlds(t *testing.T, run func(t *testing.T, d *world)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) {
		if err := store.Migrate(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		d := &world{Store: store.New(db), db: db}
		d.ann, d.bob, d.carl = addUser(t, d.Store, "ann"), addUser(t, d.Store, "bob"), addUser(t, d.Store, "carl")
		d.acme = addOrganization(t, d.Store, "acme", d.ann)
		run(t, d)
	})
}

func addOrganization(t *testing.T, s *store.Store, login string, owner int64) int64 {
	t.Helper()
	id, err := s.CreateOrganization(t.Context(), organization(login), owner, entry("org.create"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (d *world) join(t *testing.T, organization, user int64) {
	t.Helper()
	if err := d.SetMember(t.Context(), organization, user, access.Member, entry("member.set")); err != nil {
		t.Fatal(err)
	}
}

func (d *world) team(t *testing.T, team account.Team) account.Team {
	t.Helper()
	var err error
	if team.ID, err = d.CreateTeam(t.Context(), team, entry("team.create")); err != nil {
		t.Fatal(err)
	}
	return team
}

func (d *world) repository(t *testing.T, ownerID int64, name string, v access.Visibility) account.Repository {
	t.Helper()
	r := account.Repository{OwnerID: ownerID, Name: named(t, name), Visibility: v}
	var err error
	if r.ID, err = d.CreateRepository(t.Context(), r, entry("repository.create")); err != nil {
		t.Fatal(err)
	}
	if r, err = d.RepositoryByName(t.Context(), r.Name); err != nil {
		t.Fatal(err)
	}
	return r
}

func named(t *testing.T, name string) oci.Name {
	t.Helper()
	n, err := oci.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// exec changes rows directly.
func (d *world) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	err := d.db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// number returns the one number that a query gives.
func (d *world) number(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	if err := d.db.Read().QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// pkg adds a package with its name and returns its id; a repository of zero is none.
func (d *world) pkg(t *testing.T, ownerID int64, kind, name string, repository int64) int64 {
	t.Helper()
	var repositoryID any
	if repository != 0 {
		repositoryID = repository
	}
	d.exec(t, `INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by, repository_id, linked_by, inherits)
		VALUES (?, ?, ?, 'private', 0, 0, ?, 'workflow', 1)`, ownerID, kind, name, repositoryID)
	id := d.number(t, `SELECT id FROM packages WHERE owner_id = ? AND type = ? AND name = ?`, ownerID, kind, name)
	d.exec(t, `INSERT INTO package_names (owner_id, name, type, package_id) VALUES (?, ?, ?, ?)`, ownerID, name, kind, id)
	return id
}

func TestALoginOnceHadLeadsToItsAccountForEver(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		if err := d.RenameAccount(ctx, d.bob, "bill", "Bill", entry("account.rename")); err != nil {
			t.Fatal(err)
		}
		for _, login := range []string{"bob", "bill"} {
			a, err := d.AccountByLogin(ctx, login)
			if err != nil || a.ID != d.bob || a.Login != "bill" || a.DisplayLogin != "Bill" {
				t.Errorf("%s leads to %+v, %v", login, a, err)
			}
			if _, err := d.CreateUser(ctx, account.Account{Login: login, Kind: account.User}, entry("user.create")); !errs.Is(err, errs.Exists) {
				t.Errorf("another user %s: %v", login, err)
			}
			if err := d.RenameAccount(ctx, d.ann, login, login, entry("account.rename")); !errs.Is(err, errs.Exists) {
				t.Errorf("renaming another to %s: %v", login, err)
			}
		}
		if err := d.RenameAccount(ctx, d.bob, "bob", "bob", entry("account.rename")); err != nil {
			t.Errorf("renaming back: %v", err)
		}
		if a, _ := d.AccountByLogin(ctx, "bill"); a.Login != "bob" || a.ID != d.bob {
			t.Errorf("the login in between leads to %+v", a)
		}
		if a, _ := d.AccountByLogin(ctx, "ann"); a.ID != d.ann {
			t.Errorf("a rename that failed changed %+v", a)
		}
	})
}

func TestSettingsChangeOneByOne(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		want := account.DefaultSettings()
		role, set, no, v, yes := access.RepositoryMaintain, access.SetInternal, false, access.AsRepository, true
		for _, step := range []struct {
			c     account.SettingsChange
			apply func()
		}{
			{account.SettingsChange{}, func() {}},
			{account.SettingsChange{BaseRole: &role}, func() { want.BaseRole = role }},
			{account.SettingsChange{MembersCreate: &set}, func() { want.MembersCreate = set }},
			{account.SettingsChange{InheritDefault: &no}, func() { want.InheritDefault = no }},
			{account.SettingsChange{DefaultVisibility: &v}, func() { want.DefaultVisibility = v }},
			{account.SettingsChange{RequireSSO: &yes}, func() { want.RequireSSO = yes }},
		} {
			if err := d.SetSettings(t.Context(), d.acme, step.c, entry("account.settings")); err != nil {
				t.Fatal(err)
			}
			step.apply()
			if a, err := d.AccountByLogin(t.Context(), "acme"); a.Settings != want || err != nil {
				t.Errorf("settings are %+v, want %+v; %v", a.Settings, want, err)
			}
		}
		if a, _ := d.AccountByLogin(t.Context(), "ann"); a.Settings != account.DefaultSettings() {
			t.Errorf("another account's settings changed: %+v", a.Settings)
		}
	})
}

func TestADeletedUserIsGoneForGood(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		if err := d.DeleteAccount(ctx, d.ann, entry("user.delete")); !errs.Is(err, errs.Conflict) {
			t.Fatalf("deleting the last owner of acme: %v", err)
		}
		d.join(t, d.acme, d.bob)
		team := d.team(t, account.Team{OrganizationID: d.acme, Slug: "devs"})
		if err := d.SetTeamMember(ctx, team, d.bob, true, entry("team.add")); err != nil {
			t.Fatal(err)
		}
		app := d.repository(t, d.acme, "acme/app", access.Private)
		if err := d.SetRepositoryGrant(ctx, app, d.bob, access.RepositoryAdmin, entry("repository.grant")); err != nil {
			t.Fatal(err)
		}
		d.exec(t, `INSERT INTO package_grants (package_id, account_id, role) VALUES (?, ?, 'admin')`, d.pkg(t, d.acme, "container", "tool", 0), d.bob)
		own := d.repository(t, d.bob, "bob/own", access.Private)
		d.pkg(t, d.bob, "container", "thing", own.ID)
		d.exec(t, `INSERT INTO tokens (account_id, kind, note, secret_hash, scopes, created_at) VALUES (?, 'personal', '', 'h', 1, 0)`, d.bob)
		d.exec(t, `INSERT INTO web_sessions (id_hash, account_id, issuer, address, agent, created_at, last_seen_at, expires_at)
			VALUES ('s', ?, '', '', '', 0, 0, 0)`, d.bob)
		d.exec(t, `INSERT INTO trust_rules (owner_id, issuer, audience, claims, actions, created_at, created_by) VALUES (?, 'i', 'a', '{}', 1, 0, 0)`, d.bob)

		if err := d.DeleteAccount(ctx, d.bob, entry("user.delete")); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]int64{
			`SELECT COUNT(*) FROM memberships WHERE user_id = ?`:                                                   0,
			`SELECT COUNT(*) FROM team_members WHERE user_id = ?`:                                                  0,
			`SELECT COUNT(*) FROM team_reach WHERE user_id = ?`:                                                    0,
			`SELECT COUNT(*) FROM repository_grants WHERE account_id = ?`:                                          0,
			`SELECT COUNT(*) FROM package_grants WHERE account_id = ?`:                                             0,
			`SELECT COUNT(*) FROM web_sessions WHERE account_id = ?`:                                               0,
			`SELECT COUNT(*) FROM trust_rules WHERE owner_id = ?`:                                                  0,
			`SELECT COUNT(*) FROM tokens WHERE account_id = ? AND revoked_at IS NULL`:                              0,
			`SELECT COUNT(*) FROM packages WHERE owner_id = ? AND deleted_at IS NULL`:                              0,
			`SELECT COUNT(*) FROM repositories WHERE owner_id = ? AND deleted_at IS NULL`:                          0,
			`SELECT COUNT(*) FROM packages WHERE owner_id <> ? AND deleted_at IS NULL`:                             1,
			`SELECT COUNT(*) FROM accounts WHERE id = ? AND deleted_at IS NOT NULL AND suspended_at IS NOT NULL`:   1,
			`SELECT COUNT(*) FROM accounts WHERE id <> ? AND (deleted_at IS NOT NULL OR suspended_at IS NOT NULL)`: 0,
			`SELECT COUNT(*) FROM accounts WHERE id = ? AND (password_hash <> '' OR site_admin = 1)`:               0,
			`SELECT COUNT(*) FROM logins WHERE account_id = ?`:                                                     1,
		} {
			if got := d.number(t, query, d.bob); got != want {
				t.Errorf("%s: %d, want %d", query, got, want)
			}
		}
		for what, err := range map[string]error{
			"finding it":   second(d.AccountByLogin(ctx, "bob")),
			"deleting it":  d.DeleteAccount(ctx, d.bob, entry("user.delete")),
			"renaming it":  d.RenameAccount(ctx, d.bob, "bill", "bill", entry("account.rename")),
			"a password":   d.SetPassword(ctx, d.bob, "", "new", entry("user.password")),
			"unsuspending": d.SetSuspended(ctx, d.bob, false, entry("account.unsuspend")),
			"a membership": d.SetMember(ctx, d.acme, d.bob, access.Member, entry("member.set")),
			"a grant":      d.SetRepositoryGrant(ctx, app, d.bob, access.RepositoryRead, entry("repository.grant")),
			"an org":       second(d.CreateOrganization(ctx, organization("new-org"), d.bob, entry("org.create"))),
			"its repo":     second(d.RepositoryByName(ctx, own.Name)),
		} {
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := d.CreateUser(ctx, account.Account{Login: "bob", Kind: account.User}, entry("user.create")); !errs.Is(err, errs.Exists) {
			t.Errorf("its login: %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestADeletedOrganizationLeavesItsMembers(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		d.join(t, d.acme, d.bob)
		top := d.team(t, account.Team{OrganizationID: d.acme, Slug: "top"})
		low := d.team(t, account.Team{OrganizationID: d.acme, Slug: "low", ParentID: top.ID})
		if err := d.SetTeamMember(ctx, low, d.bob, true, entry("team.add")); err != nil {
			t.Fatal(err)
		}
		app := d.repository(t, d.acme, "acme/app", access.Private)
		if err := d.SetRepositoryTeamGrant(ctx, app, top.ID, access.RepositoryWrite, entry("repository.grant")); err != nil {
			t.Fatal(err)
		}
		if err := d.DeleteAccount(ctx, d.acme, entry("org.delete")); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"teams", "team_members", "team_reach", "memberships", "repository_team_grants"} {
			if n := d.number(t, `SELECT COUNT(*) FROM `+table); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
		if err := d.DeleteAccount(ctx, d.ann, entry("user.delete")); err != nil {
			t.Errorf("its owner can go now: %v", err)
		}
		if _, err := d.AccountByLogin(ctx, "bob"); err != nil {
			t.Error(err)
		}
	})
}

// Two administrators who unmake each other, in whatever way, leave one.
func TestOneSiteAdministratorIsLeft(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		ways := []func(ctx context.Context, id int64) error{
			func(ctx context.Context, id int64) error {
				return d.SetSiteAdmin(ctx, id, false, entry("user.site_admin"))
			},
			func(ctx context.Context, id int64) error {
				return d.SetSuspended(ctx, id, true, entry("account.suspend"))
			},
		}
		for i := range 8 {
			for _, id := range []int64{d.ann, d.bob} {
				if err := d.SetSiteAdmin(ctx, id, true, entry("user.site_admin")); err != nil {
					t.Fatal(err)
				}
				if err := d.SetSuspended(ctx, id, false, entry("account.unsuspend")); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			for j, id := range []int64{d.ann, d.bob} {
				wg.Go(func() { _ = ways[(i>>j)&1](ctx, id) }) // one of them fails
			}
			wg.Wait()
			if n := d.number(t, `SELECT COUNT(*) FROM accounts WHERE site_admin = 1 AND suspended_at IS NULL`); n != 1 {
				t.Fatalf("%d are left", n)
			}
		}
		if err := d.SetSiteAdmin(ctx, d.carl, false, entry("user.site_admin")); err != nil {
			t.Errorf("who is none can be made none: %v", err)
		}
	})
}

// An owner who leaves and another who is deleted at the same moment do not leave
// an organization without one.
func TestDeletingAnOwnerWhileTheOtherLeaves(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		for i := range 6 {
			user := addUser(t, d.Store, "owner"+string(rune('a'+i)))
			org := addOrganization(t, d.Store, "org"+string(rune('a'+i)), user)
			if err := d.SetMember(ctx, org, d.carl, access.Owner, entry("member.set")); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() { _ = d.DeleteAccount(ctx, user, entry("user.delete")) })
			wg.Go(func() { _ = d.RemoveMember(ctx, org, d.carl, entry("member.remove")) })
			wg.Wait()
			if n := d.number(t, `SELECT COUNT(*) FROM memberships WHERE organization_id = ? AND role = 'owner'`, org); n != 1 {
				t.Fatalf("%d owners are left", n)
			}
		}
	})
}

func TestListAccountsComesInPages(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		page, err := d.ListAccounts(t.Context(), account.User, "", 2)
		if err != nil || len(page) != 2 || page[0].Login != "ann" || page[1].Login != "bob" {
			t.Errorf("%+v, %v", page, err)
		}
		page, err = d.ListAccounts(t.Context(), account.User, "bob", 2)
		if err != nil || len(page) != 1 || page[0].Login != "carl" {
			t.Errorf("%+v, %v", page, err)
		}
		page, err = d.ListAccounts(t.Context(), account.Organization, "", 2)
		if err != nil || len(page) != 1 || page[0].Login != "acme" {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func TestChangesAreOnTheRecord(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		before := len(entries(t, d.Store))
		e := audit.Entry{At: noon, Actor: "ann", Action: "account.rename", Target: "bob"}
		if err := d.RenameAccount(t.Context(), d.bob, "bill", "Bill", e); err != nil {
			t.Fatal(err)
		}
		if err := d.RenameAccount(t.Context(), d.bob, "ann", "ann", e); err == nil {
			t.Fatal("ann was taken")
		}
		list := entries(t, d.Store)
		if len(list) != before+1 || list[0].Action != "account.rename" || list[0].Actor != "ann" {
			t.Errorf("the record has %+v", list)
		}
	})
}
