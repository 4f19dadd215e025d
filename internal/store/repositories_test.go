package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
)

func (d *world) move(t *testing.T, r account.Repository, ownerID int64, name string) error {
	t.Helper()
	to := r
	to.OwnerID, to.Name = ownerID, named(t, name)
	return d.MoveRepository(t.Context(), r, to, entry("repository.move"))
}

func TestANameOnceHadLeadsToItsRepository(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		app := d.repository(t, d.acme, "acme/app", access.Internal)
		if err := d.move(t, app, d.acme, "acme/service"); err != nil {
			t.Fatal(err)
		}
		if err := d.RenameAccount(ctx, d.acme, "acme-inc", "Acme-Inc", entry("account.rename")); err != nil {
			t.Fatal(err)
		}
		want := account.Repository{ID: app.ID, OwnerID: d.acme, Name: named(t, "acme-inc/service"), Visibility: access.Internal, CreatedAt: app.CreatedAt}
		for _, name := range []string{"acme/app", "acme/service", "acme-inc/app", "acme-inc/service"} {
			if got, err := d.RepositoryByName(ctx, named(t, name)); got != want || err != nil {
				t.Errorf("%s leads to %+v, %v", name, got, err)
			}
		}
		for _, name := range []string{"acme/app", "acme/service"} {
			r := account.Repository{OwnerID: d.acme, Name: named(t, name), Visibility: access.Private}
			if _, err := d.CreateRepository(ctx, r, entry("repository.create")); !errs.Is(err, errs.Exists) {
				t.Errorf("another %s: %v", name, err)
			}
		}
		if err := d.move(t, want, d.acme, "acme/app"); err != nil {
			t.Errorf("renaming back: %v", err)
		}
		if err := d.move(t, want, d.acme, "acme/third"); !errs.Is(err, errs.Conflict) {
			t.Errorf("a rename of what was renamed meanwhile: %v", err)
		}
		list, err := d.ListRepositories(ctx, d.acme)
		if err != nil || len(list) != 1 || list[0].Name != named(t, "acme-inc/app") {
			t.Errorf("the list is %v, %v", list, err)
		}
	})
}

// packageRow is what moves of repositories change of a package.
type packageRow struct {
	Owner, Repository int64
	Name, Visibility  string
	Inherits          int
}

