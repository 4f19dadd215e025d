package app

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"packhouse/internal/config"
	"packhouse/internal/jobs"
)

// TestAStopNotesTheLastUseOfTokens signs in with a token, stops the periodic
// work and reads when the token was used.
func TestAStopNotesTheLastUseOfTokens(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.URL = t.TempDir(), "http://localhost:8080"
	a, err := Build(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := CreateUser(t.Context(), cfg, "mona", "", false); err != nil {
		t.Fatal(err)
	}
	secret, err := CreateToken(t.Context(), cfg, TokenRequest{User: "mona", Scopes: []string{"read:packages"}})
	if err != nil {
		t.Fatal(err)
	}
	who, err := a.Tokens.SignIn(t.Context(), nil, "mona", secret)
	if err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	a.RunJobs(stopped, NewMetrics("test"))
	list, err := a.Store.Tokens(t.Context(), who.AccountID)
	if err != nil || len(list) != 1 || list[0].LastUsedAt.IsZero() {
		t.Errorf("tokens are %+v, %v; want one that was used", list, err)
	}
}

// Every schedule has a worker, and a job that is asked for is done by a running
// server without more.
func TestJobsAreWorkedByTheServer(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.URL = t.TempDir(), "http://localhost:8080"
	a, err := Build(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	kinds, seen := a.workers(), map[string]bool{}
	for _, s := range a.schedules() {
		if kinds[s.Kind].Work == nil || seen[s.Kind] {
			t.Errorf("%s is scheduled twice, or without a worker", s.Kind)
		}
		seen[s.Kind] = true
	}
	if err := CreateUser(t.Context(), cfg, "mona", "", false); err != nil {
		t.Fatal(err)
	}
	id, err := a.Packages.StartMigration(t.Context(), operator(), "mona")
	if err != nil {
		t.Fatal(err)
	}
	m := NewMetrics("test")
	m.Registry.MustRegister(newWaitingJobs(a.Store.WaitingJobs))
	if text := scrape(t, m); !strings.Contains(text, `packhouse_jobs_waiting{kind="docker.migrate"} 1`) {
		t.Errorf("the waiting job is not in the metrics:\n%s", text)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { defer close(stopped); a.RunJobs(ctx, m) }()
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		j, err := a.Jobs.Get(t.Context(), operator(), id)
		if err != nil {
			t.Fatal(err)
		}
		if j.State == jobs.Completed {
			break
		}
	}
	stop()
	<-stopped
	if text := scrape(t, m); !strings.Contains(text, `packhouse_jobs_attempts_total{kind="docker.migrate",outcome="completed"} 1`) {
		t.Errorf("the job is not in the metrics:\n%s", text)
	}
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	metricsHandler(m, nil).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return w.Body.String()
}
