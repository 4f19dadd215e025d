package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/oci"
)

// puller is a client of /v2/ and of the REST API.
type puller struct {
	*running
	t    *testing.T
	host string
}

func newPuller(t *testing.T) *puller {
	t.Helper()
	cfg := testConfig(t)
	return &puller{composed(t, cfg), t, cfg.Hosts()[0]}
}

// v2 sends a request and expects a status.
func (p *puller) v2(method, path, body string, want int) (http.Header, string) {
	p.t.Helper()
	header := asAdmin()
	if method == "PUT" {
		header.Set("Content-Type", oci.MediaTypeImageManifest)
		if strings.Contains(body, `"manifests"`) {
			header.Set("Content-Type", oci.MediaTypeImageIndex)
		}
	}
	res, text := p.ask(p.t, method, p.host, "/v2/admin/"+path, header, strings.NewReader(body))
	if res.StatusCode != want {
		p.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, text)
	}
	return res.Header, text
}

// rest sends a request to the API, decodes the answer and returns the status.
func (p *puller) rest(method, path, body string, into any) int {
	p.t.Helper()
	res, text := p.ask(p.t, method, p.host, "/api/v3"+path, asAdmin(), strings.NewReader(body))
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			p.t.Fatalf("%s %s: %v\n%s", method, path, err, text)
		}
	}
	return res.StatusCode
}

// image pushes an image and returns its digest and that of its layer.
func (p *puller) image(name, layer string, tags ...string) (digest, blob string) {
	p.t.Helper()
	var parts []any
	for _, content := range []string{`{"os":"linux"}`, layer} {
		blob = oci.SHA256.FromBytes([]byte(content)).String()
		p.v2("POST", name+"/blobs/uploads/?digest="+blob, content, 201)
		parts = append(parts, blob, len(content))
	}
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},`+
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}]}`, parts...)
	digest = oci.SHA256.FromBytes([]byte(manifest)).String()
	for _, tag := range append(tags, digest) {
		p.v2("PUT", name+"/manifests/"+tag, manifest, 201)
	}
	return digest, blob
}

