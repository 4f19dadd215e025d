package app

import (
	"io"
	"net"
	"net/http"
	"path"
	"strings"

	"packhouse/internal/httpx"
)

// dispatch chooses by the host that was asked, if it is one of ours, and by the
// first segment of the path. No ServeMux stands before the registry: it would
// clean paths and redirect, which hides a traversal and loses the method and
// body of an upload.
type dispatch struct {
	main   site
	hosts  map[string]site
	health http.Handler
}

// site is what one host serves.
type site struct {
	registry, token, api, rest http.Handler

	asSent bool // rest takes every path as it was sent: there are no pages
}

// apiPrefix is what the paths of the REST API begin with, but for its own host.
const apiPrefix = "/api/v3"

func newDispatch(h Handlers, health *health) *dispatch {
	d := &dispatch{main: newSite(h.Registry, h.Token, h.API, h.Pages), hosts: map[string]site{}, health: health}
	if h.APIHost != "" {
		d.hosts[h.APIHost] = newSite(nil, nil, nil, h.API)
	}
	for name, f := range h.Hosts {
		d.hosts[name] = newSite(f.Registry, f.Token, nil, nil)
	}
	return d
}

func newSite(registry, token, api, rest http.Handler) site {
	return site{orNotFound(registry), orNotFound(token), orNotFound(api), orNotFound(rest), registry == nil}
}

func (d *dispatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := d.site(r.Host)
	switch address := r.URL.Path; {
	case address == "/v2", strings.HasPrefix(address, "/v2/"):
		at.registry.ServeHTTP(w, r)
	case address == "/token":
		at.token.ServeHTTP(w, r)
	case address == "/healthz", address == "/readyz":
		d.health.ServeHTTP(w, r)
	case at.asSent:
		at.rest.ServeHTTP(w, r)
	case address == apiPrefix, strings.HasPrefix(address, apiPrefix+"/"):
		http.StripPrefix(apiPrefix, at.api).ServeHTTP(w, r)
	case address != "/" && path.Clean(address) != strings.TrimSuffix(address, "/"):
		notFound(w, r) // the pages would redirect it, to the registry too
	default:
		at.rest.ServeHTTP(w, r)
	}
}

// site returns what a client that asked for host talks to.
func (d *dispatch) site(host string) site {
	if len(d.hosts) > 0 {
		if own, ok := d.hosts[hostName(host)]; ok {
			return own
		}
	}
	return d.main
}

// hostName returns the name in a Host header: in lower case, without the port,
// which a proxy may have changed, and without the dot of a rooted name.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func orNotFound(h http.Handler) http.Handler {
	if h == nil {
		return http.HandlerFunc(notFound)
	}
	return h
}

func notFound(w http.ResponseWriter, r *http.Request) {
	httpx.EventFrom(w).Route = "none"
	plainAnswer(w, r, http.StatusNotFound, "There is nothing at this address.\n")
}

func plainAnswer(w http.ResponseWriter, r *http.Request, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, text) // the request's record keeps the error
	}
}
