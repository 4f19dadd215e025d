package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"packhouse/internal/httpx"
)

// Check is one part that must work for the server to be of use.
type Check struct {
	// Name is shown to anyone who asks; the error is only logged.
	Name string
	// Probe is called from time to time, with a deadline, by one goroutine at
	// a time.
	Probe func(context.Context) error
}

const (
	probeTimeout  = 2 * time.Second
	probeLifetime = time.Second // so that asking often costs nothing
)

// health answers /healthz, which says that the process serves, and /readyz,
// which says that requests will succeed.
type health struct {
	checks   []Check
	log      *slog.Logger
	now      func() time.Time
	draining atomic.Bool

	mu     sync.Mutex
	asked  time.Time
	states map[string]string
}

func newHealth(checks []Check, log *slog.Logger, now func() time.Time) *health {
	return &health{checks: checks, log: log, now: now, states: map[string]string{}}
}

// drain makes readiness say no from now on.
func (h *health) drain() { h.draining.Store(true) }

func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		plainAnswer(w, r, http.StatusMethodNotAllowed, "The method is not supported here.\n")
		return
	}
	if r.URL.Path == "/healthz" {
		httpx.EventFrom(w).Route = "/healthz"
		plainAnswer(w, r, http.StatusOK, "ok\n")
		return
	}
	httpx.EventFrom(w).Route = "/readyz"
	h.ready(w, r)
}

func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	states, ok := h.probe(r.Context())
	if h.draining.Load() {
		states, ok = map[string]string{"server": "stopping"}, false
	}
	status := http.StatusOK
	if !ok {
		status = http.StatusServiceUnavailable
	}
	text, _ := json.Marshal(map[string]any{"ready": ok, "checks": states}) // strings alone: cannot fail
	plainAnswer(w, r, status, string(text)+"\n")
}

// probe returns the state of each check, at most probeLifetime old.
func (h *health) probe(ctx context.Context) (map[string]string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.now(); h.asked.IsZero() || now.Sub(h.asked) >= probeLifetime {
		// A client that leaves must not make the next one read a failure.
		h.runChecks(context.WithoutCancel(ctx))
		h.asked = h.now()
	}
	ok := true
	states := make(map[string]string, len(h.states))
	for name, state := range h.states {
		states[name] = state
		ok = ok && state == "ok"
	}
	return states, ok
}

func (h *health) runChecks(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	results := make([]chan error, len(h.checks))
	for i, c := range h.checks {
		result := make(chan error, 1)
		results[i] = result
		go func() { result <- c.Probe(ctx) }()
	}
	for i, c := range h.checks {
		select {
		case err := <-results[i]:
			h.note(c.Name, err)
		case <-ctx.Done(): // a probe that does not heed its deadline
			h.note(c.Name, ctx.Err())
		}
	}
}

// note logs a change of state once.
func (h *health) note(name string, err error) {
	state := "ok"
	if err != nil {
		state = "failed"
	}
	if before, known := h.states[name]; state != before && (known || err != nil) {
		if err != nil {
			h.log.Error("not ready", "check", name, "error", err.Error())
		} else {
			h.log.Info("ready again", "check", name)
		}
	}
	h.states[name] = state
}
