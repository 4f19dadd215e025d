package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	v2 "packhouse/internal/api/v2"
)

// family is the packages of one namespace in one registry, by what they are:
// each column of the expectations is one of them.
type family struct {
	name, host string
	packages   map[string]string // public, private, internal, absent → name
}

var families = []family{
	{"organization", containersHost, map[string]string{
		"public": "acme/public", "private": "acme/private", "internal": "acme/internal", "absent": "acme/missing",
	}},
	{"user", containersHost, map[string]string{"public": "olga/public", "private": "olga/private", "absent": "olga/missing"}},
	{"docker", dockerHost, map[string]string{
		"public": "acme/src-public/img", "private": "acme/src-private/img", "internal": "acme/src-internal/img", "absent": "acme/src-private/non",
	}},
}

// columns are what expectations are about, in their order.
var columns = []string{"public", "private", "internal", "absent"}

// expectation is what a caller may do with each package of a family, in letters:
// r pull, w push, d delete. For the absent one it is what the caller may do once
// it has made it, and "" when it may not make it.
type expectation [4]string

// expectations of each caller in each family. A caller that is left out is
// nobody in particular there: a stranger, or a stranger's job.
var expectations = map[string]map[string]expectation{
	"organization": {
		"nobody":          {"r", "", "", ""},
		"admin":           {"rwd", "rwd", "rwd", "rwd"},
		"orgowner":        {"rwd", "rwd", "rwd", "rwd"},
		"member":          {"r", "", "r", "rwd"},
		"teammate":        {"rw", "rw", "rw", "rwd"},
		"outside":         {"rw", "", "r", ""},
		"job, linked":     {"rwd", "rwd", "rwd", "rwd"},
		"job, not linked": {"r", "", "r", "rwd"},
		"limited":         {"r", "rw", "", ""},
		"another's job":   {"r", "", "r", ""},
		"codespace":       {"r", "", "r", ""},
	},
	"user": {
		"admin":         {"rwd", "rwd", "", "rwd"},
		"olga":          {"rwd", "rwd", "", "rwd"},
		"nobody":        {"r", "", "", ""},
		"another's job": {"r", "", "", "rwd"}, // of olga/code, which may make packages of olga's
	},
	"docker": {
		"nobody":          {"r", "", "", ""},
		"admin":           {"rwd", "rwd", "rwd", "rwd"},
		"orgowner":        {"rwd", "rwd", "rwd", "rwd"},
		"member":          {"r", "r", "r", ""}, // by the organization's base role
		"teammate":        {"rw", "rw", "rw", "rw"},
		"outside":         {"rw", "rw", "rw", "rw"},
		"job, linked":     {"rwd", "rwd", "rwd", "rwd"},
		"job, not linked": {"r", "", "r", ""},
		"another's job":   {"r", "", "r", ""},
		"limited":         {"r", "", "", ""},
		"codespace":       {"r", "", "r", ""},
	},
}

// anyAccount is what is open to everyone who signed in.
var anyAccount = expectation{"r", "", "r", ""}

// callers are the kinds of principal. Those whose token is not their login's
// have the name of it for each package.
var callers = []string{
	"nobody", "stranger", "admin", "olga", "orgowner", "member", "teammate", "outside", "suspended",
	"job, linked", "job, not linked", "another's job", "limited", "codespace",
}

// toldOf are the callers whom an answer may tell that a package is there that
// they may not read: jobs, in their owner's namespace, where a push would tell.
func toldOf(caller, family string) bool {
	switch caller {
	case "job, linked", "job, not linked":
		return family != "user"
	case "another's job":
		return family == "user"
	}
	return false
}

func expected(caller string, f family, column string) string {
	e, ok := expectations[f.name][caller]
	if !ok {
		e = anyAccount
	}
	return e[slices.Index(columns, column)]
}

