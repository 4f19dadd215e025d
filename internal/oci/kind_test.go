package oci

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const someDigest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

// descriptorOf is one of that media type, with more members behind.
func descriptorOf(mediaType, more string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":2%s}`, mediaType, someDigest, more)
}

func manifestOf(t *testing.T, more, config string, layers ...string) *Manifest {
	t.Helper()
	for i, l := range layers {
		layers[i] = descriptorOf(l, "")
	}
	body := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q%s,"config":%s,"layers":[%s]}`,
		MediaTypeImageManifest, more, descriptorOf(config, ""), strings.Join(layers, ","))
	m, err := ParseManifest("", []byte(body))
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return m
}

func TestKinds(t *testing.T) {
	t.Parallel()
	const image, empty = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.empty.v1+json"
	const layer = "application/vnd.oci.image.layer.v1.tar+gzip"
	bundle := func(content, predicate string) string {
		return fmt.Sprintf(`,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","annotations":{%q:%q,%q:%q}`, bundleContent, content, bundlePredicate, predicate)
	}
	for _, c := range []struct {
		label, more, config string
		layers              []string
		want                Kind
	}{
		{"image", "", image, []string{layer, layer}, KindImage},
		{"image of docker", "", "application/vnd.docker.container.image.v1+json", []string{"application/vnd.docker.image.rootfs.diff.tar.gzip"}, KindImage},
		{"image without layers", "", image, nil, KindImage},
		{"chart", "", "application/vnd.cncf.helm.config.v1+json", []string{"application/vnd.cncf.helm.chart.content.v1.tar+gzip"}, KindArtifact},
		{"artifact", `,"artifactType":"application/vnd.some"`, empty, []string{"text/plain"}, KindArtifact},
		{"artifact with an image's config", `,"artifactType":"application/vnd.some"`, image, []string{layer}, KindArtifact},
		{"signature of cosign 2", "", image, []string{"application/vnd.dev.cosign.simplesigning.v1+json"}, KindSignature},
		{"signature of cosign 2 as a referrer", `,"artifactType":"application/vnd.dev.cosign.artifact.sig.v1+json"`, image, []string{"application/vnd.dev.cosign.simplesigning.v1+json"}, KindSignature},
		{"signature of cosign 3", bundle("dsse-envelope", signPredicate), empty, []string{"application/vnd.dev.sigstore.bundle.v0.3+json"}, KindSignature},
		{"signature in a bundle", bundle("message-signature", ""), empty, []string{"application/vnd.dev.sigstore.bundle.v0.3+json"}, KindSignature},
		{"attestation of GitHub", bundle("dsse-envelope", "https://slsa.dev/provenance/v1"), empty, []string{"application/vnd.dev.sigstore.bundle.v0.3+json"}, KindAttestation},
		{"signature of notation", "", "application/vnd.cncf.notary.signature", []string{"application/jose+json"}, KindSignature},
		{"attestation of cosign", "", image, []string{"application/vnd.dsse.envelope.v1+json"}, KindAttestation},
		{"attestation of BuildKit", "", image, []string{"application/vnd.in-toto+json", "application/vnd.in-toto+json"}, KindAttestation},
		{"sbom of cosign", "", image, []string{"text/spdx+json"}, KindSBOM},
		{"sbom of oras", `,"artifactType":"application/vnd.cyclonedx+json"`, empty, []string{"application/octet-stream"}, KindSBOM},
		{"image beside a statement", "", image, []string{"application/vnd.in-toto+json", layer}, KindImage},
		{"cache", "", typeBuildCache, []string{layer}, KindCache},
	} {
		if got := manifestOf(t, c.more, c.config, c.layers...).Kind(); got != c.want {
			t.Errorf("%s: %s, want %s", c.label, got, c.want)
		}
	}
}

