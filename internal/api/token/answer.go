package tokenapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
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

func newAnswer(b token.Bearer, granted wanted) answer {
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

// codeOf names an error's kind.
func codeOf(k errs.Kind) string {
	switch k {
	case errs.Invalid, errs.Unsupported:
		return "UNSUPPORTED"
	case errs.Unauthenticated:
		return "UNAUTHORIZED"
	case errs.TooLarge:
		return "SIZE_INVALID"
	case errs.RateLimited:
		return "TOOMANYREQUESTS"
	case errs.Unavailable:
		return "UNAVAILABLE"
	case errs.NoSpace:
		return "DENIED"
	}
	return "UNKNOWN"
}

// writeError is the one encoder of the endpoint: the public text of a known
// error in the form of the distribution protocol, else the request's id alone.
func (h *handler) writeError(w http.ResponseWriter, _ *http.Request, err error) {
	kind := errs.KindOf(err)
	item := errorItem{codeOf(kind), "something went wrong on our side; the log has more under request " + httpx.EventFrom(w).ID}
	if e, ok := errors.AsType[*errs.Error](err); ok && kind != errs.Internal {
		item.Message = e.Public
		httpx.SetRetryAfter(w.Header(), e.RetryAfter)
	}
	if kind == errs.Unauthenticated {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+h.Realm+`"`)
	}
	_ = writeJSON(w, httpx.Status(kind), errorBody{[]errorItem{item}}) // a client that has gone hears nothing
}

func writeJSON(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, err = w.Write(text)
	return err
}
