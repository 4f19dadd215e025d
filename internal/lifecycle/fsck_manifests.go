package lifecycle

import (
	"context"
	"fmt"
	"maps"

	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// manifestPage is small: each has up to 4 MiB.
const manifestPage = 16

// manifests hashes every manifest and compares its edges with what it says.
func (r *fsckRun) manifests(ctx context.Context) error {
	for after := ""; ; {
		page, err := r.Manifests.ManifestsAfter(ctx, after, manifestPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			if err := r.Pace.Spend(ctx, int64(len(m.Content))); err != nil {
				return err
			}
			if err := r.manifest(ctx, m); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Digest.String()
		r.report.Manifests += int64(len(page))
		r.progress("manifests", r.report.Manifests)
	}
}

func (r *fsckRun) manifest(ctx context.Context, m ManifestRecord) error {
	f := Finding{Fault: ManifestDamaged, Digest: m.Digest.String()}
	if got := m.Digest.Algorithm().FromBytes(m.Content); got != m.Digest {
		f.Detail = "its bytes hash to " + got.String() + "; a push of it repairs it"
		r.tell(f)
		return nil
	}
	parsed, err := oci.ParseManifest(m.MediaType, m.Content)
	if err != nil && m.MediaType == "" {
		return nil // no version has it, so its type is not known; it is on its way out
	}
	if err != nil {
		f.Detail = "it cannot be read: " + err.Error()
		r.tell(f)
		return nil
	}
	want := edgesOf(parsed, m.Edges)
	if maps.Equal(want, m.Edges) {
		return nil
	}
	f.Fault, f.Detail = EdgesWrong, edgesDiffer(want, m.Edges)
	if r.o.Repair {
		now := r.Now()
		if err := r.Manifests.RewriteEdges(ctx, m, want, now, now.Add(r.Grace)); err != nil {
			return err
		}
		f.Done, f.Mended = "rewritten", true
	}
	r.tell(f)
	return nil
}

// edgesOf is what a push of the manifest puts on record. A foreign layer has an
// edge if a package held it: what is on record then stays.
func edgesOf(m *oci.Manifest, have map[Edge]bool) map[Edge]bool {
	edges := map[Edge]bool{}
	for _, part := range m.Parts() {
		kind := "blob"
		if part.Kind == oci.PartManifest {
			kind = "manifest"
		}
		edges[Edge{part.Digest.String(), kind}] = true
	}
	for _, part := range m.ForeignParts() {
		if e := (Edge{part.Digest.String(), "blob"}); have[e] {
			edges[e] = true
		}
	}
	if m.Subject != nil {
		edges[Edge{m.Subject.Digest.String(), "subject"}] = true
	}
	return edges
}

func edgesDiffer(want, have map[Edge]bool) string {
	missing, more := 0, 0
	for e := range want {
		if !have[e] {
			missing++
		}
	}
	for e := range have {
		if !want[e] {
			more++
		}
	}
	return fmt.Sprintf("of what it names %d are not on record, and %d are that it does not name", missing, more)
}

// versionPage is how many ids are looked at in one query.
const versionPage = 500

// versions checks that all that present versions need is there.
func (r *fsckRun) versions(ctx context.Context) error {
	last, err := r.Manifests.LastVersion(ctx)
	if err != nil {
		return err
	}
	for from := int64(0); from < last; from += versionPage {
		if err := r.Pace.Spend(ctx, lookCost); err != nil {
			return err
		}
		list, err := r.Manifests.VersionFaults(ctx, from, from+versionPage)
		if err != nil {
			return err
		}
		for _, v := range list {
			if err := r.version(ctx, v); err != nil {
				return err
			}
		}
		r.report.Versions = min(from+versionPage, last)
		r.progress("versions", r.report.Versions)
	}
	return nil
}

func (r *fsckRun) version(ctx context.Context, v VersionFault) error {
	f := Finding{Fault: v.Fault, Digest: v.Child, Package: v.Package, packageID: v.PackageID}
	switch v.Fault {
	case ManifestMissing:
		f.Digest, f.Detail = v.Digest, "the bytes of the version are not there, or of another size; a push of it repairs it"
	case ChildMissing:
		f.Detail = "the index " + v.Digest + " has it as its child, and it is no present version of the package"
	case PartMissing, PartUnlinked:
		part, needed, err := r.neededPart(ctx, v)
		if err != nil || !needed { // a foreign layer, or gone meanwhile
			return err
		}
		if v.Fault == PartMissing {
			f.Detail = "version " + v.Digest + " needs it; a push of it repairs it"
			return r.missingPart(ctx, f, part)
		}
		f.Detail = "version " + v.Digest + " needs it, and the package does not hold it"
		if r.o.Repair {
			if err := r.Manifests.LinkPart(ctx, v.PackageID, part.Digest); err != nil {
				return err
			}
			f.Done, f.Mended = "the package holds it again", true
		}
	}
	r.tell(f)
	return nil
}

// parsedManifest is the last manifest that was read.
type parsedManifest struct {
	digest   string
	manifest *oci.Manifest // nil when it is not there or cannot be read
}

// neededPart returns the part of a version. False when the package need not hold
// it: what a manifest only names, as a foreign layer, nobody has shown to have,
// and linking it would give away another's bytes.
func (r *fsckRun) neededPart(ctx context.Context, v VersionFault) (oci.Part, bool, error) {
	if r.parsed.digest != v.Digest {
		r.parsed = parsedManifest{digest: v.Digest}
		d, err := oci.ParseDigest(v.Digest)
		if err != nil {
			return oci.Part{}, false, nil
		}
		m, ok, err := r.Manifests.Manifest(ctx, d)
		if err != nil {
			return oci.Part{}, false, err
		}
		if ok && d.Algorithm().FromBytes(m.Content) == d {
			r.parsed.manifest, _ = oci.ParseManifest(m.MediaType, m.Content) // what cannot be read was told
		}
	}
	if r.parsed.manifest == nil {
		return oci.Part{}, false, nil
	}
	for _, part := range r.parsed.manifest.Parts() {
		if part.Kind == oci.PartBlob && part.Digest.String() == v.Child {
			return part, true, nil
		}
	}
	return oci.Part{}, false, nil
}

// missingPart takes a needed blob back from the trash, or looks for its bytes
// among the strays later.
func (r *fsckRun) missingPart(ctx context.Context, f Finding, part oci.Part) error {
	if !r.o.Repair {
		r.want(f, part.Size, "")
		return nil
	}
	if _, there, err := r.Blobs.BlobRecord(ctx, part.Digest); err != nil {
		return err
	} else if there { // it was taken back for another version
		f.Done, f.Mended = "it is on record again, and the package holds it", true
		r.tell(f)
		return r.Manifests.LinkPart(ctx, f.packageID, part.Digest)
	}
	list, err := r.Trashed.InTrash(ctx, part.Digest)
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.Purging {
			continue
		}
		did := r.entry("blob.undelete", t.Digest.String(), map[string]any{"size": t.Size})
		_, err := r.Trashed.Undelete(ctx, t, r.Now().Add(r.Grace), did)
		if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Conflict) {
			continue
		}
		if err != nil {
			return err
		}
		if err := r.Manifests.LinkPart(ctx, f.packageID, part.Digest); err != nil {
			return err
		}
		f.Done = "taken back from the trash"
		b, ok, err := r.Blobs.BlobRecord(ctx, part.Digest)
		if err != nil || !ok {
			return err
		}
		judged, v, ok, err := r.v.check(ctx, b, true)
		if err != nil {
			return err
		}
		if ok && v.fault != "" {
			return r.faulty(ctx, judged, v)
		}
		f.Mended = true
		r.tell(f)
		return nil
	}
	r.want(f, part.Size, "")
	return nil
}
