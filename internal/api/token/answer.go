package tokenapi

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// answer is the body of a success. Older clients read token, newer ones
// access_token.
type answer struct {
	Token       string `json:"token"`
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	IssuedAt    string `json:"issued_at"`
	Scope       string `json:"scope"` // what was granted
}

func newAnswer(b token.Bearer, granted []access.Grant) answer {
	text := b.Token.Reveal()
	return answer{
		Token: text, AccessToken: text, ExpiresIn: int(b.Life / time.Second),
		IssuedAt: b.IssuedAt.Format(time.RFC3339), Scope: formatScopes(granted),
	}
}

type errorBody struct {
	Errors []errorItem `json:"errors"`
}

type errorItem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// statusOf returns the status and the code of an error's kind. Kinds that do
// not arise here are faults of ours.
func statusOf(k errs.Kind) (status int, code string) {
	switch k {
	case errs.Invalid:
		return http.StatusBadRequest, "UNSUPPORTED"
	case errs.Unauthenticated:
		return http.StatusUnauthorized, "UNAUTHORIZED"
	case errs.Unsupported:
		return http.StatusMethodNotAllowed, "UNSUPPORTED"
	case errs.TooLarge:
		return http.StatusRequestEntityTooLarge, "SIZE_INVALID"
	case errs.RateLimited:
		return http.StatusTooManyRequests, "TOOMANYREQUESTS"
	case errs.Unavailable:
		return http.StatusServiceUnavailable, "UNAVAILABLE"
	case errs.NoSpace:
		return http.StatusInsufficientStorage, "DENIED"
	}
	return http.StatusInternalServerError, "UNKNOWN"
}

// writeError is the one encoder of the endpoint: the public text of a known
// error in the form of the distribution protocol, else the request's id alone.
func (h *Handler) writeError(w http.ResponseWriter, r *http.Request, err error) {
	status, code := statusOf(errs.KindOf(err))
	item := errorItem{code, "something went wrong on our side; the log has more under request " + h.RequestID(r)}
	if e, ok := errors.AsType[*errs.Error](err); ok && status != http.StatusInternalServerError {
		item.Message = e.Public
		if e.Code != "" {
			item.Code = e.Code
		}
		if e.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
		}
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+h.Realm+`"`)
	}
	writeJSON(w, status, errorBody{[]errorItem{item}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // bodies are made of texts and numbers
		status, text = http.StatusInternalServerError, []byte(`{"errors":[]}`)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that has gone hears nothing
}
