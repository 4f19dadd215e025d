package registry

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// ReferrersPage is one page of a referrers list.
type ReferrersPage struct {
	Referrers []oci.Descriptor
	// Next is the id to go on after; zero when this is the last page.
	Next int64
}

// referrersBytes bounds the annotations of a page, so that the answer stays under
// the 4 MiB that clients read.
const referrersBytes = 3 << 20

// listedBytes is the size of a fallback tag's index up to which its children
// stand beside other referrers. A larger one, of up to 4 MiB, has its own page.
const listedBytes = 512 << 10

// Referrers lists the versions of p whose subject is d, up to n after the id
// after. The last page also has those that an older client listed under the
// fallback tag and that say nothing of a subject themselves. A package or a
// subject that does not exist has an empty list.
func (s *Service) Referrers(ctx context.Context, who access.Principal, p access.Package, d oci.Digest, artifactType string, after int64, n int) (ReferrersPage, error) {
	fallback := oci.Reference{Tag: oci.FallbackTag(d)}
	pkg, listed, err := s.Lookups.Version(ctx, who, p, fallback)
	if err != nil {
		return ReferrersPage{}, err
	}
	err = decide(who, p, pkg, access.Effects{Action: access.Read, Digest: d})
	if errs.Is(err, errs.NotFound) {
		return ReferrersPage{}, nil
	}
	if err != nil {
		return ReferrersPage{}, err
	}
	found, more, err := s.Listings.Referrers(ctx, ReferrersQuery{
		PackageID: pkg.ID, Subject: d, ArtifactType: artifactType, After: after, N: n, Bytes: referrersBytes,
	})
	if err != nil {
		return ReferrersPage{}, err
	}
	page := ReferrersPage{}
	if more {
		page.Next = found[len(found)-1].ID
	}
	for _, r := range found {
		page.Referrers = append(page.Referrers, r.Descriptor)
	}
	switch {
	case page.Next != 0 || listed == nil:
	case len(found) > 0 && listed.Size > listedBytes:
		page.Next = found[len(found)-1].ID // the last page has the listed ones alone
	default:
		page.Referrers, err = s.appendListed(ctx, page.Referrers, pkg.ID, *listed, artifactType)
	}
	return page, err
}

// appendListed adds the children of the index under the fallback tag that are
// present versions without a subject. Those with one are found by it.
func (s *Service) appendListed(ctx context.Context, list []oci.Descriptor, packageID int64, index Version, artifactType string) ([]oci.Descriptor, error) {
	content, err := s.ManifestContent(ctx, index)
	if err != nil {
		return nil, err
	}
	m, err := oci.ParseManifest(index.MediaType, content)
	if err != nil || !m.IsIndex() {
		return list, nil // the tag is used for something else
	}
	digests := make([]oci.Digest, len(m.Manifests))
	for i, child := range m.Manifests {
		digests[i] = child.Digest
	}
	present, err := s.Listings.Versions(ctx, packageID, digests)
	if err != nil {
		return nil, err
	}
	for _, child := range m.Manifests {
		if present[child.Digest] && (artifactType == "" || child.ArtifactType == artifactType) {
			delete(present, child.Digest)
			list = append(list, oci.Descriptor{
				MediaType: child.MediaType, Digest: child.Digest, Size: child.Size,
				ArtifactType: child.ArtifactType, Annotations: child.Annotations,
			})
		}
	}
	return list, nil
}
