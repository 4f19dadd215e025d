package packagepage

import (
	"strings"
	"time"

	"packhouse/internal/evidence"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// attached is something that speaks of a version: a signature, an SBOM, an
// attestation or whatever else refers to it.
type attached struct {
	// Kind is signature, attestation, provenance, sbom or other.
	Kind         string
	ArtifactType string
	Digest       oci.Digest
	ID           int64 // of the version; zero when it is deleted
	Size         int64
	At           time.Time
	By           string
	// Tag is that of a tool which knows no referrers; For is the platform that it
	// is about, when that is not the whole image.
	Tag, For  string
	Documents []document
	// More is how many documents are not shown.
	More int64
}

// document is one file of it.
type document struct {
	MediaType string
	Size      int64
	evidence.Facts
	// Unread is set when the bytes are gone, damaged or too many.
	Unread bool
}

type documentKey struct{ manifest, layer oci.Digest }

// What is shown of what is attached: on one page so many things, of each so many
// documents.
const maxAttached, maxDocuments = 30, 10

// attachedTo lists what is attached to an image, what came with it first; next is
// where the list of referrers goes on, zero at its end.
func (r *reader) attachedTo(i image, after int64) (list []attached, next int64, err error) {
	var versions []packages.Version
	if after == 0 {
		for _, d := range i.attested {
			if len(list) == maxAttached {
				break
			}
			a := r.attached(i.children[d.Digest], d)
			a.For = platformOf(i.Platforms, d.Annotations[referenceDigest])
			list = append(list, a)
		}
		if versions, err = r.taggedFor(i.Digest); err != nil {
			return nil, 0, err
		}
		for _, v := range versions {
			a := r.attached(v, oci.Descriptor{Digest: v.Digest, Size: v.Size, ArtifactType: v.ArtifactType})
			a.Tag = v.Tags[0]
			list = append(list, a)
		}
	}
	page, err := r.Registry.Referrers(r.ctx, r.c.Who, r.c.Package.Ref, i.Digest, "", after, maxAttached)
	if err != nil {
		return nil, 0, absent(err)
	}
	found, err := r.versionsOf(page.Referrers)
	if err != nil {
		return nil, 0, err
	}
	known := map[oci.Digest]bool{}
	for _, a := range list {
		known[a.Digest] = true
	}
	for _, d := range page.Referrers {
		if !known[d.Digest] {
			list = append(list, r.attached(found[d.Digest], d))
		}
	}
	return list, page.Next, nil
}

// versionsOf are the versions of descriptors, of which a page may have many that
// an older client listed.
func (r *reader) versionsOf(list []oci.Descriptor) (map[oci.Digest]packages.Version, error) {
	var digests []oci.Digest
	for _, d := range list[:min(len(list), packages.MaxRelated)] {
		digests = append(digests, d.Digest)
	}
	return r.Packages.VersionsOf(r.ctx, r.c.Who, r.c.Package.Ref, digests)
}

// taggedFor finds what tools keep beside a version under tags of its digest.
func (r *reader) taggedFor(d oci.Digest) (list []packages.Version, err error) {
	for _, suffix := range []string{".sig", ".att", ".sbom"} {
		v, err := r.named(oci.FallbackTag(d).String() + suffix)
		if absent(err) != nil {
			return nil, err
		}
		if err == nil && v.Subject.IsZero() { // else it is a referrer, too
			v.Tags = []string{oci.FallbackTag(d).String() + suffix}
			list = append(list, v)
		}
	}
	return list, nil
}

func (r *reader) attached(v packages.Version, d oci.Descriptor) attached {
	a := attached{
		Kind: kindOf(v.Kind), ArtifactType: shown(d.ArtifactType), Digest: d.Digest, ID: v.ID, Size: v.TotalSize, At: v.CreatedAt, By: v.CreatedBy,
	}
	if v.ID == 0 {
		return a
	}
	m, _, err := r.manifest(v)
	if err != nil {
		return a
	}
	if a.ArtifactType == "" {
		a.ArtifactType = shown(m.ArtifactType)
	}
	a.More = int64(max(0, len(m.Layers)-maxDocuments))
	for _, layer := range m.Layers[:min(len(m.Layers), maxDocuments)] {
		a.Documents = append(a.Documents, r.document(v.Digest, layer))
	}
	a.Kind = kindBy(a.Kind, a.Documents)
	return a
}

// document reads one layer of what is attached.
func (r *reader) document(manifest oci.Digest, layer oci.Descriptor) document {
	d := document{MediaType: shown(layer.MediaType), Size: layer.Size}
	if !readable(layer.MediaType) {
		return d
	}
	key := documentKey{manifest, layer.Digest}
	if facts, ok := r.facts.GetIfPresent(key); ok && r.mayRead(layer.Digest) {
		d.Facts = facts
		return d
	}
	content, ok := r.blob(layer, maxBlob)
	if !ok {
		d.Facts, d.Unread = evidence.Decode(layer.MediaType, layer.Annotations, nil), true
		return d
	}
	d.Facts = evidence.Decode(layer.MediaType, layer.Annotations, content)
	r.facts.Set(key, d.Facts)
	return d
}

// readable reports whether a layer may be a document that can be read.
func readable(mediaType string) bool {
	return strings.Contains(mediaType, "json") || strings.Contains(mediaType, "jose") ||
		strings.HasPrefix(mediaType, "application/vnd.in-toto") || strings.HasPrefix(mediaType, "application/vnd.dev.")
}

func kindOf(kind string) string {
	switch oci.Kind(kind) {
	case oci.KindSignature, oci.KindAttestation, oci.KindSBOM:
		return kind
	case oci.KindImage, oci.KindIndex, oci.KindArtifact, oci.KindCache:
	}
	return "other"
}

// kindBy says better what an attestation is, when all its documents agree.
func kindBy(kind string, list []document) string {
	if kind == string(oci.KindSignature) || kind == string(oci.KindSBOM) || len(list) == 0 {
		return kind
	}
	better := ""
	for i, d := range list {
		var own string
		switch {
		case d.Provenance != nil:
			own = "provenance"
		case d.SBOM != nil:
			own = "sbom"
		case d.Predicate != "":
			own = statementKind(d.Predicate)
		}
		if own == "" || i > 0 && own != better {
			return kind
		}
		better = own
	}
	return better
}

func platformOf(list []platform, digest string) string {
	for _, p := range list {
		if p.Digest.String() == digest {
			return p.Name
		}
	}
	return ""
}
