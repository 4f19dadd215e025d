package hooks

import (
	"time"

	"packhouse/internal/audit"
)

// Action is what happened to a package.
type Action string

// The actions. GitHub has the first two.
const (
	Published         Action = "published" // a version is new or came back with a push; once for each tag it came with
	Updated           Action = "updated"   // a version that was there got a tag
	Deleted           Action = "deleted"   // a version, or with no version the package
	Restored          Action = "restored"  // likewise
	TagMoved          Action = "tag_moved" // a tag leads to another version, or with no digest to none
	VisibilityChanged Action = "visibility_changed"

	// Ping is what a hook is sent when it is made, and when somebody asks for it.
	// It is about no package.
	Ping Action = "ping"
)

// The kinds of jobs: those that carry an Event, and those that send a delivery.
const (
	JobEvent   = "hook.event"
	JobDeliver = "hook.deliver"
)

// DeliverArgs are the arguments of a JobDeliver.
type DeliverArgs struct {
	Delivery int64 `json:"delivery"`
}

// Event is one thing that happened to a package, on record with the change itself.
type Event struct {
	Action    Action `json:"action"`
	PackageID int64  `json:"package"`
	// VersionID is zero for what concerns the package as a whole.
	VersionID int64  `json:"version,omitempty"`
	Tag       string `json:"tag,omitempty"`
	Digest    string `json:"digest,omitempty"`
	// Previous is the digest that the tag led to, or the visibility that was.
	Previous string `json:"previous,omitempty"`
	// Visibility is what the package has now, for a change of that.
	Visibility string      `json:"visibility,omitempty"`
	Actor      audit.Actor `json:"actor"`
	// ActorID is Principal.ID; 0 for the operator.
	ActorID int64     `json:"actor_id"`
	At      time.Time `json:"at"`
	// HookID, unless zero, is the one hook that is told.
	HookID int64 `json:"hook,omitempty"`
}
