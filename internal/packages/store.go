package packages

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
)

// Facts tells what a decision needs to know.
type Facts interface {
	// Facts returns what is known of the address p for who.
	Facts(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error)
}

// Directory finds those that settings name. Names are given in lower case and
// may be old ones; all methods return NotFound for a name that leads nowhere.
type Directory interface {
	// PackageUser finds a user; member is whether it belongs to the organization.
	PackageUser(ctx context.Context, login string, organizationID int64) (user Grantee, member bool, err error)
	// PackageTeam finds a team of the organization.
	PackageTeam(ctx context.Context, organizationID int64, slug string) (Grantee, error)
	// PackageRepository finds a repository, and what the account who is to it.
	PackageRepository(ctx context.Context, who access.Principal, name oci.Name) (LinkedRepository, error)
}

// Settings changes packages. Every method is one transaction that records e,
// and returns NotFound for a package that is gone and Conflict when the package
// has become another than the change is for.
type Settings interface {
	// SetPackageVisibility changes the visibility of a Container package.
	// Denied when it would withdraw a public one, the site forbids that and
	// always is not set.
	SetPackageVisibility(ctx context.Context, id int64, v access.Visibility, always bool, e audit.Entry) error
	// LinkPackage links a package that has no link to a repository of its
	// owner; with inherit it also does SetPackageInherits.
	LinkPackage(ctx context.Context, id, repositoryID int64, inherit bool, e audit.Entry) error
	// UnlinkPackage takes the link away for good; labels do not bring it back.
	// If the package inherited, the account admin becomes its admin, 0 for none.
	UnlinkPackage(ctx context.Context, id, admin int64, e audit.Entry) error
	// SetPackageInherits lets the roles come from the repository, which ends
	// all grants to users and teams, or ends that with the account admin as
	// the package's admin, 0 for none.
	SetPackageInherits(ctx context.Context, id int64, inherits bool, admin int64, e audit.Entry) error
	// RenamePackage gives the package another name within its owner; Exists
	// when the name leads, or led, to another.
	RenamePackage(ctx context.Context, id int64, name string, e audit.Entry) error
	// TransferPackage gives the package to another owner, without its link and
	// what it gave to teams and repositories; the account admin becomes its
	// admin, 0 for none. Exists as with RenamePackage.
	TransferPackage(ctx context.Context, id, ownerID, admin int64, e audit.Entry) error
}

// Grants keeps who has which role. Its changes are made as those of Settings.
type Grants interface {
	// GrantPackage gives g, in the place of what the grantee had. A repository
	// keeps what g leaves empty. Conflict for a user or a team while the
	// package inherits.
	GrantPackage(ctx context.Context, id int64, g Grant, e audit.Entry) error
	// RevokePackage takes away all that the grantee has; NotFound when that is
	// nothing.
	RevokePackage(ctx context.Context, id int64, g Grantee, e audit.Entry) error
	// PackageGrants returns all grants in the order of kinds and names.
	PackageGrants(ctx context.Context, id int64) ([]Grant, error)
	// InheritedGrants returns who has roles through the package's repository.
	InheritedGrants(ctx context.Context, id int64) ([]Grant, error)
}

// Descriptions reads about packages.
type Descriptions interface {
	// PackageDetails returns all but the grants.
	PackageDetails(ctx context.Context, id int64) (Details, error)
	// OtherNames returns the addresses that lead to the package besides its own.
	OtherNames(ctx context.Context, id int64) ([]access.Package, error)
	// PackagesOf returns up to n packages of the owner after the last one, in
	// the order of types and names.
	PackagesOf(ctx context.Context, ownerID int64, after Summary, n int) ([]Summary, error)
}
