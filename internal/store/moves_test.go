package store_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/token"
)

// A name that grew too long to be asked for would be lost, and with it each list
// that it is on.
func TestNoNameGrowsBeyondWhatCanBeAskedFor(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		long := strings.Repeat("n", oci.MaxNameLength-len("bob/"))
		id := d.pkg(t, d.bob, "container", long, 0)
		if err := d.RenameAccount(ctx, d.bob, "robert", "robert", entry("account.rename")); !errs.Is(err, errs.Conflict) {
			t.Errorf("a login that makes a package's name too long: %v", err)
		}
		if err := d.RenameAccount(ctx, d.bob, "rob", "rob", entry("account.rename")); err != nil {
			t.Errorf("a login as short as it was: %v", err)
		}
		if err := d.TransferPackage(ctx, id, d.acme, 0, entry("package.transfer")); !errs.Is(err, errs.Conflict) {
			t.Errorf("a transfer that makes the name too long: %v", err)
		}
		app := d.repository(t, d.acme, "acme/app", access.Private)
		d.pkg(t, d.acme, "docker", "app/"+long[:oci.MaxNameLength-len("acme/app/")], app.ID)
		if err := d.move(t, app, d.acme, "acme/application"); !errs.Is(err, errs.Conflict) {
			t.Errorf("a name of a repository that makes a package's too long: %v", err)
		}
		if err := d.move(t, app, d.ann, "ann/app"); err != nil {
			t.Errorf("an owner with a shorter login: %v", err)
		}
		app.OwnerID, app.Name = d.ann, named(t, "ann/app")
		if err := d.move(t, app, d.acme, "acme/app"); err != nil {
			t.Errorf("and back: %v", err)
		}
		d.repository(t, d.carl, "carl/"+long[:oci.MaxNameLength-len("carl/")], access.Private)
		if err := d.RenameAccount(ctx, d.carl, "carlos", "carlos", entry("account.rename")); !errs.Is(err, errs.Conflict) {
			t.Errorf("a login that makes a repository's name too long: %v", err)
		}
	})
}

func TestARepositoryGoesBackToANameThatHasDeletedImages(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		app := d.repository(t, d.acme, "acme/app", access.Private)
		d.exec(t, `UPDATE packages SET deleted_at = 1 WHERE id = ?`, d.pkg(t, d.acme, "docker", "app/image", app.ID))
		if err := d.move(t, app, d.acme, "acme/service"); err != nil {
			t.Fatal(err)
		}
		app.Name = named(t, "acme/service")
		d.exec(t, `INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by, repository_id)
			VALUES (?, 'docker', 'service/image', 'private', 0, 0, ?)`, d.acme, app.ID)
		second := d.number(t, `SELECT MAX(id) FROM packages`)
		d.exec(t, `INSERT INTO package_names (owner_id, name, type, package_id) VALUES (?, 'service/image', 'docker', ?)`, d.acme, second)
		if err := d.move(t, app, d.acme, "acme/app"); err != nil {
			t.Fatal(err)
		}
		if got := d.number(t, `SELECT package_id FROM package_names WHERE name = 'app/image'`); got != second {
			t.Errorf("the name leads to %d, want %d", got, second)
		}
	})
}

func (d *world) pushBlob(t *testing.T, into registry.Creation) error {
	t.Helper()
	_, err := d.CommitBlob(t.Context(), &registry.BlobCommit{
		Into: into, Digest: oci.SHA256.FromBytes([]byte("x")), Size: 1, Content: []byte("x"), Now: time.UnixMicro(1), LeaseUntil: time.UnixMicro(2),
	})
	return err
}

