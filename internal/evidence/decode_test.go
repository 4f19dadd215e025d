package evidence

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// certificate is one like those of Fulcio.
func certificate(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := asn1.MarshalWithParams("https://token.actions.example", "utf8")
	if err != nil {
		t.Fatal(err)
	}
	job, err := url.Parse("https://code.example/acme/shop/.github/workflows/release.yml@refs/tags/v1")
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sigstore-intermediate"}, NotBefore: time.Unix(1_700_000_000, 0),
		NotAfter: time.Unix(1_700_000_600, 0), URIs: []*url.URL{job},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}, Value: provider}},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func wantCertificate() *Certificate {
	return &Certificate{
		Subject: "CN=sigstore-intermediate", Issuer: "CN=sigstore-intermediate",
		Identity: "https://code.example/acme/shop/.github/workflows/release.yml@refs/tags/v1", Provider: "https://token.actions.example",
		From: time.Unix(1_700_000_000, 0).UTC(), Until: time.Unix(1_700_000_600, 0).UTC(),
	}
}

const (
	slsaV0 = `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","subject":[],"predicate":{
		"builder":{"id":"https://code.example/actions/1"},"buildType":"https://mobyproject.org/buildkit@v1",
		"materials":[{"uri":"pkg:docker/alpine@3"},{"uri":"https://x"}],
		"invocation":{"configSource":{"uri":"https://code.example/acme/shop.git#main","digest":{"sha1":"aaaa"}}},
		"metadata":{"https://mobyproject.org/buildkit@v1#metadata":{"vcs":{"source":"https://code.example/acme/shop","revision":"c0ffee"}}}}}`
	slsaV1 = `{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","predicate":{
		"buildDefinition":{"buildType":"https://actions.example/workflow/v1","externalParameters":{"workflow":{"repository":"https://code.example/acme/shop"}},
			"resolvedDependencies":[{"uri":"git+https://code.example/acme/shop@refs/heads/main","digest":{"gitCommit":"c0ffee"}}]},
		"runDetails":{"builder":{"id":"https://builder.example"}}}}`
	spdxText = `{"spdxVersion":"SPDX-2.3","name":"shop","packages":[
		{"name":"busybox","versionInfo":"1.36","licenseConcluded":"NOASSERTION","licenseDeclared":"GPL-2.0-only"},{"name":"musl","versionInfo":"1.2"}]}`
	cyclonedxText = `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"component":{"name":"shop"}},"components":[
		{"group":"org.acme","name":"core","version":"2","licenses":[{"license":{"id":"MIT"}},{"expression":"Apache-2.0 OR ISC"}]}]}`
	simple = `{"critical":{"identity":{"docker-reference":"host/acme/shop"},"image":{"docker-manifest-digest":"sha256:abc"},"type":"cosign container image signature"},"optional":null}`
)

func envelope(payload string) string {
	return fmt.Sprintf(`{"payloadType":"application/vnd.in-toto+json","payload":%q,"signatures":[{"sig":""}]}`,
		base64.StdEncoding.EncodeToString([]byte(payload)))
}

