package oci

import (
	"slices"
	"strings"
	"testing"
)

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mediaType                string
		manifest, index, foreign bool
	}{
		{MediaTypeImageManifest, true, false, false},
		{MediaTypeImageIndex, true, true, false},
		{MediaTypeDockerManifest, true, false, false},
		{MediaTypeDockerManifestList, true, true, false},
		{MediaTypeDockerSchema1, false, false, false},
		{MediaTypeDockerSchema1Signed, false, false, false},
		{MediaTypeArtifactManifest, false, false, false},
		{"application/vnd.oci.image.layer.v1.tar+gzip", false, false, false},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar", false, false, true},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", false, false, true},
		{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", false, false, true},
		{"application/vnd.docker.image.rootfs.diff.tar.gzip", false, false, false},
		{"", false, false, false},
	}
	for _, tt := range tests {
		if got := IsManifestType(tt.mediaType); got != tt.manifest {
			t.Errorf("IsManifestType(%q) = %v", tt.mediaType, got)
		}
		if got := IsIndexType(tt.mediaType); got != tt.index {
			t.Errorf("IsIndexType(%q) = %v", tt.mediaType, got)
		}
		if got := IsForeignLayer(tt.mediaType); got != tt.foreign {
			t.Errorf("IsForeignLayer(%q) = %v", tt.mediaType, got)
		}
	}
}

func TestAcceptable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		what   string
		accept []string
		want   bool
	}{
		{"no header", nil, true},
		{"an empty header", []string{""}, true},
		{"only blanks and commas", []string{" , ", "\t"}, true},
		{"the type alone", []string{MediaTypeImageIndex}, true},
		{"another type", []string{MediaTypeImageManifest}, false},
		{"repeated headers", []string{MediaTypeDockerManifest, MediaTypeImageIndex, MediaTypeImageManifest}, true},
		{"one list", []string{MediaTypeDockerManifest + ", " + MediaTypeImageIndex + ",text/plain"}, true},
		{"a list without it", []string{MediaTypeDockerManifest + "," + MediaTypeDockerManifestList}, false},
		{"anything", []string{"*/*"}, true},
		{"a layer type and anything", []string{"application/vnd.oci.image.layer.v1.tar+gzip, */*"}, true},
		{"any application type", []string{"text/html,application/*"}, true},
		{"any text", []string{"text/*"}, false},
		{"a browser", []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, true},
		{"preference ignored", []string{MediaTypeImageIndex + ";q=0"}, true},
		{"parameters and case", []string{strings.ToUpper(MediaTypeImageIndex) + " ; charset=utf-8"}, true},
		{"plain JSON", []string{"application/json"}, false},
		{"a prefix of it", []string{"application/vnd.oci.image.index"}, false},
		{"schema 1 alone", []string{MediaTypeDockerSchema1Signed, ""}, false},
	}
	for _, tt := range tests {
		if got := Acceptable(tt.accept, MediaTypeImageIndex); got != tt.want {
			t.Errorf("%s: Acceptable(%q) = %v", tt.what, tt.accept, got)
		}
	}
}

func FuzzAcceptable(f *testing.F) {
	for _, s := range []string{"", "*/*", "application/*;q=0.1, text/html", MediaTypeImageIndex, "a\n" + MediaTypeDockerManifest, ",;,", "\"a,b\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		headers := strings.Split(s, "\n")
		got := Acceptable(headers, MediaTypeImageManifest)
		if joined := Acceptable([]string{strings.Join(headers, ",")}, MediaTypeImageManifest); joined != got {
			t.Errorf("%q: repeated %v, joined %v", headers, got, joined)
		}
		slices.Reverse(headers)
		if Acceptable(headers, MediaTypeImageManifest) != got {
			t.Errorf("%q: the order matters", headers)
		}
		if !Acceptable(append(headers, MediaTypeImageManifest), MediaTypeImageManifest) {
			t.Errorf("%q: the type itself is not enough", headers)
		}
		if clean := CleanMediaType(s); CleanMediaType(clean) != clean {
			t.Errorf("CleanMediaType(%q) is not clean: %q", s, clean)
		}
	})
}
