package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// referrer pushes a manifest with a subject, or without one.
func (f *fixture) referrer(subject oci.Digest, artifactType string) oci.Digest {
	f.t.Helper()
	empty := f.push(f.alice, f.app, []byte("{}"))
	about := ""
	if !subject.IsZero() {
		about = fmt.Sprintf(`,"subject":{"mediaType":%q,"digest":%q,"size":7}`, oci.MediaTypeImageManifest, subject)
	}
	m := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"artifactType":%q,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[],"annotations":{"k":%q}%s}`,
		oci.MediaTypeImageManifest, artifactType, empty, artifactType, about)
	d, err := f.tag(f.alice, f.app, []byte(m), oci.SHA256.FromBytes([]byte(m)).String())
	f.check(err)
	return d
}

func TestReferrers(t *testing.T) {
	onBoth(t, func(f *fixture) {
		_, subject := randomBytes(1)
		page, err := f.Referrers(f.ctx(), f.alice, f.app, subject, "", 0, 10)
		if err != nil || len(page.Referrers) != 0 {
			f.t.Fatalf("before the package exists: %v, %v", page, err)
		}
		sig, sbom := f.referrer(subject, "example/sig"), f.referrer(subject, "example/sbom")
		first, err := f.Referrers(f.ctx(), f.alice, f.app, subject, "", 0, 1)
		f.check(err)
		second, err := f.Referrers(f.ctx(), f.alice, f.app, subject, "", first.Next, 1)
		f.check(err)
		if first.Referrers[0].Digest != sig || second.Referrers[0].Digest != sbom || second.Next != 0 {
			f.t.Errorf("pages are %+v and %+v", first, second)
		}
		if r := first.Referrers[0]; r.ArtifactType != "example/sig" || r.Annotations["k"] != "example/sig" {
			f.t.Errorf("descriptor is %+v", r)
		}
		filtered, err := f.Referrers(f.ctx(), f.alice, f.app, subject, "example/sbom", 0, 10)
		if err != nil || len(filtered.Referrers) != 1 || filtered.Referrers[0].Digest != sbom {
			f.t.Errorf("filtered: %+v, %v", filtered, err)
		}
		f.check(f.DeleteManifest(f.ctx(), f.alice, f.app, oci.Reference{Digest: sig}))
		page, err = f.Referrers(f.ctx(), f.alice, f.app, subject, "", 0, 10)
		if err != nil || len(page.Referrers) != 1 {
			f.t.Errorf("after a deletion: %+v, %v", page, err)
		}
		_, err = f.Referrers(f.ctx(), f.anyone, f.app, subject, "", 0, 10)
		wantKind(f.t, err, errs.Unauthenticated)
	})
}

func TestReferrersListedUnderTheFallbackTag(t *testing.T) {
	onBoth(t, func(f *fixture) {
		_, subject := randomBytes(1)
		old := f.referrer(oci.Digest{}, "example/old")
		known := f.referrer(subject, "example/new")
		content := func(d oci.Digest) string {
			v, err := f.stat(f.alice, f.app, d.String())
			f.check(err)
			return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"artifactType":"example/listed"}`, v.MediaType, d, v.Size)
		}
		index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s,%s]}`, oci.MediaTypeImageIndex, content(old), content(known))
		_, err := f.tag(f.alice, f.app, []byte(index), oci.FallbackTag(subject).String())
		f.check(err)
		page, err := f.Referrers(f.ctx(), f.alice, f.app, subject, "", 0, 10)
		f.check(err)
		if len(page.Referrers) != 2 || page.Referrers[0].Digest != known || page.Referrers[1].Digest != old {
			f.t.Errorf("got %+v, want the one with a subject and then the listed one", page.Referrers)
		}
		f.check(f.DeleteManifest(f.ctx(), f.alice, f.app, oci.Reference{Digest: old}))
		page, err = f.Referrers(f.ctx(), f.alice, f.app, subject, "", 0, 10)
		if err != nil || len(page.Referrers) != 1 {
			f.t.Errorf("after a deletion: %+v, %v", page.Referrers, err)
		}
	})
}

// Both lists together would be more than clients read.
func TestALargeFallbackIndexHasItsOwnPage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		_, subject := randomBytes(1)
		old := f.referrer(oci.Digest{}, "example/old")
		known := f.referrer(subject, "example/new")
		v, err := f.stat(f.alice, f.app, old.String())
		f.check(err)
		index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d,"platform":{"architecture":"a","os":"o"},"annotations":{"a":%q}}]}`,
			oci.MediaTypeImageIndex, v.MediaType, old, v.Size, strings.Repeat("x", 600<<10))
		_, err = f.tag(f.alice, f.app, []byte(index), oci.FallbackTag(subject).String())
		f.check(err)
		first, err := f.Referrers(f.ctx(), f.alice, f.app, subject, "", 0, 10)
		f.check(err)
		last, err := f.Referrers(f.ctx(), f.alice, f.app, subject, "", first.Next, 10)
		f.check(err)
		if len(first.Referrers) != 1 || first.Referrers[0].Digest != known || first.Next == 0 {
			f.t.Errorf("first page: %d referrers, next %d", len(first.Referrers), first.Next)
		}
		if len(last.Referrers) != 1 || last.Referrers[0].Digest != old || last.Referrers[0].Platform != nil || last.Next != 0 {
			f.t.Errorf("last page: %d referrers, next %d", len(last.Referrers), last.Next)
		}
	})
}
