package oci

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"packhouse/internal/errs"
)

const (
	ociConfig    = "application/vnd.oci.image.config.v1+json"
	dockerConfig = "application/vnd.docker.container.image.v1+json"
)

// acceptance says how one document under testdata/manifests/accepted is read.
type acceptance struct {
	name, contentType         string
	mediaType, artifactType   string
	blobs, manifests, foreign int
}

func acceptances() []acceptance {
	return []acceptance{
		{"artifact-cosign-signature", "", MediaTypeImageManifest, ociConfig, 2, 0, 0},
		{"artifact-no-type", "", MediaTypeImageManifest, "application/vnd.oci.empty.v1+json", 1, 0, 0},
		{"artifact-notation-signature", "", MediaTypeImageManifest, "application/vnd.cncf.notary.signature", 2, 0, 0},
		{"artifact-odd-type", "", MediaTypeImageManifest, `signature/example; v="1"`, 1, 0, 0},
		{"artifact-only-annotations", "", MediaTypeImageManifest, "x/y", 1, 0, 0},
		{"artifact-oras", "", MediaTypeImageManifest, "application/vnd.acme.rocket.config", 2, 0, 0},
		{"artifact-sigstore-bundle", "", MediaTypeImageManifest, "application/vnd.dev.sigstore.bundle.v0.3+json", 2, 0, 0},
		{"docker-list-oci-children", MediaTypeDockerManifestList, MediaTypeDockerManifestList, "", 0, 2, 0},
		{"docker-list", MediaTypeDockerManifestList, MediaTypeDockerManifestList, "", 0, 2, 0},
		{"docker-plugin", MediaTypeDockerManifest, MediaTypeDockerManifest, "application/vnd.docker.plugin.v1+json", 2, 0, 0},
		{"docker-schema2-foreign-twice", MediaTypeDockerManifest, MediaTypeDockerManifest, dockerConfig, 2, 0, 1},
		{"docker-schema2-foreign", MediaTypeDockerManifest, MediaTypeDockerManifest, dockerConfig, 2, 0, 1},
		{"docker-schema2-no-media-type", MediaTypeDockerManifest, MediaTypeDockerManifest, dockerConfig, 2, 0, 0},
		{"docker-schema2", MediaTypeDockerManifest, MediaTypeDockerManifest, dockerConfig, 3, 0, 0},
		{"helm-chart", "", MediaTypeImageManifest, "application/vnd.cncf.helm.config.v1+json", 3, 0, 0},
		{"oci-image-annotation-names-by-case", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-annotations", "", MediaTypeImageManifest, ociConfig, 2, 0, 0},
		{"oci-image-data", "", MediaTypeImageManifest, "application/vnd.example", 3, 0, 0},
		{"oci-image-depth-32", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-docker-layers", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-empty-annotations", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-empty-layer-blob", "", MediaTypeImageManifest, ociConfig, 2, 0, 0},
		{"oci-image-escaped-names", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-layer-of-manifest-type", "", MediaTypeImageManifest, ociConfig, 2, 0, 0},
		{"oci-image-minified", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-no-layers", "", MediaTypeImageManifest, ociConfig, 1, 0, 0},
		{"oci-image-no-media-type", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-nondistributable", "", MediaTypeImageManifest, ociConfig, 2, 0, 1},
		{"oci-image-null-layers", "", MediaTypeImageManifest, ociConfig, 1, 0, 0},
		{"oci-image-null-members", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-same-layer-twice", "", MediaTypeImageManifest, ociConfig, 2, 0, 0},
		{"oci-image-sha512", "", MediaTypeImageManifest, ociConfig, 2, 0, 0},
		{"oci-image-unknown-layer-types", "", MediaTypeImageManifest, "application/x-config", 3, 0, 0},
		{"oci-image-unknown-members", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-white-space", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image-without-layers-member", "", MediaTypeImageManifest, ociConfig, 1, 0, 0},
		{"oci-image-zstd", "", MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-image", MediaTypeImageManifest, MediaTypeImageManifest, ociConfig, 3, 0, 0},
		{"oci-index-attestations", "", MediaTypeImageIndex, "", 0, 2, 0},
		{"oci-index-buildkit-cache", "", MediaTypeImageIndex, "", 3, 0, 0},
		{"oci-index-docker-children", "", MediaTypeImageIndex, "", 0, 2, 0},
		{"oci-index-empty-platform", "", MediaTypeImageIndex, "", 0, 2, 0},
		{"oci-index-empty", "", MediaTypeImageIndex, "", 0, 0, 0},
		{"oci-index-fallback-tag", "", MediaTypeImageIndex, "", 0, 1, 0},
		{"oci-index-nested", "", MediaTypeImageIndex, "", 0, 2, 0},
		{"oci-index-no-media-type", "", MediaTypeImageIndex, "", 0, 2, 0},
		{"oci-index-null-manifests", "", MediaTypeImageIndex, "", 0, 0, 0},
		{"oci-index-subject-no-artifact-type", "", MediaTypeImageIndex, "", 0, 2, 0},
		{"oci-index-subject", "", MediaTypeImageIndex, "application/vnd.example.bundle", 0, 2, 0},
		{"oci-index", "application/vnd.oci.image.INDEX.v1+json ; charset=utf-8", MediaTypeImageIndex, "", 0, 2, 0},
		{"wasm-module", "", MediaTypeImageManifest, "application/vnd.wasm.config.v0+json", 2, 0, 0},
	}
}

// refusal says what the pusher of one document under testdata/manifests/refused
// reads.
type refusal struct{ name, contentType, text string }

func refusals() []refusal {
	return []refusal{
		{"annotation-null", "", "annotations.a: expected a string at byte 606"},
		{"annotation-number", "", "annotations.c: expected a string at byte 616"},
		{"annotations-array", "", "annotations: expected an object at byte 600"},
		{"array-trailing-comma", "", "layers[2]: expected an object at byte 668"},
		{"array", "", "expected an object at byte 0"},
		{"artifact-manifest", "", "application/vnd.oci.artifact.manifest.v1+json was withdrawn from the specification"},
		{"artifact-type-null", "", "artifactType: expected a string at byte 601"},
		{"artifact-type-number", "", "artifactType: expected a string at byte 601"},
		{"bare-name", "", "expected a string at byte 273"},
		{"byte-order-mark", "", "expected an object at byte 0"},
		{"comment", "", "expected a string at byte 273"},
		{"config-and-manifests", "", "manifests must not stand beside config, layers or fsLayers"},
		{"config-array", "", "config: expected an object at byte 90"},
		{"content-type-differs", MediaTypeImageIndex, "mediaType is application/vnd.oci.image.manifest.v1+json, but Content-Type is application/vnd.oci.image.index.v1+json"},
		{"content-type-docker-body-oci", MediaTypeDockerManifest, "mediaType is application/vnd.oci.image.manifest.v1+json, but Content-Type is application/vnd.docker.distribution.manifest.v2+json"},
		{"content-type-json", "application/json; charset=utf-8", "Content-Type application/json is not a manifest's"},
		{"cut-in-escape", "", "expected the end of a string at byte 2"},
		{"cut-in-object", "", "layers[0].mediaType: expected the end of a string, but the document ends"},
		{"cut-in-string", "", "config.digest: expected the end of a string, but the document ends"},
		{"cut-in-unicode-escape", "", "the escape at byte 2 is no character, or NUL"},
		{"depth-33", "", "deep[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested deeper than 32 levels"},
		{"depth-in-descriptor", "", "layers[1].x.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: nested deeper than 32 levels"},
		{"descriptor-data-control", "", "layers[0].data: not base64"},
		{"descriptor-data-not-base64", "", "layers[0].data: not base64"},
		{"descriptor-data-padding", "", "layers[0].data: not base64"},
		{"descriptor-is-text", "", "layers[0]: expected an object at byte 259"},
		{"descriptor-media-type-missing", "", "layers[0]: mediaType is missing"},
		{"descriptor-null", "", "layers[1]: expected an object at byte 423"},
		{"descriptor-urls-text", "", "layers[0].urls: expected an array at byte 430"},
		{"digest-md5", "", "layers[0].digest: digest algorithm is not supported; use sha256 or sha512"},
		{"digest-missing", "", "layers[1]: digest is missing"},
		{"digest-number", "", "layers[0].digest: expected a string at byte 330"},
		{"digest-short", "", "layers[2].digest: digest has the wrong length; sha256 takes 64 hex digits"},
		{"digest-upper-case", "", "layers[0].digest: digest must be lower-case hexadecimal"},
		{"digest-wide-digits", "", "layers[0].digest: digest must be lower-case hexadecimal"},
		{"empty-layers-and-manifests", "", "manifests must not stand beside config, layers or fsLayers"},
		{"empty", "", "expected an object, but the document ends"},
		{"folded-in-config", "", "config.DIGEST: the name must be written digest"},
		{"folded-in-descriptor", "", "layers[1].Size: the name must be written size"},
		{"folded-in-platform", "", "manifests[0].platform.OS: the name must be written os"},
		{"folded-long-s", "", `"layerſ": the name must be written layers`},
		{"folded-manifests", "", "MANIFESTS: the name must be written manifests"},
		{"folded-platform-kelvin", "", "manifests[0].Platform: the name must be written platform"},
		{"folded-schema-version", "", "schemaversion: the name must be written schemaVersion"},
		{"folded-top-beside", "", "Layers: the name must be written layers"},
		{"folded-top", "", "layerS: the name must be written layers"},
		{"fslayers-and-layers", "", "Docker image manifest schema 1 is not supported"},
		{"fslayers-and-manifests", "", "manifests must not stand beside config, layers or fsLayers"},
		{"html", "", "expected an object at byte 0"},
		{"image-null-config", "", "config is missing, and application/vnd.oci.image.manifest.v1+json needs it"},
		{"image-type-with-manifests", "", "manifests must not stand in application/vnd.oci.image.manifest.v1+json"},
		{"image-without-config", "", "config is missing, and application/vnd.oci.image.manifest.v1+json needs it"},
		{"index-type-with-layers", "", "manifests is missing, and application/vnd.oci.image.index.v1+json needs it"},
		{"index-type-without-manifests", "", "manifests is missing, and application/vnd.oci.image.index.v1+json needs it"},
		{"invalid-utf8", "", "not valid UTF-8"},
		{"layers-and-manifests", "", "manifests must not stand beside config, layers or fsLayers"},
		{"layers-object", "", "layers: expected an array at byte 258"},
		{"literal-wrong", "", "x: expected a value at byte 278"},
		{"lone-low-surrogate", "", "x: the escape at byte 279 is no character, or NUL"},
		{"lone-surrogate", "", "x: the escape at byte 279 is no character, or NUL"},
		{"media-type-number", "", "mediaType: expected a string at byte 34"},
		{"media-type-schema1", "", "Docker image manifest schema 1 is not supported"},
		{"media-type-unknown", "", "mediaType application/vnd.example.manifest+json is not a manifest's"},
		{"media-type-with-parameter", "", `mediaType "application/vnd.oci.image.manifest.v1+json; charset=utf-8" is not a manifest's`},
		{"missing-colon", "", "expected a colon at byte 282"},
		{"missing-comma", "", "expected a comma or } at byte 272"},
		{"nul-escape", "", "annotations.a: the escape at byte 295 is no character, or NUL"},
		{"null-layers-and-manifests", "", "manifests must not stand beside config, layers or fsLayers"},
		{"null", "", "expected an object at byte 0"},
		{"number-bare-exponent", "", "x: expected a digit at byte 281"},
		{"number-bare-point", "", "x: expected a digit at byte 280"},
		{"number-minus", "", "x: expected a value at byte 278"},
		{"number-nan", "", "x: expected a value at byte 278"},
		{"number-plus", "", "x: expected a value at byte 278"},
		{"only-schema-version", "", "config is missing, and application/vnd.oci.image.manifest.v1+json needs it"},
		{"platform-features-number", "", "manifests[0].platform.os.features[0]: expected a string at byte 276"},
		{"platform-text", "", "manifests[0].platform: expected an object at byte 259"},
		{"raw-control-after-escape", "", "x: control character in a string at byte 282"},
		{"raw-control", "", "x: control character in a string at byte 280"},
		{"schema-version-3", "", "schemaVersion must be 2"},
		{"schema-version-fraction", "", "schemaVersion: 2.0 is not a whole number"},
		{"schema-version-missing", "", "schemaVersion is missing; it must be 2"},
		{"schema-version-negative", "", "schemaVersion: -1 is not a whole number"},
		{"schema-version-text", "", "schemaVersion: expected a whole number at byte 18"},
		{"schema1-signed", MediaTypeDockerSchema1Signed, "Docker image manifest schema 1 is not supported"},
		{"schema1", MediaTypeDockerSchema1, "Docker image manifest schema 1 is not supported"},
		{"single-quotes", "", "expected a string at byte 4"},
		{"size-exponent", "", "layers[1].size: 1e3 is not a whole number"},
		{"size-fraction", "", "layers[1].size: 1024.5 is not a whole number"},
		{"size-leading-zero", "", "layers[1]: expected a comma or } at byte 655"},
		{"size-missing", "", "layers[1]: size is missing"},
		{"size-negative", "", "layers[1].size: -1024 is not a whole number"},
		{"size-null", "", "layers[1].size: expected a whole number at byte 654"},
		{"size-text", "", "layers[1].size: expected a whole number at byte 654"},
		{"size-too-great", "", "layers[1].size: 9223372036854775808 is not a whole number"},
		{"sizes-differ-config", "", "layers[0]: size is 1470, but another descriptor of the same digest says 1469"},
		{"sizes-differ", "", "layers[1]: size is 1, but another descriptor of the same digest says 3370706"},
		{"sizes-overflow", "", "layers[0]: the sizes of all descriptors exceed 9223372036854775807 together"},
		{"subject-invalid", "", "subject.digest: digest has the wrong length; sha256 takes 64 hex digits"},
		{"surrogate-encoded", "", "not valid UTF-8"},
		{"text", "", "expected an object at byte 0"},
		{"trailing-bracket", "", "something follows the document at byte 670"},
		{"trailing-comma", "", "layers[1]: expected a string at byte 664"},
		{"trailing-document", "", "something follows the document at byte 670"},
		{"trailing-nul", "", "something follows the document at byte 670"},
		{"twice-among-many", "", "x: the name n37 stands twice in one object"},
		{"twice-escaped", "", "the name layers stands twice in one object"},
		{"twice-in-annotations", "", "annotations: the name a stands twice in one object"},
		{"twice-in-descriptor", "", "layers[1]: the name size stands twice in one object"},
		{"twice-in-platform", "", "manifests[0].platform: the name os stands twice in one object"},
		{"twice-in-unknown", "", "x[0].y: the name z stands twice in one object"},
		{"twice-layers", "", "the name layers stands twice in one object"},
		{"twice-media-type", "", "the name mediaType stands twice in one object"},
		{"unknown-escape", "", "x: unknown escape in a string at byte 279"},
		{"utf16", "", "not valid UTF-8"},
		{"white-space", "", "expected an object, but the document ends"},
	}
}

// corpus reads a directory of testdata/manifests: document by name.
func corpus(t testing.TB, kind string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "manifests", kind, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	documents := make(map[string][]byte)
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		documents[strings.TrimSuffix(filepath.Base(file), ".json")] = body
	}
	return documents
}

func TestAcceptedDocuments(t *testing.T) {
	t.Parallel()
	documents := corpus(t, "accepted")
	for _, tt := range acceptances() {
		body, found := documents[tt.name]
		delete(documents, tt.name)
		m, err := ParseManifest(tt.contentType, body)
		if !found || err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := acceptance{name: tt.name, contentType: tt.contentType, mediaType: m.MediaType, artifactType: m.ArtifactType}
		for _, part := range m.Parts() {
			switch part.Kind {
			case PartBlob:
				got.blobs++
			case PartManifest:
				got.manifests++
			}
		}
		got.foreign = len(m.ForeignParts())
		if got != tt {
			t.Errorf("read %+v\nwant %+v", got, tt)
		}
		compareReadings(t, body, m)
	}
	for name := range documents {
		t.Errorf("no row for %s", name)
	}
}

func TestRefusedDocuments(t *testing.T) {
	t.Parallel()
	documents := corpus(t, "refused")
	for _, tt := range refusals() {
		body, found := documents[tt.name]
		delete(documents, tt.name)
		m, err := ParseManifest(tt.contentType, body)
		if !found || err == nil || m != nil {
			t.Errorf("%s: found %v, read as %+v", tt.name, found, m)
			continue
		}
		wantCode(t, err, errs.Invalid, "MANIFEST_INVALID")
		var e *errs.Error
		if errors.As(err, &e) && !strings.HasPrefix(e.Public, "manifest is invalid: "+tt.text) {
			t.Errorf("%s: %q; want %q in front", tt.name, e.Public, tt.text)
		}
	}
	for name := range documents {
		t.Errorf("no row for %s", name)
	}
}
