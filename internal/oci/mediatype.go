package oci

import "strings"

// The media types that say what a manifest is.
const (
	MediaTypeImageManifest       = "application/vnd.oci.image.manifest.v1+json"
	MediaTypeImageIndex          = "application/vnd.oci.image.index.v1+json"
	MediaTypeDockerManifest      = "application/vnd.docker.distribution.manifest.v2+json"
	MediaTypeDockerManifestList  = "application/vnd.docker.distribution.manifest.list.v2+json"
	MediaTypeDockerSchema1       = "application/vnd.docker.distribution.manifest.v1+json"
	MediaTypeDockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"
	// MediaTypeArtifactManifest was withdrawn before image-spec 1.1.
	MediaTypeArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json"
)

// The media types of layers that their publishers want fetched from elsewhere.
const (
	foreignLayerPrefix = "application/vnd.oci.image.layer.nondistributable."
	dockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
)

// IsManifestType reports whether mediaType is one of the four that manifests
// are stored under. Schema 1 and the artifact manifest are not.
func IsManifestType(mediaType string) bool {
	return mediaType == MediaTypeImageManifest || mediaType == MediaTypeDockerManifest || IsIndexType(mediaType)
}

// IsIndexType reports whether mediaType is an OCI index or a Docker manifest list.
func IsIndexType(mediaType string) bool {
	return mediaType == MediaTypeImageIndex || mediaType == MediaTypeDockerManifestList
}

// IsForeignLayer reports whether blobs of this type may be missing from a
// registry, because the descriptor's urls say where to get them.
func IsForeignLayer(mediaType string) bool {
	return mediaType == dockerForeignLayer || strings.HasPrefix(mediaType, foreignLayerPrefix)
}

func isSchema1(mediaType string) bool {
	return mediaType == MediaTypeDockerSchema1 || mediaType == MediaTypeDockerSchema1Signed
}

// CleanMediaType returns the media type of a Content-Type header or of one item
// of an Accept header: without parameters and blanks, in lower case.
func CleanMediaType(header string) string {
	mediaType, _, _ := strings.Cut(header, ";")
	return strings.ToLower(strings.Trim(mediaType, " \t"))
}

// Acceptable reports whether a client that sent these Accept headers takes
// mediaType. Clients repeat the header or send one list; no header, or only
// empty ones, accepts everything. Preferences (q) are ignored, for the clients
// that send them cannot be offered a choice.
func Acceptable(accept []string, mediaType string) bool {
	empty := true
	for _, header := range accept {
		for item := range strings.SplitSeq(header, ",") {
			switch CleanMediaType(item) {
			case "":
			case mediaType, "*/*", "application/*":
				return true
			default:
				empty = false
			}
		}
	}
	return empty
}
