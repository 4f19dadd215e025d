package packagepage_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"packhouse/internal/web/webtest"
)

// has fails the test unless all of the texts are to be read where the selector points.
func has(t *testing.T, p *webtest.Page, selector string, texts ...string) {
	t.Helper()
	got := p.Text(selector)
	for _, want := range texts {
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s lacks %q: %s", p.Path, selector, want, got)
		}
	}
}

func TestVersionPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	img := image(s, "linux/amd64", v1.Config{
		Env: []string{"PATH=/bin", "KEY=a=b"}, Entrypoint: []string{"/app"}, Cmd: []string{"serve", "all of it"}, User: "nobody", WorkingDir: "/srv",
		ExposedPorts: map[string]struct{}{"80/tcp": {}}, Volumes: map[string]struct{}{"/data": {}}, Labels: map[string]string{"maintainer": "a team"},
	}, "one", "two")
	img = mutate.Annotations(img, map[string]string{"org.acme.note": "said here"}).(v1.Image) //nolint:forcetypeassert // what went in
	digest := s.PushImage("alice", "alice/a/b:v1", img)
	s.PushImage("alice", "alice/a/b:v2", img)
	s.public("alice/a/b")

	at := below("alice/a/b", s.id("alice/a/b", digest))
	p := s.Browser().Get(at).Want(200, "#config")
	has(t, p, ".version-head", "v2", "Image", digest, "by alice")
	has(t, p, "#config", "linux/amd64", "/app", `serve "all of it"`, "nobody", "/srv", "80/tcp", "/data", "PATH=/bin", "KEY=a=b", "Jan 2, 2026")
	has(t, p, "#labels", "maintainer", "a team")
	has(t, p, "#annotations", "org.acme.note", "said here")
	has(t, p, "#layers", "COPY one /", "COPY two /", `CMD ["serve"]`, "no layer")
	has(t, p, "#manifest pre", `"schemaVersion": 2`)
	if details := p.Text(".package-details"); strings.Contains(details, "vnd.") {
		t.Errorf("an image has an artifact type: %s", details)
	}
	has(t, p, "section[aria-labelledby=pull-title]", "docker pull "+webtest.Host+"/alice/a/b:v2", "@"+digest)
	if got := p.Find(`.version-head a[href$="/tags/v1"]`).Length(); got != 1 {
		t.Errorf("%d links to the history of v1", got)
	}
	has(t, s.Browser().Get(at+"?tag=v1"), ".version-head h2", "v1")
	has(t, s.Browser().Get(at+"?tag=other"), ".version-head h2", "v2")

	raw := s.Browser().Get(at + "?raw=manifest")
	want := must2(img.RawManifest())(s)
	if raw.Body != string(want) || raw.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%s: %s", raw.Header.Get("Content-Type"), raw.Body)
	}
	for _, path := range []string{"999", "0", "99999999999999999999"} {
		s.Browser().Get(below("alice/a/b", path)).Want(404, "h1")
	}
	s.SignedIn("alice").Get(below("alice/a/b", "1x")).Want(404, "h1") // may be the end of a name
	// A name with plain slashes leads to the same page.
	if p := s.Browser().Get(strings.Replace(page("alice/a/b"), "%2F", "/", 1)).Want(200, "#install"); p.Path != page("alice/a/b") {
		t.Errorf("led to %s", p.Path)
	}
}

func TestVersionOfAnIndex(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	index := multi(s)
	digest := s.PushIndex("alice", "alice/app:v1", index)
	s.public("alice/app")
	p := s.Browser().Get(below("alice/app", s.id("alice/app", digest))).Want(200, "#platforms")
	has(t, p, ".version-head", "Index of several platforms")
	has(t, p, "#platforms", "linux/amd64", "linux/arm64/v8", "Provenance")
	has(t, p, "#attached", "https://builder.example/7")

	children := must2(index.IndexManifest())(s).Manifests
	p = s.Browser().Get(below("alice/app", s.id("alice/app", children[0].Digest.String()))).Want(200, "#config")
	has(t, p, ".version-head", "Untagged version")
	has(t, p, ".package-aside", "Part of", "v1")
	p = s.Browser().Get(below("alice/app", s.id("alice/app", children[2].Digest.String()))).Want(200, "#says")
	has(t, p, "#says", "in-toto", "https://builder.example/7", "c0ffee")
}

