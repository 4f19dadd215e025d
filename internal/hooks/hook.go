package hooks

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Kind says what a hook is of. Its values are those of the header
// X-GitHub-Hook-Installation-Target-Type.
type Kind string

// The kinds.
const (
	OfRepository   Kind = "repository"
	OfOrganization Kind = "organization"
	OfUser         Kind = "user"
	OfPackage      Kind = "package"
)

// Target is what a hook is of: a package, a repository, or with neither
// everything of an account.
type Target struct {
	OwnerID                 int64
	Owner                   string // login
	OwnerIsOrganization     bool
	RepositoryID, PackageID int64
	Name                    oci.Name           // of the repository or the package; zero for an account
	Type                    access.PackageType // of the package
}

// Kind returns what the target is.
func (t Target) Kind() Kind {
	switch {
	case t.PackageID != 0:
		return OfPackage
	case t.RepositoryID != 0:
		return OfRepository
	case t.OwnerIsOrganization:
		return OfOrganization
	}
	return OfUser
}

// ID is that of the package, the repository or the account.
func (t Target) ID() int64 {
	switch {
	case t.PackageID != 0:
		return t.PackageID
	case t.RepositoryID != 0:
		return t.RepositoryID
	}
	return t.OwnerID
}

// String returns OWNER/NAME or OWNER.
func (t Target) String() string {
	if t.Name.IsZero() {
		return t.Owner
	}
	return t.Name.String()
}

// Address names a target: a package, a repository as OWNER/NAME, or an account
// as OWNER.
type Address struct {
	Kind Kind
	Name oci.Name
	// Type and Also are those of access.Package; for a package alone.
	Type, Also access.PackageType
}

// Hook is one subscription. Its secret is never read back.
type Hook struct {
	ID int64
	Target
	URL         string
	ContentType string // json or form
	InsecureSSL bool   // the receiver's certificate is not checked
	HasSecret   bool
	// Events are names of events, or "*" for all.
	Events []string
	Active bool

	CreatedAt, UpdatedAt time.Time
	CreatedBy            int64
	// UpdatedBy is who answers for the hook, who made it or changed it last: it
	// is told of nothing that this account may not rule. 0 is the operator.
	UpdatedBy int64
	// FailingSince is when the first delivery failed of those that failed
	// without one between that did not; zero for none.
	FailingSince time.Time
	// Stopped says why the server made the hook inactive; "" when it did not.
	Stopped StopReason
	Last    *LastResponse // nil before the first answer
}

// StopReason is why the server makes a hook inactive.
type StopReason string

// The reasons.
const (
	StoppedFailing  StopReason = "failing"  // every delivery failed for days
	StoppedAnswerer StopReason = "answerer" // who answers for it may not rule it any more
)

// LastResponse is what became of the latest attempt.
type LastResponse struct {
	Code    int // 0 without an answer
	Message string
}

// wants reports whether the hook is told of the event called name.
func (h Hook) wants(name string) bool {
	return name == EventPing || slices.Contains(h.Events, "*") || slices.Contains(h.Events, name)
}

// Change says what is to be changed of a hook, or what a new one is; what is nil
// stays, or has its default.
type Change struct {
	URL, ContentType *string
	// Secret is the key of the signatures; "" for none. Masked stands for the one that is there.
	Secret      *string
	InsecureSSL *bool
	Events      []string
	// AddEvents and RemoveEvents change the list that there is.
	AddEvents, RemoveEvents []string
	Active                  *bool
}

// Masked is shown in the place of a secret.
const Masked = "********"

// The names of events.
const (
	EventPackage         = "package"
	EventRegistryPackage = "registry_package" // the older name of the same
	EventPing            = "ping"
)

// The limits of a hook.
const (
	MaxHooks  = 20 // of one target
	maxURL    = 2048
	maxSecret = 1024
)

// unprocessable is the code of what is well-formed and cannot be.
const unprocessable = "422"

func invalid(format string, args ...any) error {
	return errs.New(errs.Invalid, format, args...).WithCode(unprocessable)
}

// apply changes h and returns its new secret, nil when that stays.
func (c Change) apply(h *Hook) (secret *string, err error) {
	set(&h.URL, c.URL)
	set(&h.ContentType, c.ContentType)
	set(&h.InsecureSSL, c.InsecureSSL)
	set(&h.Active, c.Active)
	if c.Events != nil {
		h.Events = c.Events
	}
	h.Events = slices.DeleteFunc(slices.Concat(h.Events, c.AddEvents), func(e string) bool { return slices.Contains(c.RemoveEvents, e) })
	slices.Sort(h.Events)
	h.Events = slices.Compact(h.Events)
	if secret = c.Secret; secret != nil && *secret == Masked {
		secret = nil
	}
	if secret != nil && (len(*secret) > maxSecret || !storable(*secret)) {
		return nil, invalid("a secret has at most %d bytes of text", maxSecret)
	}
	if secret != nil {
		h.HasSecret = *secret != ""
	}
	return secret, h.check()
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// check returns why the hook cannot be, or nil.
func (h Hook) check() error {
	u, err := url.Parse(h.URL)
	switch {
	case h.URL == "":
		return invalid("a hook needs the URL of its receiver: config.url")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || len(h.URL) > maxURL || !storable(h.URL):
		return invalid("the URL of a hook is an http:// or https:// address of at most %d characters", maxURL)
	case u.User != nil || u.Fragment != "":
		return invalid("the URL of a hook holds no user name, password or fragment; a secret signs what is sent")
	case h.ContentType != "json" && h.ContentType != "form":
		return invalid("the content_type of a hook is json or form")
	case len(h.Events) == 0:
		return invalid("a hook needs an event: package, registry_package or *")
	}
	for _, e := range h.Events {
		if e != EventPackage && e != EventRegistryPackage && e != "*" {
			return invalid("there is no event %q here; there are package, registry_package and * for both", e)
		}
	}
	return nil
}

// storable reports whether every database takes the text.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// State is where a delivery stands.
type State string

// The states.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	Failed    State = "failed" // for good
)

// Delivery is one event on its way to one hook.
type Delivery struct {
	ID, HookID int64
	GUID       string // the same for each redelivery
	Event      string
	Action     Action
	Redelivery bool
	State      State
	Attempts   int
	// NextAt is when a pending one is tried again.
	NextAt     time.Time
	StatusCode int // 0 before there was an answer
	// Error says why the latest attempt failed.
	Error           string
	RequestHeaders  map[string]string
	Payload         json.RawMessage // not in lists
	ResponseHeaders map[string]string
	ResponseBody    string // its beginning; not in lists
	Duration        time.Duration
	CreatedAt       time.Time
	DeliveredAt     time.Time // of the latest attempt; zero before
}

// DeliveryQuery chooses deliveries of one hook, the newest first.
type DeliveryQuery struct {
	// Before is the ID of the last one of the page before; zero is the newest.
	Before int64
	Limit  int
	// Redelivery chooses by that; nil is all. Status is success or failure, ""
	// all.
	Redelivery *bool
	Status     string
}
