package packages_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

func (f *fixture) repositoryRole(repository, login string, r access.RepositoryRole) {
	f.t.Helper()
	f.check(f.accounts.GrantRepository(f.t.Context(), audit.Operator, repository, account.RepositoryGrant{User: login, Role: r}))
}

func TestAPackageLinkedLaterKeepsItsOwnAccess(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.ann, p, "1", "layer")
		f.check(f.Grant(ctx, f.ann, p, role(user("bob"), access.RoleWrite)))
		f.may(f.job("acme/src"), p, "")
		f.check(f.Link(ctx, f.ann, p, "ACME/Src", false))
		f.may(f.bob, p, access.RoleWrite)
		f.may(f.job("acme/src"), p, access.RoleAdmin)
		f.check(f.Link(ctx, f.ann, p, "acme/src", false)) // as it is
		f.recorded("ann package.link acme/app", "ann package.grant acme/app")

		f.repositoryRole("acme/src", "bob", access.RepositoryRead)
		f.check(f.Link(ctx, f.ann, p, "acme/src", true))
		f.may(f.bob, p, access.RoleRead)
		f.repository("acme/other")
		f.refused(f.Link(ctx, f.ann, p, "acme/other", false), errs.Conflict, "a second link")
	})
}

func TestWhoMayLink(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.bob, p, "1", "layer")
		f.refused(f.Link(ctx, f.bob, p, "acme/src", false), errs.NotFound, "a repository that bob may not see")
		f.refused(f.Link(ctx, f.bob, p, "acme/none", false), errs.NotFound, "one that is not there")
		f.refused(f.Link(ctx, f.bob, p, "src", false), errs.Invalid, "no name of one")
		f.repositoryRole("acme/src", "bob", access.RepositoryTriage)
		f.refused(f.Link(ctx, f.bob, p, "acme/src", false), errs.Denied, "one that bob only reads")
		f.repositoryRole("acme/src", "bob", access.RepositoryWrite)
		f.check(f.Link(ctx, f.bob, p, "acme/src", false))
		f.push(f.ann, at("ann/app"), "1", "layer")
		f.refused(f.Link(ctx, f.ann, at("ann/app"), "acme/src", false), errs.Invalid, "another owner's repository")
		f.refused(f.Link(ctx, f.operator, at("ann/app"), "acme/src", false), errs.Invalid, "that, by the operator")
	})
}

func TestWhatWasUnlinkedByHandStaysSo(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("ann/app")
		f.push(f.job("ann/src"), p, "1", "layer")
		f.check(f.accounts.GrantRepository(ctx, audit.Operator, "ann/src", account.RepositoryGrant{User: "eve", Role: access.RepositoryAdmin}))
		f.may(f.eve, p, access.RoleAdmin)
		f.check(f.Unlink(ctx, f.eve, p))
		f.may(f.eve, p, access.RoleAdmin) // its own, as the one who did it
		f.repositoryRole("ann/src", "bob", access.RepositoryAdmin)
		f.may(f.bob, p, "")
		d, err := f.Show(ctx, f.eve, p)
		f.check(err)
		if d.LinkedBy != "unlinked" || !d.Repository.IsZero() || d.Inherits {
			f.t.Errorf("shown as %+v", d)
		}
		f.refused(f.Unlink(ctx, f.eve, p), errs.NotFound, "a second time")
	})
}

func TestInheritanceIsToldAndThenReplacesGrants(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.bob, p, "1", "layer")
		f.check(f.Grant(ctx, f.bob, p, role(team("devs"), access.RoleWrite)))
		f.check(f.Grant(ctx, f.ann, p, role(repository("ann/src"), access.RoleRead)))
		f.refused(f.SetInherits(ctx, f.bob, p, true), errs.Conflict, "without a link")
		f.check(f.Link(ctx, f.operator, p, "acme/src", false))

		plan, err := f.Plan(ctx, f.ann, p, true)
		f.check(err)
		lost := []packages.Grant{role(team("acme/devs"), access.RoleWrite), role(user("bob"), access.RoleAdmin)}
		f.sameGrants(lost, plan.Lost)
		f.check(f.SetInherits(ctx, f.ann, p, true))
		f.may(f.bob, p, "")
		f.may(f.job("ann/src"), p, access.RoleRead)
		left, err := f.ListGrants(ctx, f.ann, p)
		f.check(err)
		f.sameGrants([]packages.Grant{role(repository("ann/src"), access.RoleRead)}, left)
		f.refused(f.Grant(ctx, f.ann, p, role(user("bob"), access.RoleRead)), errs.Conflict, "a grant while it inherits")
		f.check(f.Grant(ctx, f.ann, p, role(repository("ann/src"), access.RoleWrite)))

		f.repositoryRole("acme/src", "bob", access.RepositoryAdmin)
		f.may(f.bob, p, access.RoleAdmin)
		if plan, err = f.Plan(ctx, f.bob, p, false); err != nil || plan.Admin != "bob" || !plan.Change {
			f.t.Errorf("%+v, %v", plan, err)
		}
		f.sameGrants([]packages.Grant{role(user("bob"), access.RoleAdmin)}, plan.Lost)
		f.check(f.SetInherits(ctx, f.bob, p, false))
		f.repositoryRole("acme/src", "bob", access.RepositoryRead)
		f.may(f.bob, p, access.RoleAdmin)
		f.check(f.SetInherits(ctx, f.bob, p, false))
		f.recorded("operator repository.grant acme/src", "bob package.inherit acme/app")
	})
}

func TestThePlanNamesAllWhoInherit(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.job("acme/src"), p, "1", "layer")
		base := access.RepositoryTriage
		f.check(f.accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{BaseRole: &base}))
		f.repositoryRole("acme/src", "bob", access.RepositoryMaintain)
		f.check(f.accounts.GrantRepository(ctx, audit.Operator, "acme/src", account.RepositoryGrant{Team: "devs", Role: access.RepositoryAdmin}))
		plan, err := f.Plan(ctx, f.operator, p, false)
		f.check(err)
		f.sameGrants([]packages.Grant{
			role(packages.Grantee{Kind: packages.Members, Name: "acme"}, access.RoleRead),
			role(team("acme/devs"), access.RoleAdmin), role(user("bob"), access.RoleWrite),
		}, plan.Lost)
		if plan.Admin != "" {
			f.t.Errorf("the operator becomes admin as %q", plan.Admin)
		}
		f.check(f.SetInherits(ctx, f.operator, p, false))
		f.may(f.bob, p, "")
	})
}

func (f *fixture) sameGrants(want, got []packages.Grant) {
	f.t.Helper()
	for i := range got {
		got[i].ID = 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Error(diff)
	}
}
