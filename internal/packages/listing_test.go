package packages_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

func TestVersionsByPages(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		var all []oci.Digest
		for i := range 7 {
			all = append([]oci.Digest{f.image(f.ann, app, fmt.Sprintf("v%d", i), fmt.Sprint(i))}, all...)
		}
		for _, after := range []bool{false, true} { // by number, and by the place to go on from
			var got []oci.Digest
			q := packages.VersionQuery{Page: 1, PerPage: 3}
			for {
				page, err := f.Versions(ctx, f.ann, app, q)
				f.check(err)
				if page.Total != 7 && q.After == 0 {
					f.t.Errorf("%d versions", page.Total)
				}
				for _, v := range page.Versions {
					got = append(got, v.Digest)
				}
				if page.Next == 0 {
					break
				}
				if q.Page++; after {
					q.Page, q.After = 1, page.Next
				}
			}
			if !slices.Equal(got, all) {
				f.t.Errorf("listed %v, want %v", got, all)
			}
		}
		_, err := f.Versions(ctx, f.ann, app, packages.VersionQuery{Page: 101, PerPage: 100})
		f.refused(err, errs.Invalid, "a page too deep")
		_, err = f.Versions(ctx, f.ann, app, packages.VersionQuery{Page: 100, PerPage: 100})
		f.check(err)
		_, err = f.Versions(ctx, f.eve, app, packages.VersionQuery{})
		f.refused(err, errs.NotFound, "versions to a stranger")
	})
}

func TestWhatAVersionTells(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "one", "1")
		pushed := f.now
		f.image(f.ann, app, "two", "2")
		sig := f.signature(f.ann, app, "", one, "s")
		f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("latest"), f.ref("one")))
		tagged := f.now
		v, err := f.VersionByReference(ctx, f.ann, app, f.ref("latest"))
		f.check(err)
		if v.Digest != one || !slices.Equal(v.Tags, []string{"latest", "one"}) || !v.CreatedAt.Equal(pushed) || !v.UpdatedAt.Equal(tagged) ||
			v.CreatedBy != "ann" || v.Size == 0 || v.TotalSize <= v.Size || v.Kind != "image" || !v.Subject.IsZero() || !v.DeletedAt.IsZero() {
			f.t.Errorf("%+v", v)
		}
		same, err := f.Version(ctx, f.ann, app, v.ID)
		if err != nil || same.Digest != one || len(same.Tags) != 2 {
			f.t.Errorf("by id: %+v, %v", same, err)
		}
		byDigest, err := f.VersionByReference(ctx, f.ann, app, oci.Reference{Digest: sig})
		if err != nil || byDigest.Subject != one || byDigest.Tags == nil || len(byDigest.Tags) != 0 {
			f.t.Errorf("by digest: %+v, %v", byDigest, err)
		}
		f.later()
		f.check(f.DeleteTag(ctx, f.ann, app, f.tagNamed("latest")))
		if v, err = f.Version(ctx, f.ann, app, v.ID); err != nil || !v.UpdatedAt.Equal(f.now) {
			f.t.Errorf("updated at %s, %v; it lost a tag at %s", v.UpdatedAt, err, f.now)
		}
		_, err = f.VersionByReference(ctx, f.ann, app, f.ref("never"))
		f.refused(err, errs.NotFound, "a tag that is not there")
	})
}

func TestUntaggedMeansNeededByNothing(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		amd := f.image(f.ann, app, "", "amd")
		multi := f.index(f.ann, app, "multi", amd)
		sig := f.signature(f.ann, app, "", multi, "s")
		loose := f.image(f.ann, app, "", "loose")
		list := func(tagged bool) []oci.Digest {
			page, err := f.Versions(ctx, f.ann, app, packages.VersionQuery{Tagged: &tagged})
			f.check(err)
			if page.Total != len(page.Versions) {
				f.t.Errorf("%d of %d versions", len(page.Versions), page.Total)
			}
			var got []oci.Digest
			for _, v := range page.Versions {
				got = append(got, v.Digest)
			}
			return got
		}
		if got := list(true); !slices.Equal(got, []oci.Digest{multi}) {
			f.t.Errorf("tagged: %v", got)
		}
		if got := list(false); !slices.Equal(got, []oci.Digest{loose}) {
			f.t.Errorf("untagged: %v, want the loose one alone", got)
		}
		f.image(f.ann, app, "other", "o")
		f.check(f.remove(f.ann, app, multi, packages.DeleteVersion{}))
		if got := list(false); !slices.Equal(got, []oci.Digest{loose, sig, amd}) {
			f.t.Errorf("untagged after the index is gone: %v", got)
		}
	})
}

