package packages

import (
	"context"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Show returns everything about a package that who may read, and the grants if
// it may also change them.
func (s *Service) Show(ctx context.Context, who access.Principal, p access.Package) (Details, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return Details{}, err
	}
	d, err := s.Descriptions.PackageDetails(ctx, f.PackageID)
	if err != nil {
		return Details{}, err
	}
	// What a decision goes by is what is shown.
	d.Visibility, d.Inherits, d.Repository = f.Visibility, f.Inherits, f.Repository
	if access.Decide(who, p.Name, f, access.Effects{Action: access.Administer}).Allowed {
		d.Grants, err = s.Grants.PackageGrants(ctx, f.PackageID)
	}
	return d, err
}

// OtherNames returns the addresses that lead to the package besides its own, to
// those who may read it.
func (s *Service) OtherNames(ctx context.Context, who access.Principal, p access.Package) ([]access.Package, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, err
	}
	return s.Descriptions.OtherNames(ctx, f.PackageID)
}

// page is how many packages one query of a list reads.
const page = 500

// List calls each for every package of the owner, in the order of types and
// names. It is for those who rule the namespace.
func (s *Service) List(ctx context.Context, who access.Principal, owner string, each func(Summary) error) error {
	f, err := s.namespace(ctx, who, owner)
	if err != nil {
		return err
	}
	if err := mayRule(who, f, "to list all packages there"); err != nil {
		return err
	}
	var last Summary
	for {
		list, err := s.Descriptions.PackagesOf(ctx, f.OwnerID, last, page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, last = range list {
			if err := each(last); err != nil {
				return err
			}
		}
	}
}

// namespace returns what is known of an owner and of who there.
func (s *Service) namespace(ctx context.Context, who access.Principal, owner string) (access.Facts, error) {
	return s.space(ctx, who, owner, access.Container)
}

// space is namespace, with the state of the registry of that type.
func (s *Service) space(ctx context.Context, who access.Principal, owner string, t access.PackageType) (access.Facts, error) {
	name, err := oci.ParseName(strings.ToLower(owner))
	if err != nil || name.Package() != "" {
		return access.Facts{}, errNoOwner(owner)
	}
	f, err := s.Facts.Facts(ctx, who, access.Package{Type: t, Name: name})
	if err == nil && !f.OwnerExists {
		err = errNoOwner(owner)
	}
	return f, err
}

func errNoOwner(owner string) error { return errs.New(errs.NotFound, "no account %q", owner) }
