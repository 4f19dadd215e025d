package registry

import (
	"context"

	"github.com/maypok86/otter/v2"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// decide turns a refusal into the error that the caller may see. To one who may
// not know that the package exists it looks absent, and an absent one looks the
// same; a refused push says the same of both.
func decide(who access.Principal, p access.Package, pkg Package, e access.Effects) error {
	d := access.Decide(who, p.Name, pkg.Facts, e)
	switch {
	case d.Allowed && p.Name.Package() == "":
		return errs.New(errs.Invalid, "a package is named OWNER/NAME").WithCode("NAME_INVALID")
	case d.Allowed:
		return nil
	case who.Anonymous():
		return errs.New(errs.Unauthenticated, "authentication required")
	case e.Action != access.Write && !d.Visible && !d.Reason.Blind:
		return errs.New(errs.NotFound, "no such package, or no right to read it").WithCode("NAME_UNKNOWN")
	}
	return errs.New(errs.Denied, "%s", d.Reason.Text)
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
	c.Set(d, content)
	return content, nil
}
