package access

import (
	"strings"

	"packhouse/internal/errs"
)

// Scopes is the set of scopes that a credential carries.
type Scopes uint16

// The scopes, named as GitHub names them. WritePackages includes ReadPackages.
const (
	ReadPackages Scopes = 1 << iota
	WritePackages
	DeletePackages
	// Repo is for the repositories of the directory: who may do what with them,
	// and their hooks.
	Repo
	// AdminRepoHook is for the hooks of repositories alone.
	AdminRepoHook
	// ReadOrg, WriteOrg and AdminOrg are for organizations and teams; each has
	// those before it.
	ReadOrg
	WriteOrg
	AdminOrg
	// AdminOrgHook is for the hooks of organizations.
	AdminOrgHook
	// ReadUser and User are for one's own account.
	ReadUser
	User
	// SiteAdministration is for the whole server, to its administrators.
	SiteAdministration

	// AllScopes are those for packages, and what a password carries at the registries.
	AllScopes = ReadPackages | WritePackages | DeletePackages
	// EveryScope are all there are.
	EveryScope = AllScopes | Repo | AdminRepoHook | ReadOrg | WriteOrg | AdminOrg | AdminOrgHook | ReadUser | User | SiteAdministration
)

var scopeNames = []struct {
	scope Scopes
	name  string
}{
	{ReadPackages, "read:packages"},
	{WritePackages, "write:packages"},
	{DeletePackages, "delete:packages"},
	{Repo, "repo"},
	{AdminRepoHook, "admin:repo_hook"},
	{ReadOrg, "read:org"},
	{WriteOrg, "write:org"},
	{AdminOrg, "admin:org"},
	{AdminOrgHook, "admin:org_hook"},
	{ReadUser, "read:user"},
	{User, "user"},
	{SiteAdministration, "site_admin"},
}

// ParseScopes reads names separated by commas or spaces.
func ParseScopes(list string) (Scopes, error) {
	var s Scopes
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		one := scopeNamed(name)
		if one == 0 {
			return 0, errs.New(errs.Invalid, "no such scope %q; there are %s", name, EveryScope)
		}
		s |= one
	}
	if s == 0 {
		return 0, errs.New(errs.Invalid, "a token needs at least one scope, such as read:packages")
	}
	return s, nil
}

func scopeNamed(name string) Scopes {
	for _, n := range scopeNames {
		if n.name == name {
			return n.scope
		}
	}
	return 0
}

// Has reports whether every scope of want is in s or comes with one that is.
func (s Scopes) Has(want Scopes) bool {
	for _, more := range []struct{ scope, comes Scopes }{
		{WritePackages, ReadPackages}, {AdminOrg, WriteOrg}, {WriteOrg, ReadOrg}, {User, ReadUser}, {Repo, AdminRepoHook},
	} {
		if s&more.scope != 0 {
			s |= more.comes
		}
	}
	return want != 0 && s&want == want
}

// String returns the names, separated by commas; of those that come with others
// only read:packages.
func (s Scopes) String() string {
	var names []string
	for _, n := range scopeNames {
		if s&n.scope != 0 || n.scope == ReadPackages && s.Has(ReadPackages) {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ",")
}
