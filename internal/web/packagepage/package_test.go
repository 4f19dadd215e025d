package packagepage_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"packhouse/internal/web/webtest"
)

func TestPackagePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	img := image(s, "linux/amd64", v1.Config{Labels: map[string]string{
		"org.opencontainers.image.description": "Sells things", "org.opencontainers.image.licenses": "mit or (apache-2.0)",
	}}, "one")
	digest := s.PushImage("alice", "alice/app:v1", img)
	s.public("alice/app")

	p := s.Browser().Get(page("alice/app")).Want(200, "#install")
	for selector, want := range map[string]string{
		"h1":                     "app Public",
		".package-description":   "Sells things",
		"#install .command":      "docker pull " + webtest.Host + "/alice/app:v1",
		".package-aside":         "mit OR (apache-2.0)",
		".recent-tag":            "v1 Latest",
		"#install .Box-row":      "FROM " + webtest.Host + "/alice/app:v1",
		".UnderlineNav .Counter": "1",
		".package-aside .h3":     "0",
		"#install .UnderlineNav": "OS / Arch 1",
		".package-aside h2":      "Details",
	} {
		if got := p.Text(selector); !strings.Contains(got, want) {
			t.Errorf("%s: %q lacks %q", selector, got, want)
		}
	}
	if !strings.Contains(p.Text("#install"), "docker pull "+webtest.Host+"/alice/app@"+digest) {
		t.Errorf("no line for the digest: %s", p.Text("#install"))
	}
	p.Without("svg.downloads-chart").Without("#attached").Without("#caches").Without("#readme").Without(".package-aside h3:contains('access')")

	p = s.Browser().Get(page("alice/app")+"?tab=platforms").Want(200, "#install .attached-head")
	if got := p.Text("#install"); !strings.Contains(got, "linux/amd64") {
		t.Errorf("got %s", got)
	}
	s.Browser().Get(page("alice/app")+"?tag=nothing").Want(404, "#install")
	s.Browser().Get(page("alice/app")+"?tag=a%20b").Want(404, "#install")
}

// Of a private package a stranger learns nothing, not even that it is there.
func TestPrivatePackageIsNotThere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.User("bob")
	digest := s.Push("alice", "alice/secret:v1")
	id := s.id("alice/secret", digest)
	for _, b := range []*webtest.Browser{s.Browser(), s.SignedIn("bob")} {
		for _, path := range []string{"", "?tag=v1", "/compare?from=v1&to=v1", "/" + id, "/" + id + "?raw=manifest"} {
			is, isNot := b.Get(below("alice/secret", "")[:len(below("alice/secret", ""))-1]+path), b.Get(below("alice/nothing", "")[:len(below("alice/nothing", ""))-1]+path)
			if is.Status < 400 || isNot.Status != is.Status || strings.ReplaceAll(is.Body, "secret", "nothing") != isNot.Body {
				t.Errorf("%s: %d and %d, or they differ", path, is.Status, isNot.Status)
			}
		}
	}
	own := s.SignedIn("alice")
	own.Get(page("alice/secret")).Want(200, "#install")
	if got := own.Get(page("alice/secret")).Text("#install"); !strings.Contains(got, "docker login "+webtest.Host+" -u alice") {
		t.Errorf("no line to log in: %s", got)
	}
	own.Get(page("alice/secret")).Want(200, ".package-aside h3:contains('access')")
}

// Complaint 24: names in capitals break scripts; the line to copy never has them.
func TestComplaint24TheLineToCopyIsInLowerCase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.User("Acme-Inc")
	s.Push("acme-inc", "acme-inc/app:V1")
	s.public("acme-inc/app")
	p := s.Browser().Get("/users/Acme-INC/packages/container/package/APP").Want(200, "#install .command code")
	if got, want := p.Text("#install .command:first-of-type code"), "docker pull "+webtest.Host+"/acme-inc/app:V1"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	p.Find(".js-copy").Each(func(_ int, b *selection) {
		line, _ := b.Attr("data-copy")
		name, _, _ := strings.Cut(strings.TrimPrefix(line[strings.Index(line, webtest.Host):], webtest.Host+"/"), ":")
		if name, _, _ = strings.Cut(name, "@"); name != "acme-inc/app" {
			t.Errorf("%s", line)
		}
	})
}

