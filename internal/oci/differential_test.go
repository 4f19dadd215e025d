package oci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	gcr "github.com/google/go-containerregistry/pkg/v1"
	spec "github.com/opencontainers/image-spec/specs-go/v1"
)

// compareReadings fails unless other readers see in body what m says:
// go-containerregistry and the specification's own types, which take names in
// any case and the last of two, and a generic reader that goes by exact names.
// Read as the other kind of document, body must be empty.
func compareReadings(t testing.TB, body []byte, m *Manifest) {
	t.Helper()
	compare := func(reader string, got *Manifest) {
		if got.MediaType == "" {
			got.MediaType = m.MediaType
		}
		if got.ArtifactType == "" && got.Config != nil {
			got.ArtifactType = got.Config.MediaType
		}
		sameDigest := cmp.Comparer(func(a, b Digest) bool { return a == b })
		if diff := cmp.Diff(m, got, cmpopts.EquateEmpty(), sameDigest); diff != "" {
			t.Errorf("%s reads another document (-ours +its):\n%s\n%s", reader, diff, body)
		}
	}
	if !bytes.Contains(body, []byte("sha512:")) { // which it does not know
		compare("go-containerregistry", readGCR(t, body, m.IsIndex()))
	}
	theirs := readSpec(t, body, m.IsIndex())
	keepDockerFeatures(theirs.Manifests, m.Manifests)
	keepDockerFeatures(theirs.Layers, m.Layers)
	if m.Config != nil {
		keepDockerFeatures([]Descriptor{*theirs.Config}, []Descriptor{*m.Config})
	}
	if m.Subject != nil {
		keepDockerFeatures([]Descriptor{*theirs.Subject}, []Descriptor{*m.Subject})
	}
	compare("image-spec", theirs)
	if got, want := readExact(t, body), summary(m); !slices.Equal(got, want) {
		t.Errorf("a generic reader finds\n%q\nwe found\n%q\nin %s", got, want, body)
	}
}

func readGCR(t testing.TB, body []byte, index bool) *Manifest {
	t.Helper()
	im, err := gcr.ParseManifest(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("go-containerregistry does not read %s: %v", body, err)
	}
	ix, err := gcr.ParseIndexManifest(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("go-containerregistry does not read %s: %v", body, err)
	}
	got := &Manifest{MediaType: string(im.MediaType), ArtifactType: im.ArtifactType, Annotations: im.Annotations}
	if im.Subject != nil {
		got.Subject = convert[Descriptor](t, *im.Subject)
	}
	for _, d := range im.Layers {
		got.Layers = append(got.Layers, *convert[Descriptor](t, d))
	}
	for _, d := range ix.Manifests {
		got.Manifests = append(got.Manifests, *convert[Descriptor](t, d))
	}
	if !index || im.Config.Digest != (gcr.Hash{}) {
		got.Config = convert[Descriptor](t, im.Config)
	}
	return got
}

