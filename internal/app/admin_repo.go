package app

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// CreateRepository makes the repository OWNER/NAME.
func CreateRepository(ctx context.Context, cfg *config.Config, name, visibility string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		_, err := s.CreateRepository(ctx, audit.Operator, name, access.Visibility(visibility))
		return err
	})
}

// SetRepositoryVisibility changes who may see the repository and the Docker
// packages in it.
func SetRepositoryVisibility(ctx context.Context, cfg *config.Config, name, visibility string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.SetRepositoryVisibility(ctx, audit.Operator, name, access.Visibility(visibility))
	})
}

// RenameRepository gives the repository another name, which it returns whole.
func RenameRepository(ctx context.Context, cfg *config.Config, name, to string) (full string, err error) {
	err = directory(ctx, cfg, func(s *account.Service) error {
		r, err := s.RenameRepository(ctx, audit.Operator, name, to)
		full = r.Name.String()
		return err
	})
	return full, err
}

// TransferRepository gives the repository to another owner and returns its new
// name.
func TransferRepository(ctx context.Context, cfg *config.Config, name, owner string) (full string, err error) {
	err = directory(ctx, cfg, func(s *account.Service) error {
		r, err := s.TransferRepository(ctx, audit.Operator, name, owner)
		full = r.Name.String()
		return err
	})
	return full, err
}

// DeleteRepository deletes the repository.
func DeleteRepository(ctx context.Context, cfg *config.Config, name string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.DeleteRepository(ctx, audit.Operator, name)
	})
}

// GrantRepository gives a user or a team a role on the repository; one of the two
// is named.
func GrantRepository(ctx context.Context, cfg *config.Config, name, user, team, role string) error {
	r, ok := access.RepositoryRoleNamed(role)
	if !ok {
		return errs.New(errs.Invalid, "a role on a repository is read, triage, write, maintain or admin: --role ROLE")
	}
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.GrantRepository(ctx, audit.Operator, name, account.RepositoryGrant{User: user, Team: team, Role: r})
	})
}

// RevokeRepository takes the role of a user or a team away.
func RevokeRepository(ctx context.Context, cfg *config.Config, name, user, team string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.RevokeRepository(ctx, audit.Operator, name, account.RepositoryGrant{User: user, Team: team})
	})
}

// ListRepositories returns a heading and a row for each repository of the owner.
func ListRepositories(ctx context.Context, cfg *config.Config, owner string) ([][]string, error) {
	rows := [][]string{{"REPOSITORY", "VISIBILITY"}}
	err := directory(ctx, cfg, func(s *account.Service) error {
		list, err := s.Repositories(ctx, owner)
		for _, r := range list {
			rows = append(rows, []string{r.Name.String(), string(r.Visibility)})
		}
		return err
	})
	return rows, err
}

// ListRepositoryGrants returns a heading and a row for each role on the
// repository.
func ListRepositoryGrants(ctx context.Context, cfg *config.Config, name string) ([][]string, error) {
	rows := [][]string{{"USER", "TEAM", "ROLE"}}
	err := directory(ctx, cfg, func(s *account.Service) error {
		list, err := s.RepositoryGrants(ctx, name)
		for _, g := range list {
			rows = append(rows, []string{g.User, g.Team, g.Role.String()})
		}
		return err
	})
	return rows, err
}