// TestCleaningUpThroughGitHubsCalls does what clean-up tools do there: delete each
// version that the list shows without tags, whatever is refused, over and over.
func TestCleaningUpThroughGitHubsCalls(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		var tags []string
		for i, name := range []string{"v1", "v2", "v3"} {
			amd, arm := f.image(f.ann, app, "", "amd"+name), f.image(f.ann, app, "", "arm"+name)
			provenance := f.image(f.ann, app, "", "provenance"+name, `"annotations":{"vnd.docker.reference.type":"attestation-manifest"}`)
			multi := f.index(f.ann, app, name, amd, arm, provenance)
			sig := f.signature(f.ann, app, "", multi, "sig"+name)
			f.signature(f.ann, app, "", sig, "sigsig"+name)
			f.signature(f.ann, app, "", amd, "sbom"+name)
			f.image(f.ann, app, "sha256-"+multi.Hex()+".sig", "cosign"+name)
			listed := f.image(f.ann, app, "", "listed"+name)
			f.index(f.ann, app, oci.FallbackTag(multi).String(), listed)
			f.index(f.ann, app, "cache-"+name, f.image(f.ann, app, "", "cache"+name))
			f.index(f.ann, app, "nested-"+name, multi, f.index(f.ann, app, "", arm))
			f.index(f.ann, app, "moves", amd) // leaves an old one behind each time
			f.image(f.ann, app, "latest", fmt.Sprint("latest", i))
			tags = append(tags, name, "sha256-"+multi.Hex()+".sig", oci.FallbackTag(multi).String(), "cache-"+name, "nested-"+name)
		}
		tags = append(tags, "moves", "latest")
		deleted := 0
		for again := true; again; {
			again = false
			page, err := f.Versions(ctx, f.ann, app, packages.VersionQuery{PerPage: 100})
			f.check(err)
			for _, v := range page.Versions {
				if len(v.Tags) > 0 {
					continue
				}
				f.later()
				if err := f.DeleteVersion(ctx, f.ann, app, v.ID, packages.DeleteVersion{}); err == nil {
					deleted++
					again = true
				}
			}
		}
		if deleted != 4 { // two of latest, two of moves
			f.t.Errorf("%d versions were deleted", deleted)
		}
		for _, tag := range tags {
			f.pullable(app, f.ref(tag))
		}
	})
}

// pullable checks that all of the manifest is there.
func (f *fixture) pullable(p access.Package, ref oci.Reference) {
	f.t.Helper()
	v, err := f.registry.StatManifest(f.t.Context(), f.ann, p, ref)
	f.check(err)
	content, err := f.registry.ManifestContent(f.t.Context(), v)
	f.check(err)
	m, err := oci.ParseManifest(v.MediaType, content)
	f.check(err)
	for _, part := range m.Parts() {
		if part.Kind == oci.PartManifest {
			f.pullable(p, oci.Reference{Digest: part.Digest})
			continue
		}
		_, err := f.registry.FindBlob(f.t.Context(), f.ann, p, part.Digest)
		f.check(err)
	}
	if m.Subject != nil {
		f.pullable(p, oci.Reference{Digest: m.Subject.Digest})
	}
}

