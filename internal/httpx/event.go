package httpx

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"packhouse/internal/errs"
)

// Event is what is known of one request. Handlers fill in the upper half while
// they work; it is logged once, after the response. It belongs to the goroutine
// that serves the request and must not be kept after the handler returns.
type Event struct {
	// Route is the pattern that matched, such as "GET /v2/{name}/tags/list".
	// It becomes a metric label: a constant, never text of the request.
	Route string
	// Principal is the login that the request acts for; empty: nobody.
	Principal string
	// Package is OWNER/NAME when the request is about one.
	Package string
	// Err is the failure that was answered, with its private cause.
	Err error
	// TraceID is set when the request is traced.
	TraceID string

	// ID names the request in the log, in X-Request-Id and in a 500 answer.
	ID       string
	Client   netip.Addr
	Method   string
	Start    time.Time
	Duration time.Duration
	Status   int
	BytesIn  int64 // of the body that were read
	BytesOut int64 // of the body that were handed to the network
	// Cut says why a response did not reach the client whole; nil otherwise.
	Cut error
	// Stack is the stack of a panic.
	Stack string
}

// EventFrom returns the event of the request that w answers. Outside of Wrap it
// returns one that nobody logs, never nil.
func EventFrom(w http.ResponseWriter) *Event {
	if rec := recorderFrom(w); rec != nil {
		return &rec.event
	}
	return &Event{}
}

// Longest texts of a record that a client chooses.
const (
	maxHostLogged  = 255 // the longest name in DNS
	maxPathLogged  = 512
	maxAgentLogged = 200
	maxErrorLogged = 2000
)

// log writes the record. It holds no header but Host and User-Agent, and no
// query: these carry credentials.
func (e *Event) log(ctx context.Context, logger *slog.Logger, r *http.Request) {
	level := slog.LevelInfo
	if e.Status >= 500 && !errors.Is(e.Err, context.Canceled) { // a client that left is no fault
		level = slog.LevelError
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 20)
	attrs = append(attrs,
		slog.String("id", e.ID),
		slog.String("client", e.Client.String()),
		slog.String("method", clean(e.Method, 32)),
		slog.String("host", clean(r.Host, maxHostLogged)), // as asked: it chooses the registry
		slog.String("path", clean(r.URL.EscapedPath(), maxPathLogged)),
		slog.String("route", e.Route),
		slog.Int("status", e.Status),
		slog.Float64("ms", float64(e.Duration.Microseconds())/1000),
		slog.Int64("in", e.BytesIn),
		slog.Int64("out", e.BytesOut),
	)
	attrs = appendText(attrs, "agent", r.UserAgent(), maxAgentLogged)
	attrs = appendText(attrs, "principal", e.Principal, 100)
	attrs = appendText(attrs, "package", e.Package, 300)
	attrs = appendText(attrs, "trace", e.TraceID, 64)
	if e.Err != nil {
		attrs = append(attrs, slog.String("kind", errs.KindOf(e.Err).String()))
		attrs = appendText(attrs, "error", e.Err.Error(), maxErrorLogged)
	}
	if e.Cut != nil {
		attrs = appendText(attrs, "cut", e.Cut.Error(), maxErrorLogged)
	}
	attrs = appendText(attrs, "stack", e.Stack, 1<<16)
	logger.LogAttrs(ctx, level, "request", attrs...)
}

func appendText(attrs []slog.Attr, key, text string, limit int) []slog.Attr {
	if text == "" {
		return attrs
	}
	if key != "stack" {
		text = clean(text, limit)
	}
	return append(attrs, slog.String(key, text))
}

// clean cuts s to limit bytes and replaces what could act on a terminal or on a
// reader of logs: control characters, also of the second block, marks that
// change the direction of text, and bytes that are not UTF-8.
func clean(s string, limit int) string {
	cut := len(s) > limit
	if cut {
		s = s[:limit]
	}
	if !plain(s) {
		s = strings.Map(func(r rune) rune {
			if r == utf8.RuneError || !unicode.IsPrint(r) {
				return '\uFFFD'
			}
			return r
		}, s)
	}
	if cut {
		s += "…"
	}
	return s
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
