package packages

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// MaxRelated is how many versions are asked for by their digests at once.
const MaxRelated = 200

// Related finds versions by what they have to do with others. Each method reads
// no more than it returns and what stands in between.
type Related interface {
	// RecentTags returns the n tags that were set last of those that lead to an
	// image, an index or another artifact, the newest first.
	RecentTags(ctx context.Context, packageID int64, n int) ([]Tag, error)
	// VersionsOf returns the present versions of those digests, in any order.
	VersionsOf(ctx context.Context, packageID int64, digests []oci.Digest) ([]Version, error)
	// IndexesWith returns up to n present indexes that hold the version.
	IndexesWith(ctx context.Context, packageID int64, d oci.Digest, n int) ([]Version, error)
	// Caches returns the n newest build caches.
	Caches(ctx context.Context, packageID int64, n int) ([]Version, error)
}

// RecentTags returns up to n tags, the one set last first, of what people pull:
// as with Latest, none of a signature, an attestation, an SBOM or a build cache.
func (s *Service) RecentTags(ctx context.Context, who access.Principal, p access.Package, n int) ([]Tag, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, err
	}
	return s.Related.RecentTags(ctx, f.PackageID, n)
}

// VersionsOf returns those of the versions that are present, by their digests, of
// which there may be MaxRelated.
func (s *Service) VersionsOf(ctx context.Context, who access.Principal, p access.Package, digests []oci.Digest) (map[oci.Digest]Version, error) {
	if len(digests) > MaxRelated {
		return nil, errs.New(errs.Invalid, "there may be %d digests at once", MaxRelated)
	}
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, err
	}
	list, err := s.Related.VersionsOf(ctx, f.PackageID, digests)
	if err != nil {
		return nil, err
	}
	found := make(map[oci.Digest]Version, len(list))
	for _, v := range list {
		found[v.Digest] = v
	}
	return found, nil
}

// IndexesWith returns up to n present indexes that hold the version of that digest.
func (s *Service) IndexesWith(ctx context.Context, who access.Principal, p access.Package, d oci.Digest, n int) ([]Version, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, err
	}
	return s.Related.IndexesWith(ctx, f.PackageID, d, n)
}

// Caches returns up to n build caches, the newest first.
func (s *Service) Caches(ctx context.Context, who access.Principal, p access.Package, n int) ([]Version, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, err
	}
	return s.Related.Caches(ctx, f.PackageID, n)
}
