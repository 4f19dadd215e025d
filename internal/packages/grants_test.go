package packages_test

import (
	"testing"

	"packhouse/internal/access"
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
