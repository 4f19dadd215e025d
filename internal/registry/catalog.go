package registry

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"packhouse/internal/access"
)

// Catalog lists up to n names after last of the packages that who may read, by
// owner and then by name: those of type t and, if also is not "", of that type
// too. n may be 0. A page may be short, and even empty, and not the last. Where it
// ends at a package that who may not read, Next does not tell which.
func (s *Service) Catalog(ctx context.Context, who access.Principal, t, also access.PackageType, last string, n int) (Page, error) {
	last, err := s.places.open(last)
	if n == 0 || err != nil {
		return Page{}, err
	}
	page, err := s.Listings.Catalog(ctx, who, t, last, n)
	if err != nil {
		return page, err
	}
	if also != "" {
		other, err := s.Listings.Catalog(ctx, who, also, last, n)
		if err != nil {
			return Page{}, err
		}
		page = merge(page, other, n)
	}
	return s.places.hide(page), nil
}

// merge makes one page of two that begin after the same name. What lies beyond
// the end of one that is not the last is left for the next page: more of that
// one may come before it.
func merge(a, b Page, n int) Page {
	names := slices.Concat(a.Names, b.Names)
	slices.SortFunc(names, byOwner)
	names = slices.Compact(names) // a name may be that of a package of each type
	end := a.Next
	if end == "" || b.Next != "" && byOwner(b.Next, end) < 0 {
		end = b.Next
	}
	if end != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return byOwner(name, end) > 0 })
	}
	if len(names) > n {
		names, end = names[:n], names[n-1]
	}
	return Page{Names: names, Next: end}
}

// byOwner compares two names by owner and then by what follows.
func byOwner(a, b string) int {
	ownerA, nameA, _ := strings.Cut(a, "/")
	ownerB, nameB, _ := strings.Cut(b, "/")
	return cmp.Or(strings.Compare(ownerA, ownerB), strings.Compare(nameA, nameB))
}
