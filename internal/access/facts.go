package access

import (
	"strings"

	"packhouse/internal/oci"
)

// Facts is what the database tells about an address and what the principal is
// to it. The zero value is a package that does not exist, of an owner who does
// not either.
type Facts struct {
	// Mode is that of the registry that the package belongs to.
	Mode Mode
	// AskedMode and AskedType are of the registry that was asked, which may find
	// packages of the other one. Those who may not know of the package go by
	// them. Without a package they are Mode and Type.
	AskedMode Mode
	AskedType PackageType

	OwnerID             int64
	Owner               string // login
	OwnerExists         bool
	OwnerIsOrganization bool
	OwnerSuspended      bool

	Exists     bool
	PackageID  int64
	Type       PackageType // of the package, or of one that a push would make
	Name       oci.Name    // its present name; when there is none, the one that a push would make
	Visibility Visibility  // a Docker package has its repository's
	Inherits   bool        // from the repository; a Docker package always does
	// Retired is set when the address led to a package that is gone, under
	// another name.
	Retired bool

	// Repository is the one that the package is linked to, or in the Docker
	// registry the one that it would belong to; zero when there is none.
	RepositoryID         int64
	Repository           oci.Name
	RepositoryVisibility Visibility

	// Membership is the principal's in the owning organization.
	Membership Membership
	// Grant is the principal's explicit role on the package, its own or a team's.
	Grant Role
	// RepositoryRole is the principal's role on the repository: its own, a
	// team's, or what the organization gives to members.
	RepositoryRole RepositoryRole
	// ActionsRole and CodespacesAccess are what the package allows to the jobs
	// and codespaces of the repository that the principal is a job of.
	ActionsRole      Role
	CodespacesAccess bool

	// SSORequired is set by an organization that demands single sign-on;
	// SSOAuthorized when the principal's token was authorized for it.
	SSORequired   bool
	SSOAuthorized bool

	// What the owner decides for new packages.
	MembersCreate     VisibilitySet
	DefaultVisibility Visibility
	InheritDefault    bool
}

// Mode is the state of a registry.
type Mode string

// The modes. "" is Enabled.
const (
	Enabled  Mode = "enabled"
	ReadOnly Mode = "read-only"
	Disabled Mode = "disabled"
)

// VisibilitySet is a set of visibilities.
type VisibilitySet uint8

// The set with one member each, and with all.
const (
	SetPrivate VisibilitySet = 1 << iota
	SetInternal
	SetPublic
	SetAll = SetPrivate | SetInternal | SetPublic
)

// setOf returns the set that holds v alone; the empty one for no visibility.
func setOf(v Visibility) VisibilitySet {
	switch v {
	case Private:
		return SetPrivate
	case Internal:
		return SetInternal
	case Public:
		return SetPublic
	}
	return 0
}

// Has reports whether v is in the set.
func (s VisibilitySet) Has(v Visibility) bool { return s&setOf(v) != 0 }

// String returns the members, separated by commas.
func (s VisibilitySet) String() string {
	var names []string
	for _, v := range []Visibility{Private, Internal, Public} {
		if s.Has(v) {
			names = append(names, string(v))
		}
	}
	return strings.Join(names, ",")
}

// NewVisibility returns the visibility of a package that is made at the address
// of f and linked to a repository of the given visibility, "" for none.
func (f Facts) NewVisibility(repository Visibility) Visibility {
	v := f.DefaultVisibility
	if v == AsRepository {
		v = repository
	}
	if v == "" || v == Internal && !f.OwnerIsOrganization {
		return Private
	}
	return v
}

// Made returns what is known once p has made the package at the address of f.
func (f Facts) Made(p Principal) Facts {
	f.Exists, f.Visibility, f.Grant = true, Private, RoleAdmin
	if f.Type != Docker {
		f.RepositoryID = p.RepositoryID()
	}
	return f
}

// inherits reports whether the repository's roles count, and no grants.
func (f Facts) inherits() bool { return f.Inherits || f.Type == Docker }

// Effects is all that a request would do to one package.
type Effects struct {
	Action Action
	// Digest and Tags are what it touches; both may be empty.
	Digest oci.Digest
	Tags   []oci.Tag
	// Visibility is what it would give the package; "" when it does not.
	Visibility Visibility
}
