package app

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"packhouse/internal/config"
	"packhouse/internal/jobs"
)

// Under a database that is not the one of the bytes all of them are strays. The
// daily check touches none before garbage collection has compared the two.
func TestTheDailyCheckWaitsForTheMark(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.URL = t.TempDir(), "http://localhost:8080"
	a, err := Build(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	hex := strings.Repeat("ab", 32)
	stray := filepath.Join(cfg.BlobDir(), "sha256", "ab", hex+".00000000-0000-4000-8000-000000000001")
	old := time.Now().Add(-30 * 24 * time.Hour)
	if err := errors.Join(os.WriteFile(stray, []byte("another's"), 0o600), os.Chtimes(stray, old, old)); err != nil {
		t.Fatal(err)
	}
	daily := func(want int) {
		t.Helper()
		if err := a.checks.daily(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if _, trash, err := a.Store.Waiting(t.Context()); err != nil || trash.Blobs != want {
			t.Errorf("%d blobs are in the trash, %v; want %d", trash.Blobs, err, want)
		}
	}
	daily(0)
	if _, err := a.Collector.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	daily(1)
}
