package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

// tracing sends a span for each request to an OTLP receiver. Without one
// configured it is nil, and every method does nothing: requests pass as if it
// did not exist.
type tracing struct {
	provider *sdktrace.TracerProvider
	// proxied says that requests come through proxies of ours, whose trace
	// is continued; a stranger's is only linked to.
	proxied bool
}

func newTracing(ctx context.Context, cfg *config.Config, log *slog.Logger) (*tracing, error) {
	if cfg.OTLP.Endpoint == "" {
		return nil, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesURL(cfg.OTLP.Endpoint)))
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "otlp.endpoint: cannot be used: %v", err)
	}
	return &tracing{
		provider: sdktrace.NewTracerProvider(
			sdktrace.WithBatcher(&loggedExporter{SpanExporter: exporter, log: log}),
			sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.OTLP.Sample))),
			sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "packhouse"))),
		),
		proxied: len(cfg.TrustedProxies) > 0,
	}, nil
}

// tracesURL adds the usual path to an address that has none.
func tracesURL(endpoint string) string {
	host := strings.TrimSuffix(endpoint, "/")
	if strings.Count(host, "/") == 2 {
		return host + "/v1/traces"
	}
	return endpoint
}

// wrap opens a span around each request.
func (t *tracing) wrap(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return otelhttp.NewHandler(next, "request",
		otelhttp.WithTracerProvider(t.provider),
		otelhttp.WithMeterProvider(noop.NewMeterProvider()), // Metrics counts
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return !t.proxied }),
	)
}

// observe gives the span what only the end of a request knows.
func (t *tracing) observe(r *http.Request, e *httpx.Event) {
	if t == nil {
		return
	}
	span := trace.SpanFromContext(r.Context())
	if !span.SpanContext().IsValid() {
		return
	}
	e.TraceID = span.SpanContext().TraceID().String()
	span.SetName(e.Method + " " + strings.TrimPrefix(e.Route, e.Method+" "))
	span.SetAttributes(attribute.String("http.route", e.Route), attribute.String("packhouse.request_id", e.ID))
}

// stop sends what is waiting, for a few seconds.
func (t *tracing) stop() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the exporter has logged what went wrong
}

// loggedExporter says when traces cannot be delivered: once, and once when they
// can again.
type loggedExporter struct {
	sdktrace.SpanExporter
	log *slog.Logger

	mu     sync.Mutex
	failed bool
}

// ExportSpans delivers spans. It reports no error: the SDK would print it past
// our log.
func (x *loggedExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := x.SpanExporter.ExportSpans(ctx, spans)
	x.mu.Lock()
	defer x.mu.Unlock()
	if failed := err != nil; failed != x.failed {
		x.failed = failed
		if failed {
			x.log.Warn("traces cannot be delivered", "error", err.Error())
		} else {
			x.log.Info("traces are delivered again")
		}
	}
	return nil
}
