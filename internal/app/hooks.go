package app

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/httpx"
	"packhouse/internal/jobs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

// hookDirectory adds to what the store knows of targets what it knows of
// addresses.
type hookDirectory struct {
	*store.Store
	addressFacts
}

func newHookDirectory(s *store.Store) hookDirectory { return hookDirectory{s, addressFacts{s}} }

func newHooks(s *store.Store) *hooks.Service {
	return &hooks.Service{Directory: newHookDirectory(s), Store: s, Log: s, Now: time.Now}
}

// hookAgent begins as receivers expect it that look at the header.
const hookAgent = "GitHub-Hookshot/packhouse"

// hookWork does what follows of events, on this node.
type hookWork struct {
	expander  *hooks.Expander
	deliverer *hooks.Deliverer
	store     *store.Store
}

func newHookWork(cfg *config.Config, s *store.Store, r *registry.Service) *hookWork {
	return &hookWork{
		store: s,
		expander: &hooks.Expander{
			Outbox: s, Directory: newHookDirectory(s), Contents: smallBlobs{s, r}, Now: time.Now, NewID: func() string { return uuid.Must(uuid.NewRandom()).String() },
			Links: hooks.Links{Site: cfg.URL, API: cfg.APIURL(), Containers: cfg.ContainersURL(), Docker: cfg.DockerURL()},
		},
		deliverer: &hooks.Deliverer{
			Queue: s, Directory: newHookDirectory(s), Sender: newHookSender(cfg.Hooks.AllowPrivate), Now: time.Now, Agent: hookAgent,
		},
	}
}

// kinds are the jobs of hooks. Events are expanded one after the other, so that a
// hook gets them in their order.
func (w *hookWork) kinds() map[string]jobs.Kind {
	return map[string]jobs.Kind{
		hooks.JobEvent:   {Work: w.expand},
		hooks.JobDeliver: {Work: w.deliver, Parallel: 4},
		"hooks.sweep":    {Work: w.sweep},
	}
}

func (w *hookWork) expand(ctx context.Context, j jobs.Job) error {
	var e hooks.Event
	if err := json.Unmarshal(j.Args, &e); err != nil {
		return jobs.Cancel(err)
	}
	return w.expander.Expand(ctx, j.ID, e)
}

func (w *hookWork) deliver(ctx context.Context, j jobs.Job) error {
	var args hooks.DeliverArgs
	if err := json.Unmarshal(j.Args, &args); err != nil {
		return jobs.Cancel(err)
	}
	again, err := w.deliverer.Deliver(ctx, args.Delivery)
	if err == nil && again > 0 {
		return jobs.Snooze(again)
	}
	return err
}

// How long deliveries stay on record, and how many are forgotten at a time.
const (
	keepDeliveries = 30 * 24 * time.Hour
	forgetAtOnce   = 500
)

func (w *hookWork) sweep(ctx context.Context, _ jobs.Job) error {
	for {
		n, err := w.store.ForgetDeliveries(ctx, time.Now().Add(-keepDeliveries), forgetAtOnce)
		if err != nil || n < forgetAtOnce {
			return err
		}
	}
}

// What a delivery may take of a receiver's time and of our memory.
const (
	hookTimeout   = 10 * time.Second
	maxHookAnswer = 64 << 10
)

// hookSender sends deliveries. It implements hooks.Sender.
type hookSender struct{ checked, insecure *http.Client }

func newHookSender(allowPrivate bool) hookSender {
	return hookSender{
		checked:  httpx.OutboundOnce(allowPrivate, false, maxHookAnswer, hookTimeout),
		insecure: httpx.OutboundOnce(allowPrivate, true, maxHookAnswer, hookTimeout),
	}
}

// Send implements hooks.Sender. What it tells of a failure is nothing about the
// network that this server is in.
func (s hookSender) Send(r *http.Request, insecure bool) (*http.Response, error) {
	client := s.checked
	if insecure {
		client = s.insecure
	}
	res, err := client.Do(r)
	if err == nil {
		return res, nil
	}
	text := "could not connect to the receiver"
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, wrongName := errors.AsType[x509.HostnameError](err)
	_, notValid := errors.AsType[x509.CertificateInvalidError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, httpx.ErrNotPublic):
		text = "the receiver is not at a public address, and hooks.allow_private is off"
	case unknown, wrongName, notValid:
		text = "the certificate of the receiver does not hold"
	case isNet && timeout.Timeout():
		text = "the receiver did not answer in 10 seconds"
	}
	return nil, errs.Wrap(errs.Unavailable, err, "%s", text)
}

// smallBlobs reads blobs for payloads. It implements hooks.Contents.
type smallBlobs struct {
	store    *store.Store
	registry *registry.Service
}

// SmallBlob implements hooks.Contents.
func (s smallBlobs) SmallBlob(ctx context.Context, d oci.Digest, max int64) ([]byte, error) {
	b, err := s.store.AnyBlob(ctx, d)
	if err != nil || b == nil || b.Size > max {
		return nil, err
	}
	o, err := s.registry.OpenBlob(ctx, *b)
	if errs.Is(err, errs.Internal) || errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(o, max))
	return content, errors.Join(err, o.Close())
}
