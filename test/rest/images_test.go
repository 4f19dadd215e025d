package rest_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// reference names something in the Container registry, or with another host in
// the Docker registry.
func (w *world) reference(t *testing.T, registry, text string) name.Reference {
	t.Helper()
	_, port, _ := strings.Cut(w.Addr, ":")
	ref, err := name.ParseReference(registry+"."+host+":"+port+"/"+text, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (w *world) remote(t *testing.T) []remote.Option {
	return []remote.Option{
		remote.WithAuth(&authn.Basic{Username: "ann", Password: w.token}),
		remote.WithTransport(w.transport()), remote.WithContext(t.Context()),
	}
}

// image is an image whose content is the text.
func image(t *testing.T, text string, docker bool) v1.Image {
	t.Helper()
	return imageFor(t, v1.Platform{OS: "linux", Architecture: "amd64"}, text, docker)
}

func imageFor(t *testing.T, p v1.Platform, text string, docker bool) v1.Image {
	t.Helper()
	manifest, config, media := types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer
	if docker {
		manifest, config, media = types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: "text", Mode: 0o644, Size: int64(len(text))})
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }, tarball.WithMediaType(media))
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: p.OS, Architecture: p.Architecture, RootFS: v1.RootFS{Type: "layers"}})
	if err == nil {
		img, err = mutate.AppendLayers(img, layer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return mutate.ConfigMediaType(mutate.MediaType(img, manifest), config)
}

// push pushes an image of the text and returns its digest.
func (w *world) push(t *testing.T, registry, to, text string) string {
	t.Helper()
	return w.write(t, w.reference(t, registry, to), image(t, text, false))
}

func (w *world) write(t *testing.T, ref name.Reference, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err == nil {
		err = remote.Write(ref, img, w.remote(t)...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// pushIndex pushes an index of two images and, as buildx adds it, of a
// provenance of each.
func (w *world) pushIndex(t *testing.T, to string, docker bool) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	if docker {
		index = mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		p, unknown := v1.Platform{OS: "linux", Architecture: arch}, v1.Platform{OS: "unknown", Architecture: "unknown"}
		img := imageFor(t, p, to+arch, docker)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
		if docker {
			continue
		}
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: imageFor(t, unknown, to+arch+"provenance", false), Descriptor: v1.Descriptor{
			Platform:    &unknown,
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": d.String()},
		}})
	}
	if err := remote.WriteIndex(w.reference(t, "containers", to), index, w.remote(t)...); err != nil {
		t.Fatal(err)
	}
	return index
}

// raw is a manifest as it is.
type raw struct {
	body  []byte
	media types.MediaType
}

func (r raw) RawManifest() ([]byte, error)        { return r.body, nil }
func (r raw) MediaType() (types.MediaType, error) { return r.media, nil }
func (r raw) Digest() (v1.Hash, error) {
	h, _, err := v1.SHA256(strings.NewReader(string(r.body)))
	return h, err
}
func (r raw) Size() (int64, error) { return int64(len(r.body)), nil }

// pushCache pushes a cache as buildkit exports it: an index of layers.
func (w *world) pushCache(t *testing.T, to string) {
	t.Helper()
	layer := static.NewLayer([]byte("cache"), types.OCILayer)
	config := static.NewLayer([]byte(`{"layers":[]}`), "application/vnd.buildkit.cacheconfig.v0")
	ref := w.reference(t, "containers", to)
	describe := func(l v1.Layer) map[string]any {
		if err := remote.WriteLayer(ref.Context(), l, w.remote(t)...); err != nil {
			t.Fatal(err)
		}
		d, _ := l.Digest()
		size, _ := l.Size()
		media, _ := l.MediaType()
		return map[string]any{"digest": d.String(), "size": size, "mediaType": media}
	}
	body, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": types.OCIImageIndex, "manifests": []any{describe(layer), describe(config)},
	})
	if err == nil {
		err = remote.Put(ref, raw{body, types.OCIImageIndex}, w.remote(t)...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sign attaches a signature by its subject, without a tag, and returns its digest.
func (w *world) sign(t *testing.T, to string, subject v1.Hash, size int64, media types.MediaType) string {
	t.Helper()
	img := mutate.Subject(image(t, "signature of "+subject.String(), false), v1.Descriptor{Digest: subject, Size: size, MediaType: media})
	signature, ok := img.(v1.Image)
	if !ok {
		t.Fatal("no image")
	}
	d, err := signature.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return w.write(t, w.reference(t, "containers", to+"@"+d.String()), signature)
}

// pullable fails the test unless all that the tag leads to is there.
func (w *world) pullable(t *testing.T, ref name.Reference) {
	t.Helper()
	desc, err := remote.Get(ref, w.remote(t)...)
	if err != nil {
		t.Errorf("%s: %v", ref, err)
		return
	}
	switch desc.MediaType {
	case types.OCIImageIndex, types.DockerManifestList:
		index, err := desc.ImageIndex()
		if err == nil {
			err = w.wholeIndex(t, ref, index)
		}
		if err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	default:
		img, err := desc.Image()
		if err == nil {
			err = validate.Image(img)
		}
		if err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// wholeIndex validates an index, or reads the blobs of one that is a cache.
func (w *world) wholeIndex(t *testing.T, ref name.Reference, index v1.ImageIndex) error {
	m, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, d := range m.Manifests {
		if d.MediaType.IsImage() {
			return validate.Index(index)
		}
		l, err := remote.Layer(ref.Context().Digest(d.Digest.String()), w.remote(t)...)
		if err == nil {
			var content interface{ Close() error }
			if content, err = l.Compressed(); err == nil {
				err = content.Close()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
