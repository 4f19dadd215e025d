package packages_test

import (
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// document is what the settings shall be, with all that there is.
func document(v access.Visibility, repository string, inherits bool, grants, repositories []packages.Grant) packages.DocumentChange {
	return packages.DocumentChange{Visibility: &v, Repository: &repository, Inherits: &inherits, Grants: &grants, Repositories: &repositories}
}

func (f *fixture) entries() int {
	f.t.Helper()
	list, err := f.store.AuditEntries(f.t.Context(), audit.Query{Limit: 1000})
	f.check(err)
	return len(list)
}

func TestOneDocumentSetsEverything(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.ann, p, "v1", "x")
		f.repository("acme/other")
		patterns, err := packages.ParseTagPatterns([]string{"v*"})
		f.check(err)
		c := document(access.Public, "ACME/src", false,
			[]packages.Grant{{Grantee: user("Eve"), Role: access.RoleRead}, {Grantee: team("devs"), Role: access.RoleWrite}},
			[]packages.Grant{{Grantee: repository("acme/other"), Role: access.RoleWrite}, {Grantee: repository("ann/src"), Codespaces: true}})
		c.Immutable = &patterns
		f.check(f.Apply(ctx, f.ann, p, c))
		d, err := f.Document(ctx, f.ann, p)
		f.check(err)
		if d.Visibility != access.Public || d.Repository.String() != "acme/src" || d.Inherits || len(d.Grants) != 2 ||
			len(d.Repositories) != 2 || len(d.Immutable) != 1 {
			t.Errorf("%+v", d)
		}
		f.may(f.eve, p, access.RoleRead)
		f.may(f.bob, p, access.RoleWrite)
		f.may(f.job("acme/other"), p, access.RoleWrite)
		f.may(f.ann, p, access.RoleAdmin)

		before := f.entries()
		f.check(f.Apply(ctx, f.ann, p, c))
		if got := f.entries(); got != before {
			t.Errorf("the same document again records %d changes", got-before)
		}

		var none []oci.TagPattern
		c = document(access.Private, "acme/other", true, nil, []packages.Grant{{Grantee: repository("acme/other"), Role: access.RoleRead}})
		c.Immutable = &none
		f.check(f.Apply(ctx, f.ann, p, c))
		d, err = f.Document(ctx, f.ann, p)
		f.check(err)
		if d.Visibility != access.Private || d.Repository.String() != "acme/other" || !d.Inherits || len(d.Grants) != 0 ||
			len(d.Repositories) != 1 || d.Repositories[0].Role != access.RoleRead || len(d.Immutable) != 0 {
			t.Errorf("%+v", d)
		}

		empty := ""
		f.check(f.Apply(ctx, f.ann, p, packages.DocumentChange{Repository: &empty}))
		if d, err = f.Document(ctx, f.ann, p); err != nil || !d.Repository.IsZero() || d.Inherits {
			t.Errorf("unlinked: %+v %v", d, err)
		}
	})
}

// Whoever is admin by a grant alone can give the package away in one document.
func TestADocumentTakesTheCallersRoleLast(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.bob, p, "v1", "x")
		grants := []packages.Grant{{Grantee: team("acme/devs"), Role: access.RoleRead}, {Grantee: user("ann"), Role: access.RoleAdmin}}
		f.check(f.Apply(ctx, f.bob, p, packages.DocumentChange{Grants: &grants}))
		f.may(f.bob, p, access.RoleRead)
	})
}

func TestWhatADocumentRefuses(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("acme/app")
		f.push(f.ann, p, "v1", "x")
		yes := true
		grants := []packages.Grant{{Grantee: user("nobody"), Role: access.RoleRead}}
		f.refused(f.Apply(ctx, f.ann, p, packages.DocumentChange{Grants: &grants}), errs.Invalid, "who is not there")
		f.refused(f.Apply(ctx, f.ann, p, packages.DocumentChange{Inherits: &yes}), errs.Conflict, "inheriting from nothing")
		f.refused(f.Apply(ctx, f.ann, p, packages.DocumentChange{Inherits: &yes, Grants: &grants}), errs.Invalid, "grants and inheritance")
		missing := "acme/missing"
		f.check(f.Apply(ctx, f.ann, p, document(access.Private, "acme/src", false, nil, nil)))
		f.refused(f.Apply(ctx, f.ann, p, packages.DocumentChange{Repository: &missing}), errs.Invalid, "a repository that is not there")
		if d, err := f.Document(ctx, f.ann, p); err != nil || d.Repository.String() != "acme/src" {
			t.Errorf("unlinked for a link that cannot be: %+v %v", d, err)
		}
		f.refused(f.Apply(ctx, f.eve, p, packages.DocumentChange{}), errs.NotFound, "a stranger's document")
		_, err := f.Document(ctx, f.eve, p)
		f.refused(err, errs.NotFound, "a stranger's look")
	})
}
