package clients_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// bigSize is large enough to be cut in the middle, and no more.
const bigSize = 6 << 20

// images is what the clients push.
type images struct {
	// layout is an OCI layout with an index of two platforms, tagged v1.
	layout string
	index  v1.ImageIndex
	// digest is that of the index; of maps an architecture to its manifest.
	digest string
	of     map[string]string
	// archive is a `docker save` archive of one image, named saved, and id its
	// image id: the digest of its config.
	archive, id string
	// big is a file of bigSize random bytes.
	big string
}

// saved is the name of the image in the archive.
const saved = "fixture.test/saved:v1"

func makeImages(dir string) (images, error) {
	f := images{
		layout: filepath.Join(dir, "layout"), archive: filepath.Join(dir, "saved.tar"),
		big: filepath.Join(dir, "big"), of: map[string]string{},
	}
	big := make([]byte, bigSize)
	rand.NewChaCha8([32]byte{1}).Read(big) // the same in every run
	if err := os.WriteFile(f.big, big, 0o644); err != nil {
		return f, err
	}
	return f, errors.Join(f.writeLayout(big), f.writeArchive(big))
}

// writeLayout writes the index as the Go types of the image specification order
// its fields: skopeo then keeps it byte for byte, and writes any other anew.
func (f *images) writeLayout(big []byte) error {
	l, err := layout.Write(f.layout, empty.Index)
	if err != nil {
		return err
	}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := makeImage(arch, big, types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer)
		if err != nil {
			return err
		}
		d, err := partial.Descriptor(img)
		if err == nil {
			err = l.WriteImage(img)
		}
		if err != nil {
			return err
		}
		f.of[arch] = d.Digest.String()
		index.Manifests = append(index.Manifests, ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(f.of[arch]), Size: d.Size,
			Platform: &ocispec.Platform{OS: "linux", Architecture: arch},
		})
	}
	return f.addIndex(l, index)
}

func (f *images) addIndex(l layout.Path, index ocispec.Index) error {
	text, err := json.Marshal(index)
	if err != nil {
		return err
	}
	h, size, err := v1.SHA256(bytes.NewReader(text))
	if err != nil {
		return err
	}
	f.digest = h.String()
	err = errors.Join(
		l.WriteBlob(h, io.NopCloser(bytes.NewReader(text))),
		l.AppendDescriptor(v1.Descriptor{
			MediaType: types.OCIImageIndex, Digest: h, Size: size,
			Annotations: map[string]string{ocispec.AnnotationRefName: "v1"},
		}),
	)
	if err != nil {
		return err
	}
	all, err := l.ImageIndex()
	if err == nil {
		f.index, err = all.ImageIndex(h)
	}
	return err
}

func (f *images) writeArchive(big []byte) error {
	img, err := makeImage("amd64", big, types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer)
	if err != nil {
		return err
	}
	id, err := img.ConfigName()
	if err != nil {
		return err
	}
	f.id = id.String()
	tag, err := name.NewTag(saved)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(f.archive, tag, img)
}

// makeImage makes an image of one large and one small layer.
func makeImage(arch string, big []byte, manifest, config, layer types.MediaType) (v1.Image, error) {
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: arch, Config: v1.Config{Cmd: []string{"/hello"}},
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{"big", big}, {"hello", []byte("hello from " + arch + "\n")}} {
		l, err := makeLayer(file.name, file.text, layer)
		if err != nil {
			return nil, err
		}
		if img, err = mutate.AppendLayers(img, l); err != nil {
			return nil, err
		}
	}
	return mutate.ConfigMediaType(mutate.MediaType(img, manifest), config), nil
}

func makeLayer(name string, text []byte, media types.MediaType) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))})
	if err == nil {
		_, err = w.Write(text)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(media))
}
