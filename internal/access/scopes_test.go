package access

import (
	"testing"

	"packhouse/internal/errs"
)

func TestParseScopes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list string
		want string // "" means refused
	}{
		{"read:packages", "read:packages"},
		{"write:packages", "read:packages,write:packages"},
		{"delete:packages", "delete:packages"},
		{"delete:packages,read:packages", "read:packages,delete:packages"},
		{" read:packages  write:packages ,delete:packages", "read:packages,write:packages,delete:packages"},
		{"read:packages,read:packages", "read:packages"},
		{"", ""}, {",", ""}, {"packages", ""}, {"Read:Packages", ""}, {"read:packages,admin", ""}, {"*", ""},
	} {
		got, err := ParseScopes(c.list)
		if c.want == "" {
			if !errs.Is(err, errs.Invalid) || got != 0 {
				t.Errorf("ParseScopes(%q) = %v, %v; want Invalid", c.list, got, err)
			}
			continue
		}
		if err != nil || got.String() != c.want {
			t.Errorf("ParseScopes(%q) = %v, %v; want %s", c.list, got, err, c.want)
		}
	}
}

func TestHasWantsEveryScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, want Scopes
		ok         bool
	}{
		{AllScopes, ReadPackages | DeletePackages, true},
		{ReadPackages, ReadPackages | DeletePackages, false},
		{WritePackages, ReadPackages, true},
		{WritePackages, DeletePackages, false},
		{DeletePackages, ReadPackages, false},
		{AllScopes, 0, false},
		{0, 0, false},
	} {
		if got := c.have.Has(c.want); got != c.ok {
			t.Errorf("%b.Has(%b) = %v", c.have, c.want, got)
		}
	}
}
