package account

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
)

// Store keeps the whole directory. Logins, slugs and names are given in lower
// case, and may be old ones. Every change is recorded as the entry that it is
// given, whose time is when the change is made; a change that fails leaves no
// entry.
type Store interface {
	Accounts
	Changes
	Members
	Repositories
}

// Accounts keeps accounts.
type Accounts interface {
	// CreateUser stores a, with the settings of DefaultSettings, and returns
	// its id; Exists when the login is taken.
	CreateUser(ctx context.Context, a Account, e audit.Entry) (int64, error)
	// CreateOrganization stores a with ownerID as its owner, both or neither;
	// Exists when the login is taken, NotFound without such a user.
	CreateOrganization(ctx context.Context, a Account, ownerID int64, e audit.Entry) (int64, error)
	// AccountByLogin returns NotFound when no login leads to an account.
	AccountByLogin(ctx context.Context, login string) (Account, error)
	// HasSiteAdmin reports whether there is one, suspended or not.
	HasSiteAdmin(ctx context.Context) (bool, error)
	// RehashPassword replaces the hash of the same password if it still is
	// old; Conflict if not. It is no change of the account.
	RehashPassword(ctx context.Context, id int64, old, hash string) error
}

// Changes changes accounts. All return NotFound for one that was deleted.
type Changes interface {
	// SetPassword replaces the password if its hash still is old; Conflict if
	// not.
	SetPassword(ctx context.Context, id int64, old, hash string, e audit.Entry) error
	// SetSuspended suspends the account or lifts that.
	SetSuspended(ctx context.Context, id int64, suspended bool, e audit.Entry) error
}

// Members keeps who belongs to which organization.
type Members interface {
	// SetMember makes the user a member in that role, from now on if new.
	// Conflict when that would leave the organization without an owner.
	SetMember(ctx context.Context, organizationID, userID int64, role access.Membership, e audit.Entry) error
	// RemoveMember ends a membership; NotFound when there is none, Conflict
	// for the last owner.
	RemoveMember(ctx context.Context, organizationID, userID int64, e audit.Entry) error
	// ListMembers returns the members in the order of their logins.
	ListMembers(ctx context.Context, organizationID int64) ([]Member, error)
}

// Repositories keeps repositories.
type Repositories interface {
	// RepositoryByName returns NotFound when no name leads to one.
	RepositoryByName(ctx context.Context, name oci.Name) (Repository, error)
}
