package oci

// PartKind says what a part of a manifest is.
type PartKind int

// The kinds of parts.
const (
	PartBlob PartKind = iota + 1
	PartManifest
)

// Part is something a manifest is made of.
type Part struct {
	Digest Digest
	Size   int64
	Kind   PartKind
}

// Parts lists what must be held before m may be stored, each once, in the order
// of the document: an image's config and layers, an index's children. A child
// whose media type is not a manifest's is a blob; BuildKit's caches are such
// indexes. Foreign layers and the subject are not among them.
func (m *Manifest) Parts() []Part { return m.parts(false) }

// ForeignParts lists the foreign layers that m may be stored without. One that
// is held all the same belongs to m like any other part.
func (m *Manifest) ForeignParts() []Part { return m.parts(true) }

func (m *Manifest) parts(foreign bool) []Part {
	parts := make([]Part, 0, 1+len(m.Layers)+len(m.Manifests))
	seen := make(map[Part]struct{}, cap(parts))
	add := func(d Descriptor, kind PartKind) {
		part := Part{d.Digest, d.Size, kind}
		if _, twice := seen[part]; twice {
			return
		}
		seen[part] = struct{}{}
		parts = append(parts, part)
	}
	if m.Config != nil && !foreign {
		add(*m.Config, PartBlob)
	}
	for _, list := range [][]Descriptor{m.Layers, m.Manifests} {
		for _, d := range list {
			if IsForeignLayer(d.MediaType) != foreign {
				continue
			}
			kind := PartBlob
			if m.IsIndex() && IsManifestType(d.MediaType) {
				kind = PartManifest
			}
			add(d, kind)
		}
	}
	return parts
}
