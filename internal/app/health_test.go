package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func ask(h http.Handler) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestReadinessFollowsItsChecks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		var asked atomic.Int32
		var log syncBuffer
		h := newHealth([]Check{
			{"blobs", func(context.Context) error { return nil }},
			{"database", func(context.Context) error {
				asked.Add(1)
				if broken.Load() {
					return errors.New("dial secret-host: refused")
				}
				return nil
			}},
		}, slog.New(slog.NewJSONHandler(&log, nil)), time.Now)

		steps := []struct {
			broken bool
			status int
			body   string
			after  time.Duration
		}{
			{false, 200, `{"checks":{"blobs":"ok","database":"ok"},"ready":true}`, 0},
			{true, 200, `{"checks":{"blobs":"ok","database":"ok"},"ready":true}`, 0}, // not yet old
			{true, 503, `{"checks":{"blobs":"ok","database":"failed"},"ready":false}`, 2 * time.Second},
			{true, 503, `{"checks":{"blobs":"ok","database":"failed"},"ready":false}`, 2 * time.Second},
			{false, 200, `{"checks":{"blobs":"ok","database":"ok"},"ready":true}`, 2 * time.Second},
		}
		for i, s := range steps {
			broken.Store(s.broken)
			time.Sleep(s.after)
			if status, body := ask(h); status != s.status || body != s.body {
				t.Errorf("step %d: %d %s", i, status, body)
			}
		}
		if n := asked.Load(); n != 4 {
			t.Errorf("the database was asked %d times, want 4", n)
		}
		if text := log.String(); strings.Count(text, "not ready") != 1 || strings.Count(text, "ready again") != 1 ||
			!strings.Contains(text, "secret-host") {
			t.Errorf("log:\n%s", text)
		}
		h.drain()
		if status, _ := ask(h); status != 503 {
			t.Errorf("while draining: %d", status)
		}
	})
}

func TestHangingCheckIsAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		h := newHealth([]Check{{"stuck", func(context.Context) error { <-hang; return nil }}}, discard(), time.Now)
		begin := time.Now()
		if status, body := ask(h); status != 503 || !strings.Contains(body, `"stuck":"failed"`) {
			t.Errorf("%d %s", status, body)
		}
		if took := time.Since(begin); took != probeTimeout {
			t.Errorf("took %s", took)
		}
	})
}
