package packages_test

import (
	"fmt"
	"slices"
	"testing"

	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

func TestRecentTagsAreOfWhatIsPulled(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "v1", "1")
		f.signature(f.ann, app, "signed", one, "s")
		f.image(f.ann, app, oci.FallbackTag(one).String()+".sig", "2")
		config := f.blob(f.ann, app, "application/vnd.acme.readme", "{}")
		f.manifest(f.ann, app, "readme", fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[],"subject":%s}`,
			config, f.descriptor(app, one)))
		f.image(f.ann, app, "v2", "2")
		f.image(f.ann, app, "v3", "3")
		f.remove(f.ann, app, f.image(f.ann, app, "v4", "4"), packages.DeleteVersion{})
		list, err := f.RecentTags(ctx, f.ann, app, 2)
		f.check(err)
		names := []string{}
		for _, tag := range list {
			names = append(names, fmt.Sprint(tag.Name, " ", tag.Kind))
		}
		if want := []string{"v3 image", "v2 image"}; !slices.Equal(names, want) {
			t.Errorf("got %v, want %v", names, want)
		}
		if list, err = f.RecentTags(ctx, f.ann, app, 9); err != nil || len(list) != 3 {
			t.Errorf("got %v, %v; want v3, v2 and v1", list, err)
		}
		latest, err := f.Latest(ctx, f.ann, app)
		if f.check(err); latest.Name != "v3" {
			t.Errorf("the latest is %s", latest.Name)
		}
		_, err = f.RecentTags(ctx, f.eve, app, 2)
		f.says(err, errs.NotFound, "")
	})
}

func TestVersionsOfDigestsAndIndexesWithThem(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, other, ctx := at("ann/app"), at("ann/other"), f.t.Context()
		a, b := f.image(f.ann, app, "a", "1"), f.image(f.ann, app, "", "2")
		index := f.index(f.ann, app, "all", a, b)
		f.image(f.ann, other, "b", "2")
		f.index(f.ann, other, "theirs", b)

		found, err := f.VersionsOf(ctx, f.ann, app, []oci.Digest{a, b, oci.SHA256.FromBytes(nil)})
		f.check(err)
		if len(found) != 2 || !slices.Equal(found[a].Tags, []string{"a"}) || found[b].ID == 0 {
			t.Errorf("got %v", found)
		}
		in, err := f.IndexesWith(ctx, f.ann, app, b, 5)
		f.check(err)
		if len(in) != 1 || in[0].Digest != index || !slices.Equal(in[0].Tags, []string{"all"}) {
			t.Errorf("got %v", in)
		}

		_, err = f.VersionsOf(ctx, f.ann, app, make([]oci.Digest, packages.MaxRelated+1))
		f.says(err, errs.Invalid, "200")
		_, err = f.VersionsOf(ctx, f.eve, app, []oci.Digest{a})
		f.says(err, errs.NotFound, "")
		_, err = f.IndexesWith(ctx, f.eve, app, a, 1)
		f.says(err, errs.NotFound, "")
	})
}

func TestCachesStandApart(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		f.image(f.ann, app, "v1", "1")
		layer := f.blob(f.ann, app, "application/vnd.oci.image.layer.v1.tar", "cached")
		config := f.blob(f.ann, app, "application/vnd.buildkit.cacheconfig.v0", "{}")
		cache := f.manifest(f.ann, app, "buildcache", fmt.Sprintf(
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}`, config, layer))
		list, err := f.Caches(ctx, f.ann, app, 5)
		f.check(err)
		if len(list) != 1 || list[0].Digest != cache || !slices.Equal(list[0].Tags, []string{"buildcache"}) {
			t.Errorf("got %v", list)
		}
		_, err = f.Caches(ctx, f.eve, app, 5)
		f.says(err, errs.NotFound, "")
	})
}
