package packagepage_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"packhouse/internal/access"
	"packhouse/internal/oci"
	"packhouse/internal/web/webtest"
)

// site is a server with the user alice.
type site struct{ *webtest.Site }

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{webtest.New(t, nil)}
	s.User("alice")
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

var operator = access.Principal{Operator: true}

func (s *site) address(name string) access.Package {
	s.Helper()
	return access.Package{Type: access.Container, Name: must2(oci.ParseName(name))(s)}
}

// must2 is for calls that return an error beside what is wanted.
func must2[T any](v T, err error) func(*site) T {
	return func(s *site) T {
		s.Helper()
		s.must(err)
		return v
	}
}

// public makes a package public.
func (s *site) public(name string) {
	s.Helper()
	s.must(s.App.Packages.SetVisibility(s.Context(), operator, s.address(name), access.Public))
}

// id is the number of a version, as its page has it.
func (s *site) id(name, digest string) string {
	s.Helper()
	d := must2(oci.ParseDigest(digest))(s)
	v := must2(s.App.Packages.VersionByReference(s.Context(), operator, s.address(name), oci.Reference{Digest: d}))(s)
	return strconv.FormatInt(v.ID, 10)
}

// page and versionPath are addresses of a user's package that is not linked.
func page(name string) string {
	owner, name, _ := strings.Cut(name, "/")
	return "/users/" + owner + "/packages/container/package/" + strings.ReplaceAll(name, "/", "%2F")
}

func below(name, path string) string {
	return strings.Replace(page(name), "/package/", "/", 1) + "/" + path
}

// file is a layer that is no archive.
func file(mediaType, content string) v1.Layer {
	return static.NewLayer([]byte(content), types.MediaType(mediaType))
}

// image has layers with a history line each, and then a step without a layer.
func image(s *site, platform string, config v1.Config, layers ...string) v1.Image {
	s.Helper()
	os, arch, _ := strings.Cut(platform, "/")
	img := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	for _, content := range layers {
		add := mutate.Addendum{
			Layer: file(string(types.OCILayer), platform+content), MediaType: types.OCILayer,
			History: v1.History{CreatedBy: "COPY " + content + " /"},
		}
		img = must2(mutate.Append(img, add))(s)
	}
	c := must2(img.ConfigFile())(s).DeepCopy()
	c.OS, c.Architecture, c.Config = os, arch, config
	c.Created = v1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	c.History = append(c.History, v1.History{CreatedBy: `CMD ["serve"]`, EmptyLayer: true})
	return must2(mutate.ConfigFile(img, c))(s)
}

// artifact is a manifest with files, of a config type.
func artifact(s *site, configType string, layers ...v1.Layer) v1.Image {
	s.Helper()
	img := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.MediaType(configType)), types.OCIManifestSchema1)
	for _, l := range layers {
		img = must2(mutate.Append(img, mutate.Addendum{Layer: l, MediaType: must2(l.MediaType())(s)}))(s)
	}
	return img
}

// about is an artifact that refers to a version.
func about(s *site, subject partial.Describable, img v1.Image) v1.Image {
	s.Helper()
	d := must2(partial.Descriptor(subject))(s)
	return mutate.Subject(img, *d).(v1.Image) //nolint:forcetypeassert // it is what went in
}

const provenanceText = `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","predicate":{
	"builder":{"id":"https://builder.example/7"},"materials":[{"uri":"a"},{"uri":"b"}],
	"metadata":{"https://mobyproject.org/buildkit@v1#metadata":{"vcs":{"source":"https://code.example/alice/app","revision":"c0ffee"}}}}}`

const spdxText = `{"spdxVersion":"SPDX-2.3","name":"app","packages":[{"name":"busybox","versionInfo":"1.36","licenseConcluded":"GPL-2.0-only"}]}`

