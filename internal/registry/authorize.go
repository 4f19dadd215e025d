package registry

import (
	"context"
	"strings"

	"github.com/maypok86/otter/v2"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// target is a package that a request may do something to.
type target struct {
	who   access.Principal
	asked access.Package
	pkg   Package
}

// target looks up p and checks the right to e.
func (s *Service) target(ctx context.Context, who access.Principal, p access.Package, e access.Effects) (target, error) {
	pkg, err := s.Lookups.Package(ctx, who, p)
	if err != nil {
		return target{}, err
	}
	return target{who, p, pkg}, decide(who, p, pkg, e)
}

// Explain returns what is known of the address for who, and whether who may do e.
func (s *Service) Explain(ctx context.Context, who access.Principal, p access.Package, e access.Effects) (Package, access.Decision, error) {
	pkg, err := s.Lookups.Package(ctx, who, p)
	if err != nil {
		return Package{}, access.Decision{}, err
	}
	return pkg, access.Decide(who, p.Name, pkg.Facts, e), nil
}

// decide turns a refusal into the error that the caller may see. The right is
// that on the name asked, the rest goes by the package's present one.
func decide(who access.Principal, p access.Package, pkg Package, e access.Effects) error {
	d := access.Decide(who, p.Name, pkg.Facts, e)
	switch {
	case !d.Allowed:
		return refusal(who, p.Name, pkg.Facts, e, d)
	case pkg.Facts.Exists:
		return nil
	}
	return mayName(pkg.Address)
}

// refusal makes a private package look absent to one who may not know of it,
// and an absent one look the same; a refused push says the same of both.
func refusal(who access.Principal, asked oci.Name, f access.Facts, e access.Effects, d access.Decision) error {
	switch {
	case d.SignIn():
		return errs.New(errs.Unauthenticated, "authentication required")
	case d.Absent() && e.Action != access.Write:
		return errs.New(errs.NotFound, "%s", access.Explain(who, asked, f, e, d)).WithCode("NAME_UNKNOWN")
	}
	err := errs.New(errs.Denied, "%s", access.Explain(who, asked, f, e, d))
	if d.Told {
		err = err.WithDetail(map[string]string{"reason": d.Reason.Code})
	}
	return err
}

// mayName checks the name that a new package would get.
func mayName(p access.Package) error {
	image, needs := p.Name.Package(), "OWNER/NAME"
	if p.Type == access.Docker {
		_, image, _ = strings.Cut(image, "/")
		needs = "OWNER/REPOSITORY/IMAGE in the Docker registry"
	}
	if image == "" {
		return errs.New(errs.Invalid, "a package is named %s", needs).WithCode("NAME_INVALID")
	}
	return nil
}

// creation describes the package that a commit of the target goes to. Who makes
// a package becomes its admin, unless that is a right of the whole site; what a
// job makes belongs to its repository.
func (t target) creation() Creation {
	f := t.pkg.Facts
	c := Creation{PackageID: t.pkg.ID, Address: t.pkg.Address, OwnerID: f.OwnerID, Actor: t.who.ID(), By: audit.By(t.who)}
	if c.PackageID != 0 {
		return c
	}
	c.Visibility = f.NewVisibility("")
	switch {
	case f.Type == access.Docker:
		c.Visibility, c.RepositoryID, c.LinkedBy, c.Inherits = f.RepositoryVisibility, f.RepositoryID, ByHand, true
	case t.who.RepositoryID() != 0:
		c.RepositoryID, c.LinkedBy, c.Inherits, c.ByJob = t.who.RepositoryID(), ByWorkflow, f.InheritDefault, true
	case t.who.User() && (f.Membership != "" || f.OwnerID == t.who.AccountID):
		c.Admin = t.who.AccountID
	}
	return c
}

// cached returns the content of d from c, or loads and keeps it. Content is
// named by its digest, so it never becomes stale.
func cached(ctx context.Context, c *otter.Cache[oci.Digest, []byte], d oci.Digest,
	load func(context.Context, oci.Digest) ([]byte, error),
) ([]byte, error) {
	if content, ok := c.GetIfPresent(d); ok {
		return content, nil
	}
	content, err := load(ctx, d)
	if err != nil {
		return nil, err
	}
	if d.Algorithm().FromBytes(content) != d {
		return nil, damaged(nil, d)
	}
	c.Set(d, content)
	return content, nil
}
