package rest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-github/v89/github"
)

// messageOf is the code and the message of an error, as GitHub's client reads it.
func messageOf(err error) string {
	if e, ok := errors.AsType[*github.ErrorResponse](err); ok {
		return fmt.Sprint(e.Response.StatusCode, " ", e.Message)
	}
	return fmt.Sprint(err)
}

// ask sends a request with a token, checks its answer and returns it.
func (w *world) ask(t *testing.T, method, path, token string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.URL+"/api/v3"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	if token != "" {
		req.Header.Set("Authorization", "token "+token)
	}
	res, err := newChecker(t, w.d, w.transport()).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// versionsOf returns the ids of a package's versions, newest first.
func (w *world) versionsOf(t *testing.T, pkg string) (ids []int64) {
	t.Helper()
	_, body := w.ask(t, "GET", pkg+"/versions?per_page=100", w.token)
	var list []struct{ ID int64 }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		ids = append(ids, v.ID)
	}
	return ids
}

// failures holds the errors against GitHub's.
func failures(t *testing.T, w *world) {
	w.push(t, "containers", "acme/errors/one:v1", "one")
	w.push(t, "containers", "acme/errors/two:v1", "one")
	w.push(t, "containers", "acme/errors/two:v1", "two") // the first has no tag now
	w.push(t, "containers", "ann/errors:v1", "one")
	reader, stranger := w.Token(t, "ann", "read:packages"), w.Account(t, "errors-stranger")
	const one, two = "/orgs/acme/packages/container/errors%2Fone", "/orgs/acme/packages/container/errors%2Ftwo"
	version := func(pkg string, i int) string { return fmt.Sprint(pkg, "/versions/", w.versionsOf(t, pkg)[i]) }
	const (
		missing = "404 Package not found."
		scopes  = "403 The token does not have the scopes that this needs: "
	)
	for _, c := range []struct{ method, path, token, want string }{
		{"GET", one, "", "401 Requires authentication"},
		{"GET", one, "php_nonsense", "401 Bad credentials"},
		{"GET", "/orgs/acme/packages?package_type=container", "", "401 Requires authentication"},
		{"GET", "/user/packages?package_type=container", "", "401 Requires authentication"},
		{"GET", one, stranger, missing},
		{"GET", one + "/versions", stranger, missing},
		{"GET", version(one, 0), stranger, missing},
		{"DELETE", one, stranger, missing},
		{"DELETE", version(one, 0), stranger, missing},
		{"POST", one + "/restore", stranger, missing},
		{"POST", version(one, 0) + "/restore", stranger, missing},
		{"GET", "/orgs/acme/packages/container/nothing", w.token, missing},
		{"GET", "/orgs/nobody/packages/container/nothing", w.token, missing},
		{"GET", "/orgs/ann/packages/container/errors", w.token, missing},
		{"GET", "/orgs/acme/packages/npm/errors", w.token, missing},
		{"GET", "/orgs/acme/packages/container/%20", w.token, missing},
		{"GET", one + "/versions/999999999", w.token, missing},
		{"POST", "/orgs/acme/packages/container/nothing/restore", w.token, missing},
		{"GET", "/orgs/ann/packages?package_type=container", w.token, "404 Not Found"},
		{"GET", "/users/nobody/packages?package_type=container", w.token, "404 Not Found"},
		{"DELETE", one, reader, scopes + "read:packages, delete:packages."},
		{"POST", one + "/restore", reader, scopes + "read:packages, write:packages."},
		{"GET", one + "/versions/latest", w.token, "400 The version_id parameter must be an integer."},
		{"DELETE", one + "/versions/1e3", w.token, "400 The version_id parameter must be an integer."},
		{"GET", "/orgs/acme/packages", w.token, "400 Invalid argument. package_type is container or docker on this server."},
		{"GET", "/orgs/acme/packages?package_type=deb", w.token, "400 Invalid argument. package_type is container or docker on this server."},
		{"GET", "/orgs/acme/packages?package_type=container&visibility=secret", w.token, "400 Invalid argument. visibility is public, private or internal."},
		{"GET", "/orgs/acme/packages?package_type=container&page=101&per_page=100", w.token, "400 Invalid argument. Only the first 10000 entries of a list can be asked for by page."},
		{"GET", one + "/versions?state=lost", w.token, "400 Invalid argument. state is active or deleted."},
		{"DELETE", version(one, 0), w.token, "400 You cannot delete the last version of a package. You must delete the package instead."},
		{"DELETE", version(two, 0), w.token, "400 You cannot delete the last tagged version of a package. You must delete the package instead."},
		{"PUT", one, w.token, "405 Method Not Allowed"},
	} {
		res, body := w.ask(t, c.method, c.path, c.token)
		var f struct{ Message string }
		if err := json.Unmarshal([]byte(body), &f); err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
		}
		if got := fmt.Sprint(res.StatusCode, " ", f.Message); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, got, c.want)
		}
	}
	withPackage(t, w, version(one, 0), one)
}

// withPackage deletes the last version together with its package.
func withPackage(t *testing.T, w *world, version, pkg string) {
	t.Helper()
	if res, body := w.ask(t, "DELETE", version+"?with_package=true", w.token); res.StatusCode != http.StatusNoContent {
		t.Errorf("with its package: %d %s", res.StatusCode, body)
	}
	if res, _ := w.ask(t, "GET", pkg, w.token); res.StatusCode != http.StatusNotFound {
		t.Errorf("the package is still there: %d", res.StatusCode)
	}
	w.push(t, "containers", "acme/errors/one:v1", "again")
	res, body := w.ask(t, "POST", pkg+"/restore", w.token)
	if res.StatusCode != http.StatusConflict || !strings.Contains(body, `"message"`) {
		t.Errorf("restored over another: %d %s", res.StatusCode, body)
	}
}
