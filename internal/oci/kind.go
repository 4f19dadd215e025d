package oci

import (
	"slices"
	"strings"
)

// Kind says what a version is for: what people run, or what speaks of that.
type Kind string

// The kinds.
const (
	KindImage       Kind = "image"
	KindIndex       Kind = "index"
	KindArtifact    Kind = "artifact" // a chart, a module, a file: anything with a config that is no image's
	KindSignature   Kind = "signature"
	KindAttestation Kind = "attestation" // provenance and other statements
	KindSBOM        Kind = "sbom"
	KindCache       Kind = "cache" // of BuildKit
)

// Released reports whether versions of this kind are what people pull by
// themselves, and so may be a package's latest.
func (k Kind) Released() bool { return k == KindImage || k == KindIndex || k == KindArtifact }

// The media types that say what a manifest or a layer is for.
const (
	typeBuildCache  = "application/vnd.buildkit.cacheconfig.v0"
	typeInToto      = "application/vnd.in-toto"
	typeDSSE        = "application/vnd.dsse.envelope"
	typeNotation    = "application/vnd.cncf.notary.signature"
	typeCosignLayer = "application/vnd.dev.cosign.simplesigning"
	typeCosign      = "application/vnd.dev.cosign.artifact."
	typeSigstore    = "application/vnd.dev.sigstore.bundle"
)

// What a Sigstore bundle says of its content.
const (
	bundleContent   = "dev.sigstore.bundle.content"
	bundlePredicate = "dev.sigstore.bundle.predicateType"
	signPredicate   = "https://sigstore.dev/cosign/sign/v1"
)

// Kind works out what m is, by the media types of its config, layers and
// children.
func (m *Manifest) Kind() Kind {
	if m.IsIndex() {
		if slices.ContainsFunc(m.Manifests, func(d Descriptor) bool { return d.MediaType == typeBuildCache }) {
			return KindCache
		}
		return KindIndex
	}
	if m.Config.MediaType == typeBuildCache {
		return KindCache
	}
	if k := kindOfType(m.ArtifactType, m.Annotations); k != "" {
		return k
	}
	if k := m.kindOfLayers(); k != "" {
		return k
	}
	if IsImageConfig(m.Config.MediaType) && IsImageConfig(m.ArtifactType) {
		return KindImage
	}
	return KindArtifact
}

// kindOfLayers is that of the first layer, if all have the same.
func (m *Manifest) kindOfLayers() (k Kind) {
	for i, layer := range m.Layers {
		own := kindOfType(layer.MediaType, m.Annotations)
		if i > 0 && own != k {
			return ""
		}
		k = own
	}
	return k
}

// kindOfType is what a media type alone tells; "" for nothing. The annotations
// are those of the manifest.
func kindOfType(mediaType string, annotations map[string]string) Kind {
	has := func(prefix string) bool { return strings.HasPrefix(mediaType, prefix) }
	switch {
	case has(typeNotation), has(typeCosignLayer), has(typeCosign + "sig"):
		return KindSignature
	case has(typeSigstore):
		if annotations[bundleContent] == "dsse-envelope" && annotations[bundlePredicate] != signPredicate {
			return KindAttestation
		}
		return KindSignature
	case has(typeInToto), has(typeDSSE), has(typeCosign + "att"):
		return KindAttestation
	case has(typeCosign + "sbom"), has("application/spdx"), has("text/spdx"), has("application/vnd.cyclonedx"), has("application/vnd.syft"):
		return KindSBOM
	}
	return ""
}

// KindAs is the kind of m as it is pushed under these tags: one that is tagged
// only as what is attached to another version is that, whatever it looks like.
func (m *Manifest) KindAs(tags []Tag) Kind {
	own := m.Kind()
	if !own.Released() {
		return own
	}
	var attached Kind
	for _, t := range tags {
		_, k, ok := t.Attached()
		if !ok {
			return own
		}
		attached = k
	}
	if attached == "" {
		return own
	}
	return attached
}

// Attached tells what a tag of the form sha256-<hex>, with .sig, .att or .sbom
// behind it or nothing, says of its version: that it is of this kind, and speaks
// of the version d. Tools that know no referrers keep signatures that way. ok is
// false for any other tag.
func (t Tag) Attached() (d Digest, k Kind, ok bool) {
	name, suffix, _ := strings.Cut(t.text, ".")
	switch suffix {
	case "sig":
		k = KindSignature
	case "att", "":
		k = KindAttestation // without a suffix it is a list of any
	case "sbom":
		k = KindSBOM
	default:
		return Digest{}, "", false
	}
	sum, is := strings.CutPrefix(name, string(SHA256)+"-")
	if !is || strings.HasSuffix(t.text, ".") {
		return Digest{}, "", false
	}
	d, err := ParseDigest(string(SHA256) + ":" + sum)
	return d, k, err == nil
}

// Platforms splits the children of an index into those that run somewhere and
// those that speak of a sibling, such as provenance that BuildKit adds under the
// platform unknown/unknown. A child that is no manifest is neither.
func (m *Manifest) Platforms() (platforms, attestations []Descriptor) {
	for _, d := range m.Manifests {
		switch {
		case !IsManifestType(d.MediaType):
		case d.attestation():
			attestations = append(attestations, d)
		default:
			platforms = append(platforms, d)
		}
	}
	return platforms, attestations
}

func (d Descriptor) attestation() bool {
	if d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" {
		return true
	}
	if k := kindOfType(d.ArtifactType, d.Annotations); k != "" {
		return true
	}
	return d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// TotalSize is the bytes of a manifest of that size and of all blobs it names.
func (m *Manifest) TotalSize(size int64) int64 {
	for _, part := range m.Parts() {
		if part.Kind == PartBlob {
			size += part.Size
		}
	}
	return size
}
