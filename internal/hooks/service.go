package hooks

import (
	"context"
	"net/url"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Service is what can be done with hooks. A package's are for its admins, a
// repository's for its admins, an organization's for its owners, a user's for
// that user, and all for the administrators of the site. To all others a target
// has no hooks, whether it exists or not. Safe for concurrent use.
type Service struct {
	Directory Directory
	Store     Store
	Log       Log
	Now       func() time.Time
}

// Create makes a hook, active and with the event package unless c says else, and
// sends it a ping. Invalid, with the code 422, when c breaks a rule, or the target
// has MaxHooks.
func (s *Service) Create(ctx context.Context, who access.Principal, a Address, c Change) (Hook, error) {
	t, err := s.target(ctx, who, a)
	if err != nil {
		return Hook{}, err
	}
	now := s.Now()
	h := Hook{
		Target: t, ContentType: "form", Events: []string{EventPackage}, Active: true,
		CreatedAt: now, UpdatedAt: now, CreatedBy: who.ID(), UpdatedBy: who.ID(),
	}
	secret, err := c.apply(&h)
	if err != nil {
		return Hook{}, err
	}
	var key string
	set(&key, secret)
	h.ID, err = s.Store.CreateHook(ctx, h, key, MaxHooks, s.entry(who, "hook.create", h))
	return h, err
}

// List returns the hooks of the target itself, by id.
func (s *Service) List(ctx context.Context, who access.Principal, a Address) ([]Hook, error) {
	t, err := s.target(ctx, who, a)
	if err != nil {
		return nil, err
	}
	return s.Store.HooksOf(ctx, t)
}

// Get returns one hook of the target.
func (s *Service) Get(ctx context.Context, who access.Principal, a Address, id int64) (Hook, error) {
	t, err := s.target(ctx, who, a)
	if err != nil {
		return Hook{}, err
	}
	return s.Store.HookOf(ctx, t, id)
}

// Update changes a hook. Who does it answers for the hook from then on.
func (s *Service) Update(ctx context.Context, who access.Principal, a Address, id int64, c Change) (Hook, error) {
	h, err := s.Get(ctx, who, a, id)
	if err != nil {
		return Hook{}, err
	}
	secret, err := c.apply(&h)
	if err != nil {
		return Hook{}, err
	}
	h.UpdatedAt, h.UpdatedBy = s.Now(), who.ID()
	if c.Active != nil && *c.Active {
		h.FailingSince, h.Stopped = time.Time{}, ""
	}
	return h, s.Store.UpdateHook(ctx, h, secret, s.entry(who, "hook.update", h))
}

// Delete removes a hook and the log of its deliveries.
func (s *Service) Delete(ctx context.Context, who access.Principal, a Address, id int64) error {
	h, err := s.Get(ctx, who, a, id)
	if err != nil {
		return err
	}
	return s.Store.DeleteHook(ctx, h.Target, id, s.entry(who, "hook.delete", h))
}

// Ping sends a ping to the hook, active or not.
func (s *Service) Ping(ctx context.Context, who access.Principal, a Address, id int64) error {
	h, err := s.Get(ctx, who, a, id)
	if err != nil {
		return err
	}
	return s.Store.AskHook(ctx, s.asked(who, h, Event{Action: Ping}))
}

// Test tells the hook once more that the newest version of its target was
// published; a ping when there is no version.
func (s *Service) Test(ctx context.Context, who access.Principal, a Address, id int64) error {
	h, err := s.Get(ctx, who, a, id)
	if err != nil {
		return err
	}
	e, err := s.Store.LatestVersion(ctx, h.Target)
	if errs.Is(err, errs.NotFound) {
		e, err = Event{Action: Ping}, nil
	}
	if err != nil {
		return err
	}
	return s.Store.AskHook(ctx, s.asked(who, h, e))
}

func (s *Service) asked(who access.Principal, h Hook, e Event) Event {
	e.HookID, e.Actor, e.ActorID, e.At = h.ID, audit.By(who), who.ID(), s.Now()
	return e
}

// MaxDeliveries is the longest page of deliveries.
const MaxDeliveries = 100

// Deliveries returns one page of what was sent to a hook, without the payloads.
func (s *Service) Deliveries(ctx context.Context, who access.Principal, a Address, id int64, q DeliveryQuery) ([]Delivery, error) {
	if _, err := s.Get(ctx, who, a, id); err != nil {
		return nil, err
	}
	q.Limit = min(max(q.Limit, 1), MaxDeliveries)
	return s.Log.Deliveries(ctx, id, q)
}

// Delivery returns one delivery of a hook, and the hook. There is no payload for
// those who may not read the package that it tells of.
func (s *Service) Delivery(ctx context.Context, who access.Principal, a Address, id, delivery int64) (Hook, Delivery, error) {
	h, err := s.Get(ctx, who, a, id)
	if err != nil {
		return Hook{}, Delivery{}, err
	}
	d, err := s.Log.Delivery(ctx, id, delivery)
	if err != nil {
		return h, d, err
	}
	ok, err := hears(ctx, s.Directory, who, h, packageIn(d.Payload))
	if !ok {
		d.Payload = nil
	}
	return h, d, err
}

// Redeliver sends the same once more, under the same GUID, to the hook as it is
// now.
func (s *Service) Redeliver(ctx context.Context, who access.Principal, a Address, id, delivery int64) error {
	if _, err := s.Get(ctx, who, a, id); err != nil {
		return err
	}
	return s.Log.Redeliver(ctx, id, delivery, s.Now())
}

// entry is the record of a change. An address may hold a secret in its path, so
// that the record names the host alone.
func (s *Service) entry(who access.Principal, action string, h Hook) audit.Entry {
	return audit.Entry{At: s.Now(), Actor: audit.By(who), Action: action, Target: h.Target.String(), Detail: h.detail()}
}

func (h Hook) detail() map[string]any {
	d := map[string]any{"kind": string(h.Kind()), "events": strings.Join(h.Events, ","), "active": h.Active}
	if u, err := url.Parse(h.URL); err == nil {
		d["host"] = u.Host
	}
	if h.ID != 0 {
		d["hook"] = h.ID
	}
	return d
}
