package app

import (
	"io"
	"net/http"
	"strings"

	"packhouse/internal/httpx"
)

// dispatch chooses by the first segment of the path. No ServeMux stands before
// the registry: it would clean paths and redirect, which hides a traversal and
// loses the method and body of an upload.
type dispatch struct {
	registry, token, health http.Handler
}

func newDispatch(h Handlers, health *health) *dispatch {
	return &dispatch{registry: orNotFound(h.Registry), token: orNotFound(h.Token), health: health}
}

func (d *dispatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/v2", strings.HasPrefix(path, "/v2/"):
		d.registry.ServeHTTP(w, r)
	case path == "/token":
		d.token.ServeHTTP(w, r)
	case path == "/healthz", path == "/readyz":
		d.health.ServeHTTP(w, r)
	default:
		notFound(w, r)
	}
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
