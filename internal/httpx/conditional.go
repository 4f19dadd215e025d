package httpx

import (
	"net/http"
	"strings"
)

// ETag returns the strong entity tag of something that its digest names.
func ETag(digest string) string { return `"` + digest + `"` }

// NotModified reports whether r is a GET or HEAD whose If-None-Match holds
// etag, so that 304 is the answer. The comparison is the weak one that RFC 9110
// asks for. Some clients leave the quotes away; that counts too.
func NotModified(r *http.Request, etag string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	for _, line := range r.Header["If-None-Match"] {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
			if one == "*" || one == etag || one == strings.Trim(etag, `"`) {
				return true
			}
		}
	}
	return false
}
