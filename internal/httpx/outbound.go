package httpx

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Outbound returns a client for addresses that users name. It connects to public
// addresses alone, unless private ones are allowed; what counts is the address
// that is dialled, whatever its name led to before. It follows redirects within
// one host, reads maxBody bytes of an answer at most, and gives up after timeout.
func Outbound(allowPrivate bool, maxBody int64, timeout time.Duration) *http.Client {
	client, _ := outbound(allowPrivate, maxBody, timeout)
	return client
}

// OutboundOnce is Outbound for requests that are not repeated anywhere: a redirect
// is an answer like any other. With insecure, certificates are not checked.
func OutboundOnce(allowPrivate, insecure bool, maxBody int64, timeout time.Duration) *http.Client {
	client, transport := outbound(allowPrivate, maxBody, timeout)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // its owner asked for it
	}
	return client
}

func outbound(allowPrivate bool, maxBody int64, timeout time.Duration) (*http.Client, *http.Transport) {
	dialer := &net.Dialer{Timeout: timeout / 2}
	if !allowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkPublic(address) }
	}
	transport := &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		TLSHandshakeTimeout: timeout / 2, MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{
		Timeout:   timeout,
		Transport: cappedTransport{maxBody, transport},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			first := via[0].URL
			if len(via) > 3 || r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
				return fmt.Errorf("redirected to %s, which is not followed", r.URL.Redacted())
			}
			return nil
		},
	}, transport
}

// ErrNotPublic is in the chain of the error of a request to an address that is
// not one of the internet at large.
var ErrNotPublic = errors.New("not a public address")

func checkPublic(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !Public(at.Addr()) {
		return fmt.Errorf("%s: %w", at.Addr(), ErrNotPublic)
	}
	return nil
}

// Public reports whether a is an address of the internet at large: not one of
// this machine, of a private network or for a special purpose, also none that
// carries such an address inside.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, special := range specialNetworks() {
		if special.Contains(a) {
			return false
		}
	}
	return true
}

// specialNetworks are those of the IANA registries of special-purpose addresses
// that net/netip does not tell apart.
func specialNetworks() []netip.Prefix {
	return []netip.Prefix{
		v4(0, 0, 0, 8), v4(100, 64, 0, 10), v4(192, 0, 0, 24), v4(192, 0, 2, 24), v4(192, 88, 99, 24),
		v4(198, 18, 0, 15), v4(198, 51, 100, 24), v4(203, 0, 113, 24), v4(240, 0, 0, 4),
		v6("::", 96),                               // addresses of version 4 in an old form
		v6("64:ff9b::", 96), v6("64:ff9b:1::", 48), // and behind a translator
		v6("100::", 64), v6("2001::", 23), v6("2001:db8::", 32), v6("2002::", 16), v6("3fff::", 20), v6("5f00::", 16), v6("fec0::", 10),
	}
}

func v4(a, b, c byte, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, 0}), bits)
}

func v6(text string, bits int) netip.Prefix {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{} // contains nothing; the test has one address of each
	}
	return netip.PrefixFrom(a, bits)
}

// cappedTransport fails the reading of an answer that is too long.
type cappedTransport struct {
	max  int64
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t cappedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(r)
	if err == nil {
		res.Body = &cappedBody{res.Body, t.max}
	}
	return res, err
}

type cappedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *cappedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errors.New("the answer is too long")
	}
	return n, err
}
