package access

import (
	"strings"

	"packhouse/internal/errs"
)

// Scopes is the set of scopes that a credential carries.
type Scopes uint8

// The scopes, named as GitHub names them. WritePackages includes ReadPackages.
const (
	ReadPackages Scopes = 1 << iota
	WritePackages
	DeletePackages
	// Repo is taken and told, for tools that ask for it. It gives nothing here:
	// this server has packages and no source code.
	Repo
	// AllScopes is what a password carries.
	AllScopes = ReadPackages | WritePackages | DeletePackages
)

var scopeNames = []struct {
	scope Scopes
	name  string
}{
	{ReadPackages, "read:packages"},
	{WritePackages, "write:packages"},
	{DeletePackages, "delete:packages"},
	{Repo, "repo"},
}

// ParseScopes reads names separated by commas or spaces.
func ParseScopes(list string) (Scopes, error) {
	var s Scopes
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		one := scopeNamed(name)
		if one == 0 {
			return 0, errs.New(errs.Invalid, "no such scope %q; there are read:packages, write:packages, delete:packages, repo", name)
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
	if s&WritePackages != 0 {
		s |= ReadPackages
	}
	return want != 0 && s&want == want
}

// String returns the names, separated by commas.
func (s Scopes) String() string {
	var names []string
	for _, n := range scopeNames {
		if s.Has(n.scope) {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ",")
}
