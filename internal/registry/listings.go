package registry

import (
	"context"
	"math"
	"path"
	"strconv"

	"packhouse/internal/access"
	"packhouse/internal/errs"
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

// TagSearch asks for tags in another order than the specification's, or for some.
type TagSearch struct {
	// Match is a pattern of path.Match that the whole tag must fit; "" for all.
	Match string
	// Newest lists the tags that were set last first.
	Newest bool
	// Last is Page.Next of the page before; "" for the first.
	Last string
	N    int
}

// PlacedTag is a tag and its place among those in the order of their setting.
type PlacedTag struct {
	Place int64
	Name  string
}

// A page of a search looks at searchScan tags at most, searchPiece at a time: it
// may be short, and even empty, and not the last.
const searchPiece, searchScan = 1000, 10_000

// SearchTags lists the tags that q chooses.
func (s *Service) SearchTags(ctx context.Context, who access.Principal, p access.Package, q TagSearch) (Page, error) {
	if _, err := path.Match(q.Match, ""); err != nil {
		return Page{}, errs.New(errs.Invalid, "match must be a pattern such as v1.*")
	}
	pkg, err := s.Lookups.Package(ctx, who, p)
	if err != nil {
		return Page{}, err
	}
	if err := decide(who, p, pkg, access.Effects{Action: access.Read}); err != nil {
		return Page{}, err
	}
	if q.N == 0 {
		return Page{}, nil
	}
	var found Page
	place := q.Last
	for scanned := 0; scanned < searchScan; scanned += searchPiece {
		piece, places, err := s.tagPiece(ctx, pkg.ID, q.Newest, place)
		if err != nil {
			return Page{}, err
		}
		for i, name := range piece {
			if ok, _ := path.Match(q.Match, name); !ok && q.Match != "" {
				place = places[i]
				continue
			}
			if len(found.Names) == q.N {
				found.Next = place
				return found, nil
			}
			found.Names, place = append(found.Names, name), places[i]
		}
		if len(piece) < searchPiece {
			return found, nil
		}
	}
	found.Next = place
	return found, nil
}

// tagPiece returns the tags after a place and the place of each.
func (s *Service) tagPiece(ctx context.Context, packageID int64, newest bool, after string) (names, places []string, err error) {
	if !newest {
		names, err = s.Listings.Tags(ctx, packageID, after, searchPiece)
		return names, names, err
	}
	before := int64(math.MaxInt64)
	if after != "" {
		if before, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, nil, errs.New(errs.Invalid, "last must be taken from a Link header").WithCode("PAGINATION_NUMBER_INVALID")
		}
	}
	list, err := s.Listings.NewestTags(ctx, packageID, before, searchPiece)
	for _, t := range list {
		names, places = append(names, t.Name), append(places, strconv.FormatInt(t.Place, 10))
	}
	return names, places, err
}
