package seeds_test

import (
	"strings"
	"unicode/utf8"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const description = "My container image"

func (s *stage) myRepo() {
	s.t.Helper()
	if _, _, err := s.r.TryAdmin(s.t, "repo", "create", "octocat/my-repo"); err == nil {
		return
	}
}

// linked asserts what the labels of the documents make of a package.
func (s *stage) linked(p shown) {
	s.t.Helper()
	if p.Repository != "octocat/my-repo" || p.Description != description || p.Licenses != "MIT" {
		s.t.Errorf("the package is shown as %+v", p)
	}
}

func notLinkedByItsName(s *stage) {
	s.myRepo()
	s.push("HOSTNAME/octocat/my-repo:latest")
	if p := s.show("octocat/my-repo"); p.Repository != "" {
		s.t.Errorf("the package is linked to %s by its name alone", p.Repository)
	}
}

func labelsInADockerfile(s *stage) {
	s.myRepo()
	s.build(s.script("HOSTNAME/octocat/labelled:1"), `FROM scratch
COPY file /file
LABEL org.opencontainers.image.source=https://github.com/octocat/my-repo
LABEL org.opencontainers.image.description="`+description+`"
LABEL org.opencontainers.image.licenses=MIT
`, "labels")
	s.sh("docker push HOSTNAME/octocat/labelled:1")
	p := s.show("octocat/labelled")
	s.linked(p)
	if !p.Inherits {
		s.t.Error("linked at its first publish, it does not inherit")
	}
}

func labelsByBuildFlags(s *stage) {
	s.build(s.script("HOSTNAME/octocat/flagged:1"), "FROM scratch\nCOPY file /file\n", "flags",
		"--label", "org.opencontainers.image.source=https://github.com/octocat/my-repo",
		"--label", "org.opencontainers.image.description="+description,
		"--label", "org.opencontainers.image.licenses=MIT")
	s.sh("docker push HOSTNAME/octocat/flagged:1")
	s.linked(s.show("octocat/flagged"))
}

func longLabelsAreCut(s *stage) {
	s.build(s.script("HOSTNAME/octocat/long:1"), "FROM scratch\nCOPY file /file\n", "long",
		"--label", "org.opencontainers.image.description="+strings.Repeat("é", 600),
		"--label", "org.opencontainers.image.licenses="+strings.Repeat("M", 300))
	s.sh("docker push HOSTNAME/octocat/long:1")
	p := s.show("octocat/long")
	if n := utf8.RuneCountInString(p.Description); n != 512 {
		s.t.Errorf("the description has %d characters", n)
	}
	if len(p.Licenses) != 256 {
		s.t.Errorf("the licence has %d characters", len(p.Licenses))
	}
}

func (s *stage) reference(rest string) name.Reference {
	s.t.Helper()
	ref, err := name.ParseReference(s.r.Addr + "/" + rest)
	if err != nil {
		s.t.Fatal(err)
	}
	return ref
}

func (s *stage) options() []remote.Option {
	return []remote.Option{
		remote.WithContext(s.t.Context()),
		remote.WithAuth(&authn.Basic{Username: "octocat", Password: s.c.Token}),
	}
}

func multiArchDescription(s *stage) {
	const text = "My multi-arch image"
	index := v1.ImageIndex(empty.Index)
	for _, arch := range []string{"amd64", "arm64"} {
		image, err := random.Image(256, 1)
		if err != nil {
			s.t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			s.t.Fatal(err)
		}
		config = config.DeepCopy()
		config.Config.Labels = map[string]string{"org.opencontainers.image.description": "of " + arch}
		if image, err = mutate.ConfigFile(image, config); err != nil {
			s.t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	annotated := mutate.Annotations(index, map[string]string{
		"org.opencontainers.image.description": text,
		"org.opencontainers.image.source":      "https://github.com/octocat/my-repo",
	}).(v1.ImageIndex)
	if err := remote.WriteIndex(s.reference("octocat/multi:1"), annotated, s.options()...); err != nil {
		s.t.Fatal(err)
	}
	if p := s.show("octocat/multi"); p.Description != text || p.Repository != "octocat/my-repo" {
		s.t.Errorf("the package is shown as %+v", p)
	}
}