func readSpec(t testing.TB, body []byte, index bool) *Manifest {
	t.Helper()
	var both struct {
		spec.Manifest
		Children []spec.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(body, &both); err != nil {
		t.Fatalf("image-spec's types do not read %s: %v", body, err)
	}
	got := &Manifest{MediaType: both.MediaType, ArtifactType: both.ArtifactType, Annotations: both.Annotations}
	if both.Subject != nil {
		got.Subject = convert[Descriptor](t, *both.Subject)
	}
	for _, d := range both.Layers {
		got.Layers = append(got.Layers, *convert[Descriptor](t, d))
	}
	for _, d := range both.Children {
		got.Manifests = append(got.Manifests, *convert[Descriptor](t, d))
	}
	if !index || both.Config.Digest != "" {
		got.Config = convert[Descriptor](t, both.Config)
	}
	return got
}

// convert carries a value over by its JSON.
func convert[T any](t testing.TB, from any) *T {
	t.Helper()
	text, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	to := new(T)
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return to
}

// keepDockerFeatures fills in what image-spec's platform does not have.
func keepDockerFeatures(theirs, ours []Descriptor) {
	for i := range min(len(theirs), len(ours)) {
		if ours[i].Platform != nil && theirs[i].Platform != nil {
			theirs[i].Platform.Features = ours[i].Platform.Features
		}
	}
}

// readExact lists the descriptors that a reader without types finds.
func readExact(t testing.TB, body []byte) []string {
	t.Helper()
	var document map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range []string{"config", "layers", "manifests", "subject"} {
		list, isList := document[name].([]any)
		if !isList && document[name] != nil {
			list = []any{document[name]}
		}
		for _, d := range list {
			d := d.(map[string]any)
			found = append(found, fmt.Sprintf("%s %s %s %v", name, d["mediaType"], d["digest"], d["size"]))
		}
	}
	return found
}

// summary is what readExact should find.
func summary(m *Manifest) []string {
	var found []string
	add := func(name string, d *Descriptor) {
		if d != nil {
			found = append(found, fmt.Sprintf("%s %s %s %d", name, d.MediaType, d.Digest, d.Size))
		}
	}
	add("config", m.Config)
	for i := range m.Layers {
		add("layers", &m.Layers[i])
	}
	for i := range m.Manifests {
		add("manifests", &m.Manifests[i])
	}
	add("subject", m.Subject)
	return found
}

// TestMutatedDocumentsHaveOneReading changes documents at random in the ways
// that have fooled readers, and compares what is still accepted.
func TestMutatedDocumentsHaveOneReading(t *testing.T) {
	t.Parallel()
	var documents []string
	files := corpus(t, "accepted")
	for _, tt := range acceptances() {
		documents = append(documents, string(files[tt.name]))
	}
	random := rand.New(rand.NewPCG(1, 2))
	accepted, refused := 0, 0
	for range 20_000 {
		body := documents[random.IntN(len(documents))]
		for range 1 + random.IntN(3) {
			body = mutate(random, body, documents)
		}
		m, err := ParseManifest("", []byte(body))
		if err != nil {
			refused++
			continue
		}
		accepted++
		compareReadings(t, []byte(body), m)
		if t.Failed() {
			return
		}
	}
	if accepted < 2_000 || refused < 2_000 {
		t.Errorf("%d accepted, %d refused: the mutations test too little of one", accepted, refused)
	}
}

// mutate returns body with one change.
func mutate(random *rand.Rand, body string, documents []string) string {
	at := func(s, sep string) int { // behind a random sep, or the start
		n := strings.Count(s, sep)
		for i, skip := 0, random.IntN(n+1); ; skip-- {
			next := strings.Index(s[i:], sep)
			if next < 0 || skip == 0 {
				return i
			}
			i += next + len(sep)
		}
	}
	names := []string{"layers", "manifests", "config", "mediaType", "digest", "size", "annotations", "subject",
		"artifactType", "platform", "os", "data", "urls", "x"}
	values := []string{"null", "{}", "[]", `""`, "0", "-1", "2", "1.0", `"a"`, `["a"]`, `{"a":"b"}`, `"` + emptySHA256 + `"`,
		`{"mediaType":"a","digest":"` + emptySHA256 + `","size":0}`}
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	switch random.IntN(6) {
	case 0: // one more member
		i := at(body, "{")
		return body[:i] + fmt.Sprintf("%q:%s,", pick(names), pick(values)) + body[i:]
	case 1: // the same with another case
		i, name := at(body, "{"), []byte(pick(names))
		name[random.IntN(len(name))] ^= 0x20
		return body[:i] + fmt.Sprintf("%q:%s,", name, pick(values)) + body[i:]
	case 2: // another case somewhere
		i := at(body, `"`)
		return body[:i] + strings.ToUpper(body[i:min(i+1, len(body))]) + body[min(i+1, len(body)):]
	case 3: // a byte lost
		i := random.IntN(len(body) + 1)
		return body[:i] + body[min(i+1, len(body)):]
	case 4: // a part of another document
		other := pick(documents)
		i, j := at(body, ","), at(other, ",")
		return body[:i] + other[j:]
	default: // a byte changed
		i := random.IntN(len(body) + 1)
		return body[:i] + string(rune(random.IntN(128))) + body[min(i+1, len(body)):]
	}
}
