package rest_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

//go:embed testdata/github-packages.openapi.json
var githubs []byte

// operation is one of GitHub's operations.
type operation struct {
	name    string // METHOD PATH
	pattern *regexp.Regexp
	route   *routers.Route
}

// description is GitHub's description of the API.
type description struct {
	operations []operation
	failure    *openapi3.Schema
}

func readDescription(t *testing.T) *description {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(githubs)
	if err != nil {
		t.Fatal(err)
	}
	internalIsAVisibility(doc)
	d := &description{failure: doc.Components.Schemas["basic-error"].Value}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			d.operations = append(d.operations, operation{
				name: method + " " + path, pattern: patternOf(path),
				route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
			})
		}
	}
	if len(d.operations) != 27 {
		t.Fatalf("%d operations", len(d.operations))
	}
	return d
}

// internalIsAVisibility adds what the description lacks: its filter of lists
// knows internal packages, and its object of a package does not.
func internalIsAVisibility(doc *openapi3.T) {
	v := doc.Components.Schemas["package"].Value.Properties["visibility"].Value
	v.Enum = append(slices.Clone(v.Enum), "internal")
}

// patternOf matches escaped paths, in which a package's name may have slashes as
// they are.
func patternOf(path string) *regexp.Regexp {
	text := regexp.QuoteMeta(path)
	text = strings.ReplaceAll(text, `\{package_name\}`, `.+?`)
	text = regexp.MustCompile(`\\\{[a-z_]+\\\}`).ReplaceAllString(text, `[^/]+`)
	return regexp.MustCompile(`^` + text + `$`)
}

// find returns the operation that a request of the API is; false for none of GitHub's.
func (d *description) find(method, escapedPath string) (operation, bool) {
	var found operation
	for _, op := range d.operations {
		if op.route.Method == method && op.pattern.MatchString(escapedPath) && len(op.name) > len(found.name) {
			found = op
		}
	}
	return found, found.route != nil
}

// check holds an answer against the description. Codes that an operation does not
// document have GitHub's form of an error.
func (d *description) check(op operation, req *http.Request, status int, header http.Header, body []byte) error {
	if header.Get("X-GitHub-Request-Id") == "" || header.Get("X-GitHub-Media-Type") == "" {
		return errors.New("GitHub's headers are missing")
	}
	if status == http.StatusNotModified {
		return nil
	}
	if op.route.Operation.Responses.Status(status) == nil {
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			return err
		}
		return errors.Join(d.failure.VisitJSON(v), d.checkFailure(status, body))
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: op.route},
		Status:                 status, Header: header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	err := openapi3filter.ValidateResponse(req.Context(), in.SetBodyBytes(body))
	if status >= http.StatusBadRequest {
		return errors.Join(err, d.checkFailure(status, body))
	}
	return errors.Join(err, checkAddresses(body))
}

// checkFailure holds an error against what every error has.
func (d *description) checkFailure(status int, body []byte) error {
	var f struct {
		Message, Status  string
		DocumentationURL string            `json:"documentation_url"`
		Errors           []json.RawMessage // else the clients lose the message
	}
	if err := json.Unmarshal(body, &f); err != nil {
		return err
	}
	if f.Message == "" || f.DocumentationURL == "" || f.Status != fmt.Sprint(status) {
		return fmt.Errorf("an error without its parts: %s", body)
	}
	return nil
}

// checkAddresses holds what is a URI by the description to being one, which the
// library does not.
func checkAddresses(body []byte) error {
	var v any
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	return eachAddress(v)
}

func eachAddress(v any) error {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if err := eachAddress(one); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, one := range v {
			if text, ok := one.(string); ok && (name == "url" || strings.HasSuffix(name, "_url")) {
				text, _, _ = strings.Cut(text, "{") // a template of RFC 6570
				if u, err := url.Parse(text); err != nil || u.Host == "" {
					return fmt.Errorf("%s is no address: %q", name, one)
				}
			}
			if err := eachAddress(one); err != nil {
				return err
			}
		}
	}
	return nil
}

// checker is a transport that holds every answer of GitHub's operations against
// the description, and keeps count of them. Safe for concurrent use.
type checker struct {
	t    *testing.T
	d    *description
	next http.RoundTripper

	mu   sync.Mutex
	seen map[string]bool // METHOD PATH STATUS
}

func newChecker(t *testing.T, d *description, next http.RoundTripper) *checker {
	return &checker{t: t, d: d, next: next, seen: map[string]bool{}}
}

// RoundTrip implements http.RoundTripper.
func (c *checker) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(req.URL.EscapedPath(), "/api/v3")
	op, ok := c.d.find(req.Method, path)
	if !ok {
		return res, nil
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err := c.d.check(op, req, res.StatusCode, res.Header, body); err != nil {
		c.t.Errorf("%s %s: %d %v\n%s", req.Method, req.URL, res.StatusCode, err, body)
	}
	c.mu.Lock()
	c.seen[fmt.Sprint(op.name, " ", res.StatusCode)] = true
	c.mu.Unlock()
	return res, nil
}

// complete fails the test when an operation never succeeded.
func (c *checker) complete() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, op := range c.d.operations {
		if !c.seen[op.name+" 200"] && !c.seen[op.name+" 204"] {
			c.t.Errorf("%s was not driven", op.name)
		}
	}
}
