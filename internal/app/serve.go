package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

// Handlers are what the listeners serve.
type Handlers struct {
	Registry http.Handler // everything below /v2/
	Token    http.Handler // /token
	API      http.Handler // everything below /api/v3, and on APIHost
	Pages    http.Handler // everything else
	// Hosts serve a registry of their own and nothing else; the three above are
	// for every other host. The keys are names in lower case, without a port.
	Hosts map[string]Front
	// APIHost serves API at /; "" for none.
	APIHost string
	Ready   []Check // what must work for /readyz to say yes
}

// Front is what a client of one registry talks to.
type Front struct {
	Registry http.Handler // everything below /v2/
	Token    http.Handler // /token
}

// Serving is what Serve needs beside the configuration. Every field but Certs,
// Started and Hurry must be set.
type Serving struct {
	Handlers Handlers
	Log      *slog.Logger
	Metrics  *Metrics
	// NewID names requests; see httpx.NewIDs.
	NewID func() string
	// Certs keeps what ACME obtains; nil: a directory below Data.
	Certs CertStore
	// Started is called once, when the listeners are open, with the addresses
	// they have.
	Started func(Addresses)
	// Hurry ends a drain at once when it is closed; nil: never.
	Hurry <-chan struct{}
}

// Addresses are where a running server listens, as HOST:PORT; empty: nowhere.
type Addresses struct {
	Registry  []string
	Metrics   string
	Challenge string // of HTTP-01
}

// Serve runs the listeners until ctx ends, then drains: readiness says no,
// after Drain.Delay nothing is accepted any more, requests in flight get
// Drain.Requests and uploads Drain.Uploads, and the metrics listener stays to
// the end. It returns nil after a drain, however it went: an upload that was cut
// is resumed by its client.
func Serve(ctx context.Context, cfg *config.Config, s Serving) error {
	srv, err := newServer(ctx, cfg, s)
	if err != nil {
		return err
	}
	at := srv.addresses()
	s.Log.Info("listening", "registry", at.Registry, "metrics", at.Metrics, "challenges", at.Challenge)
	if s.Started != nil {
		s.Started(at)
	}
	// The listeners end by a drain alone, so that a drain can be orderly.
	group, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	for _, l := range srv.listeners {
		group.Go(func() error { return l.run() })
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		select {
		case <-ctx.Done():
			srv.drain(s.Hurry)
		case <-failed.Done():
		}
		srv.close()
	}()
	err = group.Wait()
	<-drained
	return err
}

// server is everything that is running.
type server struct {
	cfg       *config.Config
	log       *slog.Logger
	health    *health
	tracing   *tracing
	main      *http.Server
	sockets   []*httpx.Listener // of the registry
	listeners []*listener
}

func newServer(ctx context.Context, cfg *config.Config, s Serving) (_ *server, err error) {
	srv := &server{cfg: cfg, log: s.Log, health: newHealth(s.Handlers.Ready, s.Log, time.Now)}
	defer func() {
		if err != nil {
			srv.close()
		}
	}()
	if srv.tracing, err = newTracing(ctx, cfg, s.Log); err != nil {
		return nil, err
	}
	cert, err := newCertificates(cfg, s.Certs, s.Log)
	if err != nil {
		return nil, err
	}
	srv.main = srv.httpServer(srv.handler(s), cert.config)
	if err := srv.listenRegistry(); err != nil {
		return nil, err
	}
	if cfg.MetricsListen != "" {
		plain := srv.httpServer(metricsHandler(s.Metrics, srv.health), nil)
		if err := srv.listen(metricsRole, cfg.MetricsListen, plain); err != nil {
			return nil, err
		}
	}
	if cert.challenges != nil {
		plain := srv.httpServer(cert.challenges, nil)
		if err := srv.listen(challengeRole, cfg.TLS.ACME.HTTPListen, plain); err != nil {
			return nil, err
		}
	}
	return srv, nil
}

// handler is what a request of the registry's listener passes, outermost last.
func (srv *server) handler(s Serving) http.Handler {
	h := srv.cfg.HTTP
	wrapped := httpx.Wrap(s.Metrics.inFlight(newDispatch(s.Handlers, srv.health)), httpx.Options{
		Log:     s.Log,
		NewID:   s.NewID,
		Proxies: srv.cfg.TrustedProxies,
		Body: httpx.BodyLimits{
			Idle: h.UploadIdle, MinRate: int64(h.UploadMinRate), Grace: h.UploadGrace, MaxTime: h.UploadMaxTime,
		},
		WriteIdle:       h.DownloadIdle,
		StrictTransport: srv.cfg.UsesTLS(),
		Observe: func(r *http.Request, e *httpx.Event) {
			srv.tracing.observe(r, e)
			s.Metrics.observe(e)
		},
	})
	return srv.tracing.wrap(wrapped)
}

// drain ends in good order. See Serve.
func (srv *server) drain(hurry <-chan struct{}) {
	srv.log.Info("stopping: no new requests, waiting for those in flight",
		"requests", srv.cfg.Drain.Requests.String(), "uploads", srv.cfg.Drain.Uploads.String())
	srv.health.drain()
	if !pause(srv.cfg.Drain.Delay, hurry) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), srv.cfg.Drain.Uploads)
	defer cancel()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		if err := srv.main.Shutdown(ctx); err != nil && ctx.Err() != nil {
			srv.log.Warn("stopping: uploads were cut; their sessions can be resumed")
		}
	}()
	defer func() { <-finished }()
	patience := time.NewTimer(srv.cfg.Drain.Requests)
	defer patience.Stop()
	for {
		select {
		case <-finished:
			return
		case <-hurry:
			srv.log.Warn("stopping: told twice, so now")
			cancel()
			return
		case <-patience.C:
			srv.dropRequests()
			patience.Reset(min(time.Second, srv.cfg.Drain.Requests+time.Millisecond)) // uploads that ended since
		}
	}
}

func (srv *server) dropRequests() {
	for _, l := range srv.sockets {
		if n := l.DropWithoutUpload(); n > 0 {
			srv.log.Warn("stopping: requests were cut", "connections", n)
		}
	}
}

// pause waits for d; it returns false when hurry came first.
func pause(d time.Duration, hurry <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-hurry:
		return false
	}
}

// close ends whatever is still open.
func (srv *server) close() {
	for _, l := range srv.listeners {
		l.close()
	}
	if srv.tracing != nil {
		srv.tracing.stop()
	}
}

// run serves until the listener is closed.
func (l *listener) run() error {
	var err error
	if l.tls {
		err = l.server.ServeTLS(l.Listener, "", "")
	} else {
		err = l.server.Serve(l.Listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return errs.Wrap(errs.Unavailable, err, "the listener on %s failed", l.Addr())
}
