package packages_test

import (
	"slices"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// To set a tag makes no package, as a push does, and leaves no trace: a member who
// may push new packages finds out no names by it.
func TestSettingATagFindsNothingOut(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		one := f.image(f.ann, at("acme/hidden"), "v1", "1")
		for who, by := range map[string]access.Principal{"a member": f.bob, "an owner": f.ann, "a stranger": f.eve} {
			for _, name := range []string{"acme/hidden", "acme/absent"} {
				if by.Login == "ann" && name == "acme/hidden" {
					continue
				}
				_, read := f.Package(ctx, by, at(name))
				set := f.SetTag(ctx, by, at(name), f.tagNamed("v2"), f.ref("v1"))
				restored := f.RestoreTag(ctx, by, at(name), f.tagNamed("v2"), one)
				f.refused(set, errs.NotFound, who+" sets a tag of "+name)
				if set.Error() != read.Error() || restored.Error() != read.Error() {
					f.t.Errorf("%s at %s: %v, %v and %v", who, name, set, restored, read)
				}
			}
		}
	})
}

func TestTags(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "v1.0", "1")
		two := f.image(f.ann, app, "v1.1", "2")
		f.later()
		f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("latest"), f.ref("v1.0")))
		names := func(q packages.TagQuery) []string {
			list, total, err := f.Tags(ctx, f.ann, app, q)
			f.check(err)
			got := []string{}
			for _, tag := range list {
				got = append(got, tag.Name)
			}
			if q.PerPage == 0 && total != len(got) {
				f.t.Errorf("%d of %d", len(got), total)
			}
			return got
		}
		for _, c := range []struct {
			q    packages.TagQuery
			want []string
		}{
			{packages.TagQuery{}, []string{"latest", "v1.0", "v1.1"}},
			{packages.TagQuery{Sort: packages.Newest}, []string{"latest", "v1.1", "v1.0"}},
			{packages.TagQuery{Match: "v1.*"}, []string{"v1.0", "v1.1"}},
			{packages.TagQuery{Match: "v1"}, []string{}},
			{packages.TagQuery{Page: 2, PerPage: 2}, []string{"v1.1"}},
			{packages.TagQuery{Page: 3, PerPage: 2}, []string{}},
		} {
			if got := names(c.q); !slices.Equal(got, c.want) {
				f.t.Errorf("%+v: %q, want %q", c.q, got, c.want)
			}
		}
		list, _, err := f.Tags(ctx, f.ann, app, packages.TagQuery{Match: "latest"})
		f.check(err)
		if v := f.version(app, one); len(list) != 1 || list[0] != (packages.Tag{
			Name: "latest", Digest: one, VersionID: v.ID, Size: v.Size, TotalSize: v.TotalSize, Kind: v.Kind, Since: f.now, SetBy: "ann",
		}) {
			f.t.Errorf("%+v", list)
		}
		_, _, err = f.Tags(ctx, f.ann, app, packages.TagQuery{Match: strings.Repeat("*", 129)})
		f.refused(err, errs.Invalid, "a pattern longer than any tag")
		_, _, err = f.Tags(ctx, f.ann, app, packages.TagQuery{Match: "["})
		f.refused(err, errs.Invalid, "a bad pattern")
		_, _, err = f.Tags(ctx, f.ann, app, packages.TagQuery{Sort: "size"})
		f.refused(err, errs.Invalid, "a bad order")
		_, _, err = f.Tags(ctx, f.eve, app, packages.TagQuery{})
		f.refused(err, errs.NotFound, "tags to a stranger")
		f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("latest"), oci.Reference{Digest: two}))
		f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("latest"), f.ref("v1.1"))) // nothing changes
		f.refused(f.SetTag(ctx, f.ann, app, f.tagNamed("x"), f.ref("none")), errs.NotFound, "a tag on nothing")
		f.refused(f.DeleteTag(ctx, f.ann, app, f.tagNamed("none")), errs.NotFound, "no such tag")
	})
}

func TestTagHistory(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		latest := f.tagNamed("latest")
		one := f.image(f.ann, app, "latest", "1")
		first := f.now
		two := f.image(f.ann, app, "latest", "2")
		second := f.now
		f.image(f.ann, app, "other", "3")
		f.later()
		f.check(f.RestoreTag(ctx, f.ann, app, latest, one))
		f.recorded("ann tag.restore ann/app")
		third := f.now
		v1, v2 := f.version(app, one), f.version(app, two)
		want := []packages.TagInterval{
			{Digest: one, VersionID: v1.ID, Since: third, SetBy: "ann", Present: true},
			{Digest: two, VersionID: v2.ID, Since: second, Until: third, SetBy: "ann", Present: true},
			{Digest: one, VersionID: v1.ID, Since: first, Until: second, SetBy: "ann", Present: true},
		}
		got, err := f.TagHistory(ctx, f.ann, app, latest)
		if err != nil || !slices.Equal(got, want) {
			f.t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		f.check(f.remove(f.ann, app, two, packages.DeleteVersion{}))
		f.refused(f.RestoreTag(ctx, f.ann, app, latest, two), errs.Conflict, "a deleted version")
		f.refused(f.RestoreTag(ctx, f.ann, app, latest, f.version(app, f.image(f.ann, app, "", "4")).Digest), errs.NotFound, "what it never led to")
		_, err = f.TagHistory(ctx, f.ann, app, f.tagNamed("never"))
		f.refused(err, errs.NotFound, "a tag that never was")
		_, err = f.TagHistory(ctx, f.eve, app, latest)
		f.refused(err, errs.NotFound, "history to a stranger")
	})
}