// index pushes an index of one child.
func (p *puller) index(name, child, tag string) {
	p.t.Helper()
	header, _ := p.v2("HEAD", name+"/manifests/"+child, "", 200)
	p.v2("PUT", name+"/manifests/"+tag, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%s}]}`,
		oci.MediaTypeImageIndex, oci.MediaTypeImageManifest, child, header.Get("Content-Length")), 201)
}

// counted is the downloads at an address of the API, after a flush.
func (p *puller) counted(path string) int64 {
	p.t.Helper()
	if err := p.app.Downloads.Flush(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	var d struct {
		Total int64
		Days  []struct{ Downloads int64 }
	}
	if status := p.rest("GET", "/users/admin/packages/container/"+path, "", &d); status != 200 || len(d.Days) != 30 {
		p.t.Fatalf("%s: %d %+v", path, status, d)
	}
	var sum int64
	for _, day := range d.Days {
		sum += day.Downloads
	}
	if sum != d.Total {
		p.t.Errorf("%s: %d by days and %d in all", path, sum, d.Total)
	}
	return d.Total
}

func (p *puller) wants(want int64, path string) {
	p.t.Helper()
	if got := p.counted(path); got != want {
		p.t.Errorf("%s: %d downloads, want %d", path, got, want)
	}
}

func TestAPullIsCountedOnceOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPuller(t)
	image, layer := p.image("app", "bytes", "v1")
	p.index("app", image, "multi")
	p.wants(0, "app/downloads") // pushing is no pull
	p.v2("HEAD", "app/manifests/v1", "", 200)
	p.v2("GET", "app/manifests/v1", "", 200)
	p.v2("HEAD", "app/blobs/"+layer, "", 200)
	p.wants(0, "app/downloads")
	for range 2 { // as docker does it
		p.v2("HEAD", "app/manifests/v1", "", 200)
		p.v2("GET", "app/manifests/"+image, "", 200)
		p.v2("GET", "app/blobs/"+layer, "", 200)
	}
	p.wants(1, "app/downloads")
	p.wants(1, "app/tags/v1/downloads")
	p.wants(0, "app/tags/multi/downloads")

	p.image("other", "bytes", "v1")
	p.index("other", image, "multi")
	p.v2("GET", "other/manifests/multi", "", 200)
	p.v2("GET", "other/manifests/"+image, "", 200)
	p.v2("GET", "other/blobs/"+layer, "", 200)
	p.wants(1, "other/downloads")
	p.wants(1, "other/tags/multi/downloads")
	var versions []struct {
		ID   int64
		Name string
	}
	p.rest("GET", "/users/admin/packages/container/other/versions", "", &versions)
	if len(versions) != 2 {
		t.Fatalf("versions: %+v", versions)
	}
	for _, v := range versions {
		p.wants(1, fmt.Sprintf("other/versions/%d/downloads", v.ID))
	}
}

// What was counted last is written when the server stops.
func TestDownloadsAreWrittenAtTheEnd(t *testing.T) {
	t.Parallel()
	p := newPuller(t)
	_, layer := p.image("app", "bytes", "v1")
	p.v2("GET", "app/manifests/v1", "", 200)
	p.v2("GET", "app/blobs/"+layer, "", 200)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	p.app.RunJobs(stopped, NewMetrics("test"))
	var d struct{ Total int64 }
	if p.rest("GET", "/users/admin/packages/container/app/downloads", "", &d); d.Total != 1 {
		t.Errorf("%d downloads", d.Total)
	}
}

func TestBadge(t *testing.T) {
	t.Parallel()
	p := newPuller(t)
	_, layer := p.image("app", "bytes", "v1")
	p.v2("GET", "app/manifests/v1", "", 200)
	p.v2("GET", "app/blobs/"+layer, "", 200)
	p.wants(1, "app/downloads")
	badge := func(path string, header http.Header) (int, http.Header, string) {
		res, text := p.ask(t, "GET", p.host, "/api/v3/users/admin/packages/container/"+path, header, nil)
		return res.StatusCode, res.Header, text
	}
	private, _, one := badge("app/downloads/badge.svg", nil)
	absent, _, other := badge("none/downloads/badge.svg", nil)
	if private != 404 || absent != 404 || one != other {
		t.Errorf("private %d %s, absent %d %s", private, one, absent, other)
	}
	if status, _, text := badge("app/downloads/badge.svg", asAdmin()); status != 200 || !strings.Contains(text, "downloads: 1") {
		t.Errorf("%d %s", status, text)
	}
	if status := p.rest("PATCH", "/user/packages/container/app", `{"visibility":"public"}`, nil); status != 200 {
		t.Fatalf("made public: %d", status)
	}
	status, header, text := badge("app/downloads/badge.svg?label=%3Cscript%3E%22x&tag=v1", nil)
	if status != 200 || header.Get("Content-Type") != "image/svg+xml; charset=utf-8" || strings.Contains(text, "<script>") || !strings.Contains(text, "&lt;script&gt;&#34;x: 1") {
		t.Errorf("%d %v %s", status, header, text)
	}
	if status, _, _ := badge("app/downloads/badge.svg?label="+strings.Repeat("x", 41), nil); status != 422 {
		t.Errorf("a long label: %d", status)
	}
}

// A refusal that docker shows: no status that it tries again, and a text that
// names tag and pattern.
func TestImmutableTagsOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPuller(t)
	digest, _ := p.image("app", "bytes", "v1", "latest")
	var answer struct {
		Patterns      []string
		OwnerPatterns []string `json:"owner_patterns"`
	}
	if status := p.rest("PUT", "/user/packages/container/app/immutable_tags", `{"patterns":["v*"]}`, &answer); status != 200 || len(answer.Patterns) != 1 {
		t.Fatalf("%d %+v", status, answer)
	}
	if status := p.rest("PUT", "/user/immutable_tags", `{"patterns":["release-?"]}`, &answer); status != 200 {
		t.Fatalf("%d %+v", status, answer)
	}
	p.rest("GET", "/users/admin/packages/container/app/immutable_tags", "", &answer)
	if len(answer.OwnerPatterns) != 1 || answer.OwnerPatterns[0] != "release-?" {
		t.Errorf("%+v", answer)
	}
	for body, want := range map[string]int{`{}`: 422, `{"patterns":["["]}`: 422, `{"patterns":"v*"}`: 422} {
		if status := p.rest("PUT", "/user/immutable_tags", body, nil); status != want {
			t.Errorf("%s: %d", body, status)
		}
	}
	p.image("app", "bytes", "v1") // the same again
	other, _ := p.image("app", "others")
	_, content := p.v2("GET", "app/manifests/"+other, "", 200)
	_, text := p.v2("PUT", "app/manifests/v1", content, 409)
	if !strings.Contains(text, `"DENIED"`) || !strings.Contains(text, "the tag v1 is immutable by the pattern v*") {
		t.Errorf("refused with %s", text)
	}
	p.v2("DELETE", "app/manifests/v1", "", 409)
	p.v2("DELETE", "app/manifests/"+digest, "", 409)
	p.v2("PUT", "app/manifests/latest", content, 201)
}

func TestRetentionOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPuller(t)
	p.image("app", "one", "pr-1")
	p.image("app", "two", "pr-2")
	p.image("app", "three", "latest")
	const at = "/user/packages/container/app/retention"
	var plan struct {
		ID       int64
		State    string
		Versions int
		Bytes    int64 `json:"bytes_freed"`
	}
	if status := p.rest("POST", at+"/plans", `{}`, nil); status != 404 {
		t.Errorf("a plan without a policy: %d", status)
	}
	if status := p.rest("PUT", at+"/policy", `{"rules":{"delete":[{"tags":["pr-*"]}]},"automatic":true}`, nil); status != 200 {
		t.Fatalf("policy: %d", status)
	}
	if status := p.rest("PUT", at+"/policy", `{"rules":{"delete":[{"tagged":["pr-*"]}]}}`, nil); status != 422 {
		t.Errorf("a rule with a slip: %d", status)
	}
	var policy struct {
		Automatic bool
		Rules     struct{ Delete []struct{ Tags []string } }
	}
	if status := p.rest("GET", at+"/policy", "", &policy); status != 200 || !policy.Automatic || policy.Rules.Delete[0].Tags[0] != "pr-*" {
		t.Errorf("%d %+v", status, policy)
	}
	if status := p.rest("POST", at+"/plans", "", &plan); status != 201 || plan.Versions != 2 || plan.Bytes != 6 {
		t.Fatalf("%d %+v", status, plan)
	}
	var items []struct {
		Tags   []string
		Reason string
	}
	if status := p.rest("GET", fmt.Sprintf("%s/plans/%d/items", at, plan.ID), "", &items); status != 200 || len(items) != 2 || items[0].Reason != "tagged pr-*" {
		t.Errorf("%d %+v", status, items)
	}
	if status := p.rest("POST", fmt.Sprintf("%s/plans/%d/apply", at, plan.ID), "", &plan); status != 200 || plan.State != "applied" {
		t.Fatalf("%d %+v", status, plan)
	}
	p.v2("GET", "app/manifests/pr-1", "", 404)
	if status := p.rest("POST", fmt.Sprintf("%s/plans/%d/apply", at, plan.ID), "", nil); status != 409 {
		t.Errorf("applied again: %d", status)
	}
	if status := p.rest("POST", fmt.Sprintf("%s/plans/%d/undo", at, plan.ID), "", nil); status != 200 {
		t.Errorf("undone: %d", status)
	}
	p.v2("GET", "app/manifests/pr-1", "", 200)
	p.retentionOfAnAccount(at)
}

// retentionOfAnAccount plans by other rules, for all packages that have no policy
// of their own.
func (p *puller) retentionOfAnAccount(at string) {
	p.t.Helper()
	var plan struct{ Versions int }
	if status := p.rest("POST", "/users/admin/retention/plans", `{"rules":{"delete":[{"tags":["pr-1"]}]}}`, &plan); status != 201 || plan.Versions != 0 {
		p.t.Errorf("of the account, while the package has its own policy: %d %+v", status, plan)
	}
	if status := p.rest("DELETE", at+"/policy", "", nil); status != 204 {
		p.t.Errorf("removed: %d", status)
	}
	if status := p.rest("POST", "/users/admin/retention/plans", `{"rules":{"delete":[{"tags":["pr-1"]}]}}`, &plan); status != 201 || plan.Versions != 1 {
		p.t.Errorf("of the account: %d %+v", status, plan)
	}
	var plans []struct{ ID int64 }
	if status := p.rest("GET", at+"/plans", "", &plans); status != 200 || len(plans) != 1 {
		p.t.Errorf("%d %+v", status, plans)
	}
}

func TestLatestAndPlatforms(t *testing.T) {
	t.Parallel()
	p := newPuller(t)
	image, _ := p.image("app", "bytes", "v1")
	p.index("app", image, "multi")
	p.image("app", "signature", "sha256-"+strings.TrimPrefix(image, "sha256:")+".sig")
	var latest struct {
		Name, Kind string
		VersionID  int64 `json:"version_id"`
	}
	if status := p.rest("GET", "/users/admin/packages/container/app/latest", "", &latest); status != 200 || latest.Name != "multi" || latest.Kind != "index" {
		t.Errorf("%d %+v", status, latest)
	}
	var platforms struct {
		Platforms    []struct{ Digest string }
		Attestations []string
	}
	if status := p.rest("GET", fmt.Sprintf("/users/admin/packages/container/app/versions/%d/platforms", latest.VersionID), "", &platforms); status != 200 || len(platforms.Platforms) != 1 || platforms.Platforms[0].Digest != image {
		t.Errorf("%d %+v", status, platforms)
	}
}
