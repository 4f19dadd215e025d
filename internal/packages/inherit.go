package packages

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// Plan tells what SetInherits would take away, and Link with inherit, and with
// false also Unlink. It changes nothing.
func (s *Service) Plan(ctx context.Context, who access.Principal, p access.Package, inherits bool) (Plan, error) {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return Plan{}, err
	}
	if err := ofRepository(f, "it always does"); err != nil {
		return Plan{}, err
	}
	plan := Plan{Package: f.Name, Repository: f.Repository, Inherits: inherits, Change: f.Inherits != inherits}
	if !plan.Change {
		return plan, nil
	}
	if !inherits {
		if who.User() {
			plan.Admin = who.Login
		}
		plan.Lost, err = s.Grants.InheritedGrants(ctx, f.PackageID)
		return plan, err
	}
	all, err := s.Grants.PackageGrants(ctx, f.PackageID)
	for _, g := range all {
		if g.Kind != Repository {
			plan.Lost = append(plan.Lost, g)
		}
	}
	return plan, err
}

// SetInherits lets the roles on the package come from its repository, which ends
// all that users and teams were given, or ends that: then who is its admin and
// nobody else has a role. Plan tells beforehand. What repositories were given
// stays in either case.
func (s *Service) SetInherits(ctx context.Context, who access.Principal, p access.Package, inherits bool) error {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return err
	}
	if err := ofRepository(f, "it always does"); err != nil {
		return err
	}
	switch {
	case f.Inherits == inherits:
		return nil
	case f.RepositoryID == 0:
		return errs.New(errs.Conflict, "%s is not linked to a repository that it could inherit from: packhouse admin package link %s OWNER/REPOSITORY", f.Name, f.Name)
	}
	e := s.entry(who, f, "package.inherit", map[string]any{"repository": f.Repository.String(), "inherits": inherits})
	return s.Settings.SetPackageInherits(ctx, f.PackageID, inherits, who.AccountID, e)
}
