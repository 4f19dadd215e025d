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
	script, err := filepath.Abs("js/operations.mjs")
	if err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Abs("../../.tools/node")
	if err != nil {
		t.Fatal(err)
	}
	// Modules are looked for beside the script that imports them.
	text, err := os.ReadFile(script)
	if err == nil {
		script = filepath.Join(t.TempDir(), "operations.mjs")
		err = os.WriteFile(script, text, 0o600)
	}
	if err == nil {
		err = os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(filepath.Dir(script), "node_modules"))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script, w.URL, proxy.URL)
	cmd.Env = append(os.Environ(), "PACKHOUSE_TEST_TOKEN="+w.token)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("node: %v (make tools installs what it needs)\n%s", err, out)
	}
	checked.complete()
}
