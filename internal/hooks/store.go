package hooks

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
)

// Directory tells what targets there are and who is what to them.
type Directory interface {
	// Facts returns what is known of the address p for who.
	Facts(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error)
	// HookTarget returns the account or, for a name of two parts, the repository
	// that a name leads to; NotFound for none.
	HookTarget(ctx context.Context, name oci.Name) (Target, error)
	// HookFacts returns what is known of the target for who, also of a package
	// that was deleted.
	HookFacts(ctx context.Context, who access.Principal, t Target) (access.Facts, error)
	// HookPerson returns the user of that id, without scopes; NotFound for one
	// that was suspended or deleted.
	HookPerson(ctx context.Context, id int64) (access.Principal, error)
}

// Store keeps hooks. Every change records e in its transaction. A hook is found
// by its id and its target alone, and is gone while its target is gone or another
// owner's.
type Store interface {
	// CreateHook stores h and returns its id, which it adds to the detail of e;
	// a ping is sent when it is active. Invalid, with the
	// code 422, when the target has max.
	CreateHook(ctx context.Context, h Hook, secret string, max int, e audit.Entry) (int64, error)
	// HooksOf returns the hooks of the target itself, by id.
	HooksOf(ctx context.Context, t Target) ([]Hook, error)
	// HookOf returns one of them, or NotFound.
	HookOf(ctx context.Context, t Target, id int64) (Hook, error)
	// UpdateHook replaces all of the hook but what it is of; a nil secret stays.
	UpdateHook(ctx context.Context, h Hook, secret *string, e audit.Entry) error
	// DeleteHook removes the hook and its deliveries.
	DeleteHook(ctx context.Context, t Target, id int64, e audit.Entry) error
	// AskHook has an event expanded that the one hook e.HookID is told of.
	AskHook(ctx context.Context, e Event) error
	// LatestVersion returns the newest version of the target, as an event that
	// it was published; NotFound when there is none.
	LatestVersion(ctx context.Context, t Target) (Event, error)
}

// Log keeps deliveries for those who look at them.
type Log interface {
	// Deliveries returns those of a hook that q chooses.
	Deliveries(ctx context.Context, hookID int64, q DeliveryQuery) ([]Delivery, error)
	// Delivery returns one of the hook's, or NotFound.
	Delivery(ctx context.Context, hookID, id int64) (Delivery, error)
	// Redeliver has a delivery of the hook sent once more, as a new one.
	Redeliver(ctx context.Context, hookID, id int64, now time.Time) error
}

// NewDelivery is a delivery to be made.
type NewDelivery struct {
	HookID  int64
	GUID    string
	Event   string
	Action  Action
	Payload []byte
}

// Outbox turns events into deliveries.
type Outbox interface {
	// Listening returns the hooks that are told of e, by id, whatever events they want.
	Listening(ctx context.Context, e Event) ([]Hook, error)
	// EventSubject returns what e is about; for an event without a package, what
	// t is.
	EventSubject(ctx context.Context, e Event, t Target) (Subject, error)
	// AddDeliveries stores those deliveries of the event that are not there yet,
	// each with the job that sends it, in one transaction. Hooks that are gone
	// are passed over.
	AddDeliveries(ctx context.Context, eventID int64, list []NewDelivery, now time.Time) error
}

// Queue is what is to be sent.
type Queue interface {
	// PendingDelivery returns which hook a delivery is of and when it is next
	// tried; NotFound when it is not pending any more.
	PendingDelivery(ctx context.Context, id int64) (hookID int64, next time.Time, err error)
	// DueDelivery returns the first pending delivery of the hook that is due; 0
	// for none.
	DueDelivery(ctx context.Context, hookID int64, now time.Time) (int64, error)
	// BeginAttempt counts an attempt and keeps others from the delivery until
	// then. NotFound when it is not due, or not pending.
	BeginAttempt(ctx context.Context, id int64, now, until time.Time) (Attempt, error)
	// EndAttempt records what became of it, unless another attempt has begun
	// since. A failure begins the time since when the hook fails, a success ends
	// it.
	EndAttempt(ctx context.Context, r Result) error
	// StopHook makes a hook inactive, says why, and records e; nothing when it is
	// already.
	StopHook(ctx context.Context, id int64, why StopReason, e audit.Entry) error
}

// Attempt is a delivery that is being sent, and to whom.
type Attempt struct {
	Delivery
	Hook   Hook
	Secret string
}

// Result is what became of an attempt.
type Result struct {
	ID, HookID      int64
	Attempt         int
	State           State
	NextAt          time.Time // for a pending one
	StatusCode      int
	Error           string
	RequestHeaders  map[string]string
	ResponseHeaders map[string]string
	ResponseBody    string
	Duration        time.Duration
	At              time.Time
}
