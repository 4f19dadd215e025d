package v2_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/oci"
)

func TestBaseIsAChallengeWithoutACredential(t *testing.T) {
	s := newServer(t)
	const challenge = `Bearer realm="https://packhouse.test/token",service="packhouse.test"`
	for _, path := range []string{"/v2/", "/v2"} {
		a := s.want(s.do(request{method: "GET", path: path}), 401)
		a.wantHeader(t, "WWW-Authenticate", challenge)
		a.wantHeader(t, "Docker-Distribution-API-Version", "registry/2.0")
		a.wantHeader(t, "Content-Type", "application/json")
	}
	empty := http.Header{"Authorization": {"Basic Og=="}}
	s.want(s.do(request{method: "GET", path: "/v2/", header: empty}), 401)
	s.want(s.get("/v2/"), 200)
	wrong := http.Header{"Authorization": {"Basic YWxpY2U6cGhwX25vdGhpbmc="}}
	a := s.want(s.do(request{method: "GET", path: "/v2/", header: wrong}), 401)
	a.wantHeader(t, "WWW-Authenticate", challenge+`,error="invalid_token",error_description="the token is not valid; log in again, or run `+"`docker logout packhouse.test`"+` to pull what is public without a login"`)
	if !strings.Contains(a.body, "docker logout packhouse.test") {
		t.Errorf("the body does not say what helps: %s", a.body)
	}
	bearer := s.want(s.do(request{method: "GET", path: "/v2/", header: http.Header{"Authorization": {"Bearer a.b.c"}}}), 401)
	if strings.Contains(bearer.body, "docker logout") {
		t.Errorf("a bearer token is no login: %s", bearer.body)
	}
}

func TestChallengeNamesTheScope(t *testing.T) {
	s := newServer(t)
	zero := "sha256:" + strings.Repeat("0", 64)
	for _, c := range []struct{ method, path, scope string }{
		{"GET", "/v2/alice/app/manifests/v1", "repository:alice/app:pull"},
		{"HEAD", "/v2/alice/app/manifests/v1", "repository:alice/app:pull"},
		{"GET", "/v2/alice/app/blobs/" + zero, "repository:alice/app:pull"},
		{"GET", "/v2/alice/app/tags/list", "repository:alice/app:pull"},
		{"GET", "/v2/alice/app/referrers/" + zero, "repository:alice/app:pull"},
		{"PUT", "/v2/alice/app/manifests/v1", "repository:alice/app:pull,push"},
		{"POST", "/v2/alice/app/blobs/uploads/", "repository:alice/app:pull,push"},
		{"POST", "/v2/alice/app/blobs/uploads/?mount=" + zero + "&from=bob%2Fapp", "repository:alice/app:pull,push repository:bob/app:pull"},
		{"DELETE", "/v2/alice/app/manifests/v1", "repository:alice/app:delete"},
		{"GET", "/v2/_catalog", "registry:catalog:*"},
	} {
		a := s.want(s.do(request{method: c.method, path: c.path}), 401)
		a.wantHeader(t, "WWW-Authenticate",
			`Bearer realm="https://packhouse.test/token",service="packhouse.test",scope="`+c.scope+`"`)
	}
}

