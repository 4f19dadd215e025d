package packages_test

import (
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Row 34 of the complaints: once public, never private.
func TestWhatWasPublicCanBePrivateAgain(t *testing.T) {
	onBoth(t, func(f *fixture) {
		p := at("ann/app")
		f.push(f.ann, p, "1", "layer")
		f.refused(f.pull(f.nobody, p, "1"), errs.Unauthenticated, "a new package is private")
		f.check(f.SetVisibility(f.t.Context(), f.ann, p, access.Public))
		f.check(f.pull(f.nobody, p, "1"))
		f.check(f.SetVisibility(f.t.Context(), f.ann, p, access.Private))
		f.refused(f.pull(f.nobody, p, "1"), errs.Unauthenticated, "private again")
		f.recorded("ann package.visibility ann/app", "ann package.visibility ann/app")
		f.check(f.SetVisibility(f.t.Context(), f.ann, p, access.Private))
		f.recorded("ann package.visibility ann/app", "ann package.visibility ann/app", "operator account.settings acme")
	})
}

func TestTheSiteMayForbidToWithdrawWhatIsPublic(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("ann/app")
		f.push(f.ann, p, "1", "layer")
		f.check(f.accounts.SetKeepPublic(ctx, audit.Operator, true))
		f.check(f.SetVisibility(ctx, f.ann, p, access.Public))
		f.refused(f.SetVisibility(ctx, f.ann, p, access.Private), errs.Denied, "forbidden by the site")
		f.check(f.pull(f.nobody, p, "1"))
		f.check(f.SetVisibility(ctx, f.operator, p, access.Private))
		f.check(f.SetVisibility(ctx, f.ann, p, access.Public))
		f.check(f.accounts.SetKeepPublic(ctx, audit.Operator, false))
		f.check(f.SetVisibility(ctx, f.ann, p, access.Private))
	})
}

func TestVisibilityIsForAdminsAndWithinTheOrganizationsSettings(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.bob, p, "1", "layer")
		create := access.SetPrivate | access.SetInternal
		f.check(f.accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{MembersCreate: &create}))
		f.refused(f.SetVisibility(ctx, f.bob, p, access.Public), errs.Denied, "a member, of what members may not create")
		f.check(f.SetVisibility(ctx, f.bob, p, access.Internal))
		f.check(f.pull(f.eve, p, "1"))
		f.check(f.SetVisibility(ctx, f.ann, p, access.Public))
		f.refused(f.SetVisibility(ctx, f.eve, p, access.Private), errs.Denied, "a stranger, of what is public")
		f.check(f.SetVisibility(ctx, f.bob, p, access.Private))
		f.refused(f.SetVisibility(ctx, f.eve, p, access.Public), errs.NotFound, "a stranger, of what is private")
		f.refused(f.SetVisibility(ctx, f.nobody, p, access.Public), errs.Unauthenticated, "nobody")
		f.push(f.ann, at("ann/app"), "1", "layer")
		for who, err := range map[string]error{
			"ann":          f.SetVisibility(ctx, f.ann, at("ann/app"), access.Internal),
			"the operator": f.SetVisibility(ctx, f.operator, at("ann/app"), access.Internal),
		} {
			f.refused(err, errs.Denied, "an internal package of a user, by "+who)
		}
	})
}

// The answer to one who may not know is the same for what is there and what is
// not.
func TestSettingsOfThePrivateLookAbsent(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		f.push(f.ann, at("ann/here"), "1", "layer")
		f.check(f.SetVisibility(ctx, f.ann, at("ann/here"), access.Private))
		changes := map[string]func(p access.Package) error{
			"visibility": func(p access.Package) error { return f.SetVisibility(ctx, f.eve, p, access.Public) },
			"link":       func(p access.Package) error { return f.Link(ctx, f.eve, p, "ann/src", true) },
			"unlink":     func(p access.Package) error { return f.Unlink(ctx, f.eve, p) },
			"inherit":    func(p access.Package) error { return f.SetInherits(ctx, f.eve, p, true) },
			"plan":       func(p access.Package) error { _, err := f.Plan(ctx, f.eve, p, true); return err },
			"grant":      func(p access.Package) error { return f.Grant(ctx, f.eve, p, role(user("eve"), access.RoleAdmin)) },
			"revoke":     func(p access.Package) error { return f.Revoke(ctx, f.eve, p, user("ann")) },
			"grants":     func(p access.Package) error { _, err := f.ListGrants(ctx, f.eve, p); return err },
			"rename":     func(p access.Package) error { return f.Rename(ctx, f.eve, p, "mine") },
			"transfer":   func(p access.Package) error { return f.Transfer(ctx, f.eve, p, "eve") },
			"show":       func(p access.Package) error { _, err := f.Show(ctx, f.eve, p); return err },
		}
		for what, change := range changes {
			here, gone := change(at("ann/here")), change(at("ann/gone"))
			f.refused(here, errs.NotFound, what)
			f.refused(gone, errs.NotFound, what)
			if len(here.Error()) != len(gone.Error()) {
				f.t.Errorf("%s: %q and %q", what, here, gone)
			}
		}
	})
}
