package packagepage

import (
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// platform is something that an image runs on.
type platform struct {
	Name    string // as docker writes it; "" when the image does not say
	Version string // of the operating system
	Digest  oci.Digest
	// ID is that of the version; zero when it is deleted.
	ID   int64
	Size int64 // with its layers; zero when that is not known
	Pull string
	// Says are what speaks of this platform: "provenance", "sbom" or "attestation".
	Says []string
}

// maxPlatforms is how many children of an index are shown.
const maxPlatforms = 100

// image is a version with what is known of it from its manifests.
type image struct {
	packages.Version
	manifest  *oci.Manifest
	content   []byte
	config    imageConfig
	hasConfig bool
	Platforms []platform
	// More is how many platforms are not shown.
	More int64
	// attested are the attestations that BuildKit puts into an index.
	attested []oci.Descriptor
	children map[oci.Digest]packages.Version
	// Size is that of all manifests and blobs, each once.
	Size int64
}

// image reads a version as far as its stored bytes can be read.
func (r *reader) image(v packages.Version) (image, error) {
	v.Description, v.Licenses, v.Source = shown(v.Description), shown(v.Licenses), shown(v.Source)
	if oci.IsImageConfig(v.ArtifactType) {
		v.ArtifactType = "" // it stands in for one, and says nothing that Image does not
	}
	i := image{Version: v, Size: v.TotalSize}
	var err error
	if i.manifest, i.content, err = r.manifest(v); err != nil {
		i.manifest = &oci.Manifest{MediaType: v.MediaType} // the page shows what is on record
		return i, r.ctx.Err()
	}
	if i.manifest.IsIndex() {
		return i, r.index(&i)
	}
	if i.config, i.hasConfig = r.config(i.manifest); i.hasConfig && i.config.Platform != "" {
		i.Platforms = []platform{{Name: i.config.Platform, Digest: v.Digest, ID: v.ID, Size: v.TotalSize, Pull: r.pull(v.Digest)}}
	}
	return i, nil
}

// index reads what an index holds.
func (r *reader) index(i *image) (err error) {
	platforms, attestations := i.manifest.Platforms()
	i.attested = attestations[:min(len(attestations), maxPlatforms)]
	i.More = int64(max(0, len(platforms)-maxPlatforms))
	platforms = platforms[:min(len(platforms), maxPlatforms)]
	var digests []oci.Digest
	for _, d := range append(platforms[:len(platforms):len(platforms)], i.attested...) {
		digests = append(digests, d.Digest)
	}
	if i.children, err = r.Packages.VersionsOf(r.ctx, r.c.Who, r.c.Package.Ref, digests); err != nil {
		return err
	}
	for _, d := range platforms {
		i.Platforms = append(i.Platforms, r.platform(d, i))
	}
	if i.More == 0 {
		i.Size = r.sizeOf(i)
	}
	return nil
}

func (r *reader) platform(d oci.Descriptor, i *image) platform {
	child := i.children[d.Digest]
	p := platform{Digest: d.Digest, ID: child.ID, Size: child.TotalSize, Pull: r.pull(d.Digest)}
	if d.Platform != nil {
		p.Name = platformName(d.Platform.OS, d.Platform.Architecture, d.Platform.Variant)
		p.Version = shown(d.Platform.OSVersion)
	}
	for _, a := range i.attested {
		if a.Annotations[referenceDigest] == d.Digest.String() {
			p.Says = append(p.Says, r.statements(i.children[a.Digest])...)
		}
	}
	return p
}

// referenceDigest is where BuildKit says which sibling an attestation is about.
const referenceDigest = "vnd.docker.reference.digest"

// statements are the kinds of what an attestation manifest says, each once.
func (r *reader) statements(v packages.Version) []string {
	if v.ID == 0 {
		return []string{"attestation"}
	}
	m, _, err := r.manifest(v)
	if err != nil {
		return []string{"attestation"}
	}
	var kinds []string
	seen := map[string]bool{}
	for _, layer := range m.Layers {
		if kind := statementKind(layer.Annotations["in-toto.io/predicate-type"]); !seen[kind] {
			seen[kind] = true
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// statementKind is what a statement with that predicate is called.
func statementKind(predicate string) string {
	switch {
	case strings.HasPrefix(predicate, "https://slsa.dev/provenance/"):
		return "provenance"
	case strings.HasPrefix(predicate, "https://spdx.dev/"), strings.HasPrefix(predicate, "https://cyclonedx.org/"):
		return "sbom"
	}
	return "attestation"
}

// sizeOf is what an index takes with all it holds, each blob once.
func (r *reader) sizeOf(i *image) int64 {
	size, seen := i.Version.Size, map[oci.Digest]bool{}
	for _, child := range i.children {
		size += child.Size
		m, _, err := r.manifest(child)
		if err != nil {
			continue
		}
		for _, part := range m.Parts() {
			if part.Kind == oci.PartBlob && !seen[part.Digest] {
				seen[part.Digest] = true
				size += part.Size
			}
		}
	}
	return size
}

// pull is the line that pulls one platform of the call's package.
func (r *reader) pull(d oci.Digest) string { return "docker pull " + r.address() + "@" + d.String() }

// address is what people write for the call's package, always in lower case.
func (r *reader) address() string { return r.host() + "/" + strings.ToLower(r.c.Package.Name.String()) }

// host is that of the package's registry.
func (r *reader) host() string {
	if r.c.Package.Type == access.Docker {
		return r.c.Frame.DockerHost
	}
	return r.c.Frame.ContainerHost
}

// PlatformCount is how many platforms there are, and Index whether the version
// holds others.
func (i image) PlatformCount() int64 { return int64(len(i.Platforms)) + i.More }

// Index reports whether the version is an index.
func (i image) Index() bool { return oci.IsIndexType(i.MediaType) && i.Kind != string(oci.KindCache) }
