package packages_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

func TestShowTellsEverything(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		f.push(f.job("ann/src"), at("ann/app"), "1", "layer")
		f.push(f.ann, at("ann/app"), "2", "more")
		f.push(f.ann, at("ann/app"), "3", "more still")
		f.check(f.Rename(ctx, f.ann, at("ann/app"), "new"))
		f.check(f.Grant(ctx, f.ann, at("ann/new"), role(repository("acme/src"), access.RoleRead)))
		f.describe("ann/new", 1, "of the first")
		f.describe("ann/new", 2, "of the second")
		f.check(f.SetVisibility(ctx, f.ann, at("ann/new"), access.Public))

		d, err := f.Show(ctx, f.ann, at("ann/app"))
		f.check(err)
		f.sameGrants([]packages.Grant{role(repository("acme/src"), access.RoleRead), role(repository("ann/src"), access.RoleAdmin)}, d.Grants)
		d.Grants = nil
		want := packages.Details{
			Summary: packages.Summary{
				Name: at("ann/new").Name, Type: access.Container, Visibility: access.Public, Repository: at("ann/src").Name, Inherits: true, Versions: 3,
			},
			LinkedBy: "workflow", CreatedAt: f.now, PublishedAt: f.now, CreatedBy: "ann/src", Tags: 3,
			Description: "of the second", Licenses: "MIT", Source: "somewhere", Names: []access.Package{at("ann/app")},
		}
		if diff := cmp.Diff(want, d, cmp.Comparer(func(a, b oci.Name) bool { return a == b })); diff != "" {
			f.t.Error(diff)
		}
		if d, err = f.Show(ctx, f.eve, at("ann/new")); err != nil || d.Description == "" || d.Grants != nil {
			f.t.Errorf("to one who only reads: %+v, %v", d, err)
		}
	})
}

// describe has a version say something of itself.
func (f *fixture) describe(name string, nth int, text string) {
	f.t.Helper()
	pkg, err := f.store.Package(f.t.Context(), f.operator, at(name))
	f.check(err)
	f.check(f.db.Write(f.t.Context(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE versions SET description = ?, licenses = 'MIT', source = 'somewhere'
			WHERE id = (SELECT id FROM versions WHERE package_id = ? ORDER BY id LIMIT 1 OFFSET ?)`, text, pkg.ID, nth-1)
		return err
	}))
}

func TestListIsForThoseWhoRuleTheNamespace(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		for _, name := range []string{"acme/b", "acme/a/c", "acme/a"} {
			f.push(f.bob, at(name), "1", "layer")
		}
		f.push(f.ann, inDocker("acme/src/x"), "1", "layer")
		f.push(f.ann, at("acme/src/x"), "1", "layer")
		list := func(who access.Principal, owner string) (names []string, err error) {
			err = f.List(ctx, who, owner, func(s packages.Summary) error {
				names = append(names, string(s.Type)+" "+s.Name.String()+" "+s.Repository.String())
				return nil
			})
			return names, err
		}
		for _, who := range []access.Principal{f.ann, f.operator} {
			names, err := list(who, "ACME")
			f.check(err)
			want := []string{"container acme/a ", "container acme/a/c ", "container acme/b ", "container acme/src/x ", "docker acme/src/x acme/src"}
			if diff := cmp.Diff(want, names); diff != "" {
				f.t.Error(diff)
			}
		}
		limited, few := f.ann, f.ann
		limited.Limited, few.Scopes = true, access.DeletePackages
		for what, who := range map[string]access.Principal{"a member": f.bob, "a stranger": f.eve, "nobody": f.nobody, "a job": f.job("acme/src"),
			"a limited token": limited, "a token without the scope": few} {
			_, err := list(who, "acme")
			f.refused(err, errs.Denied, what)
		}
		_, err := list(f.operator, "nowhere")
		f.refused(err, errs.NotFound, "of nobody")
	})
}

func TestDockerPackagesFollowTheirRepository(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), inDocker("ann/src/app")
		f.push(f.ann, p, "1", "layer")
		_, plan := f.Plan(ctx, f.ann, p, false)
		for what, err := range map[string]error{
			"visibility": f.SetVisibility(ctx, f.ann, p, access.Public),
			"link":       f.Link(ctx, f.ann, p, "ann/src", false),
			"unlink":     f.Unlink(ctx, f.ann, p),
			"inherit":    f.SetInherits(ctx, f.ann, p, false),
			"plan":       plan,
			"grant":      f.Grant(ctx, f.ann, p, role(user("bob"), access.RoleRead)),
			"jobs":       f.Grant(ctx, f.ann, p, role(repository("acme/src"), access.RoleRead)),
			"revoke":     f.Revoke(ctx, f.ann, p, user("bob")),
			"rename":     f.Rename(ctx, f.ann, p, "src/other"),
			"transfer":   f.Transfer(ctx, f.ann, p, "acme"),
		} {
			f.refused(err, errs.Unsupported, what)
		}
		d, err := f.Show(ctx, f.ann, p)
		f.check(err)
		if d.Type != access.Docker || !d.Inherits || d.Visibility != access.Private || d.Repository.String() != "ann/src" {
			f.t.Errorf("shown as %+v", d)
		}
		f.recorded("operator account.settings acme")
	})
}
