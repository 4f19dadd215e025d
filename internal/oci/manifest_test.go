package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"packhouse/internal/errs"
	"pgregory.net/rapid"
)

// image returns an image manifest with these layers and more members.
func image(layers, more string) []byte {
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":0},"layers":[%s]%s}`,
		MediaTypeImageManifest, ociConfig, emptySHA256, layers, more)
}

// layer returns the n-th of many different descriptors.
func layer(n int) string {
	return fmt.Sprintf(`{"mediaType":"text/plain","digest":"sha256:%064x","size":%d}`, n, n)
}

func TestManifestSizeLimit(t *testing.T) {
	t.Parallel()
	body := image("", `,"annotations":{"pad":""}`)
	pad := strings.Repeat("x", MaxManifestSize-len(body))
	full := image("", `,"annotations":{"pad":"`+pad+`"}`)
	if m, err := ParseManifest("", full); err != nil || m.Annotations["pad"] != pad {
		t.Errorf("%d bytes: %v", len(full), err)
	}
	_, err := ParseManifest("", append(full, ' '))
	wantCode(t, err, errs.TooLarge, "SIZE_INVALID")
}

func TestManifestDescriptorLimit(t *testing.T) {
	t.Parallel()
	layers := layer(1)
	for n := 2; n < MaxDescriptors; n++ { // the config makes up the number
		layers += "," + layer(n)
	}
	m, err := ParseManifest("", image(layers, ""))
	if err != nil || len(m.Layers) != MaxDescriptors-1 {
		t.Fatalf("%d descriptors: %v", MaxDescriptors, err)
	}
	if parts := m.Parts(); len(parts) != MaxDescriptors {
		t.Errorf("%d parts of %d descriptors", len(parts), MaxDescriptors)
	}
	_, err = ParseManifest("", image(layers, `,"subject":`+layer(1)))
	wantCode(t, err, errs.Invalid, "MANIFEST_INVALID")
	if err == nil || !strings.Contains(err.Error(), "subject: more than 4096 descriptors") {
		t.Errorf("%d descriptors: %v", MaxDescriptors+1, err)
	}
}

// Many names, deep nesting and long texts must neither take more than linear
// time nor come back to the client at length.
func TestHostileManifests(t *testing.T) {
	t.Parallel()
	var names strings.Builder
	for n := range 400_000 {
		fmt.Fprintf(&names, `"%x":0,`, n)
	}
	many := names.String()
	tests := map[string]string{
		"many names":             `{` + many + `"0":0}`,
		"many names twice":       `{"a":{` + many + `"x":0},"b":{` + many[:10] + `"x":0}}`,
		"deep arrays":            strings.Repeat(`[`, 4_000_000),
		"deep in a member":       `{"a":` + strings.Repeat(`[`, 4_000_000),
		"deep objects":           strings.Repeat(`{"a":`, 800_000),
		"long name":              `{"` + strings.Repeat("n", 4_000_000) + `":x}`,
		"long name of wide text": `{"a` + strings.Repeat("\U0001F433", 1_000_000) + `":x}`,
		"long name of escapes":   `{"` + strings.Repeat(`\n`, 2_000_000) + `":x}`,
		"long number":            `{"schemaVersion":` + strings.Repeat("9", 4_000_000) + `}`,
		"long media type":        `{"mediaType":"` + strings.Repeat("\u0001", 2_000_000) + `"}`,
		"long unknown type":      `{"schemaVersion":2,"mediaType":"` + strings.Repeat("é", 2_000_000) + `","config":` + layer(1) + `}`,
		"only white space":       strings.Repeat(" ", 4_000_000),
		"only quotes":            strings.Repeat(`"`, 4_000_000),
	}
	for what, body := range tests {
		_, err := ParseManifest("", []byte(body))
		wantCode(t, err, errs.Invalid, "MANIFEST_INVALID")
		var e *errs.Error
		if errors.As(err, &e) && (len(e.Public) > 1000 || strings.Contains(e.Public, `\x`)) {
			t.Errorf("%s: an error text of %d bytes, perhaps with half a character: %q", what, len(e.Public), e.Public)
		}
	}
}

