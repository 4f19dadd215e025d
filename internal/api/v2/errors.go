package v2

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/registry"
)

// codes are what an error kind is called where the error itself has no code
// (distribution-spec, "Error Codes").
var codes = map[errs.Kind]string{
	errs.Invalid:         "UNSUPPORTED",
	errs.Unauthenticated: "UNAUTHORIZED",
	errs.Denied:          "DENIED",
	errs.NotFound:        "NAME_UNKNOWN",
	errs.Unsupported:     "UNSUPPORTED",
	errs.Exists:          "DENIED",
	errs.Conflict:        "DENIED",
	errs.Precondition:    "DENIED",
	errs.TooLarge:        "SIZE_INVALID",
	errs.BadRange:        "RANGE_INVALID",
	errs.RateLimited:     "TOOMANYREQUESTS",
	errs.Unavailable:     "UNAVAILABLE",
	errs.NoSpace:         "DENIED",
}

// defaultWait is what a client is told to wait when nobody knows better.
const defaultWait = 5 * time.Second

type errorBody struct {
	Errors []errorItem `json:"errors"`
}

type errorItem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

// WriteError writes an error as /v2/ does, for addresses that have none.
func WriteError(w http.ResponseWriter, r *http.Request, err error) { writeError(w, r, err) }

// writeError is the one encoder of /v2/. Only public texts go out; what nobody
// classified becomes 500 with the request's id; a fault of ours that has a code
// is one that the caller can do something about. A refused push is 401 and not
// 403, which docker 20.10 would retry for 40 seconds.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	status, items := describe(err, httpx.EventFrom(w).ID)
	h := w.Header()
	var e *errs.Error
	if errors.As(err, &e) {
		wait := e.RetryAfter
		if wait == 0 && (e.Kind == errs.Unavailable || e.Kind == errs.RateLimited) {
			wait = defaultWait
		}
		httpx.SetRetryAfter(h, wait)
	}
	for _, name := range []string{"Etag", "Cache-Control", "Content-Disposition", "Accept-Ranges", "Docker-Content-Digest"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	body, jsonErr := json.Marshal(errorBody{items})
	if jsonErr != nil { // a Detail that is no JSON
		body = []byte(`{"errors":[{"code":"UNKNOWN","message":"the error cannot be shown"}]}`)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // an error is the client's going
	}
}

func describe(err error, requestID string) (status int, items []errorItem) {
	var missing registry.MissingParts
	if errors.As(err, &missing) {
		return http.StatusBadRequest, missingItems(missing)
	}
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind == errs.Internal && e.Code == "" {
		return http.StatusInternalServerError, []errorItem{{
			Code: "UNKNOWN", Message: "something went wrong on our side; the log has more under request " + requestID,
		}}
	}
	item := errorItem{Code: codes[e.Kind], Message: e.Public, Detail: e.Detail}
	if e.Code != "" {
		item.Code = e.Code
	}
	if e.Kind == errs.Denied {
		return http.StatusUnauthorized, []errorItem{item}
	}
	if errors.Is(err, errTooManyTags) {
		return http.StatusRequestURITooLong, []errorItem{item}
	}
	return httpx.Status(e.Kind), []errorItem{item}
}

// missingItems names every part that is not held, one error each.
func missingItems(missing registry.MissingParts) []errorItem {
	items := make([]errorItem, 0, len(missing))
	for _, m := range missing {
		item := errorItem{
			Code: "MANIFEST_BLOB_UNKNOWN", Message: "the package does not hold this part of the manifest; upload it first",
			Detail: map[string]any{"digest": m.Part.Digest},
		}
		if m.Held >= 0 {
			item.Code = "SIZE_INVALID"
			item.Message = "the manifest gives this part another size than it has"
			item.Detail = map[string]any{"digest": m.Part.Digest, "size": m.Held, "given": m.Part.Size}
		}
		items = append(items, item)
	}
	return items
}