// multi is an index of two platforms, of which one has an attestation as BuildKit
// makes them.
func multi(s *site) v1.ImageIndex {
	s.Helper()
	amd, arm := image(s, "linux/amd64", v1.Config{}, "app"), image(s, "linux/arm64", v1.Config{}, "app")
	says := artifact(s, string(types.OCIConfigJSON), file("application/vnd.in-toto+json", provenanceText))
	says = annotateLayers(s, says, map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"})
	of := must2(amd.Digest())(s)
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}},
		mutate.IndexAddendum{Add: says, Descriptor: v1.Descriptor{
			Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": of.String()},
		}},
	)
}

// annotateLayers makes the image anew with annotations on its layers.
func annotateLayers(s *site, img v1.Image, annotations map[string]string) v1.Image {
	s.Helper()
	m := must2(img.Manifest())(s)
	out := mutate.MediaType(mutate.ConfigMediaType(empty.Image, m.Config.MediaType), types.OCIManifestSchema1)
	for _, l := range must2(img.Layers())(s) {
		out = must2(mutate.Append(out, mutate.Addendum{Layer: l, MediaType: must2(l.MediaType())(s), Annotations: annotations}))(s)
	}
	return out
}

// fallback is the tag under which tools keep something beside a version.
func fallback(digest, suffix string) string {
	return strings.Replace(digest, ":", "-", 1) + suffix
}

func simpleSigning(digest string) string {
	return fmt.Sprintf(`{"critical":{"identity":{"docker-reference":"host/alice/app"},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"}}`, digest)
}

type selection = goquery.Selection

func (s *site) untag(name, tag string) {
	s.Helper()
	s.must(s.App.Packages.DeleteTag(s.Context(), operator, s.address(name), must2(oci.ParseTag(tag))(s)))
}

// pull pulls as nobody.
func (s *site) pull(ref string) {
	s.Helper()
	img := must2(remote.Image(must2(name.ParseReference(webtest.Host+"/"+ref, name.Insecure))(s), remote.WithTransport(s.Transport()), remote.WithContext(s.Context()),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: "amd64"})))(s)
	for _, l := range must2(img.Layers())(s) {
		body := must2(l.Compressed())(s)
		_, err := io.Copy(io.Discard, body)
		s.must(err)
		s.must(body.Close())
	}
}

// rawConfig is an image whose config is any text.
type rawConfig struct {
	v1.Image
	mediaType types.MediaType
	content   []byte
}

func (c rawConfig) RawConfigFile() ([]byte, error)      { return c.content, nil }
func (c rawConfig) ConfigName() (v1.Hash, error)        { return partial.ConfigName(c) }
func (c rawConfig) Digest() (v1.Hash, error)            { return partial.Digest(c) }
func (c rawConfig) Size() (int64, error)                { return partial.Size(c) }
func (c rawConfig) RawManifest() ([]byte, error)        { return partial.RawManifest(c) }
func (c rawConfig) ConfigFile() (*v1.ConfigFile, error) { return &v1.ConfigFile{}, nil }
func (c rawConfig) ConfigLayer() (v1.Layer, error) {
	return static.NewLayer(c.content, c.mediaType), nil
}
func (c rawConfig) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	if name, err := c.ConfigName(); err != nil || h == name {
		return static.NewLayer(c.content, c.mediaType), err
	}
	return c.Image.LayerByDigest(h)
}

func (c rawConfig) Manifest() (*v1.Manifest, error) {
	m, err := c.Image.Manifest()
	if err != nil {
		return nil, err
	}
	m = m.DeepCopy()
	sum, size, err := v1.SHA256(bytes.NewReader(c.content))
	m.Config = v1.Descriptor{MediaType: c.mediaType, Digest: sum, Size: size}
	return m, err
}

func artifactWithConfig(s *site, configType, config string, layers ...v1.Layer) v1.Image {
	s.Helper()
	return rawConfig{artifact(s, configType, layers...), types.MediaType(configType), []byte(config)}
}

// quoted is a text as JSON has it.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// loseBlobs removes all bytes that lie on the disk.
func (s *site) loseBlobs() {
	s.Helper()
	s.must(filepath.WalkDir(s.Config.Data, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(path, "sha256") {
			err = os.Remove(path)
		}
		return err
	}))
}
