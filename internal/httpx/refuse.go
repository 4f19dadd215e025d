package httpx

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"packhouse/internal/errs"
)

// Limits of what one request header may hold.
const (
	maxQueryParams = 100
	maxCookies     = 50
)

// refusal is an answer that is given before any transport sees the request. Its
// body has the shape of the distribution API's errors, since its clients read
// no other; to the rest it is plain JSON.
type refusal struct {
	status  int
	code    string
	message string
}

func (f refusal) write(w http.ResponseWriter, r *http.Request) {
	text, _ := json.Marshal(map[string]any{ // strings alone: cannot fail
		"errors": []any{map[string]any{"code": f.code, "message": f.message}},
	})
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // the event keeps the error
	}
}

// refuse returns why a request is not passed on, or nil.
func refuse(r *http.Request, conn *Conn) *refusal {
	switch {
	case conn != nil && conn.ambiguous.Load():
		return &refusal{http.StatusBadRequest, "UNSUPPORTED",
			"the length of the request is ambiguous: both Content-Length and Transfer-Encoding, or malformed lines"}
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace:
		return &refusal{http.StatusMethodNotAllowed, "UNSUPPORTED", "the method is not supported"}
	case !plainEncoding(r.Header["Content-Encoding"]):
		return &refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED", "a request body with a Content-Encoding is not supported"}
	case strings.Count(r.URL.RawQuery, "&") >= maxQueryParams:
		return &refusal{http.StatusBadRequest, "UNSUPPORTED", "more than 100 query parameters"}
	case cookies(r) > maxCookies:
		return &refusal{http.StatusBadRequest, "UNSUPPORTED", "more than 50 cookies"}
	}
	return nil
}

func plainEncoding(values []string) bool {
	for _, v := range values {
		if v != "" && !strings.EqualFold(v, "identity") {
			return false
		}
	}
	return true
}

func cookies(r *http.Request) int {
	n := 0
	for _, line := range r.Header["Cookie"] {
		n += strings.Count(line, ";") + 1
	}
	return n
}

// internalError is the answer to a failure that nobody foresaw.
func internalError(id string) refusal {
	return refusal{http.StatusInternalServerError, "UNKNOWN", "internal error, request " + id}
}

// asError is what the record of a refused request says.
func (f refusal) asError() error { return errs.New(errs.Invalid, "%s", f.message) }
