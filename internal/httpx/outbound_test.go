package httpx_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"packhouse/internal/httpx"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, public := range []string{"1.1.1.1", "140.82.112.3", "2606:50c0:8000::153", "::ffff:1.1.1.1", "172.32.0.1", "100.128.0.1"} {
		if !httpx.Public(netip.MustParseAddr(public)) {
			t.Errorf("%s is public", public)
		}
	}
	for _, inside := range []string{
		"127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00::1",
		"::ffff:10.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "0.1.2.3", "::", "::10.0.0.1", "100.64.0.1", "192.0.0.1", "192.0.2.1",
		"192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "ff02::1",
		"64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::1", "3fff::1", "5f00::1", "fec0::1",
	} {
		if httpx.Public(netip.MustParseAddr(inside)) {
			t.Errorf("%s is not public", inside)
		}
	}
}

// Rows S1 to S5 of what a server that fetches for its users must refuse.
func TestOutboundStaysOutside(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- "other" }))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/once":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 101))
		default:
			_, _ = io.WriteString(w, strings.Repeat("x", 100))
		}
	}))
	defer server.Close()
	get := func(c *http.Client, url string) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := c.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	within := httpx.Outbound(true, 100, 10*time.Second)
	for path, ok := range map[string]bool{"/": true, "/once": true, "/away": false, "/round": false, "/long": false} {
		if err := get(within, server.URL+path); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
	public := httpx.Outbound(false, 100, 10*time.Second)
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"} {
		if err := get(public, "http://"+host+port); err == nil {
			t.Errorf("%s was reached", host)
		}
	}
	if len(asked) > 0 {
		t.Error("a redirect led to another host")
	}
}
