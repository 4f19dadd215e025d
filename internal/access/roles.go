package access

// Visibility says who may read a package without a role on it.
type Visibility string

// The visibilities. A package that was just made is private.
const (
	Private  Visibility = "private"
	Internal Visibility = "internal" // every signed-in account, every repository's jobs
	Public   Visibility = "public"
	// AsRepository is a namespace's default: that of the linked repository.
	AsRepository Visibility = "repository"
)

// Membership is what an account is in an organization; "" is no member.
type Membership string

// The memberships.
const (
	Member Membership = "member"
	Owner  Membership = "owner"
)

// Role is what an account may do with a package; "" is nothing.
type Role string

// The roles; each has the rights of those before it.
const (
	RoleRead  Role = "read"
	RoleWrite Role = "write"
	RoleAdmin Role = "admin"
)

// allows reports whether the role has the right to a.
func (r Role) allows(a Action) bool {
	switch a {
	case Read:
		return r == RoleRead || r == RoleWrite || r == RoleAdmin
	case Write:
		return r == RoleWrite || r == RoleAdmin
	case Delete, Administer:
		return r == RoleAdmin
	}
	return false
}

// RepositoryRole is what an account may do with a repository; the zero value is
// nothing. Each has the rights of those before it.
type RepositoryRole int

// The roles on repositories.
const (
	RepositoryRead RepositoryRole = iota + 1
	RepositoryTriage
	RepositoryWrite
	RepositoryMaintain
	RepositoryAdmin
)

// PackageRole returns the role on a package that inherits from the repository.
func (r RepositoryRole) PackageRole() Role {
	switch r {
	case RepositoryRead, RepositoryTriage:
		return RoleRead
	case RepositoryWrite, RepositoryMaintain:
		return RoleWrite
	case RepositoryAdmin:
		return RoleAdmin
	}
	return ""
}

var repositoryRoleNames = []string{"none", "read", "triage", "write", "maintain", "admin"}

// String returns the role's name; "none" for the zero value.
func (r RepositoryRole) String() string {
	if r < 0 || int(r) >= len(repositoryRoleNames) {
		return "none"
	}
	return repositoryRoleNames[r]
}

// RepositoryRoleNamed is the reverse of String.
func RepositoryRoleNamed(name string) (RepositoryRole, bool) {
	for i, n := range repositoryRoleNames {
		if n == name {
			return RepositoryRole(i), true
		}
	}
	return 0, false
}

// Action is what a request does to a package. The zero value is none and is
// never allowed.
type Action int

// The actions.
const (
	Read       Action = iota + 1 // pull, list
	Write                        // push, tag
	Delete                       // delete a tag, a version or a blob
	Administer                   // settings and roles
)

// scope returns the scopes that a credential needs for a, all of them.
func (a Action) scope() Scopes {
	switch a {
	case Read:
		return ReadPackages
	case Write, Administer:
		return WritePackages
	case Delete:
		return DeletePackages | ReadPackages // as on GitHub
	}
	return 0
}

// Actions is a set of the actions that a limited credential can name.
type Actions uint8

// The actions as a set.
const (
	Pull Actions = 1 << iota
	Push
	Remove
)

// Has reports whether a is in the set. Push and remove come with pull.
func (s Actions) Has(a Action) bool {
	switch a {
	case Read:
		return s != 0
	case Write:
		return s&Push != 0
	case Delete:
		return s&Remove != 0
	}
	return false
}

// role returns the least role that allows every action of the set.
func (s Actions) role() Role {
	switch {
	case s&Remove != 0:
		return RoleAdmin
	case s&Push != 0:
		return RoleWrite
	case s != 0:
		return RoleRead
	}
	return ""
}
