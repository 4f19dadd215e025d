package registry

import (
	"context"

	"packhouse/internal/access"
)

// Page is one page of names.
type Page struct {
	Names []string
	// Next is what the next page begins after, not always the last of Names; ""
	// when there is none.
	Next string
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

func page(names []string, n int) Page {
	if len(names) > n {
		return Page{Names: names[:n], Next: names[n-1]}
	}
	return Page{Names: names}
}
