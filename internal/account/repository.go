package account

import (
	"context"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Repository is a source repository that packages can be linked to. This server
// keeps no source code: it knows the name, who may do what, and who may see it.
type Repository struct {
	ID         int64
	OwnerID    int64
	Name       oci.Name // OWNER/NAME as it is called now
	Visibility access.Visibility
}

// ParseRepository reads OWNER/NAME in any case of letters.
func ParseRepository(text string) (oci.Name, error) {
	name, err := oci.ParseName(strings.ToLower(text))
	if err != nil || name.Package() == "" || strings.Contains(name.Package(), "/") {
		return oci.Name{}, errs.New(errs.Invalid, "a repository is named OWNER/NAME: letters, digits and single . _ - between them")
	}
	return name, nil
}

// Repository returns the repository of that name, in any case of letters, or
// NotFound.
func (s *Service) Repository(ctx context.Context, name string) (Repository, error) {
	n, err := ParseRepository(name)
	if err != nil {
		return Repository{}, errs.New(errs.NotFound, "no repository %q", name)
	}
	return s.Store.RepositoryByName(ctx, n)
}