// The push looked the repository up before it was renamed.
func TestAPushDoesNotBringBackTheNameOfARenamedRepository(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		app := d.repository(t, d.acme, "acme/app", access.Private)
		into := registry.Creation{
			Address: access.Package{Type: access.Docker, Name: named(t, "acme/app/image")}, OwnerID: d.acme, Actor: d.ann,
			Visibility: access.Private, RepositoryID: app.ID, Inherits: true,
		}
		if err := d.move(t, app, d.acme, "acme/service"); err != nil {
			t.Fatal(err)
		}
		if err := d.pushBlob(t, into); !errs.Is(err, errs.Denied) {
			t.Errorf("a push to the old name: %v", err)
		}
		into.Address.Name = named(t, "acme/service/image")
		if err := d.pushBlob(t, into); err != nil {
			t.Errorf("a push to the new name: %v", err)
		}
		into.Address = access.Package{Type: access.Container, Name: named(t, "acme/app/image")} // linked, and named as it likes
		if err := d.pushBlob(t, into); err != nil {
			t.Errorf("a push to the Container registry: %v", err)
		}
	})
}

func TestAGrantToATeamThatIsGone(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		id := d.pkg(t, d.acme, "container", "app", 0)
		d.exec(t, `UPDATE packages SET inherits = 0`)
		team := d.team(t, account.Team{OrganizationID: d.acme, Slug: "devs"})
		if err := d.DeleteTeam(t.Context(), team, entry("team.delete")); err != nil {
			t.Fatal(err)
		}
		g := packages.Grant{Grantee: packages.Grantee{Kind: packages.Team, ID: team.ID}, Role: access.RoleRead}
		if err := d.GrantPackage(t.Context(), id, g, entry("package.grant")); !errs.Is(err, errs.Conflict) {
			t.Errorf("a grant to the team: %v", err)
		}
	})
}

// Who came by a group is a member no longer than a team has it.
func TestAMembershipOfAGroupEndsWithItsLastTeam(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		d.join(t, d.acme, d.carl)
		team := d.team(t, account.Team{OrganizationID: d.acme, Slug: "devs", Group: "engineers"})
		ops := d.team(t, account.Team{OrganizationID: d.acme, Slug: "ops", Group: "operators"})
		for user, groups := range map[int64][]string{d.bob: {"engineers"}, d.carl: {"engineers"}, d.ann: {"engineers", "operators"}} {
			if err := d.ReplaceGroups(ctx, user, groups, entry("user.groups")); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.DeleteTeam(ctx, ops, entry("team.delete")); err != nil {
			t.Fatal(err)
		}
		if list, _ := d.ListMembers(ctx, d.acme); members(list) != "ann:owner bob:member carl:member" {
			t.Errorf("with a team left: %v", members(list))
		}
		if err := d.DeleteTeam(ctx, team, entry("team.delete")); err != nil {
			t.Fatal(err)
		}
		if list, _ := d.ListMembers(ctx, d.acme); members(list) != "ann:owner carl:member" {
			t.Errorf("with none left: %v", members(list))
		}
	})
}

// A user in two organizations joins a team of one while teams of the other move.
func TestReachIsRightWhateverHappensAtOnce(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		other := addOrganization(t, d.Store, "other", d.ann)
		d.join(t, d.acme, d.bob)
		d.join(t, other, d.bob)
		here := d.team(t, account.Team{OrganizationID: d.acme, Slug: "here"})
		x := d.team(t, account.Team{OrganizationID: other, Slug: "x"})
		y := d.team(t, account.Team{OrganizationID: other, Slug: "y"})
		low := d.team(t, account.Team{OrganizationID: other, Slug: "low", ParentID: x.ID})
		if err := d.SetTeamMember(ctx, low, d.bob, true, entry("team.add")); err != nil {
			t.Fatal(err)
		}
		for round, parent := range []int64{y.ID, x.ID, y.ID, x.ID, y.ID, x.ID, y.ID, x.ID, y.ID, x.ID} {
			var both sync.WaitGroup
			both.Go(func() {
				if err := d.SetTeamMember(ctx, here, d.bob, round%2 == 0, entry("team.add")); err != nil {
					t.Error("join:", err)
				}
			})
			both.Go(func() {
				if err := d.MoveTeam(ctx, low, parent, entry("team.move")); err != nil {
					t.Error("move:", err)
				}
			})
			both.Wait()
			want := map[bool]string{true: "here low y", false: "low x"}[round%2 == 0]
			if got := d.reach(t, d.bob); got != want {
				t.Fatalf("round %d: bob is reached by %q, want %q", round, got, want)
			}
		}
	})
}

