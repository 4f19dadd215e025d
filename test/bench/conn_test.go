package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// echo answers with what it was sent, in the way the path asks for.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Location", "/next?x=1")
	w.Header().Set("X-Encoding", strings.Join(r.TransferEncoding, ","))
	w.Header().Set("Docker-Content-Digest", digestOf(body))
	switch r.URL.Path {
	case "/chunked":
		for part := range bytes.SplitSeq(body, []byte("a")) {
			_, _ = w.Write(part)
			w.(http.Flusher).Flush()
		}
	case "/close":
		w.Header().Set("Connection", "close")
	case "/none":
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	}
}

func dialTest(t *testing.T, h http.HandlerFunc) *conn {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := dial(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

func TestConnSendsWholeBody(t *testing.T) {
	t.Parallel()
	src, err := newSource()
	if err != nil {
		t.Fatal(err)
	}
	c := dialTest(t, echo)
	for _, size := range []int64{tailSize, 1000, sendChunk, sendChunk + 1, blockSize + 7, 3<<20 + 5} {
		for _, chunked := range []bool{false, true} {
			p, err := src.blob(size)
			if err != nil {
				t.Fatal(err)
			}
			a, err := c.do(request{method: "PUT", path: "/", body: &p, chunked: chunked})
			if err != nil {
				t.Fatalf("%d bytes, chunked %t: %v", size, chunked, err)
			}
			if a.status != 200 || a.digest != p.digest || digestOf(a.body) != p.digest {
				t.Errorf("%d bytes, chunked %t: server got %s, client %s, sent %s", size, chunked, a.digest, digestOf(a.body), p.digest)
			}
		}
	}
}

func TestConnSendsRange(t *testing.T) {
	t.Parallel()
	src, err := newSource()
	if err != nil {
		t.Fatal(err)
	}
	p, err := src.blob(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	c, whole := dialTest(t, echo), sha256.New()
	for off := int64(0); off < p.size; off += 700_000 {
		_, err := c.do(request{method: "PATCH", path: "/", body: &p, from: off, to: min(off+700_000, p.size), sink: whole})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprintf("sha256:%x", whole.Sum(nil)); got != p.digest {
		t.Errorf("the ranges together are %s, the payload is %s", got, p.digest)
	}
}

func TestConnReadsAnswers(t *testing.T) {
	t.Parallel()
	c := dialTest(t, echo)
	body := bytesPayload([]byte("banana"))
	for _, tt := range []struct {
		method, path string
		status       int
		length       int64
		body         string
	}{
		{"POST", "/", 200, 6, "banana"},
		{"POST", "/chunked", 200, 3, "bnn"},
		{"POST", "/close", 200, 0, ""}, // the next case needs a new connection
		{"POST", "/none", 204, -1, ""},
		{"HEAD", "/", 200, 0, ""},
		{"POST", "/", 200, 6, "banana"},
	} {
		r := request{method: tt.method, path: tt.path, body: &body}
		if tt.method == "HEAD" {
			r.body = nil
		}
		a, err := c.do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", tt.method, tt.path, err)
		}
		if a.status != tt.status || a.length != tt.length || string(a.body) != tt.body || a.location != "/next?x=1" {
			t.Errorf("%s %s = %+v, want %+v", tt.method, tt.path, a, tt)
		}
	}
}

func TestConnReportsCutBody(t *testing.T) {
	t.Parallel()
	c := dialTest(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("short"))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	for _, sink := range []io.Writer{nil, io.Discard} {
		if _, err := c.do(request{method: "GET", path: "/", sink: sink}); err == nil {
			t.Error("a body cut short was taken for a whole one")
		}
		if err := c.reopen(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConnComesBackAfterIdleClose shows that a connection which the server
// closed between two requests is opened again, once.
func TestConnComesBackAfterIdleClose(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(srv.Close)
	c, err := dial(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	body := bytesPayload([]byte("banana"))
	for range 3 {
		if a, err := c.do(request{method: "PUT", path: "/", body: &body}); err != nil || string(a.body) != "banana" {
			t.Fatalf("%q, %v", a.body, err)
		}
		srv.CloseClientConnections()
	}
	srv.Close()
	if _, err := c.do(request{method: "PUT", path: "/", body: &body}); err == nil {
		t.Error("a request to a server that is gone was answered")
	}
}
