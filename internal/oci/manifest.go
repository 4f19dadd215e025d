package oci

import (
	"math"
	"strings"
	"unicode/utf8"

	"packhouse/internal/errs"
)

// MaxManifestSize is the size in bytes up to which manifests are taken: what the
// specification asks for at least, and less than what clients refuse to pull.
const MaxManifestSize = 4 << 20

// MaxDescriptors bounds the descriptors of one manifest, all kinds together.
const MaxDescriptors = 4096

// Manifest is what Packhouse needs to know of an image manifest or an index. The
// bytes themselves are kept elsewhere; no part of a Manifest points into them.
type Manifest struct {
	// MediaType is the type it is stored and served under, one of the four of
	// IsManifestType.
	MediaType string
	// ArtifactType is what a list of referrers shows: the manifest's own, else
	// an image's config media type, else "".
	ArtifactType string
	Annotations  map[string]string
	Config       *Descriptor  // an image has one, an index none
	Layers       []Descriptor // an image's
	Manifests    []Descriptor // an index's
	Subject      *Descriptor  // what it refers to, nil for most
}

// IsIndex reports whether m is an OCI index or a Docker manifest list.
func (m *Manifest) IsIndex() bool { return IsIndexType(m.MediaType) }

// ParseManifest reads a manifest that was pushed with the given Content-Type
// header, "" if there was none. It takes time and memory linear in the body.
//
// What it accepts has one meaning: names that stand twice, or that equal a known
// name but for the case of letters, are refused at any place where another
// reader could choose differently, and so is a document that is image and index
// at once. Members it does not know are skipped. null stands for an absent
// object or array, never for a string or a number.
//
// The error is TooLarge with the code SIZE_INVALID above MaxManifestSize, else
// Invalid with the code MANIFEST_INVALID and a text that names the place, such
// as "layers[3].digest".
func ParseManifest(contentType string, body []byte) (*Manifest, error) {
	if len(body) > MaxManifestSize {
		return nil, errs.New(errs.TooLarge, "manifest has %d bytes; the limit is %d",
			len(body), MaxManifestSize).WithCode("SIZE_INVALID")
	}
	p := parser{scanner: scanner{body: body}, sizes: make(map[Digest]int64)}
	if f := p.parse(CleanMediaType(contentType)); f != nil {
		return nil, errs.New(errs.Invalid, "manifest is invalid: %s", f).WithCode("MANIFEST_INVALID")
	}
	return &p.m, nil
}

// parser collects what a document says before it is known what the document is.
type parser struct {
	scanner
	m             Manifest
	schemaVersion int64 // -1 until seen
	// What stands in the document, be it null.
	hasConfig, hasLayers, hasManifests, hasFSLayers bool

	descriptors int
	total       int64 // of all descriptors' sizes
	sizes       map[Digest]int64
}

func (p *parser) parse(header string) *fault {
	if header != "" {
		if f := checkManifestType("Content-Type", header); f != nil {
			return f
		}
	}
	if !utf8.Valid(p.body) {
		return faultf("not valid UTF-8")
	}
	p.schemaVersion = -1
	if f := p.object(p.member); f != nil {
		return f
	}
	if f := p.end(); f != nil {
		return f
	}
	return p.settle(header)
}

// member reads one member of the document.
func (p *parser) member(name []byte) (f *fault) {
	switch string(name) {
	case "schemaVersion":
		p.schemaVersion, f = p.integer()
	case "mediaType":
		p.m.MediaType, f = p.str()
	case "artifactType":
		p.m.ArtifactType, f = p.str()
	case "annotations":
		p.m.Annotations, f = p.annotations()
	case "subject":
		p.m.Subject, f = p.optionalDescriptor()
	case "config":
		p.hasConfig = true
		p.m.Config, f = p.optionalDescriptor()
	case "layers":
		p.hasLayers = true
		p.m.Layers, f = p.descriptorList()
	case "manifests":
		p.hasManifests = true
		p.m.Manifests, f = p.descriptorList()
	case "fsLayers":
		p.hasFSLayers = true
		f = p.skip()
	default:
		f = p.unknown(name, "schemaVersion", "mediaType", "artifactType", "annotations",
			"subject", "config", "layers", "manifests", "fsLayers")
	}
	return f
}

// settle decides what the document is and whether all of it fits that.
func (p *parser) settle(header string) *fault {
	if p.hasManifests && (p.hasConfig || p.hasLayers || p.hasFSLayers) {
		return faultf("manifests must not stand beside config, layers or fsLayers: a document is an image or an index")
	}
	if p.hasFSLayers || p.schemaVersion == 1 {
		return faultf(schema1Text)
	}
	if f := p.settleType(header); f != nil {
		return f
	}
	switch {
	case p.schemaVersion < 0:
		return faultf("schemaVersion is missing; it must be 2")
	case p.schemaVersion != 2:
		return faultf("schemaVersion must be 2")
	case p.m.IsIndex() && !p.hasManifests:
		return faultf("manifests is missing, and %s needs it", p.m.MediaType)
	case !p.m.IsIndex() && p.hasManifests:
		return faultf("manifests must not stand in %s", p.m.MediaType)
	case !p.m.IsIndex() && p.m.Config == nil:
		return faultf("config is missing, and %s needs it", p.m.MediaType)
	}
	if p.m.ArtifactType == "" && p.m.Config != nil {
		p.m.ArtifactType = p.m.Config.MediaType
	}
	return nil
}

// settleType takes the type from the header, else from the body, else guesses it.
func (p *parser) settleType(header string) *fault {
	inBody := p.m.MediaType
	switch {
	case inBody != "":
		if f := checkManifestType("mediaType", inBody); f != nil {
			return f
		}
		if header != "" && header != inBody {
			return faultf("mediaType is %s, but Content-Type is %s", inBody, header)
		}
	case header != "":
		p.m.MediaType = header
	case p.hasManifests:
		p.m.MediaType = MediaTypeImageIndex
	default:
		p.m.MediaType = MediaTypeImageManifest
	}
	return nil
}

const schema1Text = "Docker image manifest schema 1 is not supported; " +
	"push again with a current client, which sends schema 2 or an OCI manifest"

// checkManifestType refuses what is not a manifest's media type; where names the
// place it was read from.
func checkManifestType(where, mediaType string) *fault {
	switch {
	case IsManifestType(mediaType):
		return nil
	case isSchema1(mediaType):
		return faultf(schema1Text)
	case mediaType == MediaTypeArtifactManifest:
		return faultf("%s was withdrawn from the specification; push an image manifest with artifactType instead", mediaType)
	}
	return faultf("%s %s is not a manifest's; use one of %s", where, shown(mediaType), strings.Join([]string{
		MediaTypeImageManifest, MediaTypeImageIndex, MediaTypeDockerManifest, MediaTypeDockerManifestList}, ", "))
}

// unknown skips a member that is none of the known ones, and refuses one that
// only differs from them in the case of letters.
func (p *parser) unknown(name []byte, known ...string) *fault {
	for _, k := range known {
		if strings.EqualFold(string(name), k) {
			return faultf("the name must be written %s", k)
		}
	}
	return p.skip()
}

// account checks a finished descriptor against the others.
func (p *parser) account(d *Descriptor) *fault {
	if size, ok := p.sizes[d.Digest]; ok && size != d.Size {
		return faultf("size is %d, but another descriptor of the same digest says %d", d.Size, size)
	}
	p.sizes[d.Digest] = d.Size
	if d.Size > math.MaxInt64-p.total {
		return faultf("the sizes of all descriptors exceed 9223372036854775807 together")
	}
	p.total += d.Size
	return nil
}
