package browser_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// made is when the images were, whose digests are the same in every run.
var made = v1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}

// makeImages writes layouts that crane pushes: image-1 to image-5, index-1 of two
// platforms with a provenance, and a signature and an SBOM of image-1.
func makeImages(dir string) error {
	for n := 1; n <= 5; n++ {
		img, err := makeImage("amd64", n)
		if err == nil {
			err = write(dir, fmt.Sprintf("image-%d", n), img)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(makeIndex(dir), makeReferrers(dir))
}

// makeImage has a layer that all share, one of its own, and everything of a
// configuration that pages tell of.
func makeImage(arch string, n int) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for i, text := range []string{"the base of " + arch, fmt.Sprint("what is new in ", n)} {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader([]byte(text))), nil
		}, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, err
		}
		if img, err = mutate.Append(img, mutate.Addendum{
			Layer: layer, MediaType: types.OCILayer,
			History: v1.History{Created: made, CreatedBy: fmt.Sprintf("RUN /bin/sh -c make step-%d && echo '%s' # buildkit", i, text)},
		}); err != nil {
			return nil, err
		}
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	cfg = cfg.DeepCopy()
	cfg.Architecture, cfg.OS, cfg.Created = arch, "linux", made
	cfg.Config = v1.Config{
		Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", fmt.Sprint("RELEASE=", n)}, Entrypoint: []string{"/app"}, Cmd: []string{"serve", "--port", "80"},
		User: "65532:65532", WorkingDir: "/srv", ExposedPorts: map[string]struct{}{"80/tcp": {}}, Volumes: map[string]struct{}{"/var/lib/app": {}},
		Labels: map[string]string{
			"org.opencontainers.image.description": "An application that is there to be looked at, with a description of some length.",
			"org.opencontainers.image.licenses":    "MIT",
			"org.opencontainers.image.version":     fmt.Sprint(n, ".0.0"),
			"org.example.a-long-name-of-a-label":   "value-without-a-place-to-break-it-0123456789-0123456789-0123456789-0123456789-0123456789",
		},
	}
	return mutate.ConfigFile(img, cfg)
}

func makeIndex(dir string) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := makeImage(arch, 9)
		if err != nil {
			return err
		}
		digest, err := img.Digest()
		if err != nil {
			return err
		}
		statement, err := artifact(fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2",
			"subject":[{"name":"app","digest":{"sha256":%q}}],"predicate":{"buildType":"https://mobyproject.org/buildkit@v1"}}`, digest.Hex),
			"application/vnd.in-toto+json", types.OCIConfigJSON, map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"})
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index,
			mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}},
			mutate.IndexAddendum{Add: statement, Descriptor: v1.Descriptor{
				Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
				Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest.String()},
			}})
	}
	_, err := layout.Write(filepath.Join(dir, "index-1"), index)
	return err
}

func makeReferrers(dir string) error {
	subject, err := makeImage("amd64", 1)
	if err != nil {
		return err
	}
	d, err := partial.Descriptor(subject)
	if err != nil {
		return err
	}
	for name, of := range map[string]struct{ layer, config, content string }{
		"signature": {"application/vnd.dev.cosign.simplesigning.v1+json", "application/vnd.dev.cosign.artifact.sig.v1+json",
			`{"critical":{"identity":{"docker-reference":"app"},"image":{"docker-manifest-digest":"` + d.Digest.String() + `"},"type":"cosign container image signature"},"optional":null}`},
		"sbom": {"application/spdx+json", "application/spdx+json",
			`{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"app","packages":[{"name":"busybox","SPDXID":"SPDXRef-1","versionInfo":"1.36","licenseConcluded":"GPL-2.0-only"}]}`},
	} {
		a, err := artifact(of.content, of.layer, types.MediaType(of.config), nil)
		if err != nil {
			return err
		}
		signed, ok := mutate.Subject(a, *d).(v1.Image)
		if !ok {
			return fmt.Errorf("%s is not an image any more", name)
		}
		if err := write(dir, name, signed); err != nil {
			return err
		}
	}
	return nil
}

// artifact is a manifest with one layer that is not part of a file system.
func artifact(content, mediaType string, config types.MediaType, annotations map[string]string) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), config)
	return mutate.Append(img, mutate.Addendum{
		Layer: static.NewLayer([]byte(content), types.MediaType(mediaType)), MediaType: types.MediaType(mediaType), Annotations: annotations,
	})
}

func write(dir, name string, img v1.Image) error {
	l, err := layout.Write(filepath.Join(dir, name), empty.Index)
	if err != nil {
		return err
	}
	return l.AppendImage(img)
}