func TestListPackages(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		f.image(f.ann, at("acme/app"), "one", "1")
		f.image(f.ann, at("acme/tool_a"), "one", "1")
		f.image(f.ann, at("acme/toolxa"), "one", "1")
		f.image(f.ann, at("ann/own"), "one", "1")
		f.check(f.Link(ctx, f.ann, at("acme/app"), "acme/src", false))
		f.check(f.SetVisibility(ctx, f.ann, at("acme/tool_a"), access.Public))
		names := func(who access.Principal, q packages.ListQuery) []string {
			list, total, err := f.ListPackages(ctx, who, q)
			f.check(err)
			got := []string{}
			for _, l := range list {
				got = append(got, l.Name.String())
			}
			if q.PerPage == 0 && total != len(got) {
				f.t.Errorf("%d of %d packages", len(got), total)
			}
			return got
		}
		for _, c := range []struct {
			what string
			who  access.Principal
			q    packages.ListQuery
			want []string
		}{
			{"all, to their owner", f.ann, packages.ListQuery{}, []string{"acme/app", "acme/tool_a", "acme/toolxa", "ann/own"}},
			{"all, to the operator", f.operator, packages.ListQuery{Type: access.Container}, []string{"acme/app", "acme/tool_a", "acme/toolxa", "ann/own"}},
			{"all, to a stranger", f.eve, packages.ListQuery{}, []string{"acme/tool_a"}},
			{"all, to nobody", f.nobody, packages.ListQuery{}, []string{"acme/tool_a"}},
			{"a member without a role", f.bob, packages.ListQuery{Owner: "acme"}, []string{"acme/tool_a"}},
			{"an owner's", f.ann, packages.ListQuery{Owner: "ANN"}, []string{"ann/own"}},
			{"nobody's", f.ann, packages.ListQuery{Owner: "who"}, []string{}},
			{"of the other registry", f.ann, packages.ListQuery{Type: access.Docker}, []string{}},
			{"by visibility", f.ann, packages.ListQuery{Visibility: access.Private, Owner: "acme"}, []string{"acme/app", "acme/toolxa"}},
			{"by repository", f.ann, packages.ListQuery{Repository: "acme/src"}, []string{"acme/app"}},
			{"by text, which is no pattern", f.ann, packages.ListQuery{Text: "tool_"}, []string{"acme/tool_a"}},
			{"the second page", f.ann, packages.ListQuery{Page: 2, PerPage: 3}, []string{"ann/own"}},
			{"none that are deleted", f.ann, packages.ListQuery{Deleted: true}, []string{}},
		} {
			if got := names(c.who, c.q); !slices.Equal(got, c.want) {
				f.t.Errorf("%s: %q, want %q", c.what, got, c.want)
			}
		}
		f.check(f.DeletePackage(ctx, f.ann, at("acme/tool_a")))
		if got := names(f.ann, packages.ListQuery{Deleted: true, Owner: "acme"}); !slices.Equal(got, []string{"acme/tool_a"}) {
			f.t.Errorf("deleted: %q", got)
		}
		if got := names(f.bob, packages.ListQuery{Deleted: true}); len(got) != 0 {
			f.t.Errorf("deleted, to one who cannot restore: %q", got)
		}
		if got := names(f.nobody, packages.ListQuery{}); len(got) != 0 {
			f.t.Errorf("a deleted package is listed: %q", got)
		}
	})
}

func TestWhatAListTells(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("acme/app"), f.t.Context()
		f.image(f.ann, app, "one", "1")
		made := f.now.Add(-time.Second) // with the first blob
		f.image(f.ann, app, "two", "2")
		f.later()
		f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("latest"), f.ref("two")))
		f.check(f.Link(ctx, f.ann, app, "acme/src", false))
		l, err := f.Package(ctx, f.ann, app)
		f.check(err)
		if l.Name.String() != "acme/app" || l.Type != access.Container || l.Visibility != access.Private || l.Owner.Login != "acme" || !l.Owner.Organization ||
			l.VersionCount != 2 || !l.CreatedAt.Equal(made) || !l.UpdatedAt.Equal(f.now) || l.ID == 0 || l.Owner.ID == 0 {
			f.t.Errorf("%+v", l)
		}
		if r := l.Repository; r == nil || r.Name.String() != "acme/src" || r.Visibility != access.Private || r.Owner.Login != "acme" || r.ID == 0 {
			f.t.Errorf("linked to %+v", r)
		}
		f.check(f.SetVisibility(ctx, f.ann, app, access.Public))
		if l, err = f.Package(ctx, f.eve, app); err != nil || l.Repository != nil {
			f.t.Errorf("%+v, %v: a stranger sees the private repository", l.Repository, err)
		}
		yes, no := true, false
		f.check(f.accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{RequireSSO: &yes}))
		if l, err = f.Package(ctx, f.ann, app); err != nil || l.Repository != nil {
			f.t.Errorf("%+v, %v: the private repository is seen without single sign-on", l.Repository, err)
		}
		f.check(f.accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{RequireSSO: &no}))
		f.check(f.accounts.SetRepositoryVisibility(ctx, audit.Operator, "acme/src", access.Public))
		if l, err = f.Package(ctx, f.nobody, app); err != nil || l.Repository == nil {
			f.t.Errorf("%+v, %v: nobody sees the public repository", l.Repository, err)
		}
		_, err = f.Package(ctx, f.eve, at("acme/none"))
		f.refused(err, errs.NotFound, "no package")
	})
}

