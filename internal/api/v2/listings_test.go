package v2_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/oci"
)

func TestTagsByAgeAndByPattern(t *testing.T) {
	s := newServer(t)
	m := s.manifest("alice/app")
	at := "/v2/alice/app/manifests/" + oci.SHA256.FromBytes(m).String()
	s.want(s.send("PUT", at+"?tag=v1.0&tag=latest&tag=v1.1", m), 201)
	s.want(s.send("PUT", "/v2/alice/app/manifests/edge", m), 201)
	for path, want := range map[string]string{
		"?order=name":                        `"edge","latest","v1.0","v1.1"`,
		"?order=newest":                      `"edge","v1.1","latest","v1.0"`,
		"?match=v1.*":                        `"v1.0","v1.1"`,
		"?match=v1.*&order=newest":           `"v1.1","v1.0"`,
		"?match=v1":                          ``,
		"?match=%5Ble%5D*&n=9":               `"edge","latest"`,
		"?match=v1.*&n=0":                    ``,
		"?match=v1.*&n=1&last=v1.0":          `"v1.1"`,
		"?match=&order=newest&n=1000&last=1": ``,
	} {
		if a := s.want(s.get("/v2/alice/app/tags/list"+path), 200); a.body != `{"name":"alice/app","tags":[`+want+`]}` {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	for _, path := range []string{"?order=size", "?match=%5B", "?order=newest&last=x"} {
		s.want(s.get("/v2/alice/app/tags/list"+path), 400)
	}
	s.want(s.do(request{login: "bob", method: "GET", path: "/v2/alice/app/tags/list?order=newest"}), 404)
}

// Pages of a search go on by the Link header, over many tags that do not fit.
func TestPagesOfASearchForTags(t *testing.T) {
	s := newServer(t)
	m := s.manifest("alice/app")
	at := "/v2/alice/app/manifests/" + oci.SHA256.FromBytes(m).String()
	for from := 0; from < 2400; from += 60 {
		var tags []string
		for i := from; i < from+60; i++ {
			tags = append(tags, fmt.Sprintf("tag=t%04d", i))
		}
		s.want(s.send("PUT", at+"?"+strings.Join(tags, "&"), m), 201)
	}
	for _, order := range []string{"name", "newest"} {
		var found []string
		next := "/v2/alice/app/tags/list?n=2&match=t*50&order=" + order
		for pages := 0; next != "" && pages < 30; pages++ {
			a := s.want(s.get(next), 200)
			_, list, _ := strings.Cut(a.body, "[")
			for _, name := range strings.Split(strings.Trim(list, "]}\n"), ",") {
				if name != "" {
					found = append(found, name)
				}
			}
			next, _, _ = strings.Cut(strings.TrimPrefix(a.Header.Get("Link"), "<"), ">")
		}
		if len(found) != 24 || (found[0] < found[23]) != (order == "name") {
			t.Errorf("%s: %d tags: %v", order, len(found), found)
		}
	}
}
