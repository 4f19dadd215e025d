package evidence

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// MaxDocument is how many bytes of a document are read.
const MaxDocument = 4 << 20

// Facts is what a document says. Parts that it does not have are nil.
type Facts struct {
	// Format is the name of the format, such as "in-toto" or "SPDX-2.3"; "" when it
	// is none that is known.
	Format string
	// Predicate is the type of what a statement says.
	Predicate  string
	Provenance *Provenance
	SBOM       *SBOM
	Signature  *Signature
}

// maxDepth is how many envelopes may lie in each other.
const maxDepth = 4

// Decode reads a document of that media type, which its manifest describes with
// the annotations. What it cannot read it names, or not even that: there is no
// error. Documents over MaxDocument are not read.
func Decode(mediaType string, annotations map[string]string, content []byte) Facts {
	var f Facts
	if len(content) <= MaxDocument {
		f.document(content, 0)
	}
	if f.Format == "" {
		f.Format = formatOf(mediaType)
	}
	if f.Predicate == "" {
		f.Predicate = text(annotations["in-toto.io/predicate-type"])
	}
	if pem := annotations["dev.sigstore.cosign/certificate"]; pem != "" {
		f.signature().certificatePEM(pem)
	}
	return f
}

// document finds out by its members what a JSON document is.
func (f *Facts) document(content []byte, depth int) {
	var members map[string]json.RawMessage
	if depth > maxDepth || json.Unmarshal(content, &members) != nil {
		return
	}
	has := func(name string) bool { return members[name] != nil }
	switch {
	case has("payloadType") && has("payload"):
		f.name("DSSE")
		f.envelope(content, depth)
	case has("verificationMaterial"):
		f.name("Sigstore bundle")
		f.bundle(content, depth)
	case has("critical"):
		f.name("cosign")
		f.simpleSigning(content)
	case has("protected") && has("signature") && has("payload"):
		f.name("Notary Project (JWS)")
		f.notation(content)
	case has("predicateType"):
		f.name("in-toto")
		f.statement(content, depth)
	case has("spdxVersion"), has("@graph"):
		f.spdx(content)
	case has("bomFormat"):
		f.cyclonedx(content)
	}
}

// name keeps the first name: that of the outermost document.
func (f *Facts) name(format string) {
	if f.Format == "" {
		f.Format = text(format)
	}
}

// envelope is DSSE.
func (f *Facts) envelope(content []byte, depth int) {
	var e struct {
		Payload string `json:"payload"`
	}
	if json.Unmarshal(content, &e) != nil {
		return
	}
	if inner, ok := decode64(e.Payload); ok {
		f.document(inner, depth+1)
	}
}

// formatOf names what a media type alone tells.
func formatOf(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	for _, known := range []struct{ prefix, name string }{
		{"application/vnd.in-toto", "in-toto"},
		{"application/vnd.dsse.envelope", "DSSE"},
		{"application/vnd.dev.cosign.simplesigning", "cosign"},
		{"application/vnd.dev.sigstore.bundle", "Sigstore bundle"},
		{"application/vnd.cncf.notary", "Notary Project"},
		{"application/jose", "Notary Project (JWS)"},
		{"application/cose", "Notary Project (COSE)"},
		{"application/spdx", "SPDX"},
		{"text/spdx", "SPDX"},
		{"application/vnd.cyclonedx", "CycloneDX"},
		{"application/vnd.syft", "Syft"},
		{"application/sarif", "SARIF"},
		{"application/vnd.openvex", "OpenVEX"},
	} {
		if strings.HasPrefix(mediaType, known.prefix) {
			return known.name
		}
	}
	return ""
}

// decode64 takes every common form of base64.
func decode64(s string) ([]byte, bool) {
	s = strings.TrimRight(s, "=")
	s = strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "").Replace(s)
	content, err := base64.RawStdEncoding.DecodeString(s)
	return content, err == nil
}
