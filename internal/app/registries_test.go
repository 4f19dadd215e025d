package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/config"
	"packhouse/internal/testkit"
)

// composed starts a whole server of cfg on a free port.
func composed(t *testing.T, cfg *config.Config) *running {
	t.Helper()
	return composedIn(t, cfg, "")
}

// composedIn does so with the data of an earlier server; "" for none.
func composedIn(t *testing.T, cfg *config.Config, data string) *running {
	t.Helper()
	if cfg.Data = data; data == "" {
		cfg.Data = testkit.MemoryDir(t)
	}
	a, err := Build(t.Context(), cfg, discard())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Accounts.Bootstrap(context.Background(), "a long password"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	r := start(t, cfg, a.Handlers, nil)
	r.app = a
	return r
}

// ask sends a request that was meant for host.
func (r *running) ask(t *testing.T, method, host, path string, header http.Header, body io.Reader) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.addr+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for k, v := range header {
		req.Header[k] = v
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

// asAdmin is the header of a request by the site administrator.
func asAdmin() http.Header {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth("admin", "a long password")
	return r.Header
}

func TestEachRegistryHasItsHost(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.SubdomainIsolation = true
	r := composed(t, cfg)
	const base = "packages.test.example"
	for host, want := range map[string]string{
		"containers." + base:               "containers." + base,
		"docker." + base:                   "docker." + base,
		"CONTAINERS.Packages.test.example": "containers." + base,
		"docker." + base + ":8080":         "docker." + base, // a proxy changed the port
		"docker." + base + ".":             "docker." + base,
	} {
		res, _ := r.ask(t, "GET", host, "/v2/", nil, nil)
		challenge := fmt.Sprintf(`Bearer realm="http://%s/token",service="%s"`, want, want)
		if got := res.Header.Get("WWW-Authenticate"); res.StatusCode != 401 || got != challenge {
			t.Errorf("%s: %d %s, want %s", host, res.StatusCode, got, challenge)
		}
	}
	for _, host := range []string{base, "evil.test", "containers.evil.test", "docker." + base + ".evil.test", ""} {
		res, text := r.ask(t, "GET", host, "/v2/", nil, nil)
		if res.StatusCode != 404 || !strings.Contains(text, "containers."+base) || !strings.Contains(text, "docker."+base) ||
			res.Header.Get("WWW-Authenticate") != "" || strings.Contains(text, "evil") {
			t.Errorf("%q: %d %s", host, res.StatusCode, text)
		}
	}
	for _, host := range append(cfg.Hosts(), "evil.test") {
		for path, want := range map[string]int{"/token": 200, "/healthz": 200, "/readyz": 200} {
			if res, text := r.ask(t, "GET", host, path, nil, nil); res.StatusCode != want {
				t.Errorf("%s%s: %d %s", host, path, res.StatusCode, text)
			}
		}
		_, text := r.ask(t, "GET", host, "/token", http.Header{"Authorization": {"Basic YWRtaW46d3Jvbmc="}}, nil)
		name := host
		if host == "evil.test" {
			name = base
		}
		if !strings.Contains(text, "docker logout "+name) {
			t.Errorf("%s: a wrong login reads %s", host, text)
		}
	}
}

// emptyConfig is the digest of {}.
const emptyConfig = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

// push stores an image without layers and returns the status of its manifest.
func (r *running) push(t *testing.T, host, name string) (int, string) {
	t.Helper()
	if res, text := r.ask(t, "POST", host, "/v2/"+name+"/blobs/uploads/?digest="+emptyConfig, asAdmin(), strings.NewReader("{}")); res.StatusCode != 201 {
		return res.StatusCode, text
	}
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"` + emptyConfig + `","size":2},"layers":[]}`
	res, text := r.ask(t, "PUT", host, "/v2/"+name+"/manifests/1", asAdmin(), bytes.NewReader([]byte(manifest)))
	return res.StatusCode, text
}

func (r *running) catalog(t *testing.T, host string) string {
	t.Helper()
	res, text := r.ask(t, "GET", host, "/v2/_catalog", asAdmin(), nil)
	var list struct{ Repositories []string }
	if err := json.Unmarshal([]byte(text), &list); err != nil || res.StatusCode != 200 {
		t.Fatalf("catalog: %d %s", res.StatusCode, text)
	}
	return strings.Join(list.Repositories, " ")
}

// What is pushed on one host is a package of that registry, and is not there on
// the other.
func TestPushesGoToTheRegistryOfTheHost(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.SubdomainIsolation = true
	r := composed(t, cfg)
	const containers, docker = "containers.packages.test.example", "docker.packages.test.example"
	if status, text := r.push(t, containers, "admin/app"); status != 201 {
		t.Fatalf("push to the Container registry: %d %s", status, text)
	}
	if got := r.catalog(t, containers); got != "admin/app" {
		t.Errorf("the Container registry lists %q", got)
	}
	if got := r.catalog(t, docker); got != "" {
		t.Errorf("the Docker registry lists %q", got)
	}
	if res, text := r.ask(t, "GET", docker, "/v2/admin/app/manifests/1", asAdmin(), nil); res.StatusCode != 404 {
		t.Errorf("the Docker registry has it: %d %s", res.StatusCode, text)
	}
	if status, text := r.push(t, docker, "admin/app/image"); status != 401 || !strings.Contains(text, "repository") {
		t.Errorf("a Docker package without a repository: %d %s", status, text)
	}
}

func TestGreeting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change func(*config.Config)
		lines  []string
	}{
		{func(*config.Config) {}, []string{
			"docker login packages.test.example -u admin", "docker push packages.test.example/admin/IMAGE:1", "    secret\n"}},
		{func(c *config.Config) { c.BareHost = config.BareDocker }, []string{
			"packhouse admin repo create admin/REPOSITORY\n", "docker login packages.test.example -u admin",
			"docker push packages.test.example/admin/REPOSITORY/IMAGE:1"}},
		{func(c *config.Config) { c.BareHost, c.Data = config.BareDocker, "/srv/pack-house" }, []string{
			"packhouse admin repo create admin/REPOSITORY --data=/srv/pack-house\n"}},
		{func(c *config.Config) { c.BareHost, c.Data = config.BareDocker, "it's $HOME" }, []string{
			`packhouse admin repo create admin/REPOSITORY --data='it'\''s $HOME'` + "\n"}},
		{func(c *config.Config) { c.SubdomainIsolation = true }, []string{
			"Packhouse is at http://packages.test.example\n", "docker login containers.packages.test.example -u admin",
			"docker push containers.packages.test.example/admin/IMAGE:1", "The Docker registry is at docker.packages.test.example:"}},
	} {
		cfg := testConfig(t)
		cfg.Data = config.Default().Data
		tt.change(cfg)
		var out bytes.Buffer
		greet(&out, cfg, "secret")
		for _, line := range tt.lines {
			if !strings.Contains(out.String(), line) {
				t.Errorf("no %q in:\n%s", line, &out)
			}
		}
	}
}
