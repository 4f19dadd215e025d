package hooks

import (
	"context"
	"time"
)

// Expander makes deliveries of events. Safe for concurrent use.
type Expander struct {
	Outbox    Outbox
	Directory Directory
	Contents  Contents
	Links     Links
	Now       func() time.Time
	// NewID returns a GUID.
	NewID func() string
}

// Expand makes the deliveries of an event, one for each name of the event that a
// hook asks for whose answerer may be told of it. The id is the event's own: to
// expand it again adds nothing.
func (x *Expander) Expand(ctx context.Context, id int64, e Event) error {
	list, err := x.Outbox.Listening(ctx, e)
	if err != nil || len(list) == 0 {
		return err
	}
	bodies := &bodies{Expander: x, event: e, made: map[string][]byte{}}
	var all []NewDelivery
	for _, h := range list {
		ok, err := answererHears(ctx, x.Directory, h, e.PackageID)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		for _, name := range namesOf(e) {
			if !h.wants(name) {
				continue
			}
			body, err := bodies.body(ctx, name, h)
			if err != nil {
				return err
			}
			d := NewDelivery{HookID: h.ID, GUID: x.NewID(), Event: name, Action: e.Action, Payload: body}
			if e.Action == Ping {
				d.Action = ""
			}
			all = append(all, d)
		}
	}
	return x.Outbox.AddDeliveries(ctx, id, all, x.Now())
}

// namesOf are the names that an event has for those who subscribe.
func namesOf(e Event) []string {
	if e.Action == Ping {
		return []string{EventPing}
	}
	return []string{EventPackage, EventRegistryPackage}
}

// bodies builds each body of an event once.
type bodies struct {
	*Expander
	event   Event
	subject *Subject
	image   image
	made    map[string][]byte
}

func (b *bodies) body(ctx context.Context, name string, h Hook) ([]byte, error) {
	if body := b.made[name]; body != nil {
		return body, nil
	}
	if b.subject == nil {
		s, err := b.Outbox.EventSubject(ctx, b.event, h.Target)
		if err != nil {
			return nil, err
		}
		if b.image, err = look(ctx, b.Contents, s.Version); err != nil {
			return nil, err
		}
		b.subject = &s
	}
	if b.event.Action == Ping {
		return b.Links.ping(h, *b.subject)
	}
	body, err := b.Links.payload(name, b.event, *b.subject, b.image)
	b.made[name] = body
	return body, err
}
