package httpx_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

func TestParsePage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		query string
		n     int
		last  string
		ok    bool
	}{
		{"", 100, "", true},
		{"n=0", 0, "", true},
		{"n=10&last=v1", 10, "v1", true},
		{"n=1000", 1000, "", true},
		{"n=1001", 1000, "", true},
		{"n=99999999999999999999999999", 1000, "", true},
		{"n=007", 7, "", true},
		{"n=-1", 0, "", false},
		{"n=", 0, "", false},
		{"n=abc", 0, "", false},
		{"n=%2B5", 0, "", false},
		{"n=1.0", 0, "", false},
		{"n=1&n=2", 0, "", false},
		{"last=a&last=b", 0, "", false},
		{"n=0x10", 0, "", false},
		{"n=%D9%A1", 0, "", false}, // a digit, though not of ours
		{"last=" + strings.Repeat("a", 1025), 0, "", false},
	}
	for _, tt := range tests {
		q, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		p, err := httpx.ParsePage(q, 100)
		if tt.ok {
			if err != nil || p.N != tt.n || p.Last != tt.last {
				t.Errorf("%q: %+v, %v", tt.query, p, err)
			}
			continue
		}
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.Invalid || e.Code != "PAGINATION_NUMBER_INVALID" {
			t.Errorf("%q: %v", tt.query, err)
		}
	}
}

func TestNextLink(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "http://evil.test/v2/a/b/referrers/sha256:0?artifactType=a%2Fb&n=5&last=x", nil)
	got := httpx.NextLink(r, 5, "v1>; rel=\"next\"\r\nSet-Cookie: a")
	want := `</v2/a/b/referrers/sha256:0?artifactType=a%2Fb&last=v1%3E%3B+rel%3D%22next%22%0D%0ASet-Cookie%3A+a&n=5>; rel="next"`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestQueryIsStrict(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/?a=1", nil)
	for raw, ok := range map[string]bool{"": true, "a=1&b=%20": true, "a=%zz": false, "a=1;b=2": false} {
		r.URL.RawQuery = raw
		if _, err := httpx.Query(r); (err == nil) != ok || err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestNotModified(t *testing.T) {
	t.Parallel()
	etag := httpx.ETag("sha256:abc")
	tests := []struct {
		method, header string
		want           bool
	}{
		{"GET", `"sha256:abc"`, true},
		{"HEAD", `"sha256:abc"`, true},
		{"GET", `W/"sha256:abc"`, true},
		{"GET", `"x", "sha256:abc"`, true},
		{"GET", `sha256:abc`, true},
		{"GET", `*`, true},
		{"GET", `"sha256:abd"`, false},
		{"GET", ``, false},
		{"PUT", `"sha256:abc"`, false},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.Header.Set("If-None-Match", tt.header)
		if got := httpx.NotModified(r, etag); got != tt.want {
			t.Errorf("%s %s: %v", tt.method, tt.header, got)
		}
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	for _, announced := range []bool{true, false} {
		for _, size := range []int{0, 1, 4095, 4096, 4097, 70_000, 100_000} {
			text := strings.Repeat("a", size)
			r := httptest.NewRequest(http.MethodPut, "/", strings.NewReader(text))
			if !announced {
				r.ContentLength = -1
			}
			if got, err := httpx.ReadBody(r, 100_000); err != nil || string(got) != text {
				t.Errorf("%d bytes, announced %v: %d bytes, %v", size, announced, len(got), err)
			}
		}
		r := httptest.NewRequest(http.MethodPut, "/", strings.NewReader(strings.Repeat("a", 100_001)))
		if !announced {
			r.ContentLength = -1
		}
		if _, err := httpx.ReadBody(r, 100_000); !errs.Is(err, errs.TooLarge) {
			t.Errorf("over the limit, announced %v: %v", announced, err)
		}
	}
}

func TestRetryAfterRoundsUp(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "", time.Millisecond: "1", time.Second: "1", 1500 * time.Millisecond: "2"} {
		h := http.Header{}
		httpx.SetRetryAfter(h, d)
		if got := h.Get("Retry-After"); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	var g httpx.Gate
	leave, err := g.Enter("a", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Enter("a", 1); !errs.Is(err, errs.RateLimited) {
		t.Errorf("a second one came in: %v", err)
	}
	if _, err := g.Enter("b", 1); err != nil {
		t.Errorf("another key was held up: %v", err)
	}
	leave()
	if _, err := g.Enter("a", 1); err != nil {
		t.Errorf("the place stayed taken: %v", err)
	}
}