// credentials returns what a caller signs in with at a package, by its form.
func (w *matrixWorld) credentials(caller string, f family, column string) map[string]http.Header {
	w.t.Helper()
	secret, login := w.secrets[caller], caller
	switch caller {
	case "nobody":
		return map[string]http.Header{"none": nil, "empty Basic": basicHeader("", ""), "Bearer": w.exchange(f, column, nil)}
	case "job, linked":
		secret, login = w.secrets["job of acme/code"], "x"
		if f.name == "docker" {
			repository := f.packages[column][:strings.LastIndex(f.packages[column], "/")]
			secret = w.secrets["job of "+repository]
		}
	case "job, not linked":
		secret, login = w.secrets["job of acme/other"], "job"
	case "another's job":
		secret, login = w.secrets["job of olga/code"], "job"
	case "limited":
		login = "orgowner"
	case "codespace":
		login = "x-access-token"
	}
	forms := map[string]http.Header{"token as Basic": basicHeader(login, secret), "token as Bearer": bearerHeader(secret)}
	if caller == "suspended" {
		return forms // the password is slowed down after some tries
	}
	forms["Bearer"] = w.exchange(f, column, forms["token as Basic"])
	if _, ok := w.secrets[login]; ok && caller == login {
		forms["password"] = basicHeader(login, matrixPassword)
	}
	return forms
}

func (w *matrixWorld) exchange(f family, column string, as http.Header) http.Header {
	w.t.Helper()
	return w.bearer(w.t, f.host, "repository:"+f.packages[column]+":pull,push,delete", as)
}

// trial is a request of a route that changes nothing, also where it is allowed,
// and the answer that shows that it was.
type trial struct {
	path, body string
	status     int
	code       string // of the error; "" for none
}

const otherDigest = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

// trials has one for each route; {name} is filled in.
var trials = map[string]trial{
	"GET /v2/":                                {"/v2/", "", 200, ""},
	"HEAD /v2/":                               {"/v2/", "", 200, ""},
	"GET /v2/_catalog":                        {"/v2/_catalog", "", 200, ""},
	"GET /v2/{name}/tags/list":                {"/v2/{name}/tags/list", "", 200, ""},
	"GET /v2/{name}/manifests/{reference}":    {"/v2/{name}/manifests/1", "", 200, ""},
	"HEAD /v2/{name}/manifests/{reference}":   {"/v2/{name}/manifests/1", "", 200, ""},
	"PUT /v2/{name}/manifests/{reference}":    {"/v2/{name}/manifests/1", "{}", 400, "MANIFEST_INVALID"},
	"DELETE /v2/{name}/manifests/{reference}": {"/v2/{name}/manifests/none", "", 404, "MANIFEST_UNKNOWN"},
	"GET /v2/{name}/blobs/{digest}":           {"/v2/{name}/blobs/" + emptyConfig, "", 200, ""},
	"HEAD /v2/{name}/blobs/{digest}":          {"/v2/{name}/blobs/" + emptyConfig, "", 200, ""},
	"DELETE /v2/{name}/blobs/{digest}":        {"/v2/{name}/blobs/" + otherDigest, "", 404, "BLOB_UNKNOWN"},
	"POST /v2/{name}/blobs/uploads/":          {"/v2/{name}/blobs/uploads/?digest=" + otherDigest, "x", 400, "DIGEST_INVALID"},
	"GET /v2/{name}/blobs/uploads/{id}":       {"/v2/{name}/blobs/uploads/none", "", 404, "BLOB_UPLOAD_UNKNOWN"},
	"PATCH /v2/{name}/blobs/uploads/{id}":     {"/v2/{name}/blobs/uploads/none", "x", 404, "BLOB_UPLOAD_UNKNOWN"},
	"PUT /v2/{name}/blobs/uploads/{id}":       {"/v2/{name}/blobs/uploads/none?digest=" + emptyConfig, "", 404, "BLOB_UPLOAD_UNKNOWN"},
	"DELETE /v2/{name}/blobs/uploads/{id}":    {"/v2/{name}/blobs/uploads/none", "", 404, "BLOB_UPLOAD_UNKNOWN"},
	"GET /v2/{name}/referrers/{digest}":       {"/v2/{name}/referrers/" + emptyConfig, "", 200, ""},
}

// outcomes of a request that is not allowed.
var (
	challenged = trial{status: 401, code: "UNAUTHORIZED"}
	denied     = trial{status: 401, code: "DENIED"}
	unknown    = trial{status: 404, code: "NAME_UNKNOWN"}
)

