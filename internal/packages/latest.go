package packages

import (
	"context"

	"packhouse/internal/access"
)

// LatestTags finds what a package is pulled by.
type LatestTags interface {
	// LatestTag returns the tag that was set last of those that lead to an
	// image, an index or another artifact; NotFound when there is none.
	LatestTag(ctx context.Context, packageID int64) (Tag, error)
}

// Latest returns the tag to pull the package by: the one set last that leads to
// an image, an index or an artifact of its own. Signatures, attestations, SBOMs
// and build caches are never the latest. NotFound when there is none.
func (s *Service) Latest(ctx context.Context, who access.Principal, p access.Package) (Tag, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return Tag{}, err
	}
	return s.Newest.LatestTag(ctx, f.PackageID)
}
