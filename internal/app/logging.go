package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"packhouse/internal/config"
)

// NewLogger returns a logger that writes to out as cfg says. Records gather for
// up to logDelay, since one system call each would cost more than the record;
// warnings and errors go out at once. No record is dropped: when out is slow,
// so are its writers. flush must be called before the process ends.
func NewLogger(cfg config.Log, out io.Writer) (log *slog.Logger, flush func()) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		level = slog.LevelInfo // Validate lets nothing else through
	}
	s := &logSink{out: out}
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewJSONHandler(s, o)
	if cfg.Format == "text" {
		h = slog.NewTextHandler(s, o)
	}
	return slog.New(promptHandler{h, s}), s.flush
}

const (
	logDelay  = 100 * time.Millisecond
	logBuffer = 64 << 10
)

// logSink gathers records. Each Write is one whole record.
type logSink struct {
	mu    sync.Mutex
	out   io.Writer
	buf   bytes.Buffer
	armed bool
}

func (s *logSink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buf.Len()+len(p) > logBuffer {
		s.empty()
	}
	if !s.armed {
		s.armed = true
		time.AfterFunc(logDelay, s.flush)
	}
	return s.buf.Write(p)
}

func (s *logSink) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	s.empty()
}

func (s *logSink) empty() {
	if s.buf.Len() == 0 {
		return
	}
	_, _ = s.out.Write(s.buf.Bytes()) // there is nowhere to say that the log is gone
	s.buf.Reset()
}

// promptHandler sends warnings and errors out at once.
type promptHandler struct {
	slog.Handler
	sink *logSink
}

func (h promptHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		h.sink.flush()
	}
	return err
}

func (h promptHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return promptHandler{h.Handler.WithAttrs(attrs), h.sink}
}

func (h promptHandler) WithGroup(name string) slog.Handler {
	return promptHandler{h.Handler.WithGroup(name), h.sink}
}
