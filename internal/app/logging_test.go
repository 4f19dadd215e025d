package app

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"packhouse/internal/config"
)

func TestRecordsGatherAndAreNotLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &syncBuffer{}
		log, flush := NewLogger(config.Log{Format: "json", Level: "info"}, out)
		log.Info("one")
		if out.String() != "" {
			t.Error("a record was written at once")
		}
		time.Sleep(logDelay)
		synctest.Wait()
		if !strings.Contains(out.String(), `"msg":"one"`) {
			t.Errorf("after a while the log is %q", out)
		}
		log.With("a", 1).WithGroup("g").Info("two")
		log.Warn("three")
		if text := out.String(); !strings.Contains(text, "two") || !strings.Contains(text, "three") {
			t.Errorf("a warning did not send out what was waiting: %q", text)
		}
		log.Debug("four")
		log.Info("five")
		flush()
		if text := out.String(); strings.Contains(text, "four") || !strings.Contains(text, "five") {
			t.Errorf("after flush: %q", text)
		}
	})
}

func TestManyWritersKeepRecordsWhole(t *testing.T) {
	t.Parallel()
	out := &syncBuffer{}
	log, flush := NewLogger(config.Log{Format: "text", Level: "info"}, out)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				log.Info("m", "k", strings.Repeat("x", 100))
			}
		})
	}
	wg.Wait()
	flush()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 8000 {
		t.Errorf("%d lines, want 8000", len(lines))
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "time=") || !strings.HasSuffix(l, "xxx") {
			t.Fatalf("a broken line: %q", l)
		}
	}
}
