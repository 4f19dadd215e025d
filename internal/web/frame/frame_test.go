package frame_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/testkit"
	"packhouse/internal/web/webtest"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// A language and a theme that somebody chose hold for the browser; what the
// browser asks for holds for the others.
func TestPreferences(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	b := s.Browser()
	b.Language = "fr"
	b.Get("/none/such").Want(404, `html[lang=fr][data-theme=auto]`)
	p := b.Post("/preferences", "language", "de", "theme", "dark-high-contrast", "return_to", "/none/such?x=1")
	p.Want(404, `html[lang=de][data-theme=dark-high-contrast]`)
	if p.Path != "/none/such?x=1" {
		t.Errorf("came back to %s", p.Path)
	}
	b.Post("/preferences", "language", "xx", "theme", "plaid", "return_to", "//evil.example/").Want(200, `html[lang=de][data-theme=dark-high-contrast]`)
	b.Post("/preferences", "language", "auto", "return_to", "/none").Want(404, `html[lang=fr]`)
}

// To a stranger a private package is not there, in whatever form it is asked for.
func TestAbsentAndPrivateAreOnePage(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("mallory")
	s.Push("alice", "alice/app:1")
	for who, b := range map[string]*webtest.Browser{"nobody": s.Browser(), "mallory": s.SignedIn("mallory")} {
		for _, form := range []string{"/users/alice/packages/container/package/%s", "/users/alice/packages/container/%s/versions",
			"/users/alice/packages/container/%s/settings", "/alice/web/pkgs/container/%s", "/orgs/alice/packages/container/package/%s"} {
			private := b.Get(strings.ReplaceAll(form, "%s", "app"))
			absent := b.Get(strings.ReplaceAll(form, "%s", "not"))
			same := strings.ReplaceAll(private.Body, "/app", "/not") == absent.Body ||
				strings.ReplaceAll(private.Body, "app", "not") == absent.Body
			if private.Status != 404 || absent.Status != 404 || !same {
				t.Errorf("%s at %s: %d and %d", who, form, private.Status, absent.Status)
			}
		}
	}
}

// All forms of a package's address lead to the one that is right for it.
func TestAddressesLeadToTheRightOne(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.Push("alice", "alice/a/b:1")
	b := s.SignedIn("alice")
	const right = "/users/alice/packages/container/package/a%2Fb"
	for _, path := range []string{
		right, "/users/alice/packages/container/package/a/b", "/orgs/alice/packages/container/package/a%2Fb",
		"/users/ALICE/packages/container/package/A%2fB", "/alice/anything/pkgs/container/a%2Fb", "/alice/anything/pkgs/container/a/b",
	} {
		if p := b.Get(path); p.Path != right || p.Status != 200 {
			t.Errorf("%s led to %s (%d)", path, p.Path, p.Status)
		}
	}
	if p := b.Get("/users/alice/packages/container/a/b/versions?q=1"); p.Path != "/users/alice/packages/container/a%2Fb/versions?q=1" {
		t.Errorf("the versions are at %s (%d)", p.Path, p.Status)
	}
	ref := access.Package{Type: access.Container, Name: name(t, "alice/a/b")}
	_, err := s.App.Accounts.CreateRepository(t.Context(), audit.Operator, "alice/web", access.Public)
	if err == nil {
		err = s.App.Packages.Link(t.Context(), access.Principal{Operator: true}, ref, "alice/web", false)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p := b.Get(right); p.Path != "/alice/web/pkgs/container/a%2Fb" {
		t.Errorf("the linked package is at %s (%d)", p.Path, p.Status)
	}
}

// Forms of other sites change nothing.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	body := strings.NewReader(url.Values{"theme": {"dark"}}.Encode())
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+webtest.Host+"/preferences", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusForbidden || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("%s, %q", res.Status, res.Header.Get("Set-Cookie"))
	}
}
