package packages

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// VersionsShown says which versions a person looks through.
type VersionsShown string

// What is shown: all that are present, those with a tag, those without one that
// nothing present needs, and those that can be restored.
const (
	ShowAll      VersionsShown = ""
	ShowTagged   VersionsShown = "tagged"
	ShowUntagged VersionsShown = "untagged"
	ShowDeleted  VersionsShown = "deleted"
)

// Browse chooses a piece of a list of versions.
type Browse struct {
	Show VersionsShown
	// After, unless zero, asks for ids below it.
	After int64
	// N is how many at most, up to MaxPerPage; zero is 30.
	N int
}

// BrowsedVersion is a version with what belongs to it.
type BrowsedVersion struct {
	Version
	// MoreTags is set when Tags are only the newest MaxBrowsedTags. Those of a
	// deleted version are the ones that it had.
	MoreTags bool
	// PartOf is a present index that holds it, and SubjectID the present version
	// that it refers to; zero for none.
	PartOf, SubjectID int64
}

// BrowsePage is a piece of a list of versions. It may be short, or empty, and go
// on: only so many versions are looked at for one.
type BrowsePage struct {
	Versions []BrowsedVersion
	// Next is the id to go on after; 0 at the end.
	Next int64
}

// TagBrowse chooses a piece of a list of tags, in the order of their names.
type TagBrowse struct {
	// Text stands somewhere in the name, in capitals or not.
	Text string
	// After is the name to go on after.
	After string
	N     int // as of Browse
}

// TagPage is a piece of a list of tags. It may be short and go on, as BrowsePage.
type TagPage struct {
	Tags []Tag
	Next string // the name to go on after; "" at the end
}

// DeletionPlan is what is to be known before versions are deleted.
type DeletionPlan struct {
	Versions []PlannedDeletion
	// Last is set when no version would be left, or no tag where there was one.
	Last bool
}

// PlannedDeletion is a version that is to be deleted.
type PlannedDeletion struct {
	BrowsedVersion
	// Needs are those present ones, of which none is to be deleted, that the
	// version cannot be deleted for.
	Needs []Need
}

// MaxBrowsedTags is how many tags of a version are told.
const MaxBrowsedTags = 100

// Browsing reads versions and tags as people look through them: what an answer
// takes does not grow with how many there are.
type Browsing interface {
	// BrowseVersions returns a piece, the highest ids first; since is when the
	// time for restoring begins.
	BrowseVersions(ctx context.Context, packageID int64, q Browse, since time.Time) (BrowsePage, error)
	// BrowseTags returns a piece of the present tags.
	BrowseTags(ctx context.Context, packageID int64, q TagBrowse) (TagPage, error)
	// PlanDeletion returns the present ones of up to MaxPerPage versions;
	// NotFound when none is.
	PlanDeletion(ctx context.Context, packageID int64, ids []int64) (DeletionPlan, error)
}

// Browse returns a piece of a list of versions. Deleted ones are for those who
// may restore them.
func (s *Service) Browse(ctx context.Context, who access.Principal, p access.Package, q Browse) (BrowsePage, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err == nil && q.Show == ShowDeleted {
		f, err = s.administer(ctx, who, p, "")
	}
	if err != nil {
		return BrowsePage{}, err
	}
	if _, q.N, err = window(1, q.N); err != nil {
		return BrowsePage{}, err
	}
	return s.Browsing.BrowseVersions(ctx, f.PackageID, q, s.since())
}

// BrowseTags returns a piece of the list of tags.
func (s *Service) BrowseTags(ctx context.Context, who access.Principal, p access.Package, q TagBrowse) (TagPage, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return TagPage{}, err
	}
	if len(q.Text) > oci.MaxTagLength || len(q.After) > oci.MaxTagLength {
		return TagPage{}, errs.New(errs.Invalid, "no tag is longer than %d characters", oci.MaxTagLength)
	}
	if _, q.N, err = window(1, q.N); err != nil {
		return TagPage{}, err
	}
	return s.Browsing.BrowseTags(ctx, f.PackageID, q)
}

// PlanDeletion tells what DeleteVersion of up to MaxPerPage versions would meet.
// It changes nothing. NotFound when none of them is present.
func (s *Service) PlanDeletion(ctx context.Context, who access.Principal, p access.Package, ids []int64) (DeletionPlan, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Delete})
	if err != nil {
		return DeletionPlan{}, err
	}
	if len(ids) > MaxPerPage {
		return DeletionPlan{}, errs.New(errs.Invalid, "choose %d versions at most", MaxPerPage)
	}
	return s.Browsing.PlanDeletion(ctx, f.PackageID, ids)
}

// InheritedRoles returns who has roles on the package through the repository that
// it is linked to, or would have if it inherited. That is Denied, or NotFound, for
// those who may not write to the repository: to administer the package does not
// show them whose it is.
func (s *Service) InheritedRoles(ctx context.Context, who access.Principal, p access.Package) ([]Grant, error) {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return nil, err
	}
	if !f.Inherits && f.Type != access.Docker && f.RepositoryID != 0 {
		r, err := s.repository(ctx, who, f.Repository.String())
		if err == nil && !rules(who) && !mayWrite(who, r) {
			err = errs.New(errs.Denied, "who has roles on a repository is for those who write to it")
		}
		if err != nil {
			return nil, err
		}
	}
	return s.Grants.InheritedGrants(ctx, f.PackageID)
}
