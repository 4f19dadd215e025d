package packages

import (
	"context"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Rename gives the package another name, NAME or OWNER/NAME, within its owner.
// The old address keeps leading to it, for pulls and pushes, and is not used
// again. Exists when another package has or had the new name.
func (s *Service) Rename(ctx context.Context, who access.Principal, p access.Package, name string) error {
	f, err := s.movable(ctx, who, p)
	if err != nil {
		return err
	}
	name = strings.ToLower(name)
	for _, owner := range []string{f.Owner, p.Name.Owner()} { // which may be a login that it had
		if rest, named := strings.CutPrefix(name, owner+"/"); named {
			name = rest
			break
		}
	}
	to, err := oci.ParseName(f.Owner + "/" + name)
	if err != nil {
		return err
	}
	if to == f.Name {
		return nil
	}
	e := s.entry(who, f, "package.rename", map[string]any{"to": to.String()})
	return s.Settings.RenamePackage(ctx, f.PackageID, to.Package(), e)
}

// Transfer gives the package to another account, in whose namespace who must be
// admin: itself, or an organization that it owns. The link to a repository and
// what teams and repositories were given end, and what was internal is private
// with a user; the old address keeps leading to it. Exists as with Rename.
func (s *Service) Transfer(ctx context.Context, who access.Principal, p access.Package, owner string) error {
	f, err := s.movable(ctx, who, p)
	if err != nil {
		return err
	}
	there, err := s.namespace(ctx, who, owner)
	if err != nil {
		return err
	}
	if err := mayRule(who, there, "to transfer "+f.Name.String()); err != nil {
		return err
	}
	switch {
	case there.OwnerSuspended:
		return errs.New(errs.Conflict, "%s is suspended", there.Owner)
	case there.OwnerID == f.OwnerID:
		return nil
	}
	e := s.entry(who, f, "package.transfer", map[string]any{"to": there.Owner + "/" + f.Name.Package()})
	return s.Settings.TransferPackage(ctx, f.PackageID, there.OwnerID, who.AccountID, e)
}

// mayRule checks that all packages of the owner in f are who's to administer,
// whatever was given on the one that f may be about.
func mayRule(who access.Principal, f access.Facts, what string) error {
	f.Grant, f.RepositoryRole = "", 0
	switch {
	case who.Workflow != nil, who.Limited, !access.MayList(who), access.RoleOf(who, f) != access.RoleAdmin:
		return errs.New(errs.Denied, "%s takes the right to administer all of %s, which its owners have", what, f.Owner)
	case f.SSORequired && !f.SSOAuthorized && !who.SignedOn && who.User():
		return errs.New(errs.Denied, "%s requires single sign-on, and this credential was not authorized for it", f.Owner)
	}
	return nil
}

func (s *Service) movable(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error) {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return f, err
	}
	return f, ofRepository(f, "rename or transfer that, and its packages go with it")
}
