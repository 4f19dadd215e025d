package app

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/api/rest"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// restTrial is how a route about packages is tried.
type restTrial struct {
	right string // r or d, as in expectation; a is that to restore, "" is for lists
	// allowed is the answer to one who has the right, by which nothing changes,
	// or what changes is put back.
	allowed int
}

// restTrials has one for each of GitHub's operations on packages, below any of
// the three places. The version of a package that is tried is its only one.
var restTrials = map[string]restTrial{
	"GET /packages":         {"", 200},
	"GET /docker/conflicts": {"", 200},
	"GET /packages/{package_type}/{package_name...}":                                        {"r", 200},
	"GET /packages/{package_type}/{package_name...}/versions":                               {"r", 200},
	"GET /packages/{package_type}/{package_name...}/versions/{package_version_id}":          {"r", 200},
	"DELETE /packages/{package_type}/{package_name...}":                                     {"d", 204},
	"DELETE /packages/{package_type}/{package_name...}/versions/{package_version_id}":       {"d", 400},
	"POST /packages/{package_type}/{package_name...}/restore":                               {"a", 404}, // it was not deleted
	"POST /packages/{package_type}/{package_name...}/versions/{package_version_id}/restore": {"d", 409}, // likewise
}

// restPlaces are those below which packages are, and who may be asked for there.
var restPlaces = map[string][]string{
	"/orgs/{org}":       {"organization", "docker"},
	"/users/{username}": {"organization", "user"},
	"/user":             {"user"},
}

// placeOf takes a pattern apart; false for one that is not about packages.
func placeOf(pattern string) (place, below string, ok bool) {
	for place := range restPlaces {
		below, ok := strings.CutPrefix(pattern, place)
		if ok && (strings.HasPrefix(below, "/packages") || strings.HasPrefix(below, "/docker/")) {
			return place, below, true
		}
	}
	return "", "", false
}

// trialOf is how a route is tried. A route that has no line in restTrials is
// tried by those alone whom it has to refuse: readers may read and no more.
func trialOf(r rest.Route) restTrial {
	_, below, _ := placeOf(r.Pattern)
	tr, ok := restTrials[r.Method+" "+below]
	switch {
	case ok:
		return tr
	case r.Method == http.MethodGet:
		return restTrial{right: "r"}
	}
	return restTrial{right: "w"}
}

func (w *matrixWorld) restRoutes() []rest.Route {
	h, ok := w.app.Handlers.API.(*rest.Handler)
	if !ok {
		w.t.Fatal("no REST API")
	}
	return h.Routes()
}

// packageOf is what a family has in a column, and the id of its only version.
func (w *matrixWorld) packageOf(f family, column string) (p access.Package, version int64) {
	w.t.Helper()
	p = access.Package{Type: access.Container}
	if f.host == dockerHost {
		p.Type = access.Docker
	}
	var err error
	p.Name, err = oci.ParseName(f.packages[column])
	w.check(err)
	page, err := w.app.Packages.Versions(w.t.Context(), operator(), p, packages.VersionQuery{})
	if errs.Is(err, errs.NotFound) {
		return p, 1
	}
	w.check(err)
	return p, page.Versions[0].ID
}

// restPath fills in a pattern.
func restPath(pattern string, p access.Package, version int64) string {
	path := otherPath(strings.NewReplacer("{org}", p.Name.Owner(), "{username}", p.Name.Owner(), "{package_type}", string(p.Type),
		"{package_name...}", url.PathEscape(p.Name.Package()), "{package_version_id}", fmt.Sprint(version)).Replace(pattern))
	if strings.HasSuffix(pattern, "/packages") {
		path += "?per_page=100&package_type=" + string(p.Type)
	}
	return path
}

// restAnswer is the code that a caller should get, by the tables alone; 0 where
// they do not tell.
func restAnswer(r rest.Route, caller, form string, f family, column string) int {
	place, _, _ := placeOf(r.Pattern)
	tr := trialOf(r)
	if r.Scopes == 0 { // what everybody may ask for, such as badges, tells strangers nothing: see SEC-059
		return 0
	}
	rights, job := expected(caller, f, column), strings.Contains(caller, "job") || caller == "codespace"
	switch {
	case caller == "nobody", caller == "suspended":
		return http.StatusUnauthorized
	case form == "Bearer", place == "/user" && job:
		return http.StatusForbidden // a token of the registries; a job has no packages of its own
	case place == "/user" && caller != f.packages[column][:strings.Index(f.packages[column], "/")]:
		rights, column = "", "absent" // in a namespace of the caller's own
	}
	has := column != "absent" && strings.Contains(rights, strings.Replace(tr.right, "a", "d", 1))
	switch {
	case tr.right == "", has:
		return tr.allowed
	case caller == "codespace" && !access.ReadPackages.Has(r.Scopes), caller == "limited" && !access.WritePackages.Has(r.Scopes): // whatever there is
		return http.StatusForbidden
	case tr.right == "a", column == "absent", !strings.Contains(rights, "r") && !toldOf(caller, f.name):
		return http.StatusNotFound
	}
	return http.StatusForbidden
}

