package httpx

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For is believed.
type Proxies []netip.Prefix

// ClientAddr returns the address of the client: the peer of the connection, or,
// when that is a trusted proxy, the right-most address of X-Forwarded-For that
// is not one. What stands left of it was written by the client and means
// nothing. At a word that is no address the search ends with the proxy that
// passed it on. The zero Addr means that the peer has no IP address.
func (p Proxies) ClientAddr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	if len(p) == 0 {
		return addr
	}
	headers := r.Header["X-Forwarded-For"]
	for i := len(headers) - 1; i >= 0; i-- {
		rest := headers[i]
		for found := true; found; {
			if !p.contain(addr) {
				return addr
			}
			var hop string
			rest, hop, found = cutLast(rest)
			next, ok := parseHop(hop)
			if !ok {
				return addr
			}
			addr = next
		}
	}
	return addr
}

// cutLast takes the last element off a list; found says that others are left.
func cutLast(list string) (rest, last string, found bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", strings.TrimSpace(list), false
	}
	return list[:i], strings.TrimSpace(list[i+1:]), true
}

// parseHop takes an address, also with a port.
func parseHop(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true
}

func (p Proxies) contain(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
