package app

import (
	"context"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// SetPackageVisibility makes the package public, private or internal.
func SetPackageVisibility(ctx context.Context, cfg *config.Config, a PackageAddress, visibility string) error {
	v, err := packages.ParseVisibility(visibility)
	if err != nil {
		return err
	}
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.SetVisibility(ctx, who, p, v)
	})
}

// LinkPackage links the package to a repository of its owner.
func LinkPackage(ctx context.Context, cfg *config.Config, a PackageAddress, repository string, inherit bool) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.Link(ctx, who, p, repository, inherit)
	})
}

// UnlinkPackage takes the link to a repository away.
func UnlinkPackage(ctx context.Context, cfg *config.Config, a PackageAddress) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.Unlink(ctx, who, p)
	})
}

// PlanInheritance returns a heading and a row for each role that switching the
// inheritance would end; only the heading when there is none.
func PlanInheritance(ctx context.Context, cfg *config.Config, a PackageAddress, inherits bool) ([][]string, error) {
	var rows [][]string
	err := changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		plan, err := s.Plan(ctx, who, p, inherits)
		rows = grantRows(plan.Lost)
		return err
	})
	return rows, err
}

// SetPackageInherits switches whether the roles come from the repository.
func SetPackageInherits(ctx context.Context, cfg *config.Config, a PackageAddress, inherits bool) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.SetInherits(ctx, who, p, inherits)
	})
}

// PackageGrantee names one whom a package gives something.
type PackageGrantee struct{ User, Team, Repository string }

func (g PackageGrantee) parse() (packages.Grantee, error) {
	var named []packages.Grantee
	for _, one := range []packages.Grantee{
		{Kind: packages.User, Name: g.User}, {Kind: packages.Team, Name: g.Team}, {Kind: packages.Repository, Name: g.Repository},
	} {
		if one.Name != "" {
			named = append(named, one)
		}
	}
	if len(named) != 1 {
		return packages.Grantee{}, errs.New(errs.Invalid, "say who: --user LOGIN, --team TEAM or --repository OWNER/NAME, one of them")
	}
	return named[0], nil
}

// GrantPackage gives a role on the package, or to a repository's codespaces the
// right to pull.
func GrantPackage(ctx context.Context, cfg *config.Config, a PackageAddress, to PackageGrantee, role string, codespaces bool) error {
	grantee, err := to.parse()
	if err != nil {
		return err
	}
	g := packages.Grant{Grantee: grantee, Codespaces: codespaces}
	if role != "" || !codespaces {
		if g.Role, err = packages.ParseRole(role); err != nil {
			return err
		}
	}
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.Grant(ctx, who, p, g)
	})
}

// RevokePackage takes all that was given on the package away.
func RevokePackage(ctx context.Context, cfg *config.Config, a PackageAddress, from PackageGrantee) error {
	grantee, err := from.parse()
	if err != nil {
		return err
	}
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.Revoke(ctx, who, p, grantee)
	})
}

// ListPackageGrants returns a heading and a row for each role given on the package.
func ListPackageGrants(ctx context.Context, cfg *config.Config, a PackageAddress) ([][]string, error) {
	var rows [][]string
	err := changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		list, err := s.ListGrants(ctx, who, p)
		rows = grantRows(list)
		return err
	})
	return rows, err
}

// RenamePackage gives the package another name within its owner.
func RenamePackage(ctx context.Context, cfg *config.Config, a PackageAddress, name string) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.Rename(ctx, who, p, name)
	})
}

// TransferPackage gives the package to another owner.
func TransferPackage(ctx context.Context, cfg *config.Config, a PackageAddress, owner string) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.Transfer(ctx, who, p, owner)
	})
}

// ListPackages returns a heading and a row for each package of the owner.
func ListPackages(ctx context.Context, cfg *config.Config, owner string) ([][]string, error) {
	rows := [][]string{{"PACKAGE", "TYPE", "VISIBILITY", "VERSIONS", "REPOSITORY", "ROLES"}}
	err := administer(ctx, cfg, func(app *App) error {
		return app.Packages.List(ctx, operator(), owner, func(p packages.Summary) error {
			roles := "its own"
			if p.Inherits {
				roles = "inherited"
			}
			rows = append(rows, []string{
				p.Name.String(), string(p.Type), string(p.Visibility), strconv.FormatInt(p.Versions, 10), p.Repository.String(), roles,
			})
			return nil
		})
	})
	return rows, err
}

func grantRows(list []packages.Grant) [][]string {
	rows := [][]string{{"KIND", "NAME", "MAY"}}
	for _, g := range list {
		var may []string
		if g.Role != "" {
			may = append(may, string(g.Role))
		}
		if g.Codespaces {
			may = append(may, "codespaces pull")
		}
		rows = append(rows, []string{string(g.Kind), g.Name, strings.Join(may, ", ")})
	}
	return rows
}
