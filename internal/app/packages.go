package app

import (
	"context"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/store"
)

// addressFacts answers what decisions about packages need from the registry's
// lookups.
type addressFacts struct{ store *store.Store }

// Facts implements packages.Facts.
func (f addressFacts) Facts(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error) {
	pkg, err := f.store.Package(ctx, who, p)
	return pkg.Facts, err
}

func newPackages(cfg *config.Config, s *store.Store) *packages.Service {
	return packages.New(packages.Options{
		Facts: addressFacts{s}, Directory: s, Settings: s, Grants: s, Descriptions: s, Migrations: s,
		Contents: s, Browsing: s, Lists: s, Deletions: s, Tagging: s, Immutable: s, Counts: s, Newest: s, Related: s, Readmes: s, Storage: s, RestoreWindow: cfg.Retention.RestoreWindow, Now: time.Now,
	})
}

// operator is who runs the commands.
func operator() access.Principal { return access.Principal{Operator: true} }

// PackageAddress is a package as commands name it.
type PackageAddress struct {
	Name string // OWNER/NAME, in any case of letters
	// Type is container or docker; empty for whichever registry has such a
	// package, the Container registry first.
	Type string
}

func (a PackageAddress) parse() (access.Package, error) {
	name, err := oci.ParseName(strings.ToLower(a.Name))
	if err != nil {
		return access.Package{}, err
	}
	if name.Package() == "" {
		return access.Package{}, errs.New(errs.Invalid, "a package is named OWNER/NAME, not %q", a.Name)
	}
	switch t := access.PackageType(a.Type); t {
	case "":
		return access.Package{Type: access.Container, Also: access.Docker, Name: name}, nil
	case access.Container, access.Docker:
		return access.Package{Type: t, Name: name}, nil
	}
	return access.Package{}, errs.New(errs.Invalid, "the type of a package is container or docker, not %q", a.Type)
}

// changePackage runs do as the operator.
func changePackage(ctx context.Context, cfg *config.Config, a PackageAddress, do func(s *packages.Service, who access.Principal, p access.Package) error) error {
	p, err := a.parse()
	if err != nil {
		return err
	}
	return administer(ctx, cfg, func(app *App) error { return do(app.Packages, operator(), p) })
}
