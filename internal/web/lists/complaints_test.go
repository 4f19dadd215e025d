package lists_test

import (
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/web/webtest"
)

// Complaint 24: owners with upper-case letters break what people copy.
func TestComplaintUpperCaseOwners(t *testing.T) {
	t.Parallel()
	s := &town{webtest.New(t, nil)}
	s.User("Mona-Lisa")
	b := s.SignedIn("MONA-lisa")
	p := b.Get("/Mona-Lisa?tab=packages").Want(200, ".js-first-push")
	if p.Path != "/mona-lisa?tab=packages" {
		t.Errorf("the address is %s", p.Path)
	}
	lines := p.Text("pre")
	if !strings.Contains(lines, webtest.Host+"/mona-lisa/alpine:1") || strings.Contains(lines, "Mona") {
		t.Errorf("the lines to copy: %s", lines)
	}
	s.Push("mona-lisa", "mona-lisa/app:1")
	for _, path := range []string{"/MONA-LISA?tab=packages", "/search?q=User:Mona-Lisa", "/search?q=APP"} {
		if got := listed(b.Get(path), ".js-list"); !strings.HasSuffix(got, "app") {
			t.Errorf("%s lists %q", path, got)
		}
	}
}

// Complaint 26: public packages are hard to browse.
func TestComplaintPublicPackagesAreHardToBrowse(t *testing.T) {
	t.Parallel()
	s := &town{webtest.New(t, nil)}
	s.User("mona")
	s.Push("mona", "mona/web:1")
	s.Push("mona", "mona/canary:1")
	s.check(s.App.Packages.SetVisibility(t.Context(), s.principal("mona"), s.pkg("mona/web"), access.Public))
	nobody := s.Browser()
	for _, path := range []string{"/", "/mona", "/search?q=web", "/search?q=is:public", "/search?q=user:mona&sort=downloads"} {
		p := nobody.Get(path).Want(200, `a[href="/users/mona/packages/container/package/web"]`)
		if strings.Contains(p.Body, canary) {
			t.Errorf("%s tells of what is private", path)
		}
	}
}