func TestManifestDoesNotKeepTheBody(t *testing.T) {
	t.Parallel()
	body := image(layer(1), `,"annotations":{"name":"value"},"artifactType":"a/b"`)
	m, err := ParseManifest("", body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] = '?'
	}
	if m.Annotations["name"] != "value" || m.ArtifactType != "a/b" || m.Layers[0].MediaType != "text/plain" ||
		m.MediaType != MediaTypeImageManifest || !strings.HasSuffix(m.Layers[0].Digest.String(), "0001") {
		t.Errorf("changed with the body: %+v", m)
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	withType := image("", "")
	without := []byte(strings.Replace(string(withType), `"mediaType":"`+MediaTypeImageManifest+`",`, "", 1))
	tests := []struct {
		header     string
		body       []byte
		want, text string
	}{
		{"", withType, MediaTypeImageManifest, ""},
		{"", without, MediaTypeImageManifest, ""},
		{MediaTypeImageManifest + "; charset=utf-8", withType, MediaTypeImageManifest, ""},
		{" Application/VND.oci.image.manifest.v1+JSON", without, MediaTypeImageManifest, ""},
		{MediaTypeDockerManifest, without, MediaTypeDockerManifest, ""},
		{MediaTypeDockerManifest, withType, "", "mediaType is " + MediaTypeImageManifest + ", but Content-Type is " + MediaTypeDockerManifest},
		{MediaTypeImageIndex, without, "", "manifests is missing"},
		{"application/json", withType, "", "Content-Type application/json is not a manifest's; use one of"},
		{"application/octet-stream", without, "", "Content-Type application/octet-stream"},
		{"text/html\x1b[31m", without, "", `Content-Type "text/html\x1b[31m" is not`},
		{MediaTypeDockerSchema1, []byte("not read"), "", "push again with a current client"},
		{MediaTypeDockerSchema1Signed, withType, "", "push again with a current client"},
		{MediaTypeArtifactManifest, withType, "", "push an image manifest with artifactType instead"},
	}
	for _, tt := range tests {
		m, err := ParseManifest(tt.header, tt.body)
		switch {
		case tt.want != "" && (err != nil || m.MediaType != tt.want):
			t.Errorf("%q: %+v, %v", tt.header, m, err)
		case tt.want == "":
			wantCode(t, err, errs.Invalid, "MANIFEST_INVALID")
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%q: %v; want %q in it", tt.header, err, tt.text)
			}
		}
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	digest := func(n int) Digest { return Digest{fmt.Sprintf("sha256:%064x", n)} }
	typed := func(mediaType string, n int) string {
		return strings.Replace(layer(n), "text/plain", mediaType, 1)
	}
	ignoreNothing := cmp.Comparer(func(a, b Digest) bool { return a == b })

	m, err := ParseManifest("", image(strings.Join([]string{layer(7), typed(dockerForeignLayer, 8), layer(7),
		typed(MediaTypeImageManifest, 9), typed("other", 7)}, ","), `,"subject":`+layer(5)))
	if err != nil {
		t.Fatal(err)
	}
	want := []Part{{mustDigest(t, emptySHA256), 0, PartBlob}, {digest(7), 7, PartBlob}, {digest(9), 9, PartBlob}}
	if diff := cmp.Diff(want, m.Parts(), ignoreNothing); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Part{{digest(8), 8, PartBlob}}, m.ForeignParts(), ignoreNothing); diff != "" {
		t.Errorf("foreign (-want +got):\n%s", diff)
	}

	children := []string{typed(MediaTypeDockerManifest, 1), typed(MediaTypeImageIndex, 2), typed("application/vnd.buildkit.cacheconfig.v0", 3),
		typed(MediaTypeDockerSchema1, 4), typed(MediaTypeDockerManifest, 1), typed(foreignLayerPrefix+"v1.tar", 6)}
	m, err = ParseManifest("", []byte(`{"schemaVersion":2,"manifests":[`+strings.Join(children, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	want = []Part{{digest(1), 1, PartManifest}, {digest(2), 2, PartManifest}, {digest(3), 3, PartBlob}, {digest(4), 4, PartBlob}}
	if diff := cmp.Diff(want, m.Parts(), ignoreNothing); diff != "" || !m.IsIndex() {
		t.Errorf("index %v (-want +got):\n%s", m.IsIndex(), diff)
	}
}

// TestGeneratedManifests writes manifests with encoding/json and reads them back.
func TestGeneratedManifests(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawManifest(t)
		document := map[string]any{"schemaVersion": 2}
		if rapid.Bool().Draw(t, "has mediaType") {
			document["mediaType"] = m.MediaType
		}
		if m.Subject != nil {
			document["subject"] = m.Subject
		}
		if m.Annotations != nil {
			document["annotations"] = m.Annotations
		}
		if m.IsIndex() {
			document["manifests"] = m.Manifests
		} else {
			document["config"], document["layers"] = m.Config, m.Layers
		}
		if m.ArtifactType != "" {
			document["artifactType"] = m.ArtifactType
		} else if m.Config != nil {
			m.ArtifactType = m.Config.MediaType
		}
		maps.Copy(document, rapid.MapOfN(rapid.StringMatching(`x-.{0,8}`), rapid.Just[any]([]any{1.5, nil, true, "x"}), 0, 20).Draw(t, "extra"))
		body, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseManifest(m.MediaType, body)
		if strings.Contains(string(body), `\u0000`) {
			if err == nil {
				t.Fatalf("NUL accepted: %s", body)
			}
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if diff := cmp.Diff(m, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b Digest) bool { return a == b })); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", body, diff)
		}
	})
}

