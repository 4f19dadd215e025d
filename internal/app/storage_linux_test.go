package app

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"packhouse/internal/config"
)

// A second server waits for the first, takes over when that ends in time, and
// else says which directory is taken.
func TestBlobsAreForOneServer(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data = t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		out := &syncBuffer{}
		log, flush := NewLogger(cfg.Log, out)
		first := mustLock(t.Context(), t, cfg, log)
		if out.String() != "" {
			t.Errorf("the only server says %s", out)
		}
		began := time.Now()
		_, err := lockBlobs(t.Context(), cfg, log)
		if err == nil || !strings.Contains(err.Error(), cfg.BlobDir()) || time.Since(began) != lockWait {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if !strings.Contains(out.String(), "waiting") {
			t.Errorf("the log does not say what it waits for: %s", out)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := lockBlobs(ctx, cfg, log); err == nil {
			t.Error("a server that was told to end has the lock")
		}
		time.AfterFunc(time.Second, func() {
			if err := first(); err != nil {
				t.Error(err)
			}
		})
		second := mustLock(t.Context(), t, cfg, log)
		if err := second(); err != nil {
			t.Error(err)
		}
		flush()
		time.Sleep(logDelay) // the timer of the log
	})
}

func mustLock(ctx context.Context, t *testing.T, cfg *config.Config, log *slog.Logger) func() error {
	t.Helper()
	release, err := lockBlobs(ctx, cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	return release
}
