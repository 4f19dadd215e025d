package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// described is what the file says of a route beside what the route itself tells.
type described struct {
	id, summary string
	// query are names of queryParameters; "paged" is page and per_page.
	query []string
	// body is a value of the struct that the handler reads; nil for none. needed
	// are those of its fields that have to be there.
	body   any
	needed []string
	status int
	// answer is what a success has: the name of a schema, "[]" before it for a
	// list, or a value of a Go type; nil for nothing.
	answer any
	media  string // of the answer, where it is not JSON
	// also is what a second success has, which is 200.
	also any
}

// place is a piece of a pattern under which several routes are described at once.
type place struct{ at, name, suffix string }

// places are tried in this order.
func places() []place {
	const p = "/packages/{package_type}/{package_name...}"
	return []place{
		{"/orgs/{org}" + p, "PACKAGE", "-for-org"},
		{"/users/{username}" + p, "PACKAGE", "-for-user"},
		{"/user" + p, "PACKAGE", "-for-self"},
		{"/orgs/{org}/teams/{team_slug}", "TEAM", "-in-org"},
		{"/organizations/{org_id}/team/{team_id}", "TEAM", "-by-id"},
		{"/repos/{owner}/{repo}/", "REPO/", ""},
	}
}

var owned = regexp.MustCompile(`^(/orgs/\{org\}|/users/\{username\}|/user)(/packages|/docker/conflicts|/immutable_tags|/retention/.*|/storage)$`)

// keyOf is the name of a route in the tables, and what makes its id differ from
// those of the others of that name.
func keyOf(r route) (key, suffix string) {
	key = r.pattern
	for _, p := range places() {
		if below, ok := strings.CutPrefix(key, p.at); ok {
			key, suffix = p.name+below, p.suffix
			break
		}
	}
	if m := owned.FindStringSubmatch(key); m != nil {
		key = "OWNER" + m[2]
		suffix = map[string]string{"/orgs/{org}": "-for-org", "/users/{username}": "-for-user", "/user": "-for-self"}[m[1]]
	}
	for _, again := range []place{
		{"PACKAGE/retention", "RETENTION", "-of-package"}, {"OWNER/retention", "RETENTION", "-of-account"},
		{"PACKAGE/hooks", "HOOKS", "-of-package"}, {"REPO/hooks", "HOOKS", "-of-repository"}, {"/orgs/{org}/hooks", "HOOKS", "-of-organization"},
		{"/user/hooks", "HOOKS", "-of-user"}, {"PACKAGE/trust-rules", "TRUST", "-of-package"}, {"REPO/trust-rules", "TRUST", "-of-repository"},
		{"/orgs/{org}/trust-rules", "TRUST", "-of-organization"}, {"/user/trust-rules", "TRUST", "-of-user"},
	} {
		if below, ok := strings.CutPrefix(key, again.at); ok {
			key, suffix = again.name+below, again.suffix+suffix
			break
		}
	}
	return r.method + " " + key, suffix
}

// descriptions are all tables in one.
func descriptions(t *testing.T) map[string]described {
	t.Helper()
	all := map[string]described{}
	for _, table := range []map[string]described{
		packageDescriptions(), ownDescriptions(), retentionDescriptions(), hookDescriptions(), accountDescriptions(), organizationDescriptions(), repositoryDescriptions(),
		credentialDescriptions(), siteDescriptions(),
	} {
		for key, d := range table {
			if _, twice := all[key]; twice {
				t.Errorf("%s is described twice", key)
			}
			all[key] = d
		}
	}
	return all
}

// The file that is served describes every route and nothing else, as the code
// has them now. After a change: go test ./internal/api/rest -run OpenAPI -update.
func TestOpenAPIFile(t *testing.T) {
	t.Parallel()
	h := newHandler(t, time.Now)
	f := &openapi{schemas: newSchemas(t), paths: map[string]object{}, tags: map[string]bool{}}
	f.objects(newHandler(t, time.Now))
	table := descriptions(t)
	used := map[string]bool{}
	for _, r := range h.routes() {
		key, suffix := keyOf(r)
		d, ok := table[key]
		if !ok {
			t.Errorf("%s (%s) is not described", r.method+" "+r.pattern, key)
			continue
		}
		used[key] = true
		f.add(r, d, suffix)
	}
	for key := range table {
		if !used[key] {
			t.Errorf("there is no route %s", key)
		}
	}
	if t.Failed() {
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(f.document()); err != nil {
		t.Fatal(err)
	}
	checkOpenAPI(t, b.Bytes())
	if *update {
		if err := os.WriteFile("openapi.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(b.Bytes(), description) {
		t.Error("openapi.json is not what the code says: go test ./internal/api/rest -run OpenAPI -update")
	}
}

func checkOpenAPI(t *testing.T, text []byte) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if ids[op.OperationID] {
				t.Errorf("%s %s: the id %s is there twice", method, path, op.OperationID)
			}
			ids[op.OperationID] = true
		}
	}
}