func (d *world) packageRow(t *testing.T, id int64) (p packageRow) {
	t.Helper()
	err := d.db.Read().QueryRow(t.Context(), `SELECT owner_id, COALESCE(repository_id, 0), name, visibility, inherits
		FROM packages WHERE id = ?`, id).Scan(&p.Owner, &p.Repository, &p.Name, &p.Visibility, &p.Inherits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestARepositoryTakesItsDockerPackagesAlong(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		app := d.repository(t, d.acme, "acme/app", access.Internal)
		image := d.pkg(t, d.acme, "docker", "app/image", app.ID)
		gone := d.pkg(t, d.acme, "docker", "app/gone", app.ID)
		linked := d.pkg(t, d.acme, "container", "linked", app.ID)
		bystander := d.pkg(t, d.acme, "docker", "app/bystander", d.repository(t, d.acme, "acme/app2", access.Private).ID)
		d.exec(t, `UPDATE packages SET deleted_at = 1 WHERE id = ?`, gone)
		if err := d.SetRepositoryVisibility(ctx, app.ID, access.Public, entry("repository.visibility")); err != nil {
			t.Fatal(err)
		}
		if v := d.packageRow(t, image).Visibility; v != "public" {
			t.Errorf("the Docker package is %s", v)
		}
		if v := d.packageRow(t, linked).Visibility; v != "private" {
			t.Errorf("the linked package is %s", v)
		}
		if err := d.SetRepositoryVisibility(ctx, app.ID, access.Internal, entry("repository.visibility")); err != nil {
			t.Fatal(err)
		}

		if err := d.move(t, app, d.acme, "acme/service"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"acme/app", "acme/service"} { // back, and on again
			app.Name = named(t, "acme/service")
			if name == "acme/service" {
				app.Name = named(t, "acme/app")
			}
			if err := d.move(t, app, d.acme, name); err != nil {
				t.Fatal(err)
			}
		}
		app.Name = named(t, "acme/service")
		want := packageRow{Owner: d.acme, Repository: app.ID, Name: "service/image", Visibility: "internal", Inherits: 1}
		if diff := cmp.Diff(want, d.packageRow(t, image)); diff != "" {
			t.Error(diff)
		}
		if p := d.packageRow(t, linked); p.Repository != app.ID || p.Name != "linked" {
			t.Errorf("a rename changed the linked package: %+v", p)
		}

		d.exec(t, `INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces) VALUES (?, ?, 'read', 0)`, linked, app.ID)
		d.exec(t, `INSERT INTO trust_rules (owner_id, repository_id, issuer, audience, claims, actions, created_at, created_by)
			VALUES (?, ?, 'i', 'a', '{}', 1, 0, 0)`, d.acme, app.ID)
		d.exec(t, `INSERT INTO tokens (account_id, kind, note, secret_hash, scopes, created_at, repository_id) VALUES (?, 'workflow', '', 'h', 1, 0, ?)`, d.acme, app.ID)
		team := d.team(t, account.Team{OrganizationID: d.acme, Slug: "devs"})
		if err := d.SetRepositoryTeamGrant(ctx, app, team.ID, access.RepositoryAdmin, entry("repository.grant")); err != nil {
			t.Fatal(err)
		}
		to := account.Repository{ID: app.ID, OwnerID: d.bob, Name: named(t, "bob/service"), Visibility: access.Private, CreatedAt: app.CreatedAt}
		if err := d.MoveRepository(ctx, app, to, entry("repository.transfer")); err != nil {
			t.Fatal(err)
		}
		want = packageRow{Owner: d.bob, Repository: app.ID, Name: "service/image", Visibility: "private", Inherits: 1}
		if diff := cmp.Diff(want, d.packageRow(t, image)); diff != "" {
			t.Error(diff)
		}
		if p := d.packageRow(t, gone); p.Owner != d.bob || p.Name != "service/gone" {
			t.Errorf("the deleted Docker package is %+v", p)
		}
		if diff := cmp.Diff(packageRow{Owner: d.acme, Name: "linked", Visibility: "private"}, d.packageRow(t, linked)); diff != "" {
			t.Error(diff)
		}
		if p := d.packageRow(t, bystander); p.Owner != d.acme || p.Name != "app/bystander" {
			t.Errorf("another repository's package is %+v", p)
		}
		if n := d.number(t, `SELECT COUNT(*) FROM package_names WHERE type = 'docker' AND package_id = ?`, image); n != 3 {
			t.Errorf("%d names lead to the Docker package, want 3", n)
		}
		for _, query := range []string{
			`SELECT COUNT(*) FROM package_repositories`, `SELECT COUNT(*) FROM trust_rules`,
			`SELECT COUNT(*) FROM tokens WHERE revoked_at IS NULL`, `SELECT COUNT(*) FROM repository_team_grants`,
		} {
			if n := d.number(t, query); n != 0 {
				t.Errorf("%s: %d, want 0", query, n)
			}
		}
		for _, address := range []string{"acme/app/image", "acme/service/image", "bob/service/image", "bob/app/image"} {
			pkg, err := d.Package(ctx, access.Principal{AccountID: d.bob}, access.Package{Type: access.Docker, Name: named(t, address)})
			if err != nil {
				t.Fatal(err)
			}
			want := address != "bob/app/image" // it was never called that
			if f := pkg.Facts; f.Exists != want || want && (f.PackageID != image || f.Name != named(t, "bob/service/image")) {
				t.Errorf("%s leads to %+v", address, f)
			}
		}
		if got, err := d.RepositoryByName(ctx, named(t, "acme/app")); got != to || err != nil {
			t.Errorf("the first name leads to %+v, %v", got, err)
		}
	})
}

