package httpx_test

import (
	"net/http/httptest"
	"testing"

	"packhouse/internal/httpx"
)

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br, GZIP;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false, "*": true, "*;q=0": false,
		"deflate, br": false, "x-gzip": false, "gzip ; q=1": true,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := httpx.TakesGzip(r); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
