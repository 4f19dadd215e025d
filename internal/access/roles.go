package access

// Visibility says who may read a package without a role on it.
type Visibility string

// The visibilities. A package that was just made is private.
const (
	Private  Visibility = "private"
	Internal Visibility = "internal" // every signed-in account
	Public   Visibility = "public"
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
