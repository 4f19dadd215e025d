package packagepage_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"packhouse/internal/access"
	"packhouse/internal/audit"
)

// The readme is what was pushed with the version, else the package's own, else
// the chart's, else the repository's.
func TestWhereTheReadmeComesFrom(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.App.Accounts.CreateRepository(s.Context(), audit.Operator, "alice/src", access.Private)
	s.must(err)
	s.must(s.App.Accounts.SetRepositoryReadme(s.Context(), audit.Operator, "alice/src", "# Of the repository"))
	img := image(s, "linux/amd64", v1.Config{}, "one")
	s.PushImage("alice", "alice/app:v1", img)
	s.must(s.App.Packages.Link(s.Context(), operator, s.address("alice/app"), "alice/src", false))
	s.public("alice/app")

	const linked = "/alice/src/pkgs/container/app"
	b := s.SignedIn("alice")
	has(t, b.Get(linked).Want(200, "#readme h3"), "#readme", "of the repository", "Of the repository")
	// To whom may not know of the repository its readme is nothing, nor its name.
	p := s.Browser().Get(page("alice/app")).Want(200, "#install").Without("#readme")
	if strings.Contains(p.Body, "alice/src") {
		t.Error("the repository is named")
	}

	s.must(s.App.Packages.SetReadme(s.Context(), operator, s.address("alice/app"), "# Own <script>alert(1)</script>"))
	p = s.Browser().Get(page("alice/app"))
	has(t, p, "#readme", "Own")
	if strings.Contains(p.Body, "<script>alert") {
		t.Error("script in a readme")
	}

	for _, text := range []string{"# First pushed", "# Pushed again"} {
		s.PushImage("alice", "alice/app:readme", about(s, img, artifact(s, "application/vnd.acme.readme", file("text/markdown", text))))
	}
	s.untag("alice/app", "readme")
	has(t, s.Browser().Get(page("alice/app")).Want(200, "#install"), "#readme", "of this version", "Pushed again")
}

func TestReadmeOfAChart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	chart := func(files map[string]string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		a := tar.NewWriter(z)
		for name, content := range files {
			s.must(a.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}))
			_, err := a.Write([]byte(content))
			s.must(err)
		}
		s.must(a.Close())
		s.must(z.Close())
		return b.String()
	}
	push := func(name, content string) {
		s.PushImage("alice", name, artifactWithConfig(s, "application/vnd.cncf.helm.config.v1+json", `{"name":"shop","version":"1.0.0+1"}`,
			file("application/vnd.cncf.helm.chart.content.v1.tar+gzip", content)))
	}
	push("alice/charts/shop:1.0.0_1", chart(map[string]string{"shop/Chart.yaml": "name: shop", "shop/charts/dep/README.md": "# Of a dependency", "shop/README.md": "# The chart"}))
	s.public("alice/charts/shop")
	p := s.Browser().Get(page("alice/charts/shop")).Want(200, "#readme")
	has(t, p, "#readme", "from the chart", "The chart")
	has(t, p, "#install", "helm pull oci://packages.test.example/alice/charts/shop --version 1.0.0+1")

	push("alice/charts/broken:1", "no archive")
	push("alice/charts/bomb:1", chart(map[string]string{"shop/big": strings.Repeat("\x00", 17<<20), "shop/README.md": "# Behind it"}))
	for _, name := range []string{"alice/charts/broken", "alice/charts/bomb"} {
		s.public(name)
		if got := s.Browser().Get(page(name)).Want(200, "#install").Text("#readme"); name == "alice/charts/broken" && got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
