package packages

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// LatestTags finds what a package is pulled by.
type LatestTags interface {
	// LatestTag returns the tag that was set last of those that lead to an
	// image, an index or another artifact; NotFound when there is none.
	LatestTag(ctx context.Context, packageID int64) (Tag, error)
	// VersionManifest returns the media type and the bytes of a present version;
	// NotFound when there is none.
	VersionManifest(ctx context.Context, packageID, id int64) (mediaType string, content []byte, err error)
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

// Platforms returns what a version that is an index runs on and, apart from that,
// what in it speaks of the rest: attestations are no platform, whatever they say.
// Of another version both are empty.
func (s *Service) Platforms(ctx context.Context, who access.Principal, p access.Package, id int64) (platforms, attestations []oci.Descriptor, err error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, nil, err
	}
	mediaType, content, err := s.Newest.VersionManifest(ctx, f.PackageID, id)
	if err != nil {
		return nil, nil, err
	}
	m, err := oci.ParseManifest(mediaType, content)
	if err != nil {
		return nil, nil, errs.Wrap(errs.Internal, err, "the stored manifest cannot be read")
	}
	platforms, attestations = m.Platforms()
	return platforms, attestations, nil
}
