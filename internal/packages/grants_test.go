package packages_test

import (
	"sync"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

func TestGrantsHoldAtOnceAndEnd(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("ann/app")
		f.push(f.ann, p, "1", "layer")
		f.refused(f.pull(f.eve, p, "1"), errs.NotFound, "without a role")
		for _, r := range []access.Role{access.RoleRead, access.RoleAdmin, access.RoleWrite} {
			f.check(f.Grant(ctx, f.ann, p, role(user("EVE"), r)))
			f.may(f.eve, p, r)
		}
		f.refused(f.Grant(ctx, f.eve, p, role(user("bob"), access.RoleRead)), errs.Denied, "by one who may only write")
		list, err := f.ListGrants(ctx, f.ann, p)
		f.check(err)
		f.sameGrants([]packages.Grant{role(user("ann"), access.RoleAdmin), role(user("eve"), access.RoleWrite)}, list)
		f.check(f.Revoke(ctx, f.ann, p, user("eve")))
		f.may(f.eve, p, "")
		f.recorded("ann package.revoke ann/app")
		f.refused(f.Revoke(ctx, f.ann, p, user("eve")), errs.NotFound, "what is not there")
		f.recorded("ann package.revoke ann/app", "ann package.grant ann/app")
	})
}

func TestWhoCanHaveARole(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, own, org := f.t.Context(), at("ann/app"), at("acme/app")
		f.push(f.ann, own, "1", "layer")
		f.push(f.ann, org, "1", "layer")
		for what, c := range map[string]struct {
			err  error
			kind errs.Kind
		}{
			"a team, on a user's package":    {f.Grant(ctx, f.ann, own, role(team("acme/devs"), access.RoleRead)), errs.Invalid},
			"a team of another organization": {f.Grant(ctx, f.ann, org, role(team("other/devs"), access.RoleRead)), errs.Invalid},
			"a team that is not there":       {f.Grant(ctx, f.ann, org, role(team("ops"), access.RoleRead)), errs.NotFound},
			"a user who is not there":        {f.Grant(ctx, f.ann, org, role(user("zoe"), access.RoleRead)), errs.NotFound},
			"an organization as a user":      {f.Grant(ctx, f.ann, own, role(user("acme"), access.RoleRead)), errs.NotFound},
			"one who is no member":           {f.Grant(ctx, f.ann, org, role(user("eve"), access.RoleRead)), errs.Conflict},
			"no role":                        {f.Grant(ctx, f.ann, org, role(user("bob"), "")), errs.Invalid},
			"a user's codespaces":            {f.Grant(ctx, f.ann, org, packages.Grant{Grantee: user("bob"), Codespaces: true}), errs.Invalid},
			"nobody":                         {f.Grant(ctx, f.ann, org, role(packages.Grantee{}, access.RoleRead)), errs.Invalid},
			"a repository that is not there": {f.Grant(ctx, f.ann, org, role(repository("acme/none"), access.RoleRead)), errs.NotFound},
		} {
			f.refused(c.err, c.kind, what)
		}
		f.check(f.Grant(ctx, f.ann, org, role(team("devs"), access.RoleWrite)))
		f.may(f.bob, org, access.RoleWrite)
		f.check(f.SetVisibility(ctx, f.ann, org, access.Public))
		f.check(f.Grant(ctx, f.ann, org, role(user("eve"), access.RoleWrite)))
		f.may(f.eve, org, access.RoleWrite)
		f.check(f.SetVisibility(ctx, f.ann, org, access.Private))
		f.may(f.eve, org, "") // what is not public is for members
	})
}

// Row 19 of the complaints: no way but pages to let a repository's jobs in.
func TestJobsAndCodespacesOfAnyRepository(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.ann, p, "1", "layer")
		job := f.job("ann/src")
		space := job
		space.Workflow = &access.Workflow{RepositoryID: job.Workflow.RepositoryID, Repository: job.Workflow.Repository, OwnerID: job.Workflow.OwnerID, Codespace: true}
		f.may(job, p, "")
		for _, r := range []access.Role{access.RoleRead, access.RoleWrite} {
			f.check(f.Grant(ctx, f.ann, p, role(repository("ann/src"), r)))
			f.may(job, p, r)
			f.may(space, p, "")
		}
		f.check(f.pull(job, p, "1"))
		f.push(job, p, "2", "more")
		f.check(f.Grant(ctx, f.ann, p, packages.Grant{Grantee: repository("ann/src"), Codespaces: true}))
		f.may(job, p, access.RoleWrite)
		f.may(space, p, access.RoleRead)
		f.check(f.Revoke(ctx, f.ann, p, repository("ann/src")))
		f.may(job, p, "")
		f.may(space, p, "")
	})
}

// Of grants and a switch of the inheritance at the same time, either comes first:
// no grant outlives the switch, to count again at the next one.
func TestNoGrantSlipsUnderInheritance(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.ann, p, "1", "layer")
		f.check(f.Link(ctx, f.ann, p, "acme/src", false))
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				err := f.Grant(ctx, f.ann, p, role(user("bob"), access.RoleWrite))
				if err != nil && !errs.Is(err, errs.Conflict) {
					f.t.Error(err)
				}
			})
		}
		all.Go(func() {
			if err := f.SetInherits(ctx, f.ann, p, true); err != nil {
				f.t.Error(err)
			}
		})
		all.Wait()
		list, err := f.ListGrants(ctx, f.ann, p)
		f.check(err)
		f.sameGrants(nil, list)
	})
}

// What is decided on is looked up before the change, which looks again.
func TestTheStoreRefusesWhatIsTrueNoMore(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		f.push(f.ann, inDocker("acme/src/x"), "1", "layer")
		f.push(f.ann, at("acme/app"), "1", "layer")
		docker, err := f.store.Package(ctx, f.ann, inDocker("acme/src/x"))
		f.check(err)
		app, err := f.store.Package(ctx, f.ann, at("acme/app"))
		f.check(err)
		elsewhere, err := f.accounts.Repository(ctx, "ann/src")
		f.check(err)
		e := audit.Entry{At: f.now, Actor: "ann", Action: "a.b", Target: "x"}
		for what, err := range map[string]error{
			"a visibility in the Docker registry":  f.store.SetPackageVisibility(ctx, docker.ID, access.Public, true, e),
			"a name in the Docker registry":        f.store.RenamePackage(ctx, docker.ID, "src/y", e),
			"a link to another owner's repository": f.store.LinkPackage(ctx, app.ID, elsewhere.ID, false, e),
			"inheritance without a link":           f.store.SetPackageInherits(ctx, app.ID, true, 0, e),
			"the end of a link that is not there":  f.store.UnlinkPackage(ctx, app.ID, 0, e),
		} {
			f.refused(err, errs.Conflict, what)
		}
		f.deleted("acme/app")
		f.refused(f.store.SetPackageVisibility(ctx, app.ID, access.Public, true, e), errs.NotFound, "a package that is gone")
		f.recorded("operator account.settings acme")
	})
}
