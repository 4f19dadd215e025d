package lists_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/web/webtest"
)

// polled returns the status of where the script of the first steps asks, and the
// address that it is told.
func polled(s *webtest.Site, b *webtest.Browser, path string) (status int, to string) {
	s.Helper()
	p := b.Get(path)
	if p.Status != http.StatusOK {
		return p.Status, ""
	}
	var answer struct {
		Path *string `json:"path"`
	}
	if err := json.Unmarshal([]byte(p.Body), &answer); err != nil || answer.Path == nil || !strings.HasPrefix(p.Header.Get("Content-Type"), "application/json") {
		s.Fatalf("%s: %v, %s", path, err, p.Body)
	}
	return p.Status, *answer.Path
}

// The page of an empty namespace shows how to push, and turns into that of the
// package when it is there.
func TestFirstStepsTurn(t *testing.T) {
	t.Parallel()
	s := &town{webtest.New(t, nil)}
	s.Administrator("root")
	s.User("Alice")
	s.User("eve")
	s.Organization("Acme", "alice")
	alice, eve, root, nobody := s.SignedIn("alice"), s.SignedIn("eve"), s.SignedIn("root"), s.Browser()

	fresh := root.Get("/").Want(200, ".js-first-push").Want(200, "noscript")
	if !strings.Contains(fresh.Text("main"), "Your registry is ready") {
		t.Errorf("an empty server says %s", fresh.Text("main"))
	}
	nobody.Get("/").Want(200, "h1").Without(".js-first-push")
	p := alice.Get("/alice?tab=packages").Want(200, `.js-first-push[data-poll="/packages/first?owner=alice"]`)
	for _, line := range []string{"docker login " + webtest.Host + " -u alice", "docker tag alpine:latest " + webtest.Host + "/alice/alpine:1", "docker push " + webtest.Host + "/alice/alpine:1"} {
		if !strings.Contains(p.Text("pre"), line) || p.Find(`button[data-copy="`+line+`"]`).Length() != 1 {
			t.Errorf("no line %q in %s", line, p.Text("pre"))
		}
	}
	if line := "docker push " + webtest.Host + "/acme/alpine:1"; !strings.Contains(alice.Get("/orgs/acme/packages").Text("pre"), line) {
		t.Errorf("the organization's page has no line %q", line)
	}
	for who, b := range map[string]*webtest.Browser{"a stranger": eve, "nobody": nobody} {
		for _, path := range []string{"/alice?tab=packages", "/orgs/acme/packages"} {
			b.Get(path).Want(200, ".blankslate").Without(".js-first-push")
		}
		for _, path := range []string{"/packages/first?owner=alice", "/packages/first?owner=acme", "/packages/first?owner=none", "/packages/first"} {
			if status, _ := polled(s.Site, b, path); status != 404 {
				t.Errorf("%s asks %s: %d", who, path, status)
			}
		}
		if p := b.Get("/users/alice/packages/container/package/alpine"); p.Status < 400 || p.Find(".js-first-push").Length() > 0 {
			t.Errorf("%s sees a package to come: %d", who, p.Status)
		}
	}
	alice.Get("/users/alice/packages/container/package/alpine").Want(404, "h1").Without(".js-first-push")
	for _, b := range []*webtest.Browser{alice, root} {
		path := "/packages/first"
		if b == alice {
			path += "?owner=alice"
		}
		if status, to := polled(s.Site, b, path); status != 200 || to != "" {
			t.Errorf("before the push: %d, %s", status, to)
		}
	}
	s.Push("alice", "alice/alpine:1")
	const there = "/users/alice/packages/container/package/alpine"
	if status, to := polled(s.Site, alice, "/packages/first?owner=alice"); status != 200 || to != there {
		t.Errorf("after the push: %d, %s", status, to)
	}
	if status, to := polled(s.Site, root, "/packages/first"); status != 200 || to != there {
		t.Errorf("after the push, to the administrator: %d, %s", status, to)
	}
	alice.Get(there).Want(200, "h1")
	alice.Get("/alice?tab=packages").Want(200, ".js-row").Without(".js-first-push").Without("noscript")
	if p := root.Get("/"); strings.Contains(p.Text("main"), "Your registry is ready") {
		t.Error("the server looks empty still")
	}
}

// Where members may make no packages they are not told how to.
func TestStepsAreForThoseWhoMayPush(t *testing.T) {
	t.Parallel()
	s := &town{webtest.New(t, func(c *config.Config) { c.BareHost = config.BareDocker })}
	s.User("alice")
	s.User("bob")
	s.Organization("acme", "alice")
	s.check(s.App.Accounts.SetMember(t.Context(), audit.Operator, "acme", "bob", access.Member))
	alice, bob := s.SignedIn("alice"), s.SignedIn("bob")
	p := bob.Get("/orgs/acme/packages").Want(200, ".js-first-push")
	if line := "docker push " + webtest.Host + "/acme/my-repository/alpine:1"; !strings.Contains(p.Text("pre"), line) {
		t.Errorf("for the Docker registry: %s", p.Text("pre"))
	}
	s.check(s.App.Accounts.SetRegistry(t.Context(), audit.Operator, access.Docker, access.ReadOnly))
	bob.Get("/orgs/acme/packages").Want(200, ".blankslate").Without(".js-first-push")
	alice.Get("/").Want(200, ".blankslate").Without(".js-first-push")
}
