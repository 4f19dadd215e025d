package packages

import (
	"context"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// ParseRole reads read, write or admin.
func ParseRole(text string) (access.Role, error) {
	switch r := access.Role(text); r {
	case access.RoleRead, access.RoleWrite, access.RoleAdmin:
		return r, nil
	}
	return "", errs.New(errs.Invalid, "a role is read, write or admin, not %q", text)
}

// Grant gives a role to a user, a team or the jobs of a repository, in the place
// of the one it had, and with codespaces the right to pull to the codespaces of
// a repository, which need not be the one that the package is linked to. What is
// not public in an organization is for its members; teams have roles in their own.
func (s *Service) Grant(ctx context.Context, who access.Principal, p access.Package, g Grant) error {
	f, err := s.grantable(ctx, who, p, g.Kind)
	if err != nil {
		return err
	}
	switch {
	case g.Role == "" && !g.Codespaces:
		return errs.New(errs.Invalid, "say which role to give: read, write or admin")
	case g.Codespaces && g.Kind != Repository:
		return errs.New(errs.Invalid, "codespaces belong to a repository, not to a %s", g.Kind)
	}
	var member bool
	if g.Grantee, member, err = s.grantee(ctx, who, f, g.Grantee); err != nil {
		return err
	}
	if g.Kind == User && f.OwnerIsOrganization && f.Visibility != access.Public && !member {
		return errs.New(errs.Conflict, "%s is %s, and %s is no member of %s: only members have roles on what is not public",
			f.Name, f.Visibility, g.Name, f.Owner)
	}
	e := s.entry(who, f, "package.grant", map[string]any{
		string(g.Kind): g.Name, "role": string(g.Role), "codespaces": g.Codespaces,
	})
	return s.Grants.GrantPackage(ctx, f.PackageID, g, e)
}

// Revoke takes away all that the grantee was given on the package itself.
func (s *Service) Revoke(ctx context.Context, who access.Principal, p access.Package, g Grantee) error {
	f, err := s.grantable(ctx, who, p, g.Kind)
	if err != nil {
		return err
	}
	if g, _, err = s.grantee(ctx, who, f, g); err != nil {
		return err
	}
	return s.Grants.RevokePackage(ctx, f.PackageID, g, s.entry(who, f, "package.revoke", map[string]any{string(g.Kind): g.Name}))
}

// ListGrants returns what was given on the package itself.
func (s *Service) ListGrants(ctx context.Context, who access.Principal, p access.Package) ([]Grant, error) {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return nil, err
	}
	return s.Grants.PackageGrants(ctx, f.PackageID)
}

// grantable returns the facts about a package that has grants of that kind.
func (s *Service) grantable(ctx context.Context, who access.Principal, p access.Package, k GranteeKind) (access.Facts, error) {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return f, err
	}
	if err := ofRepository(f, "give roles there: packhouse admin repo grant "+f.Repository.String()); err != nil {
		return f, err
	}
	if k == Repository || !f.Inherits {
		return f, nil
	}
	return f, errs.New(errs.Conflict, "%s inherits its roles from %s: give them there (packhouse admin repo grant %s), or end that (packhouse admin package inherit %s off)",
		f.Name, f.Repository, f.Repository, f.Name)
}

// grantee finds who is named.
func (s *Service) grantee(ctx context.Context, who access.Principal, f access.Facts, g Grantee) (found Grantee, member bool, err error) {
	switch g.Kind {
	case User:
		var organization int64
		if f.OwnerIsOrganization {
			organization = f.OwnerID
		}
		return s.Directory.PackageUser(ctx, strings.ToLower(g.Name), organization)
	case Team:
		found, err = s.team(ctx, f, g.Name)
		return found, true, err
	case Repository:
		r, err := s.repository(ctx, who, g.Name)
		return Grantee{Kind: Repository, Name: r.Name.String(), ID: r.ID}, false, err
	}
	return g, false, errs.New(errs.Invalid, "roles are given to a user, a team or a repository")
}

// team finds a team of the owner, named TEAM or OWNER/TEAM.
func (s *Service) team(ctx context.Context, f access.Facts, text string) (Grantee, error) {
	organization, slug, named := strings.Cut(strings.ToLower(text), "/")
	if !named {
		organization, slug = f.Owner, organization
	}
	switch {
	case !f.OwnerIsOrganization:
		return Grantee{}, errs.New(errs.Invalid, "%s belongs to a user: teams have no roles on it", f.Name)
	case organization != f.Owner:
		return Grantee{}, errs.New(errs.Invalid, "%s belongs to %s: only its own teams have roles on it", f.Name, f.Owner)
	}
	return s.Directory.PackageTeam(ctx, f.OwnerID, slug)
}
