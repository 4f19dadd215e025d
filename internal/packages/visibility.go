package packages

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// PublicToPrivate is the name of the site setting that says whether the admins
// of a public package may make it private or internal again; Forbidden leaves
// that to the administrators of the site. Unset, they may.
const (
	PublicToPrivate = "public_to_private"
	Allowed         = "allowed"
	Forbidden       = "forbidden"
)

// ParseVisibility reads public, private or internal.
func ParseVisibility(text string) (access.Visibility, error) {
	switch v := access.Visibility(text); v {
	case access.Public, access.Private, access.Internal:
		return v, nil
	}
	return "", errs.New(errs.Invalid, "a visibility is public, private or internal, not %q", text)
}

// SetVisibility says who may read the package without a role on it. Members of
// an organization may give what they may create there; internal packages are
// for organizations.
func (s *Service) SetVisibility(ctx context.Context, who access.Principal, p access.Package, v access.Visibility) error {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return err
	}
	if err := ofRepository(f, "change that one's visibility (packhouse admin repo visibility "+f.Repository.String()+")"); err != nil {
		return err
	}
	if f.Visibility == v {
		return nil
	}
	if _, err := s.administer(ctx, who, p, v); err != nil {
		return err
	}
	e := s.entry(who, f, "package.visibility", map[string]any{"from": string(f.Visibility), "to": string(v)})
	return s.Settings.SetPackageVisibility(ctx, f.PackageID, v, who.Operator || who.SiteAdmin, e)
}
