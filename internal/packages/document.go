package packages

import (
	"context"
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Document is all settings of a package at once.
type Document struct {
	Name       oci.Name
	Type       access.PackageType
	Visibility access.Visibility
	Repository oci.Name // zero without a link
	Inherits   bool
	// Grants are those of users and teams, Repositories those of repositories.
	Grants, Repositories []Grant
	// Immutable are the package's own patterns, OwnersImmutable its owner's.
	Immutable, OwnersImmutable []oci.TagPattern
}

// DocumentChange is what the settings of a package shall be. Nil fields stay;
// those that are set are meant whole: who is not in Grants loses its role.
type DocumentChange struct {
	Visibility *access.Visibility
	Repository *string // OWNER/NAME, or "" for no link
	Inherits   *bool
	// Grants names users and teams, Repositories repositories. With roles that
	// come from the repository there are no grants.
	Grants, Repositories *[]Grant
	Immutable            *[]oci.TagPattern
}

// Document returns all settings of the package to those who administer it.
func (s *Service) Document(ctx context.Context, who access.Principal, p access.Package) (Document, error) {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return Document{}, err
	}
	d := Document{Name: f.Name, Type: f.Type, Visibility: f.Visibility, Repository: f.Repository, Inherits: f.Inherits}
	all, err := s.Grants.PackageGrants(ctx, f.PackageID)
	if err != nil {
		return d, err
	}
	for _, g := range all {
		if g.Kind == Repository {
			d.Repositories = append(d.Repositories, g)
		} else {
			d.Grants = append(d.Grants, g)
		}
	}
	d.Immutable, d.OwnersImmutable, err = s.Immutable.PackageImmutableTags(ctx, f.PackageID)
	return d, err
}

// Apply brings the settings of the package to what c says. What is so already is
// left alone, so that applying again changes and records nothing. Each setting is
// a change of its own, by the rules of the method that makes it; where one is
// refused those before it stay, and applying again goes on from there. What is
// named and not there is Invalid.
func (s *Service) Apply(ctx context.Context, who access.Principal, p access.Package, c DocumentChange) error {
	now, err := s.Document(ctx, who, p)
	if err != nil {
		return err
	}
	inherits := now.Inherits
	if c.Inherits != nil {
		inherits = *c.Inherits
	}
	if inherits && now.Type != access.Docker && c.Grants != nil && len(*c.Grants) > 0 {
		return errs.New(errs.Invalid, "a package that inherits its roles has no grants to users and teams")
	}
	for _, step := range []func(context.Context, access.Principal, access.Package, Document, DocumentChange) error{
		s.applyImmutable, s.applyVisibility, s.applyLink, s.applyInherits, s.applyGrants,
	} {
		if err := step(ctx, who, p, now, c); err != nil {
			return named(err)
		}
	}
	return nil
}

// named is err of a change to a package that is there: what is not there is what
// the change names.
func named(err error) error {
	if errs.Is(err, errs.NotFound) {
		return errs.Wrap(errs.Invalid, err, "the settings name a user, a team or a repository that is not there")
	}
	return err
}

func (s *Service) applyImmutable(ctx context.Context, who access.Principal, p access.Package, now Document, c DocumentChange) error {
	if c.Immutable == nil || slices.Equal(*c.Immutable, now.Immutable) {
		return nil
	}
	return s.SetImmutableTags(ctx, who, p, *c.Immutable)
}

func (s *Service) applyVisibility(ctx context.Context, who access.Principal, p access.Package, now Document, c DocumentChange) error {
	if c.Visibility == nil || *c.Visibility == now.Visibility {
		return nil
	}
	return s.SetVisibility(ctx, who, p, *c.Visibility)
}

// applyLink also ends the inheritance with a link that ends.
func (s *Service) applyLink(ctx context.Context, who access.Principal, p access.Package, now Document, c DocumentChange) error {
	if c.Repository == nil || linkedTo(now, *c.Repository) {
		return nil
	}
	if !now.Repository.IsZero() {
		if *c.Repository != "" { // nothing is unlinked for a link that cannot be
			r, err := s.repository(ctx, who, *c.Repository)
			if err != nil {
				return err
			}
			if r.Name == now.Repository { // by a name that it had
				return nil
			}
		}
		if err := s.Unlink(ctx, who, p); err != nil {
			return err
		}
	}
	if *c.Repository == "" {
		return nil
	}
	return s.Link(ctx, who, p, *c.Repository, c.Inherits != nil && *c.Inherits)
}

func linkedTo(now Document, repository string) bool {
	if now.Repository.IsZero() {
		return repository == ""
	}
	return strings.EqualFold(repository, now.Repository.String())
}

func (s *Service) applyInherits(ctx context.Context, who access.Principal, p access.Package, now Document, c DocumentChange) error {
	if c.Inherits == nil || now.Type == access.Docker && *c.Inherits {
		return nil
	}
	return s.SetInherits(ctx, who, p, *c.Inherits)
}

// applyGrants gives before it takes away, and takes the caller's own role last:
// the change must not lock out who is making it before it is made.
func (s *Service) applyGrants(ctx context.Context, who access.Principal, p access.Package, _ Document, c DocumentChange) error {
	now, err := s.Document(ctx, who, p) // a link or its end may have changed them
	if err != nil {
		return err
	}
	for _, part := range []struct {
		have []Grant
		want *[]Grant
	}{{now.Repositories, c.Repositories}, {now.Grants, c.Grants}} {
		if part.want == nil {
			continue
		}
		if err := s.replaceGrants(ctx, who, p, now.Name.Owner(), part.have, *part.want); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) replaceGrants(ctx context.Context, who access.Principal, p access.Package, owner string, have, want []Grant) error {
	want = slices.Clone(want)
	for i := range want {
		want[i].Name = strings.ToLower(want[i].Name)
		if want[i].Kind == Team && !strings.Contains(want[i].Name, "/") {
			want[i].Name = owner + "/" + want[i].Name
		}
	}
	self := func(g Grant) bool { return g.Kind == User && g.Name == who.Login }
	at := func(list []Grant, g Grant) int {
		return slices.IndexFunc(list, func(o Grant) bool { return o.Kind == g.Kind && o.Name == g.Name })
	}
	var last []Grant
	for _, g := range want {
		i := at(have, g)
		switch {
		case i >= 0 && have[i].Role == g.Role && have[i].Codespaces == g.Codespaces:
			continue
		case self(g):
			last = append(last, g)
			continue
		case i >= 0 && g.Kind == Repository: // a grant adds to what a repository has
			if err := s.Revoke(ctx, who, p, g.Grantee); err != nil {
				return err
			}
		}
		if err := s.Grant(ctx, who, p, g); err != nil {
			return err
		}
	}
	for _, g := range have {
		if at(want, g) >= 0 {
			continue
		}
		if self(g) {
			last = append(last, Grant{Grantee: g.Grantee})
			continue
		}
		if err := s.Revoke(ctx, who, p, g.Grantee); err != nil {
			return err
		}
	}
	for _, g := range last {
		change := func() error { return s.Grant(ctx, who, p, g) }
		if g.Role == "" {
			change = func() error { return s.Revoke(ctx, who, p, g.Grantee) }
		}
		if err := change(); err != nil {
			return err
		}
	}
	return nil
}
