package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/api/rest"
	"packhouse/internal/token"
)

// restOthers are expectations for routes that are not GitHub's operations on
// packages: METHOD PATTERN → caller → code, at what restParameters name. Callers
// that are left out are tried by the route's policy alone.
var restOthers = map[string]map[string]int{
	"GET /search/packages": {"nobody": 200, "stranger": 200},
	"GET /rate_limit":      {"nobody": 200},
}

// restParameters fill in the patterns of other routes: all is private, and not
// the stranger's.
var restParameters = map[string]string{
	"org": "acme", "username": "olga", "owner": "acme", "repo": "code", "team_slug": "writers",
	"package_type": "container", "package_name...": "private",
}

func otherPath(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			segments[i] = "1"
			if value := restParameters[strings.TrimSuffix(name, "}")]; value != "" {
				segments[i] = value
			}
		}
	}
	return "/api/v3" + strings.Join(segments, "/")
}

// without is a scope that does not let a token through to what needs those.
func without(needed access.Scopes) access.Scopes {
	for _, one := range []access.Scopes{access.ReadPackages, access.ReadUser, access.AdminRepoHook} {
		if !one.Has(needed) && (needed&one == 0) {
			return one
		}
	}
	return 0
}

// Every route by its policy: what needs a scope refuses who has no credential,
// and every credential without that; no route takes a credential that does not
// hold; none fails.
func TestRESTRoutesKeepTheirPolicies(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	secrets := map[string]http.Header{
		"nobody": nil, "a bearer token": w.bearer(t, containersHost, "repository:acme/public:pull", basicHeader("stranger", w.secrets["stranger"])),
	}
	known := map[string]bool{}
	for i, r := range w.restRoutes() {
		path, key := otherPath(r.Pattern), r.Method+" "+r.Pattern
		bad := bearerHeader("nonsense") // from another address each, or the limit on failed sign-ins would answer
		bad.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", i/250, i%250))
		w.expectREST(r, path, "a bad credential", bad, 401)
		for caller, as := range secrets {
			if r.Scopes != 0 {
				w.expectREST(r, path, caller, as, 401, 403, 404)
			} else if r.Method == http.MethodGet {
				w.expectREST(r, path, caller, as, 200, 204, 302, 400, 401, 403, 404, 422)
			}
		}
		if few := without(r.Scopes); r.Scopes != 0 && few != 0 {
			name := "a token with " + few.String()
			if w.secrets[name] == "" {
				w.secrets[name] = w.personal("stranger", token.NewToken{Scopes: few})
			}
			w.expectREST(r, path, name, bearerHeader(w.secrets[name]), 403, 404)
		}
		for caller, want := range restOthers[key] {
			w.expectREST(r, path, caller, w.restCredential(caller), want)
		}
		known[key] = true
	}
	for key := range restOthers {
		if !known[key] {
			t.Errorf("there is no route %s any more", key)
		}
	}
}

// restCredential is the token of a caller; nothing for nobody.
func (w *matrixWorld) restCredential(caller string) http.Header {
	if caller == "nobody" {
		return nil
	}
	return bearerHeader(w.secrets[caller])
}

func (w *matrixWorld) expectREST(r rest.Route, path, caller string, as http.Header, want ...int) {
	w.t.Helper()
	res, text := w.ask(w.t, r.Method, "", path, as, nil)
	if !slices.Contains(want, res.StatusCode) {
		w.t.Errorf("%s %s by %s: %d, want one of %d\n%s", r.Method, path, caller, res.StatusCode, want, text)
	}
}