func TestReferrersUnderTheirImage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	img := image(s, "linux/amd64", v1.Config{}, "one")
	digest := s.PushImage("alice", "alice/app:v1", img)
	sbom := s.PushImage("alice", "alice/app:sbom", about(s, img, artifact(s, "application/spdx+json", file("application/spdx+json", spdxText))))
	s.untag("alice/app", "sbom")
	s.PushImage("alice", "alice/app:other", about(s, img, artifact(s, "application/vnd.acme.scan", file("application/x-mystery", "??"), file("application/spdx+json", "broken"))))
	s.public("alice/app")
	p := s.Browser().Get(page("alice/app")).Want(200, "#attached")
	has(t, p, "#install", "alice/app:v1")
	has(t, p, "#attached", "SBOM", "SPDX-2.3", "by alice", "application/vnd.acme.scan", "unknown: application/x-mystery")

	p = s.Browser().Get(below("alice/app", s.id("alice/app", sbom))).Want(200, "#says table")
	has(t, p, ".package-aside", "Speaks of", strings.TrimPrefix(digest, "sha256:")[:12])
	has(t, p, "#says", "busybox", "GPL-2.0-only")
}

// Configs and manifests are what people push. No page breaks by them, and nothing
// comes out as markup.
func TestWeirdImages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const evil = `"><script>alert(1)</script>` + "\u202e"
	config := func(content string) v1.Image {
		return artifactWithConfig(s, string(types.OCIConfigJSON), content, file(string(types.OCILayer), "layer"))
	}
	env := `["` + strings.Repeat(`A=`+strings.Repeat("x", 100)+`","`, 3000) + `"]`
	for name, img := range map[string]v1.Image{
		"no-history":     config(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`),
		"wrong-types":    config(`{"architecture":7,"os":"linux","config":{"Env":"no list","Cmd":{},"User":"me","Labels":{"a":1,"b":"two"}},"history":{}}`),
		"no-object":      config(`[]`),
		"no-json":        config(`<html>`),
		"long-history":   config(`{"os":"linux","history":[{"created_by":"a"},{"created_by":"b"},{"created_by":"c"}]}`),
		"hostile":        config(`{"os":` + quoted(evil) + `,"config":{"Env":[` + quoted(evil) + `],"Cmd":[` + quoted(evil) + `],"Labels":{` + quoted(evil) + `:` + quoted(evil) + `}},"history":[{"created_by":` + quoted(evil) + `}]}`),
		"huge-env":       config(`{"os":"linux","config":{"Env":` + env + `}}`),
		"year-of-flood":  config(`{"created":"99999-01-01T00:00:00Z","os":"linux"}`),
		"hostile-labels": mutate.Annotations(config(`{}`), map[string]string{evil: evil, "org.opencontainers.image.description": evil}).(v1.Image), //nolint:forcetypeassert // what went in
		"foreign": artifactWithConfig(s, string(types.OCIConfigJSON), `{"os":"windows"}`,
			file(string(types.DockerForeignLayer), "foreign")),
	} {
		digest := s.PushImage("alice", "alice/"+name+":v1", img)
		b := s.SignedIn("alice")
		at := below("alice/"+name, s.id("alice/"+name, digest))
		for _, path := range []string{page("alice/" + name), page("alice/"+name) + "?tab=platforms", at, below("alice/"+name, "compare?from=v1&to="+digest)} {
			p := b.Get(path).Want(200, "h1")
			if strings.Contains(p.Body, "<script>alert") || strings.Contains(p.Body, "\u202e") || len(p.Body) > 400<<10 {
				t.Errorf("%s: %d bytes, or hostile ones", path, len(p.Body))
			}
		}
		switch p := b.Get(at); name {
		case "no-history", "long-history":
			has(t, p, "#layers", "no history")
		case "wrong-types":
			has(t, p, "#config", "me", "linux")
			has(t, p, "#labels", "two")
		case "foreign":
			has(t, p, "#layers", "Foreign")
		case "no-json", "no-object":
			p.Without("#config")
		}
	}
}

// What is gone or damaged leaves a gap on the page, no more.
func TestMissingBlobs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	big := `{"spdxVersion":"SPDX-2.3","name":"big","packages":[` + strings.TrimSuffix(strings.Repeat(`{"name":"p"},`, 3000), ",") + `]}` // no small blob
	img := artifactWithConfig(s, string(types.OCIConfigJSON), `{"os":"linux","config":{"Env":["A=`+strings.Repeat("x", 40_000)+`"]}}`)
	digest := s.PushImage("alice", "alice/app:v1", img)
	s.PushImage("alice", "alice/app:sbom", about(s, img, artifact(s, "application/spdx+json", file("application/spdx+json", big))))
	s.public("alice/app")
	at := below("alice/app", s.id("alice/app", digest))
	s.loseBlobs()
	s.Browser().Get(page("alice/app")).Want(200, "#install")
	p := s.Browser().Get(at).Want(200, "#attached").Without("#config")
	has(t, p, "#attached", "cannot be read")
}