// The owner's part of a name is taken in any case of letters; an upper-case
// letter in the rest is refused with the name that works.
func TestCaseOfNames(t *testing.T) {
	s := newServer(t)
	d := s.blob("Alice/app", []byte("{}")).String()
	s.want(s.get("/v2/ALICE/app/blobs/"+d), 200)
	a := s.want(s.send("POST", "/v2/alice/other/blobs/uploads/?mount="+d+"&from=ALICE/app", nil), 201)
	a.wantHeader(t, "Location", "/v2/alice/other/blobs/"+d)
	a = s.want(s.do(request{method: "POST", path: "/v2/Alice/other/blobs/uploads/?mount=" + d + "&from=Bob/app"}), 401)
	if !strings.Contains(a.Header.Get("WWW-Authenticate"), `scope="repository:alice/other:pull,push repository:bob/app:pull"`) {
		t.Errorf("challenge: %s", a.Header.Get("WWW-Authenticate"))
	}
	for _, path := range []string{"/v2/alice/App/tags/list", "/v2/Alice/App/tags/list", "/v2/ALICE/APP/tags/list"} {
		a := s.want(s.get(path), 400)
		if !strings.Contains(a.body, "NAME_INVALID") || !strings.Contains(a.body, "use alice/app") {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	if a := s.want(s.get("/v2/Alice/tags/list"), 400); !strings.Contains(a.body, "use alice") {
		t.Error(a.body)
	}
}

func TestRefusedPushSaysWhy(t *testing.T) {
	s := newServer(t)
	a := s.want(s.do(request{login: "bob", method: "POST", path: "/v2/alice/app/blobs/uploads/"}), 401)
	if !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="insufficient_scope",error_description="no right to push alice/app`) ||
		!strings.Contains(a.body, `"DENIED"`) || !strings.Contains(a.body, "no right to push alice/app") {
		t.Errorf("got %s and %s", a.Header.Get("WWW-Authenticate"), a.body)
	}
}

func TestRefusedPushSaysWhyToABearerTokenThatWasGivenLess(t *testing.T) {
	s := newServer(t)
	app, err := oci.ParseName("alice/app")
	check(t, err)
	bearer, err := s.tokens.Issue(t.Context(), s.who["bob"], []access.Grant{{Name: app}}) // as the token endpoint does
	check(t, err)
	h := http.Header{"Authorization": {"Bearer " + bearer.Token.Reveal()}}
	a := s.want(s.do(request{method: "POST", path: "/v2/alice/app/blobs/uploads/", header: h}), 401)
	if !strings.Contains(a.body, "no right to push alice/app") {
		t.Errorf("got %s", a.body)
	}
}

func TestBearerTokenHoldsForItsGrants(t *testing.T) {
	s := newServer(t)
	app, err := oci.ParseName("alice/app")
	check(t, err)
	s.want(s.send("PUT", "/v2/alice/app/manifests/v1", s.manifest("alice/app")), 201)
	bearer, err := s.tokens.Issue(t.Context(), s.who["alice"], []access.Grant{{Name: app, Actions: []access.Action{access.Read}}})
	check(t, err)
	h := http.Header{"Authorization": {"Bearer " + bearer.Token.Reveal()}}
	s.want(s.do(request{method: "GET", path: "/v2/alice/app/manifests/v1", header: h}), 200)
	for _, c := range []struct{ method, path string }{
		{"POST", "/v2/alice/app/blobs/uploads/"}, {"DELETE", "/v2/alice/app/manifests/v1"}, {"GET", "/v2/alice/other/tags/list"},
	} {
		a := s.want(s.do(request{method: c.method, path: c.path, header: h}), 401)
		if !strings.Contains(a.Header.Get("WWW-Authenticate"), "insufficient_scope") {
			t.Errorf("%s %s: %s", c.method, c.path, a.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestBlobRanges(t *testing.T) {
	s := newServer(t)
	b := make([]byte, 20480)
	for i := range b {
		b[i] = byte(i * 7)
	}
	small, large := b[:2048], b
	for _, blob := range [][]byte{small, large} {
		n := len(blob)
		path := "/v2/alice/app/blobs/" + s.blob("alice/app", blob).String()
		for _, c := range []struct {
			ask, contentRange string
			status, from, to  int
		}{
			{"bytes=500-1499", fmt.Sprintf("bytes 500-1499/%d", n), 206, 500, 1500},
			{"bytes=500-", fmt.Sprintf("bytes 500-%d/%d", n-1, n), 206, 500, n},
			{"bytes=-500", fmt.Sprintf("bytes %d-%d/%d", n-500, n-1, n), 206, n - 500, n},
			{fmt.Sprintf("bytes=2000-%d", n+5000), fmt.Sprintf("bytes 2000-%d/%d", n-1, n), 206, 2000, n},
			{"bytes=500-0", "", 416, 0, 0},
			{fmt.Sprintf("bytes=%d-", n), fmt.Sprintf("bytes */%d", n), 416, 0, 0},
			{"", "", 200, 0, n},
		} {
			h := http.Header{}
			if c.ask != "" {
				h.Set("Range", c.ask)
			}
			a := s.want(s.do(request{login: "alice", method: "GET", path: path, header: h}), c.status)
			if c.contentRange != "" {
				a.wantHeader(t, "Content-Range", c.contentRange)
			}
			if c.status < 300 && a.body != string(blob[c.from:c.to]) {
				t.Errorf("%q: got %d bytes", c.ask, len(a.body))
			}
		}
		both := s.want(s.do(request{login: "alice", method: "GET", path: path, header: http.Header{"Range": {"bytes=0-1,5-6"}}}), 206)
		if !strings.HasPrefix(both.Header.Get("Content-Type"), "multipart/byteranges") {
			t.Errorf("two ranges: %s", both.Header.Get("Content-Type"))
		}
	}
}

func TestBlobHeaders(t *testing.T) {
	s := newServer(t)
	b := []byte("<html><script>alert(1)</script>")
	d := s.blob("alice/app", b)
	for _, method := range []string{"GET", "HEAD"} {
		a := s.want(s.do(request{login: "alice", method: method, path: "/v2/alice/app/blobs/" + d.String()}), 200)
		a.wantHeader(t, "Content-Type", "application/octet-stream")
		a.wantHeader(t, "Content-Length", fmt.Sprint(len(b)))
		a.wantHeader(t, "Docker-Content-Digest", d.String())
		a.wantHeader(t, "Etag", `"`+d.String()+`"`)
		a.wantHeader(t, "X-Content-Type-Options", "nosniff")
		a.wantHeader(t, "Content-Security-Policy", "sandbox; default-src 'none'")
		a.wantHeader(t, "Content-Encoding", "")
		s.want(s.do(request{
			login: "alice", method: method, path: "/v2/alice/app/blobs/" + d.String(),
			header: http.Header{"If-None-Match": {`"` + d.String() + `"`}},
		}), 304)
	}
}

func TestUploadByChunks(t *testing.T) {
	s := newServer(t)
	b := bytes.Repeat([]byte("0123456789"), 5000)
	d := oci.SHA256.FromBytes(b)
	first := s.want(s.send("POST", "/v2/alice/app/blobs/uploads/", nil), 202)
	first.wantHeader(t, "Range", "0-0")
	loc := first.Header.Get("Location")
	if !strings.HasPrefix(loc, "/v2/alice/app/blobs/uploads/") {
		t.Fatalf("Location is %q, want a path", loc)
	}
	s.want(s.send("PATCH", loc, b[:20000], "Content-Range", "0-19999"), 202).wantHeader(t, "Range", "0-19999")
	again := s.want(s.send("PATCH", loc, b[:20000], "Content-Range", "0-19999"), 416)
	again.wantHeader(t, "Range", "0-19999")
	again.wantHeader(t, "Location", loc)
	s.want(s.send("PATCH", loc, b[20000:30000], "Content-Range", "20000-39999"), 400)
	s.want(s.send("PATCH", loc, b[20000:30000], "Content-Range", "bytes=20000-29999"), 202)
	s.want(s.send("PATCH", loc, b[30000:30001], "Content-Range", "x-y"), 400)
	s.want(s.get(loc), 204).wantHeader(t, "Range", "0-29999")
	s.want(s.send("PUT", loc+"?digest="+d.String(), b[30000:], "Content-Range", "40000-59999"), 416)
	done := s.want(s.send("PUT", loc+"?digest="+url.QueryEscape(d.String()), b[30000:], "Content-Range", "30000-49999"), 201)
	done.wantHeader(t, "Location", "/v2/alice/app/blobs/"+d.String())
	done.wantHeader(t, "Docker-Content-Digest", d.String())
	if got := s.want(s.get(done.Header.Get("Location")), 200).body; got != string(b) {
		t.Errorf("got %d bytes", len(got))
	}
	s.want(s.get(loc), 404)
	s.want(s.send("DELETE", loc, nil), 404)
}

func TestParallelUploadsOfOneAccountAreBounded(t *testing.T) {
	s := newServer(t)
	loc := s.want(s.send("POST", "/v2/alice/app/blobs/uploads/", nil), 202).Header.Get("Location")
	var pipes []*io.PipeWriter
	var wg sync.WaitGroup
	for range 2 {
		r, w := io.Pipe()
		loc := s.want(s.send("POST", "/v2/alice/app/blobs/uploads/", nil), 202).Header.Get("Location")
		wg.Go(func() { s.patchWhenAsked(loc, r) })
		_, err := w.Write([]byte("x")) // returns when the server is inside the request and reads
		check(t, err)
		pipes = append(pipes, w)
	}
	s.want(s.send("PATCH", loc, []byte("x")), 429)
	s.want(s.do(request{login: "bob", method: "POST", path: "/v2/bob/app/blobs/uploads/"}), 202)
	for _, w := range pipes {
		check(t, w.Close())
	}
	wg.Wait()
	s.want(s.send("PATCH", loc, []byte("x")), 202)
}

// patchWhenAsked sends the body once the server asks for it, with 100 Continue.
func (s *server) patchWhenAsked(location string, body io.Reader) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPatch, s.URL+location, body)
	if err != nil {
		s.t.Error(err)
		return
	}
	req.SetBasicAuth("alice", s.secret["alice"])
	req.Header.Set("Expect", "100-continue")
	patient := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer patient.CloseIdleConnections()
	res, err := patient.RoundTrip(req)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		s.t.Errorf("PATCH: %d", res.StatusCode)
	}
}

func TestUploadIsCancelled(t *testing.T) {
	s := newServer(t)
	loc := s.want(s.send("POST", "/v2/alice/app/blobs/uploads/", nil), 202).Header.Get("Location")
	s.want(s.do(request{login: "bob", method: "DELETE", path: strings.Replace(loc, "alice", "bob", 1)}), 404)
	s.want(s.send("DELETE", loc, nil), 204)
	s.want(s.send("PATCH", loc, []byte("x")), 404)
}

func TestEachAlgorithmIsEchoed(t *testing.T) {
	s := newServer(t)
	b := []byte("some bytes")
	d := oci.SHA512.FromBytes(b)
	for _, start := range []string{"", "?digest-algorithm=sha512"} {
		loc := s.want(s.send("POST", "/v2/alice/app/blobs/uploads/"+start, nil), 202).Header.Get("Location")
		s.want(s.send("PUT", loc+"?digest="+d.String(), b), 201).wantHeader(t, "Docker-Content-Digest", d.String())
	}
	s.want(s.get("/v2/alice/app/blobs/"+d.String()), 200).wantHeader(t, "Docker-Content-Digest", d.String())
	s.want(s.send("POST", "/v2/alice/app/blobs/uploads/?digest-algorithm=md5", nil), 400)
	m := s.manifest("alice/app")
	md := oci.SHA512.FromBytes(m)
	put := s.want(s.send("PUT", "/v2/alice/app/manifests/"+md.String()+"?tag=a&tag=b", m), 201)
	put.wantHeader(t, "Docker-Content-Digest", md.String())
	put.wantHeader(t, "OCI-Tag", "a, b")
	s.want(s.get("/v2/alice/app/manifests/b"), 200).wantHeader(t, "Docker-Content-Digest", md.String())
}

func TestMount(t *testing.T) {
	s := newServer(t)
	d := s.blob("alice/app", []byte("a blob to mount"))
	a := s.want(s.send("POST", "/v2/alice/other/blobs/uploads/?mount="+d.String()+"&from=alice/app&origin=x", nil), 201)
	a.wantHeader(t, "Location", "/v2/alice/other/blobs/"+d.String())
	s.want(s.send("POST", "/v2/alice/third/blobs/uploads/?mount="+d.String(), nil), 201)
	for _, from := range []string{"&from=alice/app", "", "&from=NOT-A-NAME"} {
		a := s.want(s.do(request{login: "bob", method: "POST", path: "/v2/bob/app/blobs/uploads/?mount=" + d.String() + from}), 202)
		if !strings.HasPrefix(a.Header.Get("Location"), "/v2/bob/app/blobs/uploads/") {
			t.Errorf("%q: Location is %q", from, a.Header.Get("Location"))
		}
	}
}

func TestManifestHeaders(t *testing.T) {
	s := newServer(t)
	m := append(s.manifest("alice/app"), '\n')
	d := oci.SHA256.FromBytes(m).String()
	put := s.want(s.send("PUT", "/v2/alice/app/manifests/v1", m, "Content-Type", oci.MediaTypeImageManifest+"; charset=utf-8"), 201)
	put.wantHeader(t, "Location", "/v2/alice/app/manifests/"+d)
	for _, path := range []string{"/v2/alice/app/manifests/v1", put.Header.Get("Location")} {
		a := s.want(s.get(path), 200)
		if a.body != string(m) {
			t.Errorf("%s: other bytes than were pushed", path)
		}
		a.wantHeader(t, "Content-Type", oci.MediaTypeImageManifest)
		a.wantHeader(t, "Docker-Content-Digest", d)
		head := s.want(s.do(request{login: "alice", method: "HEAD", path: path}), 200)
		head.wantHeader(t, "Content-Length", fmt.Sprint(len(m)))
		h := http.Header{"If-None-Match": {`"` + d + `"`}}
		s.want(s.do(request{login: "alice", method: "GET", path: path, header: h}), 304)
		h = http.Header{"Accept": {oci.MediaTypeDockerManifest}}
		a = s.want(s.do(request{login: "alice", method: "GET", path: path, header: h}), 404)
		if !strings.Contains(a.body, "MANIFEST_UNKNOWN") || !strings.Contains(a.body, "Accept") {
			t.Errorf("not acceptable: %s", a.body)
		}
	}
}

func TestSubjectIsAcknowledged(t *testing.T) {
	s := newServer(t)
	subject := "sha256:" + strings.Repeat("a", 64)
	m := bytes.Replace(s.manifest("alice/app"), []byte(`"layers":[]`),
		[]byte(`"layers":[],"subject":{"mediaType":"`+oci.MediaTypeImageManifest+`","digest":"`+subject+`","size":5},"annotations":{"a":"b"}`), 1)
	d := oci.SHA256.FromBytes(m)
	s.want(s.send("PUT", "/v2/alice/app/manifests/"+d.String(), m), 201).wantHeader(t, "OCI-Subject", subject)
	a := s.want(s.get("/v2/alice/app/referrers/"+subject), 200)
	a.wantHeader(t, "Content-Type", oci.MediaTypeImageIndex)
	var index struct{ Manifests []oci.Descriptor }
	check(t, json.Unmarshal([]byte(a.body), &index))
	if len(index.Manifests) != 1 || index.Manifests[0].Digest != d || index.Manifests[0].Annotations["a"] != "b" {
		t.Errorf("referrers: %s", a.body)
	}
	a = s.want(s.get("/v2/alice/app/referrers/"+subject+"?artifactType=x"), 200)
	a.wantHeader(t, "OCI-Filters-Applied", "artifactType")
	if !strings.Contains(a.body, `"manifests":[]`) {
		t.Errorf("filtered: %s", a.body)
	}
	s.want(s.get("/v2/alice/nothing/referrers/"+subject), 200)
	s.want(s.get("/v2/alice/app/referrers/sha256:x"), 400)
}

func TestPagesOfTags(t *testing.T) {
	s := newServer(t)
	m := s.manifest("alice/app")
	s.want(s.send("PUT", "/v2/alice/app/manifests/"+oci.SHA256.FromBytes(m).String()+"?tag=c&tag=a&tag=b", m), 201)
	a := s.want(s.get("/v2/alice/app/tags/list?n=2"), 200)
	a.wantHeader(t, "Link", `</v2/alice/app/tags/list?last=b&n=2>; rel="next"`)
	if a.body != `{"name":"alice/app","tags":["a","b"]}` {
		t.Errorf("first page: %s", a.body)
	}
	a = s.want(s.get("/v2/alice/app/tags/list?n=2&last=b"), 200)
	a.wantHeader(t, "Link", "")
	if a.body != `{"name":"alice/app","tags":["c"]}` {
		t.Errorf("second page: %s", a.body)
	}
	if a = s.want(s.get("/v2/alice/app/tags/list?n=0"), 200); a.body != `{"name":"alice/app","tags":[]}` {
		t.Errorf("n=0: %s", a.body)
	}
	if a = s.want(s.get("/v2/_catalog"), 200); a.body != `{"repositories":["alice/app"]}` {
		t.Errorf("catalog: %s", a.body)
	}
	if a = s.want(s.do(request{login: "bob", method: "GET", path: "/v2/_catalog"}), 200); a.body != `{"repositories":[]}` {
		t.Errorf("bob's catalog: %s", a.body)
	}
}

// TestBadInput has the hostile requests that other registries answered with 500,
// with a dropped connection, or took.
func TestBadInput(t *testing.T) {
	s := newServer(t)
	m := s.manifest("alice/app")
	s.want(s.send("PUT", "/v2/alice/app/manifests/v1", m), 201)
	long := strings.Repeat("9", 40)
	zero := strings.Repeat("0", 64)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/v2/alice/app/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", "", 400, "DIGEST_INVALID"},
		{"GET", "/v2/alice/app/blobs/sha256:" + zero[1:], "", 400, "DIGEST_INVALID"},
		{"GET", "/v2/alice/app/blobs/sha256:" + strings.Repeat("A", 64), "", 400, "DIGEST_INVALID"},
		{"GET", "/v2/alice/app/blobs/latest", "", 400, "DIGEST_INVALID"},
		{"GET", "/v2/alice/app/manifests/sha256:baddigeststring", "", 400, "DIGEST_INVALID"},
		{"GET", "/v2/alice/app/manifests/.hidden", "", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/alice/app/manifests/" + strings.Repeat("t", 129), "", 404, "MANIFEST_UNKNOWN"},
		{"PUT", "/v2/alice/app/manifests/" + strings.Repeat("t", 129), string(m), 400, "MANIFEST_INVALID"},
		{"GET", "/v2/Alice/App/manifests/v1", "", 400, "NAME_INVALID"},
		{"GET", "/v2/alice//app/manifests/v1", "", 400, "NAME_INVALID"},
		{"GET", "/v2/alice/../bob/manifests/v1", "", 400, "NAME_INVALID"},
		{"GET", "/v2/alice%2fapp/manifests/v1", "", 404, "NAME_INVALID"},
		{"GET", "/v2/alice/app%00/manifests/v1", "", 400, "NAME_INVALID"},
		{"GET", "/v2/" + strings.Repeat("a", 201) + "/manifests/v1", "", 400, "NAME_INVALID"},
		{"GET", "/v2/alice/app/nothing/here", "", 404, "NAME_INVALID"},
		{"GET", "/v2/alice/app/tags/list?n=-1", "", 400, "PAGINATION_NUMBER_INVALID"},
		{"GET", "/v2/alice/app/tags/list?n=abc", "", 400, "PAGINATION_NUMBER_INVALID"},
		{"GET", "/v2/alice/app/tags/list?n=", "", 400, "PAGINATION_NUMBER_INVALID"},
		{"GET", "/v2/_catalog?n=-1", "", 400, "PAGINATION_NUMBER_INVALID"},
		{"GET", "/v2/alice/app/tags/list?n=1000000000000", "", 200, ""},
		{"GET", "/v2/alice/app/tags/list?n=" + long, "", 200, ""},
		{"GET", "/v2/_catalog?n=" + long, "", 200, ""},
		{"GET", "/v2/alice/app/tags/list?n=%zz", "", 400, ""},
		{"POST", "/v2/alice/app/blobs/uploads/?digest=sha256:x", "x", 400, "DIGEST_INVALID"},
		{"POST", "/v2/alice/app/blobs/uploads/?digest=sha256:" + zero, "x", 400, "DIGEST_INVALID"},
		{"POST", "/v2/alice/app/blobs/uploads/?mount=sha256:x", "", 400, "DIGEST_INVALID"},
		{"POST", "/v2/alice/blobs/uploads/", "", 400, "NAME_INVALID"},
		{"PATCH", "/v2/alice/app/blobs/uploads/../../x", "x", 404, ""},
		{"PATCH", "/v2/alice/app/blobs/uploads/00000000-0000-0000-0000-000000000000", "x", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"PUT", "/v2/alice/app/blobs/uploads/00000000-0000-0000-0000-000000000000", "x", 400, "DIGEST_INVALID"},
		{"PUT", "/v2/alice/app/manifests/v1", "not json", 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/alice/app/manifests/v1", "", 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/alice/app/manifests/v1", "[]", 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/alice/app/manifests/v1?tag=.x", string(m), 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/alice/app/manifests/sha256:" + zero, string(m), 400, "DIGEST_INVALID"},
		{"PUT", "/v2/alice/app/manifests/v1", strings.Repeat(" ", 4<<20+1), 413, ""},
		{"DELETE", "/v2/alice/app/manifests/nope", "", 404, "MANIFEST_UNKNOWN"},
		{"DELETE", "/v2/alice/app/blobs/sha256:" + zero, "", 404, "BLOB_UNKNOWN"},
		{"POST", "/v2/alice/app/manifests/v1", "", 405, "UNSUPPORTED"},
		{"PUT", "/v2/alice/app/tags/list", "", 405, "UNSUPPORTED"},
	} {
		a := s.do(request{login: "alice", method: c.method, path: c.path, body: strings.NewReader(c.body)})
		if a.StatusCode != c.status || !strings.Contains(a.body, c.code) {
			t.Errorf("%s %.80s: %d %.200s; want %d %s", c.method, c.path, a.StatusCode, a.body, c.status, c.code)
		}
		if a.StatusCode >= 400 {
			var body struct {
				Errors []struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(a.body), &body); err != nil || len(body.Errors) == 0 || body.Errors[0].Message == "" {
				t.Errorf("%s %.80s: no list of errors but %.200q", c.method, c.path, a.body)
			}
		}
		if c.status == 405 && a.Header.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", c.method, c.path)
		}
	}
}

func TestTooLargeABlobIsRefusedBeforeItIsSent(t *testing.T) {
	s := newServer(t)
	d := "sha256:" + strings.Repeat("0", 64)
	a := s.want(s.send("POST", "/v2/alice/app/blobs/uploads/?digest="+d, make([]byte, 8<<20+1)), 413)
	if !strings.Contains(a.body, "SIZE_INVALID") {
		t.Error(a.body)
	}
}
