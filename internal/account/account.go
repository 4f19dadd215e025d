package account

import (
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
	ID    int64
	Login string // lower-case
	// DisplayLogin is the login as its owner writes it.
	DisplayLogin string
	Kind         Kind
	SiteAdmin    bool
	// PasswordHash is empty for an account that signs in by token alone, and
	// for organizations.
	PasswordHash string
	// PasswordChangedAt is when the password was last set; zero for never since
	// the account was made. Sessions from before it are over.
	PasswordChangedAt time.Time
	CreatedAt         time.Time
	Suspended         bool
	// SecondFactor is set when a password alone does not sign in.
	SecondFactor bool
	// Name, Email and Description are what the account says of itself; all may
	// be empty.
	Name, Email, Description string
	Settings                 Settings
}

// Settings is what an account decides for the packages in its namespace. Those
// for members mean nothing for a user.
type Settings struct {
	// BaseRole is the role of every member on the organization's repositories.
	BaseRole access.RepositoryRole
	// MembersCreate holds the visibilities of the packages that members may make.
	MembersCreate access.VisibilitySet
	// InheritDefault lets new packages inherit from the repository that they
	// are linked to when they are made.
	InheritDefault bool
	// DefaultVisibility is that of new packages.
	DefaultVisibility access.Visibility
	// RequireSSO demands that tokens are authorized for the organization.
	RequireSSO bool
}

// DefaultSettings are those of a new account.
func DefaultSettings() Settings {
	return Settings{
		BaseRole: access.RepositoryRead, MembersCreate: access.SetAll,
		InheritDefault: true, DefaultVisibility: access.Private,
	}
}

// Member is one user in an organization.
type Member struct {
	Login string
	Role  access.Membership
}
