package packages_test

import (
	"testing"

	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// An account is told what all its packages take, each blob once, the largest
// first; what was deleted takes its bytes until it cannot be restored any more.
func TestStorageOfAnAccount(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, config := f.t.Context(), int64(len(`{"os":"linux"}`))
		app, copied := at("ann/app"), at("ann/copy")
		one, two := f.image(f.ann, app, "one", "layer1"), f.image(f.ann, app, "two", "the layer of two")
		f.image(f.ann, copied, "one", "layer1")
		f.image(f.eve, at("eve/app"), "three", "another's")
		m1, m2 := f.version(app, one).Size, f.version(app, two).Size
		all, small := m1+m2+config+6+16, m1+config+6
		is := func(what string, want int64, sizes ...int64) {
			f.t.Helper()
			z, err := f.OwnerStorage(ctx, f.ann, "Ann", 10, 0)
			if err != nil || z.Owner != "ann" || z.Bytes != want || z.Packages != len(sizes) || len(z.List) != len(sizes) {
				f.t.Fatalf("%s: %+v, %v; want %d", what, z, err, want)
			}
			for i, p := range z.List {
				if p.Bytes != sizes[i] {
					f.t.Errorf("%s: %s has %d bytes, want %d", what, p.Name, p.Bytes, sizes[i])
				}
			}
		}
		is("two packages that share an image", all, all, small)
		page, err := f.OwnerStorage(ctx, f.ann, "ann", 1, 1)
		if err != nil || len(page.List) != 1 || page.Packages != 2 || page.List[0].Name != copied.Name || page.List[0].Versions != 1 {
			f.t.Errorf("the second page: %+v, %v", page, err)
		}
		f.check(f.DeletePackage(ctx, f.ann, app))
		is("one of them deleted", all, all, small)
		page, err = f.OwnerStorage(ctx, f.ann, "ann", 1, 0)
		if err != nil || page.List[0].DeletedAt.IsZero() {
			f.t.Errorf("a deleted package: %+v, %v", page, err)
		}
		_, err = f.OwnerStorage(ctx, f.eve, "ann", 10, 0)
		f.refused(err, errs.Denied, "another's storage")
		_, err = f.OwnerStorage(ctx, f.ann, "nobody", 10, 0)
		f.refused(err, errs.NotFound, "the storage of nobody")
	})
}

// The administrators of the server are told what it holds, and who holds the most.
func TestStorageOfTheSite(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, config := f.t.Context(), int64(len(`{"os":"linux"}`))
		one := f.image(f.ann, at("ann/app"), "one", "layer1")
		f.image(f.ann, at("ann/copy"), "one", "layer1")
		f.image(f.eve, at("eve/app"), "one", "layer1")
		f.image(f.eve, at("eve/app"), "two", "the layer of two")
		m := f.version(at("ann/app"), one).Size
		z, err := f.SiteStorage(ctx, f.operator, 10)
		f.check(err)
		if z.Live != (packages.Stored{Count: 3, Bytes: config + 6 + 16}) || z.Manifests.Count != 2 || z.Bytes() != z.Live.Bytes+z.Manifests.Bytes {
			f.t.Errorf("%+v", z)
		}
		if len(z.Owners) != 2 || z.Owners[0].Owner != "eve" || z.Owners[1].Owner != "ann" || z.Owners[1].Bytes != m+config+6 || z.Owners[1].Packages != 2 {
			f.t.Errorf("owners: %+v", z.Owners)
		}
		if z, err = f.SiteStorage(ctx, f.operator, 1); err != nil || len(z.Owners) != 1 {
			f.t.Errorf("one owner: %+v, %v", z, err)
		}
		_, err = f.SiteStorage(ctx, f.ann, 1)
		f.refused(err, errs.Denied, "the site's storage")
	})
}
