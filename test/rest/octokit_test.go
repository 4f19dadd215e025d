package rest_test

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// octokit drives every operation with GitHub's client for JavaScript, which asks
// through a proxy that checks each answer.
func octokit(t *testing.T, w *world) {
	for _, owner := range []string{"acme", "ann"} {
		for _, text := range []string{"1", "2", "3", "4", "5"} {
			w.push(t, "containers", owner+"/js/"+owner+":v"+text, "octokit "+text)
		}
	}
	w.push(t, "containers", "ann/js/self:v1", "octokit 1")
	w.push(t, "containers", "ann/js/self:v2", "octokit 2")
	checked := newChecker(t, w.d, w.transport())
	to, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, Transport: checked})
	defer proxy.Close()
	w.node(t, "operations.mjs", w.token, w.URL, proxy.URL)
	checked.complete()
}

// node runs one of the scripts in js, with a token.
func (w *world) node(t *testing.T, name, token string, args ...string) {
	t.Helper()
	modules, err := filepath.Abs("../../.tools/node")
	if err != nil {
		t.Fatal(err)
	}
	// Modules are looked for beside the script that imports them.
	script := filepath.Join(t.TempDir(), name)
	text, err := os.ReadFile(filepath.Join("js", name))
	if err == nil {
		err = os.WriteFile(script, text, 0o600)
	}
	if err == nil {
		err = os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(filepath.Dir(script), "node_modules"))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "PACKHOUSE_TEST_TOKEN="+token)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("node %s: %v (make tools installs what it needs)\n%s", name, err, out)
	}
}

// octokitDirectory sets an organization up with GitHub's client for JavaScript.
func octokitDirectory(t *testing.T, w *world) {
	w.Admin(t, "user", "create", "jo")
	w.Admin(t, "user", "create", "kim")
	w.Admin(t, "org", "create", "jsworks", "--owner", "jo")
	w.node(t, "directory.mjs", w.Token(t, "jo", everyScope), w.URL, "http://"+w.Addr)
}