// Complaint 8: signatures, attestations and caches are never the latest nor what
// the page says to pull.
func TestComplaint8LatestIsWhatIsPulled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	img := image(s, "linux/amd64", v1.Config{}, "one")
	digest := s.PushImage("alice", "alice/app:v1", img)
	s.PushImage("alice", "alice/app:"+fallback(digest, ".sig"), artifact(s, "application/vnd.oci.image.config.v1+json",
		file("application/vnd.dev.cosign.simplesigning.v1+json", simpleSigning(digest))))
	s.PushImage("alice", "alice/app:sbom", about(s, img, artifact(s, "application/spdx+json", file("application/spdx+json", spdxText))))
	s.PushImage("alice", "alice/app:buildcache", artifact(s, "application/vnd.buildkit.cacheconfig.v0", file("application/vnd.oci.image.layer.v1.tar", "cached")))
	s.public("alice/app")

	p := s.Browser().Get(page("alice/app")).Want(200, "#attached")
	if got, want := p.Text("#install .command:first-of-type code"), "docker pull "+webtest.Host+"/alice/app:v1"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := p.Find(".recent-tag .Label:contains('Latest')").Length(); got != 1 {
		t.Errorf("%d tags are the latest", got)
	}
	if got := p.Text("section[aria-labelledby=recent-title] li"); strings.Contains(got, "sig") || strings.Contains(got, "sbom") || strings.Contains(got, "cache") {
		t.Errorf("recent tags: %s", got)
	}
	for selector, want := range map[string][]string{
		"#attached": {"Signature", "SBOM", "cosign", "host/alice/app", digest, "SPDX-2.3", "1 package"},
		"#caches":   {"buildcache"},
	} {
		for _, w := range want {
			if got := p.Text(selector); !strings.Contains(got, w) {
				t.Errorf("%s lacks %q: %s", selector, w, got)
			}
		}
	}
	// The page of the version lists the components.
	p = s.Browser().Get(below("alice/app", s.id("alice/app", digest))).Want(200, "#attached table")
	if got := p.Text("#attached table"); !strings.Contains(got, "busybox1.36GPL-2.0-only") {
		t.Errorf("components: %s", got)
	}
}

// Complaint 9: attestations of BuildKit are no platform.
func TestComplaint9AttestationsAreNoPlatform(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.PushIndex("alice", "alice/app:v1", multi(s))
	s.public("alice/app")
	p := s.Browser().Get(page("alice/app")+"?tab=platforms").Want(200, "#install .attached-head")
	if got := p.Find("#install .attached-head").Length(); got != 2 {
		t.Errorf("%d platforms", got)
	}
	for _, want := range []string{"linux/amd64 Provenance", "linux/arm64/v8"} {
		if got := p.Text("#install"); !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.Contains(p.Body, "unknown/unknown") {
		t.Error("unknown/unknown")
	}
	for _, want := range []string{"Provenance", "linux/amd64", "https://builder.example/7", "https://code.example/alice/app", "c0ffee", "Materials2"} {
		if got := p.Text("#attached"); !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}

// Complaint 12: counts of downloads are shown, and a look at the page is none.
func TestComplaint12DownloadsAreShown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	digest := s.PushIndex("alice", "alice/app:v1", multi(s))
	s.public("alice/app")
	total := func() string { return s.Browser().Get(page("alice/app")).Text(".package-aside .h3") }
	for range 2 {
		s.Browser().Get(page("alice/app"))
		s.Browser().Get(below("alice/app", s.id("alice/app", digest)))
	}
	s.must(s.App.Downloads.Flush(s.Context()))
	if got := total(); got != "0" {
		t.Errorf("%s downloads by looking", got)
	}
	s.pull("alice/app:v1")
	s.must(s.App.Downloads.Flush(s.Context()))
	if got := total(); got != "1" {
		t.Errorf("%s downloads, want 1", got)
	}
	p := s.Browser().Get(page("alice/app"))
	if all, some := p.Find(".downloads-chart rect").Length(), p.Find(".downloads-chart rect:not(.none)").Length(); all != 30 || some != 1 {
		t.Errorf("%d days, %d with downloads", all, some)
	}
	if n := p.Find(".downloads-table tbody tr").Length(); n != 30 {
		t.Errorf("%d days in the table", n)
	}
}

func TestEmptyPackage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.PushImage("alice", "alice/app:cache", artifact(s, "application/vnd.buildkit.cacheconfig.v0", file("application/vnd.oci.image.layer.v1.tar", "cached")))
	s.public("alice/app")
	p := s.Browser().Get(page("alice/app")).Want(200, ".blankslate").Want(200, "#caches").Without("#install")
	if got := p.Text(".blankslate h2"); got != "This package is empty" {
		t.Errorf("got %q", got)
	}
}

func TestUntaggedPackage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	digest := s.PushImage("alice", "alice/app:gone", image(s, "linux/amd64", v1.Config{}, "1"))
	s.untag("alice/app", "gone")
	s.public("alice/app")
	p := s.Browser().Get(page("alice/app")).Want(200, "#install").Without(".recent-tag")
	if got := p.Text("#install .command code"); !strings.HasPrefix(got, "docker pull "+webtest.Host+"/alice/app@"+digest) {
		t.Errorf("got %s", got)
	}
}
