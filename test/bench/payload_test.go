package main

import (
	"testing"
)

// content returns all bytes of a payload.
func content(p payload) []byte {
	var all []byte
	for off := int64(0); off < p.size; {
		piece := p.at(off, p.size-off)
		all = append(all, piece...)
		off += int64(len(piece))
	}
	return all
}

func TestBlobDigestIsOfItsBytes(t *testing.T) {
	t.Parallel()
	src, err := newSource()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, size := range []int64{tailSize, tailSize + 1, 5000, 5000, blockSize, blockSize + tailSize, 3*blockSize + 11, 3*blockSize + 11} {
		p, err := src.blob(size)
		if err != nil {
			t.Fatal(err)
		}
		all := content(p)
		if int64(len(all)) != size || digestOf(all) != p.digest {
			t.Errorf("blob of %d: %d bytes of digest %s, said to be %s", size, len(all), digestOf(all), p.digest)
		}
		if seen[p.digest] {
			t.Errorf("blob of %d was made before", size)
		}
		seen[p.digest] = true
	}
}

func TestImageNamesItsParts(t *testing.T) {
	t.Parallel()
	src, err := newSource()
	if err != nil {
		t.Fatal(err)
	}
	img, err := src.image("v1", 4, 1000)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":`
	text := string(img.manifest.content)
	if text[:len(want)] != want {
		t.Errorf("manifest begins %.100s", text)
	}
	other := manifestOf(img.config, img.layers, "note")
	if other.digest == img.manifest.digest || digestOf(other.content) != other.digest {
		t.Errorf("a note must change the digest: %s, %s", other.digest, img.manifest.digest)
	}
}
