package v2

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"packhouse/internal/errs"
	"packhouse/internal/registry"
)

// statuses and codes of the error kinds, as distribution-spec, "Error Codes",
// has them and clients expect them.
var kinds = map[errs.Kind]struct {
	status int
	code   string
}{
	errs.Invalid:         {http.StatusBadRequest, "MANIFEST_INVALID"},
	errs.Unauthenticated: {http.StatusUnauthorized, "UNAUTHORIZED"},
	errs.Denied:          {http.StatusUnauthorized, "DENIED"},
	errs.NotFound:        {http.StatusNotFound, "NAME_UNKNOWN"},
	errs.Unsupported:     {http.StatusMethodNotAllowed, "UNSUPPORTED"},
	errs.Exists:          {http.StatusConflict, "DENIED"},
	errs.Conflict:        {http.StatusConflict, "DENIED"},
	errs.Precondition:    {http.StatusPreconditionFailed, "DENIED"},
	errs.TooLarge:        {http.StatusRequestEntityTooLarge, "SIZE_INVALID"},
	errs.BadRange:        {http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID"},
	errs.RateLimited:     {http.StatusTooManyRequests, "TOOMANYREQUESTS"},
	errs.Unavailable:     {http.StatusServiceUnavailable, "UNAVAILABLE"},
	errs.NoSpace:         {http.StatusInsufficientStorage, "DENIED"},
}

type errorBody struct {
	Errors []errorItem `json:"errors"`
}

type errorItem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

// WriteError is the one encoder of /v2/: it turns err into a status, headers and
// a list of errors. Only public texts go out; what nobody classified becomes
// 500 with the request's id.
func WriteError(w http.ResponseWriter, r *http.Request, err error, requestID string) {
	status, items, retry := describe(err, requestID)
	if retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retry))
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("ETag")
	h.Del("Cache-Control")
	body, jsonErr := json.Marshal(errorBody{items})
	if jsonErr != nil { // a Detail that is no JSON
		status, body = http.StatusInternalServerError, []byte(`{"errors":[]}`)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func describe(err error, requestID string) (status int, items []errorItem, retryAfter int) {
	var missing registry.MissingParts
	if errors.As(err, &missing) {
		return http.StatusBadRequest, missingItems(missing), 0
	}
	var e *errs.Error
	known, ok := kinds[errs.KindOf(err)]
	if !errors.As(err, &e) || !ok {
		return http.StatusInternalServerError, []errorItem{{
			Code: "UNKNOWN", Message: "something went wrong on our side; the log has more under request " + requestID,
		}}, 0
	}
	item := errorItem{Code: known.code, Message: e.Public, Detail: e.Detail}
	if e.Code != "" {
		item.Code = e.Code
	}
	return known.status, []errorItem{item}, int(math.Ceil(e.RetryAfter.Seconds()))
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
