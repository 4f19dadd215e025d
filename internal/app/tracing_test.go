package app

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is an OTLP/HTTP receiver of traces.
func receiver(t *testing.T) (url string, spans chan *tracev1.Span) {
	t.Helper()
	spans = make(chan *tracev1.Span, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			body = must(gzip.NewReader(r.Body))(t)
		}
		var req coltrace.ExportTraceServiceRequest
		if err := proto.Unmarshal(must(io.ReadAll(body))(t), &req); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		for _, rs := range req.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					spans <- s
				}
			}
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, spans
}

func TestTraces(t *testing.T) {
	t.Parallel()
	url, spans := receiver(t)
	cfg := testConfig(t)
	cfg.OTLP.Endpoint = url
	r := start(t, cfg, Handlers{Registry: echo("registry")}, nil)
	if status, _ := get(t, "http://"+r.addr+"/v2/?token=secret-canary"); status != 200 {
		t.Fatalf("status %d", status)
	}
	r.stop()
	if err := r.wait(t); err != nil { // sends what is waiting
		t.Fatal(err)
	}
	span := <-spans
	if span.Name != "GET /registry" {
		t.Errorf("the span is called %q", span.Name)
	}
	text := span.String()
	if !strings.Contains(text, "packhouse.request_id") || strings.Contains(text, "secret-canary") {
		t.Errorf("span: %s", text)
	}
	if !strings.Contains(r.log.String(), `"trace":"`) {
		t.Errorf("the record does not name the trace:\n%s", r.log)
	}
}

func TestLostReceiverIsLoggedOnce(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer srv.Close()
	cfg.OTLP.Endpoint = srv.URL + "/custom/path"
	r := start(t, cfg, Handlers{Registry: echo("registry")}, nil)
	get(t, "http://"+r.addr+"/v2/")
	r.stop()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(r.log.String(), "traces cannot be delivered"); n != 1 {
		t.Errorf("said %d times:\n%s", n, r.log)
	}
}
