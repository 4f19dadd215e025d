package packages

import (
	"context"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Link links the package to a repository of the same owner, OWNER/NAME, that
// who may write. The package keeps its own roles unless inherit is set; Plan
// tells what that takes away. Conflict when it is linked to another.
func (s *Service) Link(ctx context.Context, who access.Principal, p access.Package, repository string, inherit bool) error {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return err
	}
	if err := ofRepository(f, "it cannot be linked to another"); err != nil {
		return err
	}
	r, err := s.repository(ctx, who, repository)
	if err != nil {
		return err
	}
	switch {
	case r.OwnerID != f.OwnerID:
		return errs.New(errs.Invalid, "%s belongs to %s, and %s to %s: a package is linked to a repository of its own owner",
			f.Name, f.Name.Owner(), r.Name, r.Name.Owner())
	case !mayWrite(who, r):
		return errs.New(errs.Denied, "to link %s to %s takes the role write on the repository, too", f.Name, r.Name)
	case f.RepositoryID == r.ID && inherit && !f.Inherits:
		return s.SetInherits(ctx, who, p, true)
	case f.RepositoryID == r.ID:
		return nil
	case f.RepositoryID != 0:
		return errs.New(errs.Conflict, "%s is linked to %s: unlink it first", f.Name, f.Repository)
	}
	e := s.entry(who, f, "package.link", map[string]any{"repository": r.Name.String(), "inherits": inherit})
	return s.Settings.LinkPackage(ctx, f.PackageID, r.ID, inherit, e)
}

// Unlink takes the link away; a label does not bring it back. If the package
// inherited its roles it has its own from then on, and who becomes its admin.
func (s *Service) Unlink(ctx context.Context, who access.Principal, p access.Package) error {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return err
	}
	if err := ofRepository(f, "it cannot be unlinked"); err != nil {
		return err
	}
	if f.RepositoryID == 0 {
		return errs.New(errs.NotFound, "%s is not linked to a repository", f.Name)
	}
	e := s.entry(who, f, "package.unlink", map[string]any{"repository": f.Repository.String()})
	return s.Settings.UnlinkPackage(ctx, f.PackageID, who.AccountID, e)
}

// repository finds one that who may know of.
func (s *Service) repository(ctx context.Context, who access.Principal, text string) (LinkedRepository, error) {
	name, err := oci.ParseName(strings.ToLower(text))
	if err != nil || name.Package() == "" || strings.Contains(name.Package(), "/") {
		return LinkedRepository{}, errs.New(errs.Invalid, "a repository is named OWNER/NAME, not %q", text)
	}
	r, err := s.Directory.PackageRepository(ctx, who, name)
	if err == nil && !r.Visible && !rules(who) && !mayWrite(who, r) {
		err = errs.New(errs.NotFound, "no repository %q", text)
	}
	return r, err
}

// rules reports whether who has all rights on this server.
func rules(who access.Principal) bool { return who.Operator || who.SiteAdmin }

// mayWrite reports whether who may push source to the repository.
func mayWrite(who access.Principal, r LinkedRepository) bool {
	if who.Workflow != nil {
		return who.RepositoryID() == r.ID
	}
	return rules(who) || r.Role >= access.RepositoryWrite
}
