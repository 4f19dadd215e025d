package packages

import (
	"time"

	"packhouse/internal/access"
	"packhouse/internal/oci"
)

// GranteeKind says what has a role on a package.
type GranteeKind string

// The kinds.
const (
	User       GranteeKind = "user"
	Team       GranteeKind = "team"
	Repository GranteeKind = "repository" // its jobs and codespaces
	// Members are all members of the owning organization. They have roles
	// through a repository only.
	Members GranteeKind = "members"
)

// Grantee is whom a package's settings give something.
type Grantee struct {
	Kind GranteeKind `json:"kind"`
	// Name is a login, ORGANIZATION/TEAM, or OWNER/REPOSITORY.
	Name string `json:"name"`
	ID   int64  `json:"-"`
}

// Grant is one line of who may do what.
type Grant struct {
	Grantee
	// Role may be empty for a repository whose codespaces alone may pull.
	Role       access.Role `json:"role,omitempty"`
	Codespaces bool        `json:"codespaces,omitempty"`
}

// LinkedRepository is a repository that a package is or may be linked to.
type LinkedRepository struct {
	ID      int64
	OwnerID int64
	Name    oci.Name
	// Role is what the asking account has there; owners have all.
	Role access.RepositoryRole
	// Visible reports whether the asking account may know of it.
	Visible bool
}

// Plan says what a change of inheritance takes away.
type Plan struct {
	Package oci.Name
	// Repository is the one that the package inherits from, or would.
	Repository oci.Name
	// Inherits is what the change makes of it; Change is false when it is so already.
	Inherits, Change bool
	// Lost are those whose roles end with it. A role of theirs that has another
	// reason, such as owning the organization, stays.
	Lost []Grant
	// Admin is who becomes admin with it; "" for nobody.
	Admin string
}

// Summary is one line of a list of packages.
type Summary struct {
	Name       oci.Name
	Type       access.PackageType
	Visibility access.Visibility
	Repository oci.Name // zero without a link
	Inherits   bool
	Versions   int64
}

// Details is everything about a package but its content.
type Details struct {
	Summary
	LinkedBy      string
	ClaimedSource string // a source that did not become a link
	CreatedAt     time.Time
	CreatedBy     string
	PublishedAt   time.Time // zero when nothing was ever published
	Tags          int64
	// Description, Licenses and Source are what the newest version says that
	// says anything of itself.
	Description, Licenses, Source string
	// Grants is empty for those who may not administer the package.
	Grants []Grant
	// Names are the other addresses that lead to it.
	Names []access.Package
}