// letterOf is the right that a route needs.
func letterOf(r v2.Route) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if strings.HasSuffix(r.Pattern, "/uploads/{id}") {
			return "w"
		}
		return "r"
	case http.MethodDelete:
		if !strings.HasSuffix(r.Pattern, "/uploads/{id}") {
			return "d"
		}
	}
	return "w"
}

// answer is what a route should answer to a caller, by the tables above alone.
func answer(r v2.Route, caller, form string, f family, column string) trial {
	rights, anonymous := expected(caller, f, column), caller == "nobody"
	letter := letterOf(r)
	has := strings.Contains(rights, letter) && (column != "absent" || letter == "w")
	switch {
	case caller == "suspended":
		return challenged
	case r.SignedIn && anonymous && form != "Bearer":
		return challenged
	case r.SignedIn, has:
		return trials[r.Method+" "+r.Pattern]
	case anonymous:
		return challenged
	case letter == "w", letter == "d" && (caller == "codespace" || caller == "limited"): // whatever there is, the token cannot
		return denied
	case r.Pattern == "/v2/{name}/referrers/{digest}" && (column == "absent" || !toldOf(caller, f.name)):
		return trials[r.Method+" "+r.Pattern] // a list without anything in it
	case column == "absent", !strings.Contains(rights, "r") && !toldOf(caller, f.name):
		return unknown
	}
	return denied
}

// got reads the outcome from an answer.
func got(res *http.Response, text string) trial {
	var body struct{ Errors []struct{ Code string } }
	if json.Unmarshal([]byte(text), &body) != nil || len(body.Errors) == 0 {
		return trial{status: res.StatusCode}
	}
	return trial{status: res.StatusCode, code: body.Errors[0].Code}
}

func (w *matrixWorld) try(r v2.Route, f family, name string, as http.Header) (*http.Response, string) {
	w.t.Helper()
	tr := trials[r.Method+" "+r.Pattern]
	header := as.Clone()
	if header == nil {
		header = http.Header{}
	}
	if r.Method == http.MethodPut {
		header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	}
	return w.ask(w.t, r.Method, f.host, strings.ReplaceAll(tr.path, "{name}", name), header, strings.NewReader(tr.body))
}

func TestEachRouteHasAnExpectation(t *testing.T) {
	t.Parallel()
	left := map[string]bool{}
	for key := range trials {
		left[key] = true
	}
	for _, r := range v2.Routes() {
		key := r.Method + " " + r.Pattern
		if !left[key] {
			t.Errorf("route %s has no expectation", key)
		}
		delete(left, key)
	}
	for key := range left {
		t.Errorf("there is no route %s any more", key)
	}
}

// Every route, by every kind of caller with every form of credential, at a
// package of every visibility and at none.
func TestAccessMatrix(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	count := 0
	for _, f := range families {
		for _, column := range columns {
			if f.packages[column] == "" {
				continue
			}
			for _, caller := range callers {
				for form, as := range w.credentials(caller, f, column) {
					for _, r := range v2.Routes() {
						count++
						want := answer(r, caller, form, f, column)
						res, text := w.try(r, f, f.packages[column], as)
						have := got(res, text)
						if have.status != want.status || r.Method != http.MethodHead && have.code != want.code {
							t.Errorf("%s by %s with %s at %s: %d %s, want %d %s\n%s", r.Method+" "+r.Pattern, caller, form, f.packages[column],
								have.status, have.code, want.status, want.code, text)
						}
						if (have.status == http.StatusUnauthorized) != (res.Header.Get("WWW-Authenticate") != "") {
							t.Errorf("%s by %s: %d with the challenge %q", r.Method+" "+r.Pattern, caller, have.status, res.Header.Get("WWW-Authenticate"))
						}
					}
				}
			}
		}
	}
	t.Logf("%d requests", count)
}