// Each of GitHub's operations is a route.
func TestEachRESTExpectationHasARoute(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	left := map[string]bool{}
	for place := range restPlaces {
		for key := range restTrials {
			method, below, _ := strings.Cut(key, " ")
			left[method+" "+place+below] = true
		}
	}
	for _, r := range w.restRoutes() {
		delete(left, r.Method+" "+r.Pattern)
	}
	for key := range left {
		t.Errorf("there is no route %s any more", key)
	}
}

// Every operation on packages, by every kind of caller, at a package of every
// visibility and at none.
func TestRESTAccessMatrix(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	count := 0
	for _, f := range families {
		for _, column := range columns {
			if f.packages[column] == "" {
				continue
			}
			p, version := w.packageOf(f, column)
			for _, caller := range callers {
				forms := w.credentials(caller, f, column)
				delete(forms, "token as Basic") // the same as the next, and slower to ask
				delete(forms, "password")
				for form, as := range forms {
					for _, r := range w.restRoutes() {
						place, _, ok := placeOf(r.Pattern)
						if !ok || !slices.Contains(restPlaces[place], f.name) {
							continue
						}
						count++
						w.tryREST(r, caller, form, f, column, restPath(r.Pattern, p, version), as)
						if r.Method == http.MethodDelete {
							w.putBack(p)
						}
					}
				}
			}
		}
	}
	t.Logf("%d requests", count)
}

func (w *matrixWorld) tryREST(r rest.Route, caller, form string, f family, column, path string, as http.Header) {
	w.t.Helper()
	want := restAnswer(r, caller, form, f, column)
	if want == 0 {
		return
	}
	res, text := w.ask(w.t, r.Method, "", path, as, nil)
	// What has no line of its own may look at what was sent first, at nothing, and
	// say to jobs that they have no packages of their own in either way.
	early := trialOf(r).allowed == 0 && (res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusUnprocessableEntity ||
		res.StatusCode == http.StatusNotFound && strings.HasPrefix(r.Pattern, "/user/"))
	if res.StatusCode != want && !early {
		w.t.Errorf("%s %s by %s with %s at %s: %d, want %d\n%s", r.Method, r.Pattern, caller, form, f.packages[column], res.StatusCode, want, text)
	}
	if res.StatusCode == http.StatusOK && strings.HasSuffix(r.Pattern, "/packages") && !strings.HasPrefix(r.Pattern, "/user/") {
		_, name, _ := strings.Cut(f.packages[column], "/")
		reads := column != "absent" && strings.Contains(expected(caller, f, column), "r")
		if strings.Contains(text, `"name":"`+name+`",`) != reads {
			w.t.Errorf("the list at %s for %s has %s, or has it not: %s", path, caller, name, text)
		}
	}
}

// putBack restores a package if it was deleted.
func (w *matrixWorld) putBack(p access.Package) {
	w.t.Helper()
	if err := w.app.Packages.RestorePackage(w.t.Context(), operator(), p); err != nil && !errs.Is(err, errs.NotFound) {
		w.t.Fatal(err)
	}
}

// SEC-059: to strangers, what is private and what is not there look the same,
// byte for byte.
func TestSEC059_PrivateAndAbsentLookTheSameInREST(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	same := map[string][]string{
		"organization": {"acme/private", "acme/missing", "none/private"},
		"user":         {"olga/private", "olga/missing", "none/private"},
		"docker":       {"acme/src-private/img", "acme/src-private/non", "acme/src-nowhere/img", "none/src-private/img"},
	}
	for _, f := range families {
		_, version := w.packageOf(f, "private")
		for _, caller := range []string{"nobody", "stranger", "olga", "another's job", "outside", "limited"} {
			if expected(caller, f, "private") != "" || expected(caller, f, "absent") != "" {
				continue
			}
			as := w.credentials(caller, f, "private")["token as Bearer"]
			for _, r := range w.restRoutes() {
				if place, _, ok := placeOf(r.Pattern); !ok || place == "/user" || !strings.Contains(r.Pattern, "{package_name...}") {
					continue
				}
				first := ""
				for _, name := range same[f.name] {
					if strings.HasPrefix(name, "none/") && trialOf(r).allowed == 0 {
						continue // that there is no such account is no secret
					}
					n, err := oci.ParseName(name)
					w.check(err)
					kind := access.Container
					if f.host == dockerHost {
						kind = access.Docker
					}
					res, text := w.ask(t, r.Method, "", restPath(r.Pattern, access.Package{Type: kind, Name: n}, version), as, nil)
					res.Header.Del("X-GitHub-Request-Id")
					have := fingerprint(res, text, name)
					if first == "" {
						first = have
					}
					if have != first {
						t.Errorf("%s %s by %s: %s answers\n%s\nand %s\n%s", r.Method, r.Pattern, caller, same[f.name][0], first, name, have)
					}
				}
			}
		}
	}
}
