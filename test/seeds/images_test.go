package seeds_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func formats(s *stage) {
	for format, media := range map[string]types.MediaType{
		"docker": types.DockerManifestSchema2, "oci": types.OCIManifestSchema1,
	} {
		image, err := random.Image(1024, 2)
		if err != nil {
			s.t.Fatal(err)
		}
		image = mutate.MediaType(image, media)
		if media == types.OCIManifestSchema1 {
			image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
		}
		ref := s.reference("octocat/formats:" + format)
		if err := remote.Write(ref, image, s.options()...); err != nil {
			s.t.Fatalf("push as %s: %v", format, err)
		}
		got, err := remote.Head(ref, s.options()...)
		if err != nil || got.MediaType != media {
			s.t.Errorf("pushed as %s, it is %v, %v", media, got, err)
		}
	}
	s.sh("docker pull HOSTNAME/octocat/formats:docker")
}

// foreignImage has one layer of its own and one that lies elsewhere, as images
// of Windows have.
func (s *stage) foreignImage() v1.Image {
	s.t.Helper()
	image, err := random.Image(512, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	foreign, err := random.Layer(512, types.DockerForeignLayer)
	if err != nil {
		s.t.Fatal(err)
	}
	image, err = mutate.Append(image, mutate.Addendum{Layer: foreign, URLs: []string{"http://layers.example/base"}, MediaType: types.DockerForeignLayer})
	if err != nil {
		s.t.Fatal(err)
	}
	return image
}

func foreignLayers(s *stage) {
	image := s.foreignImage()
	ref := s.reference("octocat/windows:1")
	if err := remote.Write(ref, image, s.options()...); err != nil {
		s.t.Fatal(err)
	}
	want, err := image.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	if got, err := remote.Head(ref, s.options()...); err != nil || got.Digest != want {
		s.t.Errorf("the image is %v, %v; want %s", got, err, want)
	}
}

// refusesLayer asserts that a layer of so many bytes is refused before they are
// sent, and one of a byte less is not refused for its size.
func (s *stage) refusesLayer(host, path string, limit int64) {
	s.t.Helper()
	for _, size := range []int64{limit, limit + 1} {
		digest := "sha256:" + strings.Repeat("0", 64)
		status, body := s.announce(host, fmt.Sprintf("/v2/%s/blobs/uploads/?digest=%s", path, digest), size)
		if tooLarge := status == http.StatusRequestEntityTooLarge; tooLarge != (size > limit) {
			s.t.Errorf("a layer of %d bytes is answered %d %s", size, status, body)
		}
	}
}

func containerLayerLimit(s *stage) { s.refusesLayer("HOSTNAME", "octocat/large", 10<<30) }

func (s *stage) manifest(host, path, token string, content []byte, media string) (int, string) {
	s.t.Helper()
	return s.request(http.MethodPut, host, path, token, bytes.NewReader(content), "Content-Type", media)
}
