package app

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"packhouse/internal/httpx"
)

// Metrics is the registry of everything measured, and the measures of requests.
// Safe for concurrent use.
type Metrics struct {
	// Registry takes the collectors of other packages.
	Registry *prometheus.Registry

	active   prometheus.Gauge
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	received *prometheus.CounterVec
	sent     *prometheus.CounterVec
	jobs     jobMeasures

	// children saves the search by labels, which costs more than the count.
	mu       sync.RWMutex
	children map[requestLabels]*requestMeasures
}

type requestLabels struct {
	route, method string
	status        int
}

type requestMeasures struct {
	requests, received, sent prometheus.Counter
	seconds                  prometheus.Observer
}

// durations reach from a manifest in memory to an upload of hours.
var durations = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60, 600, 3600}

// NewMetrics returns a registry with the measures of requests, of the process
// and of the Go runtime.
func NewMetrics(version string) *Metrics {
	m := &Metrics{Registry: prometheus.NewRegistry(), children: map[requestLabels]*requestMeasures{}}
	m.active = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "packhouse_http_requests_in_flight", Help: "Requests being served."})
	m.requests = counter("packhouse_http_requests_total", "Requests served.", "route", "method", "status")
	m.received = counter("packhouse_http_request_bytes_total", "Bytes of request bodies read.", "route", "method")
	m.sent = counter("packhouse_http_response_bytes_total", "Bytes of response bodies sent.", "route", "method")
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "packhouse_http_request_duration_seconds", Help: "Time from header to the end of the response.", Buckets: durations,
	}, []string{"route", "method"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "packhouse_build_info", Help: "Always 1; the version is in the label.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.Registry.MustRegister(m.active, m.requests, m.received, m.sent, m.seconds, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.jobs = newJobMeasures(m.Registry)
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// inFlight counts the requests inside next.
func (m *Metrics) inFlight(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.active.Inc()
		defer m.active.Dec()
		next.ServeHTTP(w, r)
	})
}

// observe counts a finished request.
func (m *Metrics) observe(e *httpx.Event) {
	c := m.child(requestLabels{route: e.Route, method: knownMethod(e.Method), status: e.Status})
	c.requests.Inc()
	c.seconds.Observe(e.Duration.Seconds())
	c.received.Add(float64(e.BytesIn))
	c.sent.Add(float64(e.BytesOut))
}

func (m *Metrics) child(l requestLabels) *requestMeasures {
	m.mu.RLock()
	c := m.children[l]
	m.mu.RUnlock()
	if c != nil {
		return c
	}
	c = &requestMeasures{
		requests: m.requests.WithLabelValues(l.route, l.method, strconv.Itoa(l.status)),
		seconds:  m.seconds.WithLabelValues(l.route, l.method),
		received: m.received.WithLabelValues(l.route, l.method),
		sent:     m.sent.WithLabelValues(l.route, l.method),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.children[l] = c
	return c
}

// knownMethod keeps words of clients out of the labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// metricsHandler serves /metrics and the two health addresses.
func metricsHandler(m *Metrics, h *health) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}))
	mux.Handle("/healthz", h)
	mux.Handle("/readyz", h)
	return mux
}
