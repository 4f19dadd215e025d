package v2_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/oci"
)

func TestRangeOutsideOfABlobIsAnErrorThatClientsCanRead(t *testing.T) {
	s := newServer(t)
	path := "/v2/alice/app/blobs/" + s.blob("alice/app", make([]byte, 100)).String()
	a := s.want(s.do(request{login: "alice", method: "GET", path: path, header: http.Header{"Range": {"bytes=100-"}}}), 416)
	a.wantHeader(t, "Content-Range", "bytes */100")
	a.wantHeader(t, "Content-Type", "application/json")
	if !strings.Contains(a.body, `"RANGE_INVALID"`) {
		t.Errorf("got %s", a.body)
	}
}

func TestAChunkOutOfOrderAtTheEndTellsWhereToGoOn(t *testing.T) {
	s := newServer(t)
	b := []byte("0123456789")
	loc := s.want(s.send("POST", "/v2/alice/app/blobs/uploads/", nil), 202).Header.Get("Location")
	s.want(s.send("PATCH", loc, b[:5]), 202)
	put := loc + "?digest=" + oci.SHA256.FromBytes(b).String()
	a := s.want(s.send("PUT", put, b[7:], "Content-Range", "7-9"), 416)
	a.wantHeader(t, "Location", loc)
	a.wantHeader(t, "Range", "0-4")
	s.want(s.send("PUT", put, b[5:], "Content-Range", "5-9"), 201)
}

func TestManyTagsInOnePush(t *testing.T) {
	s := newServer(t)
	m := s.manifest("alice/app")
	path := "/v2/alice/app/manifests/" + oci.SHA256.FromBytes(m).String() + "?"
	for n, want := range map[int]int{64: 201, 65: 414} {
		var tags []string
		for i := range n {
			tags = append(tags, fmt.Sprintf("tag=t%d", i))
		}
		s.want(s.send("PUT", path+strings.Join(tags, "&"), m), want)
	}
}

func TestABlobInUseIsNotDeleted(t *testing.T) {
	s := newServer(t)
	s.want(s.send("PUT", "/v2/alice/app/manifests/v1", s.manifest("alice/app")), 201)
	path := "/v2/alice/app/blobs/" + oci.SHA256.FromBytes([]byte("{}")).String()
	a := s.want(s.send("DELETE", path, nil), 405)
	a.wantHeader(t, "Allow", "GET, HEAD")
	s.want(s.get(path), 200)
	s.want(s.send("DELETE", "/v2/alice/app/manifests/"+oci.SHA256.FromBytes(s.manifest("alice/app")).String(), nil), 202)
	s.want(s.send("DELETE", path, nil), 202)
	s.want(s.get(path), 404)
}

// A body of a caller who may not write is not read.
func TestNobodyWrites(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ method, path string }{
		{"PUT", "/v2/alice/app/manifests/v1"}, {"POST", "/v2/alice/app/blobs/uploads/"},
		{"PATCH", "/v2/alice/app/blobs/uploads/00000000-0000-0000-0000-000000000000"},
		{"DELETE", "/v2/alice/app/manifests/v1"},
	} {
		s.want(s.do(request{method: c.method, path: c.path, body: strings.NewReader(strings.Repeat(" ", 4<<20+1))}), 401)
	}
}

// Rows A1 to A5 of the attack list: documents that two readers could take for
// different things are refused by the address too.
func TestAmbiguousManifestsAreRefused(t *testing.T) {
	s := newServer(t)
	m := string(s.manifest("alice/app"))
	index := oci.MediaTypeImageIndex
	for what, c := range map[string]struct{ contentType, body, code string }{
		"layers beside manifests": {"", strings.Replace(m, `"layers":[]`, `"layers":[],"manifests":[]`, 1), "MANIFEST_INVALID"},
		"a key twice":             {"", strings.Replace(m, `"layers":[]`, `"layers":[],"layers":[]`, 1), "MANIFEST_INVALID"},
		"a key in another case":   {"", strings.Replace(m, `"layers":[]`, `"layers":[],"layerS":[]`, 1), "MANIFEST_INVALID"},
		"another Content-Type":    {index, m, "MANIFEST_INVALID"},
		"another size":            {"", strings.Replace(m, `"size":2`, `"size":3`, 1), "SIZE_INVALID"},
		"a part that is missing":  {"", strings.Replace(m, `"layers":[]`, `"layers":[{"mediaType":"a/b","digest":"sha256:`+strings.Repeat("1", 64)+`","size":1}]`, 1), "MANIFEST_BLOB_UNKNOWN"},
	} {
		a := s.send("PUT", "/v2/alice/app/manifests/v1", []byte(c.body), "Content-Type", c.contentType)
		if a.StatusCode != 400 || !strings.Contains(a.body, c.code) {
			t.Errorf("%s: %d %s, want 400 %s", what, a.StatusCode, a.body, c.code)
		}
	}
	s.want(s.get("/v2/alice/app/manifests/v1"), 404)
}

// A10: whoever knows a digest cannot read it where it was never linked.
func TestABlobIsReadOnlyWhereItIsHeld(t *testing.T) {
	s := newServer(t)
	d := s.blob("alice/app", []byte("private bytes")).String()
	s.want(s.do(request{login: "bob", method: "POST", path: "/v2/bob/app/blobs/uploads/?digest=" + oci.SHA256.FromBytes(nil).String()}), 201)
	for _, method := range []string{"GET", "HEAD"} {
		s.want(s.do(request{login: "bob", method: method, path: "/v2/bob/app/blobs/" + d}), 404)
	}
}

// L5 and L6: nothing is compressed or taken from the Host header.
func TestNothingIsTakenFromTheClient(t *testing.T) {
	s := newServer(t)
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/v2/", nil)
	check(t, err)
	req.Host = "evil.example"
	res, err := http.DefaultTransport.RoundTrip(req)
	check(t, err)
	_ = res.Body.Close()
	if got := fmt.Sprint(res.Header); strings.Contains(got, "evil") {
		t.Errorf("the Host header is in the answer: %s", got)
	}
	m := s.manifest("alice/app")
	s.want(s.send("PUT", "/v2/alice/app/manifests/v1", m), 201)
	for _, path := range []string{"manifests/v1", "tags/list", "blobs/" + oci.SHA256.FromBytes([]byte("{}")).String()} {
		a := s.want(s.do(request{login: "alice", method: "GET", path: "/v2/alice/app/" + path, header: http.Header{"Accept-Encoding": {"gzip"}}}), 200)
		a.wantHeader(t, "Content-Encoding", "")
		if !strings.Contains(a.Header.Get("Cache-Control"), "no-transform") {
			t.Errorf("%s: Cache-Control is %q", path, a.Header.Get("Cache-Control"))
		}
	}
	s.want(s.send("PUT", "/v2/alice/app/manifests/v2", m, "Content-Encoding", "gzip"), 415)
}