// A credential that does not hold is refused on every route, also where nobody
// needs one.
func TestBadCredentialsAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	asks := 0
	for label, as := range w.badCredentials() {
		for _, f := range families {
			for _, column := range []string{"public", "private", "absent"} {
				for _, r := range v2.Routes() {
					asks++ // from another address each, or the limit on failed sign-ins would answer
					as.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", asks/250, asks%250))
					res, text := w.try(r, f, f.packages[column], as)
					if res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer realm=") {
						t.Errorf("%s with %s at %s: %d %s", r.Method+" "+r.Pattern, label, f.packages[column], res.StatusCode, text)
					}
				}
				res, text := w.ask(t, "GET", f.host, "/token?scope=repository:"+f.packages[column]+":pull", as, nil)
				if res.StatusCode != http.StatusUnauthorized || strings.Contains(text, `"token"`) {
					t.Errorf("/token with %s: %d %s", label, res.StatusCode, text)
				}
			}
		}
	}
}

// A bearer token is worth what was asked for and is allowed, no more.
func TestTokenMatrix(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	actions := map[string]string{"r": "pull", "w": "push", "d": "delete"}
	asks := []string{"r", "w", "rw", "d", "rwd"}
	for _, f := range families {
		for _, column := range columns {
			for _, caller := range callers {
				if f.packages[column] == "" || caller == "suspended" {
					continue
				}
				for form, as := range w.credentials(caller, f, column) {
					if form == "Bearer" || form == "token as Bearer" {
						continue
					}
					for _, asked := range asks {
						var wanted, may []string
						for _, letter := range strings.Split(asked, "") {
							wanted = append(wanted, actions[letter])
							if strings.Contains(expected(caller, f, column), letter) {
								may = append(may, actions[letter])
							}
						}
						scope := "repository:" + f.packages[column] + ":"
						want := ""
						if len(may) > 0 {
							want = scope + strings.Join(may, ",")
						}
						res, text := w.ask(t, "GET", f.host, "/token?scope="+scope+strings.Join(wanted, ","), as, nil)
						var body struct{ Scope string }
						if err := json.Unmarshal([]byte(text), &body); err != nil || res.StatusCode != 200 || body.Scope != want {
							t.Errorf("%s with %s asks for %s at %s: %d %q, want %q", caller, form, asked, f.packages[column], res.StatusCode, body.Scope, want)
						}
					}
				}
			}
		}
	}
}

// fingerprint is all of an answer that does not differ by itself.
func fingerprint(res *http.Response, text, name string) string {
	h := res.Header.Clone()
	for _, own := range []string{"Date", "X-Request-Id"} {
		h.Del(own)
	}
	all := fmt.Sprint(res.Status, " ", h, " ", text)
	owner, _, _ := strings.Cut(name, "/")
	return strings.NewReplacer(name, "NAME", owner+".", "OWNER.", " "+owner+"\"", " OWNER\"", " "+owner+";", " OWNER;").Replace(all)
}

// SEC-059: strangers get the same answer, byte for byte, from what is private and
// from what is not there: another name, another repository, another owner.
func TestSEC059_PrivateAndAbsentLookTheSame(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	same := map[string][]string{
		"organization": {"acme/private", "acme/missing", "none/private"},
		"user":         {"olga/private", "olga/missing", "none/private"},
		"docker":       {"acme/src-private/img", "acme/src-private/non", "acme/src-nowhere/img", "none/src-private/img"},
	}
	for _, f := range families {
		for _, caller := range []string{"nobody", "stranger", "olga", "another's job", "outside", "limited"} {
			if expected(caller, f, "private") != "" || expected(caller, f, "absent") != "" {
				continue // no stranger here
			}
			seen := map[string]string{}
			for _, name := range same[f.name] {
				if caller == "limited" && strings.HasPrefix(name, "none/") {
					continue // its owner is told of others in its own organization
				}
				at := family{f.name, f.host, map[string]string{"private": name}}
				for form, as := range w.credentials(caller, at, "private") {
					for _, r := range v2.Routes() {
						key := caller + " " + form + " " + r.Method + " " + r.Pattern
						res, text := w.try(r, f, name, as)
						if have := fingerprint(res, text, name); seen[key] == "" {
							seen[key] = have
						} else if seen[key] != have {
							t.Errorf("%s: %s answers\n%s\nand %s\n%s", key, same[f.name][0], seen[key], name, have)
						}
					}
				}
			}
		}
	}
}
