package rest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// ownDescription is what the server says of its API in openapi.json.
type ownDescription struct {
	operations []ownOperation
}

type ownOperation struct {
	operation
	rank []int // segments, then those that are not parameters
}

// readOwn asks the server for its description.
func (w *world) readOwn(t *testing.T) {
	t.Helper()
	w.own = &ownDescription{}
	res, err := (&http.Client{Transport: w.transport()}).Get(w.URL + "/api/v3/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", res.StatusCode, err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		segments := strings.Split(path, "/")
		literals := slices.DeleteFunc(slices.Clone(segments), func(s string) bool { return strings.HasPrefix(s, "{") })
		for method, op := range item.Operations() {
			w.own.operations = append(w.own.operations, ownOperation{operation{
				name: method + " " + path, pattern: patternOf(path),
				route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
			}, []int{len(segments), len(literals)}})
		}
	}
}

// find returns the operation that a request is; false for none.
func (d *ownDescription) find(method, escapedPath string) (operation, bool) {
	var found ownOperation
	for _, op := range d.operations {
		if op.route.Method == method && op.pattern.MatchString(escapedPath) && slices.Compare(op.rank, found.rank) > 0 {
			found = op
		}
	}
	return found.operation, found.route != nil
}

// check holds an answer against the description.
func (d *ownDescription) check(op operation, req *http.Request, res *http.Response, body []byte) error {
	if res.StatusCode < http.StatusBadRequest && op.route.Operation.Responses.Status(res.StatusCode) == nil {
		return errors.New("the status is not described")
	}
	if media := res.Header.Get("Content-Type"); res.StatusCode == http.StatusOK && !strings.HasPrefix(media, "application/json") {
		media, _, _ = strings.Cut(media, ";")
		if op.route.Operation.Responses.Status(res.StatusCode).Value.Content[media] == nil {
			return fmt.Errorf("the media type %s is not described", media)
		}
		return nil
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: op.route},
		Status:                 res.StatusCode, Header: res.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	return errors.Join(openapi3filter.ValidateResponse(req.Context(), in.SetBodyBytes(body)), d.known(op, req))
}

// known finds what the description lacks of the request: parameters that tests
// send on purpose are described.
func (d *ownDescription) known(op operation, req *http.Request) error {
	var lacking []error
	for name := range req.URL.Query() {
		if op.route.Operation.Parameters.GetByInAndName("query", name) == nil && !unused.MatchString(name) {
			lacking = append(lacking, fmt.Errorf("the parameter %s is not described", name))
		}
	}
	return errors.Join(lacking...)
}

// unused are parameters that GitHub's clients send and this server does not read.
var unused = regexp.MustCompile(`^(page|per_page|direction|type|visibility|sort|filter|include|affiliation|role)$`)

// asDescribed is a transport on which an answer of the API that is not as the
// server describes it is an error. Safe for concurrent use.
type asDescribed struct {
	own  *ownDescription
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (a asDescribed) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := a.next.RoundTrip(req)
	path, isAPI := strings.CutPrefix(req.URL.EscapedPath(), "/api/v3")
	if err != nil || !isAPI {
		return res, err
	}
	op, ok := a.own.find(req.Method, path)
	if !ok {
		return res, nil
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err := a.own.check(op, req, res, body); err != nil {
		return nil, fmt.Errorf("%s (%s): %d is not as openapi.json has it: %w\n%s", req.URL, op.name, res.StatusCode, err, body)
	}
	return res, nil
}
