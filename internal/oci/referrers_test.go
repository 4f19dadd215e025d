package oci

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReferrersIndexOfNone(t *testing.T) {
	t.Parallel()
	body, err := ReferrersIndex(nil)
	want := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
	if err != nil || string(body) != want {
		t.Errorf("%s, %v; want %s", body, err, want)
	}
}

func TestReferrersIndexReadsBack(t *testing.T) {
	t.Parallel()
	files := corpus(t, "accepted")
	var referrers []Descriptor
	for _, tt := range acceptances() {
		m, err := ParseManifest(tt.contentType, files[tt.name])
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject == nil {
			continue
		}
		d := m.Referrer(SHA256.FromBytes(files[tt.name]), int64(len(files[tt.name])))
		if d.ArtifactType != tt.artifactType || d.MediaType != tt.mediaType || len(d.Annotations) != len(m.Annotations) {
			t.Errorf("%s is listed as %+v", tt.name, d)
		}
		referrers = append(referrers, d)
	}
	if len(referrers) < 5 {
		t.Fatalf("%d documents with a subject", len(referrers))
	}
	body, err := ReferrersIndex(referrers)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseManifest(MediaTypeImageIndex, body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(referrers, m.Manifests, cmp.Comparer(func(a, b Digest) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	compareReadings(t, body, m)
	if strings.Contains(string(body), "null") || strings.Contains(string(body), `"artifactType":""`) {
		t.Errorf("empty members are written: %s", body)
	}
}

func TestFallbackTag(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		emptySHA256: "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		emptySHA512: "sha512-cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce",
	}
	for digest, want := range tests {
		tag, err := ParseTag(want)
		if got := FallbackTag(mustDigest(t, digest)); got != tag || err != nil {
			t.Errorf("FallbackTag(%s) = %s, want %s", digest, got, want)
		}
		if !IsFallbackTag(tag) {
			t.Errorf("%s is not taken for a fallback tag", tag)
		}
	}
	sum := strings.Repeat("a", 64)
	for _, other := range []string{"latest", "sha256-" + sum[1:], "sha256-" + sum + ".sig", "sha256-" + sum[1:] + "A", "sha1-" + sum,
		"sha256_" + sum, sum, "x-sha256-" + sum} {
		tag, err := ParseTag(other)
		if err != nil || IsFallbackTag(tag) {
			t.Errorf("%s is taken for a fallback tag (%v)", other, err)
		}
	}
}

func BenchmarkReferrersIndex1000(b *testing.B) {
	referrers := make([]Descriptor, 1000)
	for n := range referrers {
		referrers[n] = Descriptor{
			MediaType: MediaTypeImageManifest, Digest: SHA256.FromBytes(fmt.Append(nil, n)), Size: 900,
			ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
			Annotations:  map[string]string{"org.opencontainers.image.created": "2026-02-01T00:00:00Z", "dev.sigstore.bundle.content": "dsse-envelope"},
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReferrersIndex(referrers); err != nil {
			b.Fatal(err)
		}
	}
}
