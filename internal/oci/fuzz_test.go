package oci

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"packhouse/internal/errs"
)

// FuzzParseManifest: what is accepted is JSON in UTF-8 within the limits, and
// means the same to other readers.
func FuzzParseManifest(f *testing.F) {
	files := corpus(f, "accepted")
	for _, tt := range acceptances() {
		f.Add(tt.contentType, files[tt.name])
	}
	files = corpus(f, "refused")
	for _, tt := range refusals() {
		f.Add(tt.contentType, files[tt.name])
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		m, err := ParseManifest(contentType, body)
		if err != nil {
			if !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.TooLarge) {
				t.Fatalf("%#v", err)
			}
			return
		}
		if !json.Valid(body) || !utf8.Valid(body) || len(body) > MaxManifestSize || !IsManifestType(m.MediaType) {
			t.Fatalf("accepted as %q: %q", m.MediaType, body)
		}
		if (m.Config == nil) != m.IsIndex() || len(m.Layers)+len(m.Manifests) > MaxDescriptors ||
			m.IsIndex() && m.Layers != nil || !m.IsIndex() && m.Manifests != nil {
			t.Fatalf("neither image nor index: %+v", m)
		}
		compareReadings(t, body, m)
		checkParts(t, m)
	})
}

// checkParts sees that every descriptor but the subject is a part, and once.
func checkParts(t *testing.T, m *Manifest) {
	held := make(map[Part]bool)
	var total int64
	for _, part := range append(m.Parts(), m.ForeignParts()...) {
		if total += part.Size; part.Size < 0 || total < 0 {
			t.Fatalf("sizes of %+v", m.Parts())
		}
		held[part] = true
	}
	for _, d := range append(m.Layers, m.Manifests...) {
		if !held[Part{d.Digest, d.Size, PartBlob}] && !held[Part{d.Digest, d.Size, PartManifest}] {
			t.Fatalf("%s is no part", d.Digest)
		}
	}
}
