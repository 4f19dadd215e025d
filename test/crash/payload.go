package crash

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
)

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// newRand returns the random numbers of one part of a run.
func newRand(seed uint64, part ...uint64) *rand.Rand {
	return rand.New(newSource(seed, part...))
}

func newSource(seed uint64, part ...uint64) *rand.ChaCha8 {
	text := binary.BigEndian.AppendUint64(nil, seed)
	for _, p := range part {
		text = binary.BigEndian.AppendUint64(text, p)
	}
	return rand.NewChaCha8(sha256.Sum256(text))
}

// blobOf returns the bytes that belong to an id: always the same, of a size
// that the id chooses. Most are small enough to be rows; the line is at 16 KiB.
func blobOf(id uint64) []byte {
	src := newSource(id)
	r := rand.New(src)
	var size int
	switch r.IntN(16) {
	case 0:
		size = r.IntN(3)
	case 1:
		size = 16<<10 - 1 + r.IntN(3)
	case 2, 3, 4, 5, 6, 7:
		size = r.IntN(16 << 10)
	case 8, 9, 10, 11, 12:
		size = 16<<10 + r.IntN(240<<10)
	case 13, 14:
		size = 256<<10 + r.IntN(768<<10)
	default:
		size = 1<<20 + r.IntN(3<<20)
	}
	content := make([]byte, size)
	_, _ = src.Read(content) // cannot fail
	return content
}

// The parts of the formats that the clients push (OCI image-spec 1.1).

const (
	imageType = "application/vnd.oci.image.manifest.v1+json"
	indexType = "application/vnd.oci.image.index.v1+json"
)

type descriptor struct {
	MediaType string            `json:"mediaType"`
	Digest    string            `json:"digest"`
	Size      int               `json:"size"`
	Platform  map[string]string `json:"platform,omitempty"`
}

type manifestJSON struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        *descriptor       `json:"config,omitempty"`
	Layers        []descriptor      `json:"layers,omitempty"`
	Manifests     []descriptor      `json:"manifests,omitempty"`
	Subject       *descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// manifest is one that was pushed, or is about to be.
type manifest struct {
	mediaType string
	digest    string
	content   []byte
	subject   string   // digest; "" without
	children  []string // of an index
}

func (m *manifest) descriptor() descriptor {
	return descriptor{MediaType: m.mediaType, Digest: m.digest, Size: len(m.content)}
}

func newManifest(j manifestJSON) *manifest {
	j.SchemaVersion = 2
	content, _ := json.Marshal(j) // strings and numbers: cannot fail
	m := &manifest{mediaType: j.MediaType, digest: digestOf(content), content: content}
	if j.Subject != nil {
		m.subject = j.Subject.Digest
	}
	for _, child := range j.Manifests {
		m.children = append(m.children, child.Digest)
	}
	return m
}

func newImage(config descriptor, layers []descriptor, subject *manifest, note string) *manifest {
	config.MediaType = "application/vnd.oci.image.config.v1+json"
	j := manifestJSON{MediaType: imageType, Config: &config, Layers: layers, Annotations: map[string]string{"note": note}}
	if subject != nil {
		d := subject.descriptor()
		j.Subject, j.ArtifactType = &d, "application/vnd.example.note"
	}
	return newManifest(j)
}

func newIndex(children []*manifest, note string) *manifest {
	j := manifestJSON{MediaType: indexType, Annotations: map[string]string{"note": note}}
	for i, child := range children {
		d := child.descriptor()
		d.Platform = map[string]string{"os": "linux", "architecture": []string{"amd64", "arm64", "riscv64"}[i%3]}
		j.Manifests = append(j.Manifests, d)
	}
	return newManifest(j)
}