func indexOf(t *testing.T, children ...string) *Manifest {
	t.Helper()
	m, err := ParseManifest("", fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, MediaTypeImageIndex, strings.Join(children, ",")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestKindsOfIndexes(t *testing.T) {
	t.Parallel()
	index := indexOf(t, descriptorOf(MediaTypeImageManifest, `,"platform":{"os":"linux","architecture":"arm64"}`))
	cache := indexOf(t, descriptorOf("application/vnd.oci.image.layer.v1.tar+gzip", ""), descriptorOf(typeBuildCache, ""))
	if got := index.Kind(); got != KindIndex {
		t.Errorf("an index is %s", got)
	}
	if got := cache.Kind(); got != KindCache {
		t.Errorf("a cache is %s", got)
	}
	if got := cache.TotalSize(100); got != 102 && got != 104 {
		t.Errorf("a cache has %d bytes", got)
	}
	if got := index.TotalSize(100); got != 100 {
		t.Errorf("an index has %d bytes without its children", got)
	}
}

func TestPlatformsAreNotAttestations(t *testing.T) {
	t.Parallel()
	m := indexOf(
		t, descriptorOf(MediaTypeImageManifest, `,"platform":{"os":"linux","architecture":"arm64"}`),
		descriptorOf(MediaTypeImageManifest, ""),
		descriptorOf(MediaTypeImageManifest, `,"platform":{"os":"unknown","architecture":"unknown"}`),
		descriptorOf(MediaTypeImageManifest, `,"annotations":{"vnd.docker.reference.type":"attestation-manifest"}`),
		descriptorOf(MediaTypeImageManifest, `,"artifactType":"application/vnd.cncf.notary.signature"`),
		descriptorOf("text/plain", ""))
	platforms, attestations := m.Platforms()
	if len(platforms) != 2 || len(attestations) != 3 {
		t.Errorf("%d platforms and %d attestations, want 2 and 3", len(platforms), len(attestations))
	}
}

func tagOf(t *testing.T, text string) Tag {
	t.Helper()
	tag, err := ParseTag(text)
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

func TestKindsByTags(t *testing.T) {
	t.Parallel()
	const image = "application/vnd.oci.image.config.v1+json"
	hex := strings.TrimPrefix(someDigest, "sha256:")
	for _, c := range []struct {
		label string
		tags  []string
		want  Kind
	}{
		{"none", nil, KindImage},
		{"a name", []string{"v1"}, KindImage},
		{"a signature's", []string{"sha256-" + hex + ".sig"}, KindSignature},
		{"an attestation's", []string{"sha256-" + hex + ".att"}, KindAttestation},
		{"an sbom's", []string{"sha256-" + hex + ".sbom"}, KindSBOM},
		{"that of a list of referrers", []string{"sha256-" + hex}, KindAttestation},
		{"a signature's and a name", []string{"sha256-" + hex + ".sig", "v1"}, KindImage},
		{"something else's", []string{"sha256-" + hex + ".zip"}, KindImage},
		{"an empty suffix", []string{"sha256-" + hex + "."}, KindImage},
		{"too short", []string{"sha256-" + hex[1:] + ".sig"}, KindImage},
	} {
		var tags []Tag
		for _, text := range c.tags {
			tags = append(tags, tagOf(t, text))
		}
		if got := manifestOf(t, "", image, "application/octet-stream").KindAs(tags); got != c.want {
			t.Errorf("%s: %s, want %s", c.label, got, c.want)
		}
	}
	cache := manifestOf(t, "", typeBuildCache)
	if got := cache.KindAs([]Tag{tagOf(t, "sha256-"+hex+".sig")}); got != KindCache {
		t.Errorf("a cache under a signature's tag is %s", got)
	}
}

func TestAges(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1h": time.Hour, "90m": 90 * time.Minute, "2d": 48 * time.Hour, "3w": 21 * 24 * time.Hour, " 1d12h ": 36 * time.Hour, "45s": 45 * time.Second,
		"": 0, "d": 0, "1": 0, "1y": 0, "0h": 0, "-1h": 0, "1.5h": 0, "1h ": time.Hour, "1h x": 0, "99999999w": 0, "99999999999999999999h": 0, "1d1": 0, "36501d": 0,
	} {
		got, err := ParseAge(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	pushed := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	l := ConfigLabels([]byte(`{"config":{"Labels":{"quay.expires-after":"2d"}}}`))
	if at, ok := l.ExpiresAt(pushed); !ok || !at.Equal(pushed.Add(48*time.Hour)) {
		t.Errorf("expires at %v, %v", at, ok)
	}
	m := &Manifest{Annotations: map[string]string{"expires-after": "1h", "quay.expires-after": "2d"}}
	if at, ok := m.Labels().ExpiresAt(pushed); !ok || !at.Equal(pushed.Add(time.Hour)) {
		t.Errorf("expires at %v, %v", at, ok)
	}
	if _, ok := (Labels{ExpiresAfter: "never"}).ExpiresAt(pushed); ok {
		t.Error("never is a time")
	}
}

func TestTagPatterns(t *testing.T) {
	t.Parallel()
	hex := strings.TrimPrefix(someDigest, "sha256:")
	for _, c := range []struct {
		pattern, tag      string
		matches, protects bool
	}{
		{"v*", "v1.2", true, true},
		{"v*", "1.2", false, false},
		{"v?.*", "v1.2", true, true},
		{"v[0-9]*", "vx", false, false},
		{"*", "latest", true, true},
		{"*", "sha256-" + hex + ".sig", true, false},
		{"*", "sha256-abc", true, true},
		{"sha256-*", "sha256-" + hex + ".sig", true, true},
	} {
		p, err := ParseTagPattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(tagOf(t, c.tag)); got != c.matches {
			t.Errorf("%s matches %s: %v", c.pattern, c.tag, got)
		}
		if got := p.Protects(tagOf(t, c.tag)); got != c.protects {
			t.Errorf("%s protects %s: %v", c.pattern, c.tag, got)
		}
	}
	for _, bad := range []string{"", "[", "a/b", "a b", strings.Repeat("a", 129)} {
		if _, err := ParseTagPattern(bad); err == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
}
