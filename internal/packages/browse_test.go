package packages_test

import (
	"fmt"
	"slices"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// browse returns what is shown, in pieces of n.
func (f *fixture) browse(p access.Package, show packages.VersionsShown, n int) (all []packages.BrowsedVersion) {
	f.t.Helper()
	q := packages.Browse{Show: show, N: n}
	for {
		page, err := f.Browse(f.t.Context(), f.ann, p, q)
		f.check(err)
		all = append(all, page.Versions...)
		if q.After = page.Next; q.After == 0 {
			return all
		}
	}
}

// shows checks which versions are shown, the newest first.
func (f *fixture) shows(p access.Package, show packages.VersionsShown, want ...oci.Digest) {
	f.t.Helper()
	var got []oci.Digest
	for _, v := range f.browse(p, show, 2) {
		got = append(got, v.Digest)
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("%q shows %v, want %v", show, got, want)
	}
}

func TestBrowseVersions(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app := at("ann/app")
		amd, arm := f.image(f.ann, app, "", "amd"), f.image(f.ann, app, "", "arm")
		multi := f.index(f.ann, app, "multi", amd, arm)
		one := f.image(f.ann, app, "one", "1")
		sig := f.signature(f.ann, app, "", one, "s")
		free := f.image(f.ann, app, "", "free")
		f.shows(app, packages.ShowAll, free, sig, one, multi, arm, amd)
		f.shows(app, packages.ShowTagged, one, multi)
		f.shows(app, packages.ShowUntagged, free)
		f.shows(app, packages.ShowDeleted)
		for _, v := range f.browse(app, packages.ShowAll, 0) {
			part, subject := int64(0), int64(0)
			switch v.Digest {
			case amd, arm:
				part = f.version(app, multi).ID
			case sig:
				subject = f.version(app, one).ID
			}
			if v.PartOf != part || v.SubjectID != subject {
				f.t.Errorf("%s is part of %d and refers to %d, want %d and %d", v.Digest, v.PartOf, v.SubjectID, part, subject)
			}
		}
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		f.shows(app, packages.ShowDeleted, one)
		if list := f.browse(app, packages.ShowDeleted, 0); !slices.Equal(list[0].Tags, []string{"one"}) {
			f.t.Errorf("a deleted version had the tags %q", list[0].Tags)
		}
		_, err := f.Browse(f.t.Context(), f.eve, app, packages.Browse{})
		f.refused(err, errs.NotFound, "versions to a stranger")
		f.check(f.SetVisibility(f.t.Context(), f.ann, app, access.Public))
		_, err = f.Browse(f.t.Context(), f.eve, app, packages.Browse{})
		f.check(err)
		_, err = f.Browse(f.t.Context(), f.eve, app, packages.Browse{Show: packages.ShowDeleted})
		f.refused(err, errs.Denied, "deleted versions to a reader")
		f.now = f.now.Add(2 * window)
		f.shows(app, packages.ShowDeleted)
	})
}

func TestManyTagsOfOneVersion(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		f.image(f.ann, app, "v000", "1")
		for i := range packages.MaxBrowsedTags {
			f.check(f.SetTag(ctx, f.ann, app, f.tagNamed(fmt.Sprintf("v%03d", i+1)), f.ref("v000")))
		}
		v := f.browse(app, packages.ShowTagged, 0)[0]
		if !v.MoreTags || len(v.Tags) != packages.MaxBrowsedTags || v.Tags[0] != "v100" {
			f.t.Errorf("%d tags from %s on, more: %t", len(v.Tags), v.Tags[0], v.MoreTags)
		}
		var got []string
		q := packages.TagBrowse{Text: "V00", N: 4}
		for {
			page, err := f.BrowseTags(ctx, f.ann, app, q)
			f.check(err)
			for _, tag := range page.Tags {
				got = append(got, tag.Name)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if len(got) != 10 || got[0] != "v000" || got[9] != "v009" {
			f.t.Errorf("found the tags %q", got)
		}
		_, err := f.BrowseTags(ctx, f.eve, app, packages.TagBrowse{})
		f.refused(err, errs.NotFound, "tags to a stranger")
	})
}

func TestPlanDeletion(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		amd := f.image(f.ann, app, "", "amd")
		multi := f.index(f.ann, app, "multi", amd)
		sig := f.signature(f.ann, app, "", multi, "s")
		plan := func(list ...oci.Digest) packages.DeletionPlan {
			f.t.Helper()
			var ids []int64
			for _, d := range list {
				ids = append(ids, f.version(app, d).ID)
			}
			p, err := f.PlanDeletion(ctx, f.ann, app, ids)
			f.check(err)
			return p
		}
		if p := plan(amd); p.Last || len(p.Versions) != 1 || len(p.Versions[0].Needs) != 1 || p.Versions[0].Needs[0].As != packages.NeedsChild {
			f.t.Errorf("a part: %+v", p)
		}
		if p := plan(sig); p.Last || p.Versions[0].Needs[0].As != packages.IsSubject {
			f.t.Errorf("a signature: %+v", p)
		}
		if p := plan(amd, multi); !p.Last || len(p.Versions[0].Needs)+len(p.Versions[1].Needs) != 0 {
			f.t.Errorf("the last tagged version with its part: %+v", p)
		}
		f.image(f.ann, app, "other", "other")
		if p := plan(multi); p.Last {
			f.t.Errorf("one of two tagged versions: %+v", p)
		}
		_, err := f.PlanDeletion(ctx, f.ann, app, []int64{1 << 40})
		f.refused(err, errs.NotFound, "a version that is not there")
		f.check(f.SetVisibility(ctx, f.ann, app, access.Public))
		_, err = f.PlanDeletion(ctx, f.eve, app, []int64{f.version(app, multi).ID})
		f.refused(err, errs.Denied, "the plan of a reader")
	})
}
