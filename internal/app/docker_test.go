package app

import (
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/config"
)

const dockerHost, containersHost = "docker.packages.test.example", "containers.packages.test.example"

// isolated starts a server with a host for each registry and two repositories
// of admin.
func isolated(t *testing.T, change func(*config.Config)) *running {
	t.Helper()
	cfg := testConfig(t)
	cfg.SubdomainIsolation = true
	if change != nil {
		change(cfg)
	}
	r := composed(t, cfg)
	for name, v := range map[string]access.Visibility{"admin/open": access.Public, "admin/closed": access.Private} {
		if _, err := r.app.Accounts.CreateRepository(t.Context(), audit.Operator, name, v); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// An image of a public repository is pulled without a login, by tag and by
// digest, with the token that nobody gets; one of a private repository is not.
func TestDockerRegistryServesPublicRepositoriesToAll(t *testing.T) {
	t.Parallel()
	r := isolated(t, nil)
	for _, name := range []string{"admin/open/image", "admin/open/second", "admin/closed/image"} {
		if status, text := r.push(t, dockerHost, name); status != 201 {
			t.Fatalf("push of %s: %d %s", name, status, text)
		}
	}
	if got := r.catalog(t, dockerHost); got != "admin/closed/image admin/open/image admin/open/second" {
		t.Errorf("catalog: %s", got)
	}
	nobody := r.bearer(t, dockerHost, "repository:admin/open/image:pull repository:admin/closed/image:pull", nil)
	head, _ := r.ask(t, "HEAD", dockerHost, "/v2/admin/open/image/manifests/1", nobody, nil)
	digest := head.Header.Get("Docker-Content-Digest")
	if head.StatusCode != 200 || digest == "" {
		t.Fatalf("HEAD by nobody: %d %s", head.StatusCode, digest)
	}
	for path, want := range map[string]int{
		"admin/open/image/manifests/1": 200, "admin/open/image/manifests/" + digest: 200, "admin/open/image/tags/list": 200,
		"Admin/open/image/tags/list": 200, "admin/open/Image/tags/list": 400, "admin/closed/image/manifests/1": 401, "admin/closed/none/manifests/1": 401,
	} {
		if res, text := r.ask(t, "GET", dockerHost, "/v2/"+path, nobody, nil); res.StatusCode != want {
			t.Errorf("%s by nobody: %d %s, want %d", path, res.StatusCode, text, want)
		}
	}
	// A bearer token of one registry is no key to the other.
	if res, _ := r.ask(t, "GET", containersHost, "/v2/admin/open/image/manifests/1", nobody, nil); res.StatusCode != 401 {
		t.Errorf("the Container registry answers %d", res.StatusCode)
	}
}

// bearer exchanges a credential for a bearer token at host.
func (r *running) bearer(t *testing.T, host, scope string, as http.Header) http.Header {
	t.Helper()
	res, text := r.ask(t, "GET", host, "/token?service="+host+"&scope="+strings.ReplaceAll(scope, " ", "&scope="), as, nil)
	_, rest, _ := strings.Cut(text, `"token":"`)
	token, _, found := strings.Cut(rest, `"`)
	if res.StatusCode != 200 || !found {
		t.Fatalf("/token at %s: %d %s", host, res.StatusCode, text)
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}

func TestDockerRegistryTakesTagsAloneWhenItMust(t *testing.T) {
	t.Parallel()
	r := isolated(t, func(c *config.Config) { c.Docker.TagsOnly = true })
	if status, text := r.push(t, dockerHost, "admin/open/image"); status != 201 {
		t.Fatalf("push by tag: %d %s", status, text)
	}
	res, _ := r.ask(t, "GET", dockerHost, "/v2/admin/open/image/manifests/1", asAdmin(), nil)
	if res.StatusCode != 200 {
		t.Errorf("pull by tag: %d", res.StatusCode)
	}
	res, text := r.ask(t, "GET", dockerHost, "/v2/admin/open/image/manifests/"+res.Header.Get("Docker-Content-Digest"), asAdmin(), nil)
	if res.StatusCode != 405 || !strings.Contains(text, "tag") {
		t.Errorf("pull by digest: %d %s", res.StatusCode, text)
	}
}

// What the Docker registry does not take it says; what it takes and advises
// against comes with a warning.
func TestDockerRegistrysRules(t *testing.T) {
	t.Parallel()
	r := isolated(t, func(c *config.Config) { c.Docker.MaxBlobSize = 100 })
	if status, text := r.push(t, dockerHost, "admin/open/image"); status != 201 {
		t.Fatalf("push: %d %s", status, text)
	}
	large := strings.Repeat("x", 101)
	upload := "/v2/admin/open/image/blobs/uploads/?digest=sha256:" + strings.Repeat("0", 64)
	if res, text := r.ask(t, "POST", dockerHost, upload, asAdmin(), strings.NewReader(large)); res.StatusCode != 413 {
		t.Errorf("a large layer: %d %s", res.StatusCode, text)
	}
	if res, text := r.ask(t, "POST", containersHost, upload, asAdmin(), strings.NewReader(large)); res.StatusCode != 400 {
		t.Errorf("the same in the Container registry, under a wrong digest: %d %s", res.StatusCode, text)
	}
	layer := func(mediaType, size string) string {
		return `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",` +
			`"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"` + emptyConfig + `","size":2},` +
			`"layers":[{"mediaType":"` + mediaType + `","digest":"sha256:` + strings.Repeat("1", 64) + `","size":` + size + `,"urls":["https://layers.test/1"]}]}`
	}
	const foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
	res, text := r.ask(t, "PUT", dockerHost, "/v2/admin/open/image/manifests/2", asAdmin(), strings.NewReader(layer(foreign, "5")))
	if res.StatusCode != 400 || !strings.Contains(text, "foreign layer") {
		t.Errorf("a foreign layer: %d %s", res.StatusCode, text)
	}
}

// On one host, new packages go to the registry that was chosen, and those of the
// other one stay.
func TestBothRegistriesOnOneHost(t *testing.T) {
	t.Parallel()
	const base = "packages.test.example"
	data := ""
	for _, bare := range []string{config.BareContainer, config.BareDocker} {
		cfg := testConfig(t)
		cfg.BareHost = bare
		r := composedIn(t, cfg, data)
		data = cfg.Data
		if bare == config.BareContainer {
			if _, err := r.app.Accounts.CreateRepository(t.Context(), audit.Operator, "admin/open", access.Public); err != nil {
				t.Fatal(err)
			}
			if status, text := r.push(t, base, "admin/app"); status != 201 {
				t.Fatalf("push: %d %s", status, text)
			}
			r.lastWords(t) // the next one opens the same data
			continue
		}
		if status, text := r.push(t, base, "admin/other"); status == 201 || !strings.Contains(text, "OWNER/REPOSITORY/IMAGE") && !strings.Contains(text, "repository") {
			t.Errorf("a Docker package outside of a repository: %d %s", status, text)
		}
		if status, text := r.push(t, base, "admin/open/image"); status != 201 {
			t.Errorf("push to the Docker registry: %d %s", status, text)
		}
		if status, text := r.push(t, base, "admin/app"); status != 201 {
			t.Errorf("push to the container package: %d %s", status, text)
		}
		if got := r.catalog(t, base); got != "admin/app admin/open/image" {
			t.Errorf("catalog: %s", got)
		}
		nobody := r.bearer(t, base, "repository:admin/open/image:pull", nil)
		if res, _ := r.ask(t, "GET", base, "/v2/admin/open/image/manifests/1", nobody, nil); res.StatusCode != 200 {
			t.Errorf("nobody pulls from a public repository: %d", res.StatusCode)
		}
	}
}

// A switched registry says so to all who ask, at once and alone.
func TestSwitchedRegistry(t *testing.T) {
	t.Parallel()
	r := isolated(t, nil)
	if status, text := r.push(t, dockerHost, "admin/open/image"); status != 201 {
		t.Fatalf("push: %d %s", status, text)
	}
	nobody := r.bearer(t, dockerHost, "repository:admin/open/image:pull", nil)
	pull := func(as http.Header) (int, string) {
		res, text := r.ask(t, "GET", dockerHost, "/v2/admin/open/image/manifests/1", as, nil)
		return res.StatusCode, res.Header.Get("WWW-Authenticate") + text
	}
	for _, mode := range []access.Mode{access.ReadOnly, access.Disabled, access.Enabled} {
		if err := r.app.Accounts.SetRegistry(t.Context(), audit.Operator, access.Docker, mode); err != nil {
			t.Fatal(err)
		}
		for _, as := range []http.Header{nobody, nil, asAdmin()} {
			status, text := pull(as)
			switch {
			case mode == access.Disabled && (status != 401 || strings.Count(text, "registry is disabled") != 2):
				t.Errorf("a pull when it is disabled: %d %s", status, text)
			case mode != access.Disabled && status != 200:
				t.Errorf("a pull when it is %s: %d %s", mode, status, text)
			}
		}
		status, text := r.push(t, dockerHost, "admin/open/image")
		want := map[access.Mode]string{access.ReadOnly: "read-only", access.Disabled: "registry is disabled"}[mode]
		if (status == 201) != (mode == access.Enabled) || !strings.Contains(text, want) {
			t.Errorf("a push when it is %s: %d %s", mode, status, text)
		}
		if status, text := r.push(t, containersHost, "admin/app"); status != 201 {
			t.Errorf("the other registry meanwhile: %d %s", status, text)
		}
	}
}