func TestSizes(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		config := int64(len(`{"os":"linux"}`))
		one, two := f.image(f.ann, app, "one", "layer1"), f.image(f.ann, app, "two", "the layer of two")
		m1, m2 := f.version(app, one).Size, f.version(app, two).Size
		is := func(what string, z packages.Sizes, err error, want packages.Sizes) {
			f.t.Helper()
			if err != nil || z != want {
				f.t.Errorf("%s: %+v, %v; want %+v", what, z, err, want)
			}
		}
		z, err := f.Sizes(ctx, f.ann, app)
		is("a package", z, err, packages.Sizes{Bytes: m1 + m2 + config + 6 + 16, FreedIfDeleted: m1 + m2 + config + 6 + 16, Versions: 2})
		z, err = f.VersionSizes(ctx, f.ann, app, f.version(app, one).ID)
		is("a version", z, err, packages.Sizes{Bytes: m1 + config + 6, FreedIfDeleted: m1 + 6, Versions: 1})

		multi := f.index(f.ann, app, "multi", one, f.image(f.ann, app, "", "three"))
		three := f.version(app, multi).Size
		child := f.version(app, f.image(f.ann, app, "", "three")).Size
		z, err = f.VersionSizes(ctx, f.ann, app, f.version(app, multi).ID)
		is("an index, of which one child has a tag", z, err,
			packages.Sizes{Bytes: three + m1 + child + config + 6 + 5, FreedIfDeleted: three + child + 5, Versions: 3})

		// What another owner has is told to nobody but the administrators.
		f.image(f.eve, at("eve/app"), "one", "layer1")
		z, err = f.Sizes(ctx, f.eve, at("eve/app"))
		is("a copy, to its owner", z, err, packages.Sizes{Bytes: m1 + config + 6, FreedIfDeleted: m1 + config + 6, Versions: 1})
		z, err = f.Sizes(ctx, f.operator, at("eve/app"))
		is("a copy, to the operator", z, err, packages.Sizes{Bytes: m1 + config + 6, Versions: 1})
		z, err = f.VersionSizes(ctx, f.operator, at("eve/app"), f.version(at("eve/app"), one).ID)
		is("its version", z, err, packages.Sizes{Bytes: m1 + config + 6, Versions: 1})
		f.image(f.ann, at("ann/copy"), "one", "layer1")
		z, err = f.Sizes(ctx, f.ann, at("ann/copy"))
		is("a copy of one's own", z, err, packages.Sizes{Bytes: m1 + config + 6, Versions: 1})
		// What else an owner has is not for everybody to find out who may read.
		f.check(f.SetVisibility(ctx, f.ann, at("ann/copy"), access.Public))
		z, err = f.Sizes(ctx, f.eve, at("ann/copy"))
		is("what is public, to a stranger", z, err, packages.Sizes{Bytes: m1 + config + 6, FreedIfDeleted: m1 + config + 6, Versions: 1})
		z, err = f.VersionSizes(ctx, f.eve, at("ann/copy"), f.version(at("ann/copy"), one).ID)
		is("its version, to a stranger", z, err, packages.Sizes{Bytes: m1 + config + 6, FreedIfDeleted: m1 + config + 6, Versions: 1})
		_, err = f.Sizes(ctx, f.eve, app)
		f.refused(err, errs.NotFound, "sizes to a stranger")
		_, err = f.VersionSizes(ctx, f.ann, app, 1<<40)
		f.refused(err, errs.NotFound, "the size of nothing")
	})
}