// Everybody is served the file, and who has it is told so.
func TestOpenAPIIsServed(t *testing.T) {
	t.Parallel()
	h := newHandler(t, time.Now)
	h.AnonymousRateLimit = 0
	w := ask(h, "GET", "/openapi.json", "")
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), description) || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	r, _ := http.NewRequest("GET", "/openapi.json", nil)
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	again := httptest.NewRecorder()
	h.ServeHTTP(again, r)
	if again.Code != http.StatusNotModified {
		t.Errorf("who has it gets %d", again.Code)
	}
}

// openapi is the file as it is made.
type openapi struct {
	*schemas
	paths map[string]object
	tags  map[string]bool
}

// add describes one route.
func (f *openapi) add(r route, d described, suffix string) {
	path := strings.ReplaceAll(r.pattern, "...}", "}")
	if f.paths[path] == nil {
		f.paths[path] = object{}
	}
	tag, _, _ := strings.Cut(d.id, "/")
	f.tags[tag] = true
	op := object{"operationId": d.id + suffix, "summary": d.summary, "tags": []string{tag}, "responses": f.responses(r, d)}
	if text := needs(r); text != "" {
		op["description"] = text
	}
	if r.policy.scopes == 0 && r.policy.check == nil {
		op["security"] = []object{{}, {"token": []string{}}, {"login": []string{}}}
	}
	if list := f.parameters(path, d.query); len(list) > 0 {
		op["parameters"] = list
	}
	if d.body != nil {
		op["requestBody"] = object{
			"required": len(d.needed) > 0, "content": object{"application/json": object{"schema": f.body(reflect.TypeOf(d.body), d.needed)}},
		}
	}
	f.paths[path][strings.ToLower(r.method)] = op
}

// needs says which scopes a token needs.
func needs(r route) string {
	if r.policy.scopes == 0 {
		return ""
	}
	names := strings.Split(r.policy.scopes.String(), ",")
	return "Needs a token with " + strings.Join(names, " and ") + "."
}

var inPath = regexp.MustCompile(`\{([a-z_]+)\}`)

func (f *openapi) parameters(path string, query []string) []object {
	var refs []object
	for _, m := range inPath.FindAllStringSubmatch(path, -1) {
		if _, ok := pathParameters()[m[1]]; !ok {
			f.t.Errorf("the parameter %s is not described", m[1])
		}
		refs = append(refs, object{"$ref": "#/components/parameters/" + m[1]})
	}
	for _, name := range query {
		if name == "paged" {
			refs = append(refs, object{"$ref": "#/components/parameters/page"}, object{"$ref": "#/components/parameters/per_page"})
			continue
		}
		if _, ok := queryParameters()[name]; !ok {
			f.t.Errorf("the parameter %s is not described", name)
		}
		refs = append(refs, object{"$ref": "#/components/parameters/" + name})
	}
	return refs
}

func (f *openapi) answer(v any) object {
	name, isName := v.(string)
	if !isName {
		return f.of(reflect.TypeOf(v))
	}
	short, isList := strings.CutPrefix(name, "[]")
	if _, ok := f.named[short]; !ok {
		f.t.Errorf("there is no schema %s", short)
	}
	if isList {
		return list(ref(short))
	}
	return ref(short)
}

// responses are the success and every failure that the route may have.
func (f *openapi) responses(r route, d described) object {
	success := object{"description": http.StatusText(d.status)}
	switch {
	case d.media != "":
		success["content"] = object{d.media: object{"schema": object{"type": "string"}}}
	case d.answer != nil:
		success["content"] = object{"application/json": object{"schema": f.answer(d.answer)}}
	}
	if slices.Contains(d.query, "paged") || slices.Contains(d.query, "cursor") {
		success["headers"] = object{"Link": object{"$ref": "#/components/headers/Link"}}
	}
	all := object{strconv.Itoa(d.status): success, "default": object{"$ref": "#/components/responses/failure"}}
	if d.also != nil {
		all["200"] = object{"description": http.StatusText(http.StatusOK), "content": object{"application/json": object{"schema": f.answer(d.also)}}}
	}
	codes := []int{400, 401, 404, 429}
	if r.policy.scopes != 0 || r.policy.check != nil {
		codes = append(codes, 403)
	}
	if r.method == http.MethodGet {
		codes = append(codes, 304)
	} else {
		codes = append(codes, 409, 413, 422)
	}
	for _, c := range codes {
		all[strconv.Itoa(c)] = object{"$ref": "#/components/responses/" + strconv.Itoa(c)}
	}
	return all
}
