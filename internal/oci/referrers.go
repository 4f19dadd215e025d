package oci

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Referrer returns the descriptor by which a manifest of digest d and size bytes
// stands in the list of its subject's referrers: with its artifact type and all
// of its annotations, which it shares with m.
func (m *Manifest) Referrer(d Digest, size int64) Descriptor {
	return Descriptor{
		MediaType: m.MediaType, Digest: d, Size: size,
		ArtifactType: m.ArtifactType, Annotations: m.Annotations,
	}
}

// ReferrersIndex returns the document that lists referrers, an OCI image index
// in JSON. The same list gives the same bytes.
func ReferrersIndex(referrers []Descriptor) ([]byte, error) {
	if referrers == nil {
		referrers = []Descriptor{} // null would not be a list to clients
	}
	body, err := json.Marshal(struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Manifests     []Descriptor `json:"manifests"`
	}{2, MediaTypeImageIndex, referrers})
	if err != nil {
		return nil, fmt.Errorf("encoding a list of referrers: %w", err)
	}
	return body, nil
}

// fallbackHexLength is how much of a digest's hexadecimal a fallback tag takes.
const fallbackHexLength = 64

// FallbackTag returns the tag under which clients that know no referrers API
// keep an index of d's referrers. A sha512 digest is cut, so the tag of a digest
// is found from the digest and not the other way round.
func FallbackTag(d Digest) Tag {
	sum := d.Hex()
	return Tag{string(d.Algorithm()) + "-" + sum[:min(len(sum), fallbackHexLength)]}
}

// IsFallbackTag reports whether t has the form that FallbackTag returns.
func IsFallbackTag(t Tag) bool {
	alg, sum, _ := strings.Cut(t.text, "-")
	if alg != string(SHA256) && alg != string(SHA512) {
		return false
	}
	return len(sum) == fallbackHexLength && strings.Trim(sum, "0123456789abcdef") == ""
}
