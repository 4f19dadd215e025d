package packages_test

import (
	"slices"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// listOf returns the names of what is listed, and the total.
func (f *fixture) listOf(who access.Principal, q packages.ListQuery) (names []string, total int) {
	f.t.Helper()
	list, total, err := f.ListPackages(f.t.Context(), who, q)
	f.check(err)
	for _, l := range list {
		names = append(names, l.Name.String())
	}
	return names, total
}

func TestListsHaveAnOrder(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		for _, name := range []string{"acme/b", "acme/a", "ann/z", "acme/c"} {
			f.image(f.ann, at(name), "one", name)
			f.later()
		}
		f.check(f.SetTag(ctx, f.ann, at("acme/a"), f.tagNamed("again"), f.ref("one")))
		for _, c := range []struct {
			what string
			q    packages.ListQuery
			want []string
		}{
			{"by name", packages.ListQuery{}, []string{"acme/a", "acme/b", "acme/c", "ann/z"}},
			{"the last pushed or tagged first", packages.ListQuery{Sort: packages.SortUpdated}, []string{"acme/a", "acme/c", "ann/z", "acme/b"}},
			{"of one owner", packages.ListQuery{Sort: packages.SortUpdated, Owner: "acme"}, []string{"acme/a", "acme/c", "acme/b"}},
			{"none downloaded", packages.ListQuery{Sort: packages.SortDownloads}, []string{"acme/a", "acme/b", "acme/c", "ann/z"}},
			{"a page", packages.ListQuery{Sort: packages.SortUpdated, Page: 2, PerPage: 3, Enough: 1}, []string{"acme/b"}},
			{"all words", packages.ListQuery{Text: "acme", Words: []string{"/", "B"}}, []string{"acme/b"}},
			{"a character that no name has", packages.ListQuery{Text: "a\x00"}, nil},
			{"no text at all", packages.ListQuery{Words: []string{"\xff"}}, nil},
		} {
			if got, _ := f.listOf(f.ann, c.q); !slices.Equal(got, c.want) {
				f.t.Errorf("%s: %q, want %q", c.what, got, c.want)
			}
		}
		if _, total := f.listOf(f.ann, packages.ListQuery{PerPage: 1, Enough: 2}); total <= 2 {
			f.t.Errorf("a total of %d where 2 are enough", total)
		}
		_, _, err := f.ListPackages(ctx, f.ann, packages.ListQuery{Sort: "size"})
		f.refused(err, errs.Invalid, "no such order")
	})
}

// Nobody finds out what is linked to a repository that he may not know of.
func TestListsTellOfNoHiddenRepository(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		f.image(f.ann, at("acme/app"), "one", "1")
		f.check(f.Link(ctx, f.ann, at("acme/app"), "acme/src", false))
		f.check(f.SetVisibility(ctx, f.ann, at("acme/app"), access.Public))
		q := packages.ListQuery{Repository: "acme/src", Page: 2, PerPage: 1}
		for who, p := range map[string]access.Principal{"a stranger": f.eve, "nobody": f.nobody} {
			if got, total := f.listOf(p, q); len(got) != 0 || total != 0 {
				f.t.Errorf("%s is told of %q, %d", who, got, total)
			}
		}
		if _, total := f.listOf(f.ann, q); total != 1 {
			f.t.Errorf("its owner is told of %d", total)
		}
		f.check(f.accounts.SetRepositoryVisibility(ctx, audit.Operator, "acme/src", access.Public))
		if _, total := f.listOf(f.nobody, q); total != 1 {
			f.t.Errorf("of a public one everybody is told of %d", total)
		}
	})
}

func TestNewestPublic(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		newest := func() (names []string) {
			list, err := f.NewestPublic(ctx, 2)
			f.check(err)
			for _, l := range list {
				names = append(names, l.Name.String())
			}
			return names
		}
		if any, err := f.Any(ctx); err != nil || any || newest() != nil {
			f.t.Errorf("an empty server: %v, %v", any, err)
		}
		for _, name := range []string{"ann/first", "ann/second", "ann/secret", "ann/third"} {
			f.image(f.ann, at(name), "one", name)
			f.later()
			if name != "ann/secret" {
				f.check(f.SetVisibility(ctx, f.ann, at(name), access.Public))
			}
		}
		if got := newest(); !slices.Equal(got, []string{"ann/third", "ann/second"}) {
			f.t.Errorf("the newest: %q", got)
		}
		f.check(f.DeletePackage(ctx, f.ann, at("ann/third")))
		if got := newest(); !slices.Equal(got, []string{"ann/second", "ann/first"}) {
			f.t.Errorf("after one was deleted: %q", got)
		}
		f.check(f.accounts.Suspend(ctx, audit.Operator, "ann", true))
		if got := newest(); got != nil {
			f.t.Errorf("of a suspended account: %q", got)
		}
		if any, err := f.Any(ctx); err != nil || !any {
			f.t.Errorf("a server with packages: %v, %v", any, err)
		}
	})
}

func TestWhoMayMakePackages(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		for _, c := range []struct {
			who   access.Principal
			owner string
			want  bool
		}{{f.ann, "ann", true}, {f.ann, "acme", true}, {f.eve, "acme", false}, {f.eve, "ann", false}, {f.nobody, "ann", false}, {f.bob, "acme", true}, {f.ann, "ACME", true}} {
			for _, kind := range []access.PackageType{access.Container, access.Docker} {
				if got, err := f.MayMake(ctx, c.who, c.owner, kind); err != nil || got != c.want {
					f.t.Errorf("%s in %s, %s: %v, %v", c.who.Login, c.owner, kind, got, err)
				}
			}
		}
		_, err := f.MayMake(ctx, f.ann, "none", access.Container)
		f.refused(err, errs.NotFound, "no such account")
	})
}