func statementOf(predicateType, predicate string) string {
	return fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","predicateType":%q,"subject":[{"digest":{"sha256":"abc"}}],"predicate":%s}`, predicateType, predicate)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	der := certificate(t)
	spdxFacts := &SBOM{Format: "SPDX-2.3", Name: "shop", Count: 2, Components: []Component{{"busybox", "1.36", "GPL-2.0-only"}, {"musl", "1.2", ""}}}
	v0 := &Provenance{
		Builder: "https://code.example/actions/1", BuildType: "https://mobyproject.org/buildkit@v1",
		Source: "https://code.example/acme/shop", Commit: "c0ffee", Materials: 2,
	}
	jws := map[string]any{
		"payload": base64.RawURLEncoding.EncodeToString([]byte(`{"targetArtifact":{"digest":"sha256:abc"}}`)), "protected": "x", "signature": "y",
		"header": map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(der)}},
	}
	notation, err := json.Marshal(jws)
	if err != nil {
		t.Fatal(err)
	}
	bundle := fmt.Sprintf(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":%q}},"dsseEnvelope":%s}`,
		base64.StdEncoding.EncodeToString(der), envelope(slsaV0))
	for name, c := range map[string]struct {
		mediaType   string
		annotations map[string]string
		content     string
		want        Facts
	}{
		"provenance 0.2":    {"application/vnd.in-toto+json", nil, slsaV0, Facts{Format: "in-toto", Predicate: "https://slsa.dev/provenance/v0.2", Provenance: v0}},
		"in an envelope":    {"application/vnd.dsse.envelope.v1+json", nil, envelope(slsaV0), Facts{Format: "DSSE", Predicate: "https://slsa.dev/provenance/v0.2", Provenance: v0}},
		"SPDX":              {"application/spdx+json", nil, spdxText, Facts{Format: "SPDX-2.3", SBOM: spdxFacts}},
		"SPDX, a statement": {"application/vnd.in-toto+json", nil, statementOf("https://spdx.dev/Document", spdxText), Facts{Format: "in-toto", Predicate: "https://spdx.dev/Document", SBOM: spdxFacts}},
		"provenance 1": {"application/vnd.in-toto+json", nil, slsaV1, Facts{
			Format: "in-toto", Predicate: "https://slsa.dev/provenance/v1", Provenance: &Provenance{
				Builder: "https://builder.example", BuildType: "https://actions.example/workflow/v1", Source: "https://code.example/acme/shop", Commit: "c0ffee", Materials: 1,
			},
		}},
		"SPDX 3": {"", nil, `{"@graph":[{"type":"SpdxDocument","name":"shop"},{"type":"software_Package","name":"a","software_packageVersion":"1"}]}`, Facts{
			Format: "SPDX-3", SBOM: &SBOM{Format: "SPDX-3", Name: "shop", Count: 1, Components: []Component{{"a", "1", ""}}},
		}},
		"CycloneDX": {"application/vnd.cyclonedx+json", nil, cyclonedxText, Facts{
			Format: "CycloneDX 1.5", SBOM: &SBOM{Format: "CycloneDX 1.5", Name: "shop", Count: 1, Components: []Component{{"org.acme/core", "2", "MIT, Apache-2.0 OR ISC"}}},
		}},
		"cosign": {
			"application/vnd.dev.cosign.simplesigning.v1+json",
			map[string]string{"dev.sigstore.cosign/certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}, simple,
			Facts{Format: "cosign", Signature: &Signature{Digest: "sha256:abc", Reference: "host/acme/shop", Certificate: wantCertificate()}},
		},
		"a bundle": {"application/vnd.dev.sigstore.bundle.v0.3+json", nil, bundle, Facts{
			Format: "Sigstore bundle", Predicate: "https://slsa.dev/provenance/v0.2", Provenance: v0, Signature: &Signature{Certificate: wantCertificate()},
		}},
		"a signature as a statement": {"", nil, statementOf("https://sigstore.dev/cosign/sign/v1", `{}`), Facts{
			Format: "in-toto", Predicate: "https://sigstore.dev/cosign/sign/v1", Signature: &Signature{Digest: "sha256:abc"},
		}},
		"Notary Project": {"application/jose+json", nil, string(notation), Facts{
			Format: "Notary Project (JWS)", Signature: &Signature{Digest: "sha256:abc", Certificate: wantCertificate()},
		}},
		"COSE":                {"application/cose", nil, "\xd2\x84", Facts{Format: "Notary Project (COSE)"}},
		"another statement":   {"", nil, statementOf("https://acme.example/tested/v1", `{"passed":true}`), Facts{Format: "in-toto", Predicate: "https://acme.example/tested/v1"}},
		"nothing known":       {"application/x-mystery", nil, `{"a":1}`, Facts{}},
		"no JSON":             {"application/spdx+json", nil, `]`, Facts{Format: "SPDX"}},
		"too large":           {"application/spdx+json", nil, strings.Repeat(" ", MaxDocument+1), Facts{Format: "SPDX"}},
		"only annotated":      {"application/vnd.in-toto+json", map[string]string{"in-toto.io/predicate-type": "https://x"}, ``, Facts{Format: "in-toto", Predicate: "https://x"}},
		"members of any type": {"", nil, `{"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":[]}}`, Facts{Format: "in-toto", Predicate: "https://slsa.dev/provenance/v1"}},
	} {
		if diff := cmp.Diff(c.want, Decode(c.mediaType, c.annotations, []byte(c.content))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// What documents say is short, and neither hides nor turns what stands beside it.
func TestTextIsPlain(t *testing.T) {
	t.Parallel()
	evil := `\u202egpj.exe\u0000\u001b[31m` + strings.Repeat("x", 1000)
	f := Decode("", nil, []byte(`{"spdxVersion":"SPDX-2.3","name":"`+evil+`"}`))
	if got, want := f.SBOM.Name, "gpj.exe[31m"; !strings.HasPrefix(got, want) || len([]rune(got)) != maxText+1 {
		t.Errorf("got %q", got)
	}
}

func TestComponentsAreBounded(t *testing.T) {
	t.Parallel()
	many := `{"spdxVersion":"SPDX-2.3","packages":[` + strings.TrimSuffix(strings.Repeat(`{"name":"p"},`, 1000), ",") + `]}`
	f := Decode("", nil, []byte(many))
	if f.SBOM.Count != 1000 || len(f.SBOM.Components) != MaxComponents {
		t.Errorf("%d components, %d shown", f.SBOM.Count, len(f.SBOM.Components))
	}
}

// Envelopes within envelopes end.
func TestDepthIsBounded(t *testing.T) {
	t.Parallel()
	doc := slsaV0
	for range maxDepth + 1 {
		doc = envelope(doc)
	}
	if f := Decode("", nil, []byte(doc)); f.Format != "DSSE" || f.Provenance != nil {
		t.Errorf("got %+v", f)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{slsaV0, slsaV1, spdxText, cyclonedxText, simple, envelope(slsaV0), `{"verificationMaterial":{},"dsseEnvelope":` + envelope(simple) + `}`} {
		f.Add("application/vnd.in-toto+json", seed, "")
	}
	f.Add("", "", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(f)})))
	f.Fuzz(func(t *testing.T, mediaType, content, certificate string) {
		facts := Decode(mediaType, map[string]string{"dev.sigstore.cosign/certificate": certificate}, []byte(content))
		if b := facts.SBOM; b != nil && (len(b.Components) > MaxComponents || b.Count < b.Shown()) {
			t.Errorf("%d components of %d", len(b.Components), b.Count)
		}
		if len([]rune(facts.Format)) > maxText+1 || len([]rune(facts.Predicate)) > maxText+1 {
			t.Errorf("long texts: %+v", facts)
		}
	})
}
