package v2

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"packhouse/internal/errs"
)

// Realm says where tokens are had. It is built from the public address alone;
// of the Host header only a name that is known to be ours is taken over, since
// clients refuse a realm on a foreign host.
type Realm struct {
	public *url.URL
	hosts  map[string]bool
}

// NewRealm returns the Realm of a registry at the public address, which also
// answers under the further hosts.
func NewRealm(public *url.URL, hosts ...string) Realm {
	r := Realm{public: public, hosts: map[string]bool{strings.ToLower(public.Host): true}}
	for _, h := range hosts {
		r.hosts[strings.ToLower(h)] = true
	}
	return r
}

// host returns the name of ours that a client meant who asked for host.
func (r Realm) host(asked string) string {
	asked = strings.ToLower(asked)
	if r.hosts[asked] || loopback(r.public.Host) && loopback(asked) {
		return asked
	}
	return r.public.Host
}

// loopback reports whether host, with or without a port, is this machine.
func loopback(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if strings.Trim(port, "0123456789") != "" {
		return false
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback() && addr.Zone() == ""
}

// challenge writes the header that tells a client where to get a token for what
// it tried.
func (r Realm) challenge(w http.ResponseWriter, req *http.Request, scope string, err error) {
	var b strings.Builder
	host := r.host(req.Host)
	b.WriteString(`Bearer realm="` + r.public.Scheme + `://` + host + `/token",service="` + host + `"`)
	if scope != "" {
		b.WriteString(`,scope="` + scope + `"`)
	}
	switch {
	case errs.Is(err, errs.Denied):
		b.WriteString(`,error="insufficient_scope"`)
	case req.Header.Get("Authorization") != "":
		b.WriteString(`,error="invalid_token"`)
	}
	// Docker shows this description and not the body's message (RFC 6750,
	// section 3).
	var e *errs.Error
	if (req.Header.Get("Authorization") != "" || errs.Is(err, errs.Denied)) && errors.As(err, &e) {
		b.WriteString(`,error_description="` + quotable(e.Public) + `"`)
	}
	w.Header().Set("WWW-Authenticate", b.String())
}

// quotable leaves what may stand in a quoted string as it is.
func quotable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, text)
}
