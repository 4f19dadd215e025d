package main

import (
	"fmt"
	"strings"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
	emptyType    = "application/vnd.oci.empty.v1+json"
)

// manifest is the exact bytes of one manifest.
type manifest struct {
	content   []byte
	mediaType string
	digest    string
}

// image is a manifest with the parts it names.
type image struct {
	layers   []payload
	config   payload
	manifest manifest
	tag      string
}

// image makes an image of new layers, with a new configuration.
func (s *source) image(tag string, layers int, layerSize int64) (image, error) {
	img := image{tag: tag}
	var ids []string
	for range layers {
		p, err := s.blob(layerSize)
		if err != nil {
			return img, err
		}
		img.layers = append(img.layers, p)
		ids = append(ids, `"`+p.digest+`"`)
	}
	img.config = bytesPayload(fmt.Appendf(nil,
		`{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/true"]},"rootfs":{"type":"layers","diff_ids":[%s]},"history":[]}`,
		strings.Join(ids, ",")))
	img.manifest = manifestOf(img.config, img.layers, "")
	return img, nil
}

// manifestOf writes an image manifest; note makes it differ from its likes.
func manifestOf(config payload, layers []payload, note string) manifest {
	parts := make([]string, len(layers))
	for i, l := range layers {
		parts[i] = descriptor(layerType, l)
	}
	notes := ""
	if note != "" {
		notes = fmt.Sprintf(`,"annotations":{"bench":%q}`, note)
	}
	return newManifest(fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]%s}`,
		manifestType, descriptor(configType, config), strings.Join(parts, ","), notes))
}

// attachment writes a manifest of an artifact that refers to subject; empty is
// the two-byte blob that stands for its content.
func attachment(subject manifest, empty payload, note string) manifest {
	d := descriptor(emptyType, empty)
	return newManifest(fmt.Appendf(nil,
		`{"schemaVersion":2,"mediaType":%q,"artifactType":"application/vnd.example.bench","config":%s,"layers":[%s],`+
			`"subject":{"mediaType":%q,"digest":%q,"size":%d},"annotations":{"bench":%q}}`,
		manifestType, d, d, subject.mediaType, subject.digest, len(subject.content), note))
}

func newManifest(content []byte) manifest {
	return manifest{content: content, mediaType: manifestType, digest: digestOf(content)}
}

func descriptor(mediaType string, p payload) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, p.digest, p.size)
}
