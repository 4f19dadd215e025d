package packages

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Version is one manifest of a package.
type Version struct {
	ID, PackageID int64
	Digest        oci.Digest
	MediaType     string
	ArtifactType  string
	// Kind is image, index, artifact, signature, attestation, sbom or cache; ""
	// when it is not known.
	Kind string
	// Size is that of the manifest; TotalSize that of it and all blobs it names.
	Size, TotalSize int64
	// Subject is what it refers to; zero for most.
	Subject oci.Digest
	// Tags are the present ones, newest first; never nil.
	Tags                          []string
	Description, Licenses, Source string
	Downloads                     int64
	// UpdatedAt is when it was pushed or last got or lost a tag.
	CreatedAt, UpdatedAt time.Time
	DeletedAt            time.Time // zero for a present one
	CreatedBy            string    // "" when that is not known any more
}

// VersionQuery chooses a page of versions.
type VersionQuery struct {
	// Deleted asks for those that can be restored instead of the present ones.
	Deleted bool
	// Tagged, unless nil, asks for those with a tag, or for those that have none
	// and that nothing present needs: no index and, as a referrer, no subject.
	Tagged *bool
	// Page and PerPage count from 1; together they reach MaxReach. Zero is the
	// first page and 30.
	Page, PerPage int
	// After, unless zero, asks for ids below it; what Page skips comes after.
	After int64
}

// VersionPage is one page of versions.
type VersionPage struct {
	Versions []Version
	// Total is how many there are on all pages; MaxReach+1 stands for more. It is
	// not counted, and 0, behind a VersionQuery.After.
	Total int
	// Next is the id to go on after; 0 at the end.
	Next int64
}

// MaxReach is how far pages reach, as on GitHub, and MaxPerPage how much one holds.
const MaxReach, MaxPerPage, defaultPerPage = 10_000, 100, 30

// window is a page that may be asked for, as what it skips and holds.
func window(page, perPage int) (skip, n int, err error) {
	if page <= 0 {
		page = 1
	}
	if perPage <= 0 {
		perPage = defaultPerPage
	}
	perPage = min(perPage, MaxPerPage)
	if page > MaxReach/perPage {
		return 0, 0, errs.New(errs.Invalid, "pages reach up to %d things; ask for less", MaxReach)
	}
	return (page - 1) * perPage, perPage, nil
}

// Span is a query's page, as stores take it.
type Span struct {
	Skip, N int
	// Since is the moment from which what was deleted can be restored.
	Since time.Time
}

func (s *Service) span(page, perPage int) (Span, error) {
	skip, n, err := window(page, perPage)
	return Span{Skip: skip, N: n, Since: s.since()}, err
}

// since is when the window for restoring begins.
func (s *Service) since() time.Time { return s.Now().Add(-s.RestoreWindow) }

// Contents reads versions and tags. A package is given by its id, which is one
// that the caller was let read.
type Contents interface {
	// PackageVersions returns a page, the highest ids first.
	PackageVersions(ctx context.Context, packageID int64, q VersionQuery, w Span) (VersionPage, error)
	// PackageVersion returns the version, present or deleted since then;
	// NotFound when there is none.
	PackageVersion(ctx context.Context, packageID, id int64, since time.Time) (Version, error)
	// PackageVersionNamed returns the present version that a tag or a digest
	// names; NotFound when there is none.
	PackageVersionNamed(ctx context.Context, packageID int64, ref oci.Reference) (Version, error)
	// PackageTags returns a page of the present tags, and how many there are.
	PackageTags(ctx context.Context, packageID int64, q TagQuery, w Span) (list []Tag, total int, err error)
	// PackageTagHistory returns what the tag led to, the newest first, up to n.
	PackageTagHistory(ctx context.Context, packageID int64, tag oci.Tag, n int) ([]TagInterval, error)
	// PackageSizes and VersionSizes measure; NotFound for what is not there.
	// What is freed goes by those that a says.
	PackageSizes(ctx context.Context, packageID int64, a Among) (Sizes, error)
	VersionSizes(ctx context.Context, packageID, id int64, a Among) (Sizes, error)
}

// Versions returns a page of versions, the newest first. Deleted ones are for
// those who may restore them.
func (s *Service) Versions(ctx context.Context, who access.Principal, p access.Package, q VersionQuery) (VersionPage, error) {
	w, err := s.span(q.Page, q.PerPage)
	if err != nil {
		return VersionPage{}, err
	}
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return VersionPage{}, err
	}
	if q.Deleted {
		if f, err = s.administer(ctx, who, p, ""); err != nil {
			return VersionPage{}, err
		}
	}
	return s.Contents.PackageVersions(ctx, f.PackageID, q, w)
}

// Version returns a version by its id. To those who may restore it, also one
// that was deleted.
func (s *Service) Version(ctx context.Context, who access.Principal, p access.Package, id int64) (Version, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return Version{}, err
	}
	v, err := s.Contents.PackageVersion(ctx, f.PackageID, id, s.since())
	if err == nil && !v.DeletedAt.IsZero() && !access.Decide(who, p.Name, f, access.Effects{Action: access.Administer}).Allowed {
		err = errNoVersion()
	}
	if err != nil {
		return Version{}, err
	}
	return v, nil
}

// VersionByReference returns the present version that a tag or a digest names.
func (s *Service) VersionByReference(ctx context.Context, who access.Principal, p access.Package, ref oci.Reference) (Version, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return Version{}, err
	}
	return s.Contents.PackageVersionNamed(ctx, f.PackageID, ref)
}

func errNoVersion() error { return errs.New(errs.NotFound, "the package has no such version") }
