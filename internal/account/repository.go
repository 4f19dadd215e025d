package account

import (
	"context"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
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
	// Description may be empty.
	Description string
	CreatedAt   time.Time
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

// Repositories returns the owner's repositories in the order of their names.
func (s *Service) Repositories(ctx context.Context, owner string) ([]Repository, error) {
	a, err := s.Get(ctx, owner)
	if err != nil {
		return nil, err
	}
	return s.Store.ListRepositories(ctx, a.ID)
}

// CreateRepository makes the repository OWNER/NAME, without a description.
// Exists when the name is taken, NotFound without such an owner.
func (s *Service) CreateRepository(ctx context.Context, by audit.Actor, name string, v access.Visibility) (Repository, error) {
	return s.CreateDescribedRepository(ctx, by, name, v, "")
}

// CreateDescribedRepository is CreateRepository with a description, which may be
// empty.
func (s *Service) CreateDescribedRepository(ctx context.Context, by audit.Actor, name string, v access.Visibility, description string) (Repository, error) {
	if err := checkProfile(nil, nil, &description); err != nil {
		return Repository{}, err
	}
	n, err := ParseRepository(name)
	if err != nil {
		return Repository{}, err
	}
	owner, err := s.Get(ctx, n.Owner())
	if err != nil {
		return Repository{}, err
	}
	if err := repositoryVisibility(owner.Kind, v); err != nil {
		return Repository{}, err
	}
	if n, err = ParseRepository(owner.Login + "/" + n.Package()); err != nil {
		return Repository{}, err
	}
	r := Repository{OwnerID: owner.ID, Name: n, Visibility: v, Description: description, CreatedAt: s.Now()}
	r.ID, err = s.Store.CreateRepository(ctx, r, s.entry(by, "repository.create", n.String(), map[string]any{"visibility": string(v)}))
	return r, err
}

func repositoryVisibility(k Kind, v access.Visibility) error {
	switch {
	case v == access.Internal && k != Organization:
		return errs.New(errs.Invalid, "only organizations have internal repositories")
	case v != access.Private && v != access.Internal && v != access.Public:
		return errs.New(errs.Invalid, "a visibility is %s, %s or %s", access.Private, access.Internal, access.Public)
	}
	return nil
}

// SetRepositoryVisibility changes who may see the repository, and with it who
// may pull the Docker packages in it.
func (s *Service) SetRepositoryVisibility(ctx context.Context, by audit.Actor, name string, v access.Visibility) error {
	r, err := s.Repository(ctx, name)
	if err != nil {
		return err
	}
	owner, err := s.Get(ctx, r.Name.Owner())
	if err != nil {
		return err
	}
	if err := repositoryVisibility(owner.Kind, v); err != nil {
		return err
	}
	return s.Store.SetRepositoryVisibility(ctx, r.ID, v, s.entry(by, "repository.visibility", r.Name.String(),
		map[string]any{"from": string(r.Visibility), "to": string(v)}))
}

// RenameRepository gives the repository another name, NAME or OWNER/NAME, under
// the same owner. The old name goes on leading to it; the Docker packages in it
// are renamed likewise.
func (s *Service) RenameRepository(ctx context.Context, by audit.Actor, name, to string) (Repository, error) {
	r, err := s.Repository(ctx, name)
	if err != nil {
		return r, err
	}
	moved := r
	if moved.Name, err = ParseRepository(r.Name.Owner() + "/" + strings.TrimPrefix(strings.ToLower(to), r.Name.Owner()+"/")); err != nil {
		return r, err
	}
	return moved, s.Store.MoveRepository(ctx, r, moved, s.entry(by, "repository.rename", r.Name.String(), map[string]any{"to": moved.Name.String()}))
}

// TransferRepository gives the repository to another owner, with the Docker
// packages in it. Packages of the Container registry stay where they are and
// are unlinked. A user has no internal repositories: such a one becomes private.
func (s *Service) TransferRepository(ctx context.Context, by audit.Actor, name, owner string) (Repository, error) {
	r, err := s.Repository(ctx, name)
	if err != nil {
		return r, err
	}
	to, err := s.Get(ctx, owner)
	if err != nil {
		return r, err
	}
	if to.ID == r.OwnerID {
		return r, errs.New(errs.Conflict, "%s belongs to %s already", r.Name, to.Login)
	}
	moved := r
	moved.OwnerID = to.ID
	if to.Kind == User && r.Visibility == access.Internal {
		moved.Visibility = access.Private
	}
	if moved.Name, err = ParseRepository(to.Login + "/" + r.Name.Package()); err != nil {
		return r, err
	}
	return moved, s.Store.MoveRepository(ctx, r, moved, s.entry(by, "repository.transfer", r.Name.String(), map[string]any{"to": moved.Name.String()}))
}

// DeleteRepository deletes the repository. Conflict while there are Docker
// packages in it; linked packages of the Container registry are unlinked.
func (s *Service) DeleteRepository(ctx context.Context, by audit.Actor, name string) error {
	r, err := s.Repository(ctx, name)
	if err != nil {
		return err
	}
	return s.Store.DeleteRepository(ctx, r.ID, s.entry(by, "repository.delete", r.Name.String(), nil))
}