// A label links to a repository while that is given to another owner.
func TestALinkIsNeverToAnotherOwnersRepository(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		content := []byte("{}")
		for range 8 {
			app := d.repository(t, d.acme, "acme/app", access.Private)
			id := d.pkg(t, d.acme, "container", "image", 0)
			d.exec(t, `UPDATE packages SET linked_by = '', inherits = 0 WHERE id = ?`, id)
			var both sync.WaitGroup
			both.Go(func() {
				err := d.CommitManifest(t.Context(), &registry.ManifestCommit{
					Into: registry.Creation{PackageID: id}, Digest: oci.SHA256.FromBytes(content), Content: content, Manifest: &oci.Manifest{MediaType: oci.MediaTypeImageIndex},
					Publish: registry.Publication{Link: app.ID, Inherit: true}, Now: time.UnixMicro(1), LeaseUntil: time.UnixMicro(2),
				})
				if err != nil {
					t.Error("push:", err)
				}
			})
			both.Go(func() {
				if err := d.move(t, app, d.bob, "bob/app"); err != nil {
					t.Error("transfer:", err)
				}
			})
			both.Wait()
			if n := d.number(t, `SELECT COUNT(*) FROM packages p JOIN repositories r ON r.id = p.repository_id WHERE r.owner_id <> p.owner_id`); n > 0 {
				t.Fatal("the package is linked to the repository of another owner")
			}
			d.exec(t, `UPDATE repositories SET deleted_at = 1 WHERE id = ?`, app.ID)
			d.exec(t, `UPDATE packages SET deleted_at = 1 WHERE id = ?`, id)
			d.exec(t, `DELETE FROM package_names WHERE package_id = ?`, id)
			d.exec(t, `UPDATE packages SET name = 'former' WHERE id = ?`, id)
		}
	})
}

// A user is given a role while it leaves the organization: nothing is left on
// record, whichever comes first.
func TestAGrantToAMemberWhoLeft(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		id := d.pkg(t, d.acme, "container", "app", 0)
		d.exec(t, `UPDATE packages SET inherits = 0`)
		g := packages.Grant{Grantee: packages.Grantee{Kind: packages.User, ID: d.bob}, Role: access.RoleRead}
		if err := d.GrantPackage(ctx, id, g, entry("package.grant")); !errs.Is(err, errs.Conflict) {
			t.Errorf("a grant to one who is no member: %v", err)
		}
		for range 8 {
			d.join(t, d.acme, d.bob)
			var both sync.WaitGroup
			both.Go(func() {
				if err := d.GrantPackage(ctx, id, g, entry("package.grant")); err != nil && !errs.Is(err, errs.Conflict) {
					t.Error("grant:", err)
				}
			})
			both.Go(func() {
				if err := d.RemoveMember(ctx, d.acme, d.bob, entry("member.remove")); err != nil {
					t.Error("leave:", err)
				}
			})
			both.Wait()
			if n := d.number(t, `SELECT COUNT(*) FROM package_grants`); n != 0 {
				t.Fatalf("%d roles are left", n)
			}
		}
		d.exec(t, `UPDATE packages SET visibility = 'public'`)
		if err := d.GrantPackage(ctx, id, g, entry("package.grant")); err != nil {
			t.Errorf("on what is public: %v", err)
		}
		own := d.pkg(t, d.ann, "container", "own", 0)
		d.exec(t, `UPDATE packages SET inherits = 0`)
		if err := d.GrantPackage(ctx, own, g, entry("package.grant")); err != nil {
			t.Errorf("on a user's: %v", err)
		}
	})
}

