package packages

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// DownloadGuard is the name of the site setting that says how often a public
// version may have been downloaded and still be deleted: a number, 0 for any.
// Unset it is DefaultDownloadGuard.
const (
	DownloadGuard        = "packages.download_guard"
	DefaultDownloadGuard = 5000
)

// DeleteVersion says how far a deletion may go.
type DeleteVersion struct {
	// Force deletes what something present needs: the indexes that hold it go
	// with it, all the way up; what it refers to stays. From an administrator
	// of the server it also passes the guard of downloads.
	Force bool
	// WithPackage deletes the package where its last version, or its last
	// tagged one, would go.
	WithPackage bool
}

// Change is the record of a change and who makes it.
type Change struct {
	By    int64 // access.Principal.ID
	Entry audit.Entry
}

// VersionDeletion is a version to be deleted.
type VersionDeletion struct {
	PackageID, VersionID int64
	DeleteVersion
	// Popular passes the guard of downloads.
	Popular bool
	Change
	// Package is what is recorded if the whole package goes.
	Package audit.Entry
}

// PackageDeletion is a package to be deleted.
type PackageDeletion struct {
	PackageID int64
	Popular   bool // as of VersionDeletion
	Change
}

// Need is a present version that another cannot be deleted for.
type Need struct {
	ID     int64    `json:"id"`
	Digest string   `json:"digest"`
	Tags   []string `json:"tags"`
	// As says what the other is to it: a child, or the subject of a referrer.
	As string `json:"as"`
}

// What a Need is.
const (
	NeedsChild = "index"
	IsSubject  = "subject"
)

// Deletions deletes and restores. Every method is one transaction with its
// entry in the record and its events.
type Deletions interface {
	// DeletePackageVersion deletes a version and ends its tags. Invalid where
	// that leaves no version or takes the last tagged one, or where it was
	// downloaded too often; Conflict with []Need as the detail where something
	// needs it; NotFound without it.
	DeletePackageVersion(ctx context.Context, d VersionDeletion) error
	// RestorePackageVersion brings back a version deleted since then, with the
	// tags it had unless they are set now, and with those deleted ones that it
	// needs. Conflict when something of it is gone for good.
	RestorePackageVersion(ctx context.Context, packageID, id int64, since time.Time, c Change) error
	// DeletePackage deletes the package with all that is in it. Invalid where a
	// version was downloaded too often.
	DeletePackage(ctx context.Context, d PackageDeletion) error
	// RestorePackage brings a package deleted since then back as it was.
	// Conflict when its name leads to another.
	RestorePackage(ctx context.Context, id int64, since time.Time, c Change) error
	// DeletedPackage returns what is known, for who, of the newest package that
	// had that address and was deleted since then, as if it still existed.
	// Without one, Facts.Exists is false.
	DeletedPackage(ctx context.Context, who access.Principal, p access.Package, since time.Time) (access.Facts, error)
}

// DeleteVersion deletes a version with all its tags. It can be restored for a
// while. Invalid and Conflict as with Deletions.
func (s *Service) DeleteVersion(ctx context.Context, who access.Principal, p access.Package, id int64, o DeleteVersion) error {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Delete})
	if err != nil {
		return err
	}
	v, err := s.Contents.PackageVersion(ctx, f.PackageID, id, s.since())
	if err == nil && !v.DeletedAt.IsZero() {
		err = errNoVersion()
	}
	if err != nil {
		return err
	}
	if _, err := s.decide(ctx, who, p, access.Effects{Action: access.Delete, Digest: v.Digest}); err != nil {
		return err
	}
	return s.Deletions.DeletePackageVersion(ctx, VersionDeletion{
		PackageID: f.PackageID, VersionID: id, DeleteVersion: o, Popular: o.Force && rules(who),
		Change:  Change{By: who.ID(), Entry: s.versionEntry(who, f, "version.delete", v)},
		Package: s.entry(who, f, "package.delete", nil),
	})
}

// versionEntry is the record of a change to one version.
func (s *Service) versionEntry(who access.Principal, f access.Facts, action string, v Version) audit.Entry {
	detail := map[string]any{"version": v.ID}
	if len(v.Tags) > 0 {
		detail["tags"] = v.Tags
	}
	e := s.entry(who, f, action, detail)
	e.Target += "@" + v.Digest.String()
	return e
}

// DeletePackage deletes a package with everything in it. It can be restored for
// a while, unless another gets its name, which is free at once. What was
// downloaded too often only the operator deletes.
func (s *Service) DeletePackage(ctx context.Context, who access.Principal, p access.Package) error {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Delete})
	if err != nil {
		return err
	}
	return s.Deletions.DeletePackage(ctx, PackageDeletion{
		PackageID: f.PackageID, Popular: who.Operator, Change: Change{By: who.ID(), Entry: s.entry(who, f, "package.delete", nil)},
	})
}

// RestoreVersion brings a deleted version back, with its tags and with what it
// needs. It is for those who may administer the package.
func (s *Service) RestoreVersion(ctx context.Context, who access.Principal, p access.Package, id int64) error {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return err
	}
	v, err := s.Contents.PackageVersion(ctx, f.PackageID, id, s.since())
	if err != nil {
		return err
	}
	if v.DeletedAt.IsZero() {
		return errs.New(errs.Conflict, "version %d is not deleted", id)
	}
	return s.Deletions.RestorePackageVersion(ctx, f.PackageID, id, s.since(),
		Change{By: who.ID(), Entry: s.versionEntry(who, f, "version.restore", v)})
}

// RestorePackage brings the newest deleted package of that address back, with
// all that was in it. It is for those who administered it.
func (s *Service) RestorePackage(ctx context.Context, who access.Principal, p access.Package) error {
	f, err := s.Deletions.DeletedPackage(ctx, who, p, s.since())
	if err != nil {
		return err
	}
	e := access.Effects{Action: access.Administer}
	d := access.Decide(who, p.Name, f, e)
	switch {
	case d.Allowed && f.Exists:
		return s.Deletions.RestorePackage(ctx, f.PackageID, s.since(),
			Change{By: who.ID(), Entry: s.entry(who, f, "package.restore", nil)})
	case f.Exists && d.Told && access.RoleOf(who, f) == access.RoleAdmin:
		return refusal(who, p.Name, f, e, d)
	}
	return s.noDeleted(ctx, who, p)
}

// noDeleted is the answer where there is no deleted package, or none that who
// may know of: both look alike, whatever may have its name now.
func (s *Service) noDeleted(ctx context.Context, who access.Principal, p access.Package) error {
	f, err := s.Facts.Facts(ctx, who, p)
	if err != nil {
		return err
	}
	f.Exists, f.PackageID, f.Visibility, f.Grant, f.ActionsRole, f.Retired = false, 0, "", "", "", false
	e := access.Effects{Action: access.Administer}
	if d := access.Decide(who, p.Name, f, e); d.SignIn() {
		return refusal(who, p.Name, f, e, d)
	}
	return errs.New(errs.NotFound, "there is no deleted package %s, or no right to restore it", p.Name)
}