func TestARepositoryDoesNotMoveOntoTakenNames(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		app := d.repository(t, d.acme, "acme/app", access.Private)
		d.repository(t, d.bob, "bob/app", access.Private)
		image := d.pkg(t, d.acme, "docker", "app/one", app.ID)
		d.pkg(t, d.acme, "docker", "app/two", app.ID)
		d.pkg(t, d.acme, "docker", "app/three", app.ID)
		if err := d.move(t, app, d.bob, "bob/app"); !errs.Is(err, errs.Exists) {
			t.Errorf("onto a repository: %v", err)
		}
		// What another repository left behind.
		left := d.repository(t, d.carl, "carl/other", access.Private)
		for _, name := range []string{"app/one", "app/two", "other/three"} {
			d.pkg(t, d.carl, "docker", name, left.ID)
		}
		err := d.move(t, app, d.carl, "carl/app")
		e, _ := errors.AsType[*errs.Error](err)
		if !errs.Is(err, errs.Exists) || !cmp.Equal(e.Detail, []string{"app/one", "app/two"}) {
			t.Errorf("onto packages: %+v", err)
		}
		if p := d.packageRow(t, image); p.Owner != d.acme {
			t.Errorf("half moved: %+v", p)
		}
		if got, err := d.RepositoryByName(t.Context(), app.Name); got != app || err != nil {
			t.Errorf("half moved: %+v, %v", got, err)
		}
	})
}

func TestARepositoryIsDeletedWhenItIsEmpty(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		app := d.repository(t, d.acme, "acme/app", access.Private)
		image := d.pkg(t, d.acme, "docker", "app/image", app.ID)
		linked := d.pkg(t, d.acme, "container", "linked", app.ID)
		if err := d.SetRepositoryGrant(ctx, app, d.bob, access.RepositoryTriage, entry("repository.grant")); err != nil {
			t.Fatal(err)
		}
		if err := d.DeleteRepository(ctx, app.ID, entry("repository.delete")); !errs.Is(err, errs.Conflict) {
			t.Fatalf("with a Docker package: %v", err)
		}
		if p := d.packageRow(t, linked); p.Repository != app.ID {
			t.Error("a deletion that was refused unlinked a package")
		}
		d.exec(t, `UPDATE packages SET deleted_at = 1 WHERE id = ?`, image)
		if err := d.DeleteRepository(ctx, app.ID, entry("repository.delete")); err != nil {
			t.Fatal(err)
		}
		if p := d.packageRow(t, linked); p.Repository != 0 || p.Inherits != 0 {
			t.Errorf("the linked package is %+v", p)
		}
		for what, err := range map[string]error{
			"finding it":     second(d.RepositoryByName(ctx, app.Name)),
			"deleting it":    d.DeleteRepository(ctx, app.ID, entry("repository.delete")),
			"publishing it":  d.SetRepositoryVisibility(ctx, app.ID, access.Public, entry("repository.visibility")),
			"a role on it":   d.SetRepositoryGrant(ctx, app, d.bob, access.RepositoryRead, entry("repository.grant")),
			"its roles' end": d.SetRepositoryGrant(ctx, app, d.bob, 0, entry("repository.revoke")),
		} {
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if again := d.repository(t, d.acme, "acme/app", access.Private); again.ID == app.ID {
			t.Error("the new one is the old one")
		}
		if list, err := d.RepositoryGrants(ctx, app.ID); len(list) != 0 || err != nil {
			t.Errorf("roles are left: %v, %v", list, err)
		}
	})
}

func TestUsersHaveNoInternalRepositories(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		own := d.repository(t, d.bob, "bob/app", access.Private)
		if err := d.SetRepositoryVisibility(t.Context(), own.ID, access.Internal, entry("repository.visibility")); err == nil {
			t.Error("a user's repository is internal")
		}
	})
}

func TestRolesOnRepositories(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		app := d.repository(t, d.acme, "acme/app", access.Private)
		team := d.team(t, account.Team{OrganizationID: d.acme, Slug: "devs"})
		set := func(user int64, role access.RepositoryRole) error {
			return d.SetRepositoryGrant(ctx, app, user, role, entry("repository.grant"))
		}
		for _, err := range []error{
			set(d.carl, access.RepositoryWrite), set(d.bob, access.RepositoryTriage), set(d.bob, access.RepositoryMaintain),
			d.SetRepositoryTeamGrant(ctx, app, team.ID, access.RepositoryAdmin, entry("repository.grant")),
			set(d.carl, 0), set(d.carl, access.RepositoryRead),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := set(d.ann, 0); !errs.Is(err, errs.NotFound) {
			t.Errorf("a role that was never given: %v", err)
		}
		want := []account.RepositoryGrant{
			{User: "bob", Role: access.RepositoryMaintain}, {User: "carl", Role: access.RepositoryRead},
			{Team: "devs", Role: access.RepositoryAdmin},
		}
		got, err := d.RepositoryGrants(ctx, app.ID)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
