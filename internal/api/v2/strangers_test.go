package v2_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/access"
	v2 "packhouse/internal/api/v2"
	"packhouse/internal/oci"
)

// TestStrangersCannotTellAbsentFromPrivate asks every route for a package that
// is private and for one that is not there, by every credential of one who has
// no right to either: status, headers and body must be the same.
func TestStrangersCannotTellAbsentFromPrivate(t *testing.T) {
	s := newServer(t)
	m := s.manifest("alice/app")
	s.want(s.send("PUT", "/v2/alice/app/manifests/v1", m), 201)
	upload := s.want(s.send("POST", "/v2/alice/app/blobs/uploads/", nil), 202).Header.Get("Docker-Upload-Uuid")
	config := oci.SHA256.FromBytes([]byte("{}")).String()
	fill := func(pattern, name string) []string {
		path := strings.NewReplacer("{name}", name, "{id}", upload).Replace(pattern)
		switch {
		case strings.Contains(path, "{reference}"):
			return []string{strings.Replace(path, "{reference}", "v1", 1),
				strings.Replace(path, "{reference}", oci.SHA256.FromBytes(m).String(), 1)}
		case strings.HasSuffix(pattern, "/uploads/"):
			return []string{path, path + "?digest=" + config, path + "?mount=" + config, path + "?mount=" + config + "&from=alice/app"}
		case strings.HasSuffix(pattern, "/uploads/{id}"):
			return []string{path, path + "?digest=" + config}
		}
		return []string{strings.Replace(path, "{digest}", config, 1)}
	}
	for who, header := range strangers(s) {
		for _, rt := range v2.Routes() {
			if !strings.Contains(rt.Pattern, "{name}") {
				continue
			}
			absent := fill(rt.Pattern, "alice/nap")
			for i, path := range fill(rt.Pattern, "alice/app") {
				private := s.do(request{method: rt.Method, path: path, header: header, body: strings.NewReader("{}")})
				other := s.do(request{method: rt.Method, path: absent[i], header: header, body: strings.NewReader("{}")})
				if a, b := visible(private), visible(other); a != b {
					t.Errorf("%s, %s %s:\nprivate %s\n absent %s", who, rt.Method, path, a, b)
				}
				// To those who are signed in, referrers are always a list.
				if private.StatusCode < 400 && !strings.Contains(private.body, `"manifests":[]`) {
					t.Errorf("%s may %s %s", who, rt.Method, path)
				}
			}
		}
	}
}

// strangers are the credentials of those who have no right to alice's packages.
func strangers(s *server) map[string]http.Header {
	s.t.Helper()
	bearer := func(who access.Principal, grants ...access.Grant) http.Header {
		b, err := s.tokens.Issue(s.t.Context(), who, grants)
		check(s.t, err)
		return http.Header{"Authorization": {"Bearer " + b.Token.Reveal()}}
	}
	basic := &http.Request{Header: http.Header{}}
	basic.SetBasicAuth("bob", s.secret["bob"])
	return map[string]http.Header{
		"nobody":                {},
		"nobody with a token":   bearer(access.Principal{}),
		"bob":                   basic.Header,
		"bob with a token":      bearer(s.who["bob"]),
		"bob with a wrong name": {"Authorization": {"Basic YWxpY2U6cGhwX25vdGhpbmc="}},
	}
}

// visible is all that a client sees of an answer, without what is another one in
// every answer; the two names are made one.
func visible(a answer) string {
	a.Header.Del("Date")
	a.Header.Del("X-Request-Id")
	return strings.ReplaceAll(fmt.Sprint(a.StatusCode, a.Header, a.body), "alice/nap", "alice/app")
}

func TestRoutesAreListed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, rt := range v2.Routes() {
		name := rt.Method + " " + rt.Pattern
		if seen[name] || rt.Action == 0 || rt.SignedIn == strings.Contains(rt.Pattern, "{name}") {
			t.Errorf("%s: %+v", name, rt)
		}
		seen[name] = true
	}
	if !seen["PUT /v2/{name}/manifests/{reference}"] || len(seen) != 17 {
		t.Errorf("routes: %v", seen)
	}
}
