package packagepage_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// An index may name its parts as often as it likes, and each may be large: a page
// reads so much and no more.
func TestAPageReadsOnlySoMuch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	amd := image(s, "linux/amd64", v1.Config{}, "app")
	says := artifact(s, string(types.OCIConfigJSON), file("application/vnd.in-toto+json", provenanceText))
	says = annotateLayers(s, says, map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2", "padding": strings.Repeat("x", 1<<20)})
	of := must2(amd.Digest())(s)
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for range 8 {
		index = mutate.AppendManifests(index,
			mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
			mutate.IndexAddendum{Add: says, Descriptor: v1.Descriptor{
				Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
				Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": of.String()},
			}},
		)
	}
	digest := s.PushIndex("alice", "alice/app:1", index)
	s.public("alice/app")
	p := s.Browser().Get(below("alice/app", s.id("alice/app", digest)))
	if p.Status != 200 {
		t.Fatal(p.Status)
	}
	read := 0
	p.Find(".Box-row .Label--secondary").Each(func(_ int, l *selection) {
		if strings.EqualFold(strings.TrimSpace(l.Text()), "provenance") {
			read++
		}
	})
	if read < 10 || read > 20 {
		t.Errorf("%d of 64 were read", read)
	}
}
