package tokenapi_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/access"
	tokenapi "packhouse/internal/api/token"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

func mustName(t testing.TB, s string) oci.Name {
	t.Helper()
	n, err := oci.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// brokenFacts is the endpoint of f with a database that fails.
func brokenFacts(f *fixture) http.Handler {
	return tokenapi.New(tokenapi.Deps{Credentials: f.auth, Packages: noFacts{}, Realm: "registry.test"})
}

type noFacts struct{}

func (noFacts) Facts(context.Context, access.Principal, oci.Name) (access.Facts, error) {
	return access.Facts{Exists: true, Visibility: access.Public}, errs.New(errs.Internal, "no such table: packages")
}

// What a parser of scopes returns is asked for in the text, action by action, and
// no package comes twice.
func FuzzParseScopes(f *testing.F) {
	for _, s := range []string{
		"repository:a/b:pull", "repository:a/b:pull,push repository:a/b:delete", "repository(plugin):a/b:*",
		"registry:catalog:*", "repository:localhost:5000/a/b:pull", ":::", "repository:a/b:pull,,pull", "(x):a/b:pull",
		"repository(:a/b:pull", "repository:a/b:*,pull", "repository:a/b:", "repository:a/b:x",
	} {
		f.Add(s, "")
		f.Add("repository:a/b:push", s)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		wanted, catalog, err := tokenapi.ParseScopes([]string{one, two})
		if catalog && !strings.Contains(one+" "+two, "registry:catalog:*") {
			t.Errorf("%q and %q ask for the catalog", one, two)
		}
		if err != nil {
			if !errs.Is(err, errs.Invalid) || wanted != nil || catalog {
				t.Errorf("%v, %v", wanted, err)
			}
			return
		}
		text := one + " " + two
		seen := map[oci.Name]bool{}
		for _, w := range wanted {
			if seen[w.Name] || w.Name.Package() == "" || len(w.Actions) == 0 || len(w.Actions) > 3 ||
				!strings.Contains(strings.ToLower(text), ":"+w.Name.String()+":") {
				t.Errorf("%q and %q: %v", one, two, wanted)
			}
			seen[w.Name] = true
			for i, a := range w.Actions {
				name := map[access.Action]string{access.Read: "pull", access.Write: "push", access.Delete: "delete"}[a]
				if name == "" || slices.Contains(w.Actions[:i], a) || !strings.Contains(text, name) && !strings.Contains(text, "*") {
					t.Errorf("%q and %q: %v", one, two, wanted)
				}
			}
		}
		if len(wanted) > 10 {
			t.Errorf("%d packages", len(wanted))
		}
	})
}
