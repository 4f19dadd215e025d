package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"packhouse/internal/httpx"
)

// FuzzClientAddr holds to one rule: whatever stands left of the last address
// that is not a proxy's changes nothing.
func FuzzClientAddr(f *testing.F) {
	f.Add("203.0.113.9, 198.51.100.1")
	f.Add(",,[::1]:8,")
	proxies := httpx.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, spoofed string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:4711"
		r.Header["X-Forwarded-For"] = []string{spoofed, spoofed + ",198.51.100.1, 10.0.0.2"}
		if got := proxies.ClientAddr(r).String(); got != "198.51.100.1" {
			t.Errorf("%q made it %s", spoofed, got)
		}
	})
}

// FuzzPage: a page is within its bounds, and its link leads on to what was
// asked for.
func FuzzPage(f *testing.F) {
	f.Add("n=10&last=v1")
	f.Add("n=-1&last=%00")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/v2/a/b/tags/list", nil)
		r.URL.RawQuery = query
		q, err := httpx.Query(r)
		if err != nil {
			return
		}
		p, err := httpx.ParsePage(q, 100)
		if err != nil {
			return
		}
		if p.N < 0 || p.N > httpx.MaxPage {
			t.Errorf("%q: a page of %d", query, p.N)
		}
		link := httpx.NextLink(r, p.N, p.Last)
		next, err := url.Parse(link[1 : len(link)-len(`>; rel="next"`)])
		if err != nil {
			t.Fatalf("%q: %s: %v", query, link, err)
		}
		if again, err := httpx.ParsePage(next.Query(), 100); err != nil || again != p {
			t.Errorf("%q: the link leads to %+v, %v; want %+v", query, again, err, p)
		}
	})
}
