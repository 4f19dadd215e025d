// Package errs is the only error vocabulary of Packhouse: what kind of failure
// it was, what the caller may be told, and what only the log may know.
//
// Adapters translate the errors of drivers at the edge where they arise.
// Domain packages return these errors; each transport has one encoder that
// turns them into its protocol. Nothing else decides what a client sees.
package errs

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure an error is. The zero value is Internal, so an
// error nobody classified is never shown to a client.
type Kind int

// The kinds, in the order of the HTTP statuses they usually become.
const (
	Internal        Kind = iota // a fault of ours: 500 and the request id; the text too where there is a code
	Invalid                     // the request breaks a rule of the protocol
	Unauthenticated             // no credential, or one that does not hold
	Denied                      // a credential that holds, without the right
	NotFound                    // absent, or not to be seen by this caller
	Unsupported                 // known, and not offered here
	Exists                      // already there
	Conflict                    // in the way of something else
	Precondition                // a condition of the caller does not hold
	TooLarge                    // over a limit of size
	BadRange                    // bytes asked or sent at the wrong place
	RateLimited                 // too many; see RetryAfter
	Unavailable                 // a part we need does not answer; see RetryAfter
	NoSpace                     // the disk or the quota is full
)

var kindNames = map[Kind]string{
	Internal: "internal", Invalid: "invalid", Unauthenticated: "unauthenticated",
	Denied: "denied", NotFound: "not found", Unsupported: "unsupported",
	Exists: "exists", Conflict: "conflict", Precondition: "precondition",
	TooLarge: "too large", BadRange: "bad range", RateLimited: "rate limited",
	Unavailable: "unavailable", NoSpace: "no space",
}

// String returns the kind's name in lower case, for logs and metrics.
func (k Kind) String() string { return kindNames[k] }

// Error is one failure with its public and its private half.
type Error struct {
	Kind Kind
	// Code is the protocol's own code where a kind has several, such as
	// DIGEST_INVALID; empty lets the encoder choose by Kind.
	Code string
	// Public is the sentence the client reads. It holds no path, no SQL, no
	// host name of ours, and nothing about things the caller may not see.
	Public string
	// Cause is for the log alone.
	Cause error
	// Detail is structured public data for protocols that carry it.
	Detail any
	// RetryAfter is how long a client should wait; zero says nothing.
	RetryAfter time.Duration

	format string // what Public was made of
	args   []any
}

// Error returns the whole truth, for logs; never send it to a client.
func (e *Error) Error() string {
	text := e.Public
	if text == "" {
		text = e.Kind.String()
	}
	if e.Cause != nil {
		return text + ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error of kind k with a public text.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Public: fmt.Sprintf(format, args...), format: format, args: args}
}

// Wrap returns an error of kind k with a public text and a private cause.
func Wrap(k Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: k, Public: fmt.Sprintf(format, args...), Cause: cause, format: format, args: args}
}

// Sentence returns the format of the public text and what was put in, for those
// who say it in another language. Without a format it is the text itself.
func (e *Error) Sentence() (format string, args []any) {
	if e.format == "" {
		return e.Public, nil
	}
	return e.format, e.args
}

// WithCode returns a copy of e that carries a protocol code.
func (e *Error) WithCode(code string) *Error {
	c := *e
	c.Code = code
	return &c
}

// WithDetail returns a copy of e that carries public structured data.
func (e *Error) WithDetail(detail any) *Error {
	c := *e
	c.Detail = detail
	return &c
}

// KindOf returns the kind of the first Error in err's chain; Internal for any
// other error. KindOf(nil) is Internal too: ask it only about failures.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is a failure of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
