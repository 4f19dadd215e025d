package httpx

import (
	"net/http"
	"strconv"
	"time"

	"packhouse/internal/errs"
)

// HandlerFunc is a handler that returns its failure instead of writing it.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Encoder writes err as an answer in the words of one transport. It is only
// called while nothing of a response has been sent. Nothing of err but its
// public text may be shown; for Internal not even that, but the request's id.
type Encoder func(w http.ResponseWriter, r *http.Request, err error)

// Handle makes h a handler whose failures encode writes. A failure after the
// response has begun breaks the connection off, so that what was sent is never
// taken for the whole.
func Handle(h HandlerFunc, encode Encoder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		rec := recorderFrom(w)
		if rec == nil { // outside of Wrap, in a transport's own tests
			encode(w, r, err)
			return
		}
		rec.event.Err = err
		if rec.started() {
			if rec.event.Cut == nil {
				rec.event.Cut = err
			}
			panic(http.ErrAbortHandler) // the documented way to break off a response
		}
		encode(w, r, err)
	})
}

// Status returns the HTTP status that a kind has unless a transport knows better.
func Status(k errs.Kind) int {
	switch k {
	case errs.Invalid:
		return http.StatusBadRequest
	case errs.Unauthenticated:
		return http.StatusUnauthorized
	case errs.Denied:
		return http.StatusForbidden
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Unsupported:
		return http.StatusMethodNotAllowed
	case errs.Exists, errs.Conflict:
		return http.StatusConflict
	case errs.Precondition:
		return http.StatusPreconditionFailed
	case errs.TooLarge:
		return http.StatusRequestEntityTooLarge
	case errs.BadRange:
		return http.StatusRequestedRangeNotSatisfiable
	case errs.RateLimited:
		return http.StatusTooManyRequests
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	case errs.NoSpace:
		return http.StatusInsufficientStorage
	default:
		return http.StatusInternalServerError
	}
}

// SetRetryAfter adds Retry-After in whole seconds, rounded up; nothing for a
// duration of zero.
func SetRetryAfter(h http.Header, d time.Duration) {
	if d > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10))
	}
}
