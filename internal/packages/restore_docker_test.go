package packages_test

import (
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

func TestARestoredDockerPackageFollowsItsRepository(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		f.image(f.ann, inDocker("acme/src/image"), "one", "1")
		f.check(f.DeletePackage(ctx, f.ann, inDocker("acme/src/image")))
		f.recorded("ann package.delete acme/src/image")
		_, err := f.accounts.RenameRepository(ctx, audit.Operator, "acme/src", "moved")
		f.check(err)
		f.refused(f.RestorePackage(ctx, f.bob, inDocker("acme/moved/image")), errs.NotFound, "a restore without a role")
		f.refused(f.RestorePackage(ctx, f.ann, at("acme/moved/image")), errs.NotFound, "a restore in the other registry")
		p := inDocker("acme/moved/image")
		p.Type, p.Also = access.Container, access.Docker
		f.check(f.RestorePackage(ctx, f.ann, p))
		f.check(f.pull(f.ann, inDocker("acme/moved/image"), "one"))
		f.check(f.pull(f.ann, inDocker("acme/src/image"), "one"))
	})
}

func TestADockerPackageWhoseRepositoryIsGone(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		for _, image := range []string{"acme/src/image", "acme/src/taken"} {
			f.image(f.ann, inDocker(image), "one", image)
			f.check(f.DeletePackage(ctx, f.ann, inDocker(image)))
		}
		f.image(f.ann, at("acme/src/taken"), "other", "other")
		f.check(f.accounts.DeleteRepository(ctx, audit.Operator, "acme/src"))
		f.says(f.RestorePackage(ctx, f.ann, inDocker("acme/src/taken")), errs.Conflict, "the Container registry has a package of that name")
		f.refused(f.RestorePackage(ctx, f.bob, inDocker("acme/src/image")), errs.NotFound, "a restore by a member")
		f.check(f.RestorePackage(ctx, f.ann, inDocker("acme/src/image")))
		l, err := f.Package(ctx, f.ann, at("acme/src/image"))
		if err != nil || l.Type != access.Container || l.Visibility != access.Private || l.Repository != nil {
			f.t.Errorf("%+v, %v", l, err)
		}
		p := inDocker("acme/src/image")
		p.Also = access.Container
		f.check(f.pull(f.ann, p, "one")) // by its old address
		f.may(f.bob, at("acme/src/image"), "")
	})
}

func TestJobsAndFineGrainedTokensDelete(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("acme/app"), f.t.Context()
		one := f.image(f.ann, app, "one", "1")
		f.image(f.ann, app, "two", "2")
		f.refused(f.remove(f.job("acme/src"), app, one, packages.DeleteVersion{}), errs.Denied, "a job that the package grants nothing")
		f.check(f.Link(ctx, f.ann, app, "acme/src", false))
		f.check(f.remove(f.job("acme/src"), app, one, packages.DeleteVersion{}))
		f.check(f.restore(f.job("acme/src"), app, one))
		f.check(f.DeletePackage(ctx, f.job("acme/src"), app))
		f.refused(f.RestorePackage(ctx, f.job("ann/src"), app), errs.NotFound, "a restore by a job of another repository")
		f.check(f.RestorePackage(ctx, f.job("acme/src"), app))

		pkg, err := f.store.Package(ctx, f.ann, app)
		f.check(err)
		limited := f.ann
		limited.Limited, limited.Limits = true, []access.Limit{{OwnerID: pkg.OwnerID, PackageID: pkg.ID, Actions: access.Pull | access.Remove}}
		f.check(f.remove(limited, app, one, packages.DeleteVersion{}))
		f.refused(f.restore(limited, app, one), errs.Denied, "a restore by a fine-grained token")
		limited.Limits[0].Actions = access.Pull
		f.check(f.restore(f.ann, app, one))
		f.refused(f.remove(limited, app, one, packages.DeleteVersion{}), errs.Denied, "a deletion by a token that pulls")
	})
}
