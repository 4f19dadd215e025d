package registry

import (
	"context"

	"packhouse/internal/access"
)

// Page is one page of names; More reports whether there are further ones.
type Page struct {
	Names []string
	More  bool
}

// Tags lists up to n present tags of p after last, in ASCII order. n may be 0.
func (s *Service) Tags(ctx context.Context, who access.Principal, p access.Package, last string, n int) (Page, error) {
	pkg, err := s.Lookups.Package(ctx, who, p)
	if err != nil {
		return Page{}, err
	}
	if err := decide(who, p, pkg, access.Effects{Action: access.Read}); err != nil {
		return Page{}, err
	}
	if n == 0 {
		return Page{}, nil
	}
	names, err := s.Listings.Tags(ctx, pkg.ID, last, n+1)
	return page(names, n), err
}

// Catalog lists up to n names after last of the packages of type t that who may
// read, by owner and then by name. n may be 0.
func (s *Service) Catalog(ctx context.Context, who access.Principal, t access.PackageType, last string, n int) (Page, error) {
	if n == 0 {
		return Page{}, nil
	}
	names, err := s.Listings.Catalog(ctx, who, t, last, n+1)
	return page(names, n), err
}

func page(names []string, n int) Page {
	if len(names) > n {
		return Page{Names: names[:n], More: true}
	}
	return Page{Names: names}
}