// A rule of trust and a limited token are made for what is given away: neither
// outlives the transfer.
func TestWhatIsMadeForAPackageThatIsGivenAway(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		for round := range 8 {
			id := d.pkg(t, d.ann, "container", "app"+strconv.Itoa(round), 0)
			app := d.repository(t, d.ann, "ann/app"+strconv.Itoa(round), access.Private)
			rule := trustRule(token.TrustTarget{OwnerID: d.ann, Owner: "ann", PackageID: id})
			jobs := trustRule(token.TrustTarget{OwnerID: d.ann, Owner: "ann", RepositoryID: app.ID})
			limited := token.Token{
				AccountID: d.ann, Kind: token.FineGrained, SecretHash: strconv.Itoa(round), Scopes: access.AllScopes, CreatedAt: noon, Limited: true,
			}
			var all sync.WaitGroup
			for what, do := range map[string]func() error{
				"transfer": func() error { return d.TransferPackage(ctx, id, d.bob, 0, entry("package.transfer")) },
				"move":     func() error { return d.move(t, app, d.bob, "bob/app"+strconv.Itoa(round)) },
				"rule":     func() error { _, err := d.AddTrustRule(ctx, rule, entry("trust.add")); return err },
				"jobs":     func() error { _, err := d.AddTrustRule(ctx, jobs, entry("trust.add")); return err },
				"token": func() error {
					_, err := d.CreateToken(ctx, limited, []access.Limit{{OwnerID: d.ann, PackageID: id, Actions: access.Pull}}, entry("token.create"))
					return err
				},
			} {
				all.Go(func() {
					if err := do(); err != nil && !errs.Is(err, errs.NotFound) {
						t.Error(what, err)
					}
				})
			}
			all.Wait()
			if n := d.number(t, `SELECT (SELECT COUNT(*) FROM trust_rules) + (SELECT COUNT(*) FROM token_limits)`); n != 0 {
				t.Fatalf("round %d: %d rules and limits are left", round, n)
			}
		}
	})
}

// An upload that began under the old name of a repository ends under the new
// one, also of an image that is not there yet.
func TestUploadsFollowTheirRepository(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx, longest := t.Context(), strings.Repeat("n", oci.MaxNameLength-len("acme/app/"))
		app := d.repository(t, d.acme, "acme/app", access.Private)
		start := func(id string, kind access.PackageType, owner int64, name string) {
			err := d.CreateSession(ctx, &registry.Session{
				ID: id, OwnerID: owner, PrincipalID: d.ann, Package: access.Package{Type: kind, Name: named(t, name)},
				Algorithm: oci.SHA256, CreatedAt: noon, ExpiresAt: noon,
			}, 10)
			if err != nil {
				t.Fatal(err)
			}
		}
		start("moved", access.Docker, d.acme, "acme/app/image")
		start("deep", access.Docker, d.acme, "acme/app/image/part")
		start("long", access.Docker, d.acme, "acme/app/"+longest)
		start("other registry", access.Container, d.acme, "acme/app/image")
		start("other repository", access.Docker, d.acme, "acme/app-2/image")
		start("other owner", access.Docker, d.bob, "bob/app/image")
		if err := d.move(t, app, d.carl, "carl/service"); err != nil {
			t.Fatal(err)
		}
		expired, err := d.ExpiredSessions(ctx, noon, 10)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, s := range expired {
			got[s.ID] = string(s.Package.Type) + " " + s.Package.Name.String()
		}
		want := map[string]string{
			"moved": "docker carl/service/image", "deep": "docker carl/service/image/part", "long": "docker acme/app/" + longest,
			"other registry": "container acme/app/image", "other repository": "docker acme/app-2/image", "other owner": "docker bob/app/image",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
