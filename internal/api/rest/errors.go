package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/packages"
)

// failure is GitHub's form of an error.
type failure struct {
	Message          string `json:"message"`
	DocumentationURL string `json:"documentation_url"`
	Status           string `json:"status"`
	// Errors is what this server tells beside, such as what needs a version: a
	// list of objects, which GitHub's clients take and show.
	Errors any `json:"errors,omitempty"`
}

// encode implements httpx.Encoder.
func (h *Handler) encode(w http.ResponseWriter, _ *http.Request, err error) {
	f, retry := h.failure(w, err)
	status, _ := strconv.Atoi(f.Status)
	content, err := json.Marshal(f)
	if err != nil { // a detail that is no JSON is a fault of ours
		content, status = []byte(`{"message":"Server Error","documentation_url":"","status":"500"}`), http.StatusInternalServerError
	}
	httpx.SetRetryAfter(w.Header(), retry)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	_, _ = w.Write(content) // the request's record keeps the error
}

func (h *Handler) failure(w http.ResponseWriter, err error) (f failure, retry time.Duration) {
	f = failure{DocumentationURL: h.Base + "/openapi.json"}
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind == errs.Internal {
		f.Status = strconv.Itoa(http.StatusInternalServerError)
		f.Message = "Server Error. The request id is " + httpx.EventFrom(w).ID + "."
		return f, 0
	}
	f.Message, f.Errors = e.Public, details(e.Detail)
	status := httpx.Status(e.Kind)
	switch {
	case e.Code == unprocessable, e.Kind == errs.Exists:
		status = http.StatusUnprocessableEntity
	case e.Kind == errs.Unsupported && e.Code == "": // 405 is for methods
		status = http.StatusUnprocessableEntity
	case e.Kind == errs.Unauthenticated:
		w.Header().Set("WWW-Authenticate", `Basic realm="Packhouse"`)
	}
	f.Status = strconv.Itoa(status)
	if f.Message == "" {
		f.Message = http.StatusText(status)
	}
	return f, e.RetryAfter
}

// details are the public data of an error in GitHub's form.
func details(detail any) any {
	switch d := detail.(type) {
	case nil:
		return nil
	case map[string]string:
		return []object{{"code": d["reason"]}}
	case []packages.Need:
		list := make([]object, len(d))
		for i, n := range d {
			list[i] = object{
				"resource": "PackageVersion", "code": "needed", "message": "Version " + strconv.FormatInt(n.ID, 10) + " is its " + n.As + ".",
				"id": n.ID, "digest": n.Digest, "tags": n.Tags, "as": n.As,
			}
		}
		return list
	}
	if reflect.TypeOf(detail).Kind() == reflect.Slice {
		return detail
	}
	return []any{detail}
}
