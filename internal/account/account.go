package account

import (
	"context"
	"time"

	"packhouse/internal/access"
)

// Kind tells users from organizations.
type Kind string

// The kinds.
const (
	User         Kind = "user"
	Organization Kind = "organization"
)

// Account is a user or an organization.
type Account struct {
	ID        int64
	Login     string // lower-case
	Kind      Kind
	SiteAdmin bool
	// PasswordHash is empty for an account that signs in by token alone, and
	// for organizations.
	PasswordHash string
	CreatedAt    time.Time
	Suspended    bool
}

// Member is one user in an organization.
type Member struct {
	Login string
	Role  access.Membership
}

// Store keeps accounts. Logins are given in lower case.
type Store interface {
	// CreateUser stores a and returns its id; Exists when the login is taken.
	CreateUser(ctx context.Context, a Account) (int64, error)
	// CreateOrganization stores a with ownerID as its owner, both or neither;
	// Exists when the login is taken.
	CreateOrganization(ctx context.Context, a Account, ownerID int64) (int64, error)
	// AccountByLogin returns NotFound when there is none.
	AccountByLogin(ctx context.Context, login string) (Account, error)
	// SetPasswordHash replaces the hash if it still is old; Conflict if not.
	SetPasswordHash(ctx context.Context, id int64, old, hash string) error
	// SetSuspended suspends the account from at on; a zero at lifts it.
	SetSuspended(ctx context.Context, id int64, at time.Time) error
	// HasSiteAdmin reports whether there is one, suspended or not.
	HasSiteAdmin(ctx context.Context) (bool, error)
}

// Members keeps who belongs to which organization.
type Members interface {
	// SetMember makes the user a member in that role, from now on if new.
	// Conflict when that would leave the organization without an owner.
	SetMember(ctx context.Context, organizationID, userID int64, role access.Membership, now time.Time) error
	// RemoveMember ends a membership; NotFound when there is none, Conflict
	// for the last owner.
	RemoveMember(ctx context.Context, organizationID, userID int64) error
	// ListMembers returns the members in the order of their logins.
	ListMembers(ctx context.Context, organizationID int64) ([]Member, error)
}