func drawManifest(t *rapid.T) *Manifest {
	m := &Manifest{
		MediaType: rapid.SampledFrom([]string{MediaTypeImageManifest, MediaTypeImageIndex,
			MediaTypeDockerManifest, MediaTypeDockerManifestList}).Draw(t, "type"),
		ArtifactType: rapid.SampledFrom([]string{"", "application/x", "<&>\u2028"}).Draw(t, "artifact type"),
		Annotations:  rapid.MapOfN(rapid.String(), rapid.String(), 0, 20).Draw(t, "annotations"),
	}
	descriptor := rapid.Custom(drawDescriptor)
	if rapid.Bool().Draw(t, "has subject") {
		d := descriptor.Draw(t, "subject")
		m.Subject = &d
	}
	if m.IsIndex() {
		m.Manifests = rapid.SliceOfN(descriptor, 0, 5).Draw(t, "manifests")
		return m
	}
	d := descriptor.Draw(t, "config")
	m.Config = &d
	m.Layers = rapid.SliceOfN(descriptor, 0, 5).Draw(t, "layers")
	return m
}

// drawDescriptor gives each digest one size.
func drawDescriptor(t *rapid.T) Descriptor {
	size := rapid.Int64Range(0, 1<<50).Draw(t, "size")
	d := Descriptor{
		MediaType:   rapid.StringN(1, 40, -1).Draw(t, "media type"),
		Digest:      rapid.SampledFrom([]Algorithm{SHA256, SHA512}).Draw(t, "algorithm").FromBytes(fmt.Append(nil, size)),
		Size:        size,
		URLs:        rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "urls"),
		Annotations: rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "annotations"),
	}
	if rapid.Bool().Draw(t, "has platform") {
		d.Platform = &Platform{
			Architecture: rapid.String().Draw(t, "architecture"), OS: rapid.String().Draw(t, "os"),
			OSVersion: rapid.String().Draw(t, "version"), OSFeatures: rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "features"),
		}
	}
	return d
}

func BenchmarkParseManifest(b *testing.B) {
	layers := layer(1)
	for n := 2; n < 9; n++ {
		layers += "," + layer(n)
	}
	body := image(layers, `,"annotations":{"org.opencontainers.image.source":"https://git.example.com/octo/app","org.opencontainers.image.licenses":"Apache-2.0"}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseManifest(MediaTypeImageManifest, body); err != nil {
			b.Fatal(err)
		}
	}
}
