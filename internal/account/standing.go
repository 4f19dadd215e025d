package account

import (
	"context"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Profiles keeps what is said of accounts, teams and repositories.
type Profiles interface {
	// SetProfile changes the fields that p names; NotFound for an account that
	// was deleted.
	SetProfile(ctx context.Context, id int64, p Profile, e audit.Entry) error
	// Preferences returns NotFound for an account that was deleted.
	Preferences(ctx context.Context, id int64) (Preferences, error)
	// SetRepositoryDescription returns NotFound for one that was deleted.
	SetRepositoryDescription(ctx context.Context, id int64, description string, e audit.Entry) error
	// RepositoryReadme and SetRepositoryReadme return NotFound for a repository
	// that was deleted; "" is no readme.
	RepositoryReadme(ctx context.Context, id int64) (string, error)
	SetRepositoryReadme(ctx context.Context, id int64, text string, e audit.Entry) error
	// ChangeTeam changes the fields that c names; Exists when the slug is taken.
	ChangeTeam(ctx context.Context, t Team, c TeamChange, e audit.Entry) error
}

// Standings tells what callers are to the directory. Who is nobody has no part
// in anything; the facts are the same as for others.
type Standings interface {
	// AccountStanding returns NotFound when no login leads to an account.
	AccountStanding(ctx context.Context, who access.Principal, login string) (Account, access.Standing, error)
	// AccountByID returns NotFound for none, and for one that was deleted.
	AccountByID(ctx context.Context, id int64) (Account, error)
	// RepositoryStanding returns NotFound when no name leads to one.
	RepositoryStanding(ctx context.Context, who access.Principal, name oci.Name) (OwnedRepository, error)
	// RepositoriesOf returns the owner's in the order of their names.
	RepositoriesOf(ctx context.Context, who access.Principal, ownerID int64) ([]OwnedRepository, error)
	// RepositoriesWith returns those that the user owns, those of the
	// organizations that it belongs to, and those on which it or a team of its
	// has a role, in the order of their full names.
	RepositoriesWith(ctx context.Context, who access.Principal) ([]OwnedRepository, error)
	// TeamRepositories returns those on which the team itself was given a role,
	// in the order of their names.
	TeamRepositories(ctx context.Context, who access.Principal, teamID int64) ([]TeamRepository, error)
	// RepositoryCounts returns how many repositories the owner has that are
	// public, and how many that are not.
	RepositoryCounts(ctx context.Context, ownerID int64) (public, others int, err error)
}

// People lists accounts by what they belong to.
type People interface {
	// AccountsAfter returns up to limit accounts with a greater id, by id; of
	// one kind unless that is "".
	AccountsAfter(ctx context.Context, k Kind, after int64, limit int) ([]Account, error)
	// Memberships returns the user's organizations in the order of their logins.
	Memberships(ctx context.Context, userID int64) ([]MembershipIn, error)
	// MemberAccounts returns an organization's members in the order of their
	// logins, with their roles.
	MemberAccounts(ctx context.Context, organizationID int64) ([]MemberAccount, error)
	// TeamAccounts returns those in the team itself, in the order of their logins.
	TeamAccounts(ctx context.Context, teamID int64) ([]Account, error)
	// TeamsOf returns the teams that the user is in, in the order of their
	// organizations and slugs.
	TeamsOf(ctx context.Context, userID int64) ([]TeamIn, error)
	// TeamByID returns NotFound when the organization has no such team.
	TeamByID(ctx context.Context, organizationID, id int64) (Team, error)
	// Collaborators returns everyone who has a role on the repository, for
	// whatever reason but administering the site, in the order of their logins.
	Collaborators(ctx context.Context, r Repository) ([]Collaborator, error)
}

// OwnedRepository is a repository with its owner and what the caller is to it.
type OwnedRepository struct {
	Repository
	Owner    Account
	Standing access.Standing
}

// TeamRepository is a repository on which a team was given Role.
type TeamRepository struct {
	OwnedRepository
	Role access.RepositoryRole
}

// MembershipIn is a user's membership in an organization.
type MembershipIn struct {
	Organization Account
	Role         access.Membership
}

// MemberAccount is one member of an organization.
type MemberAccount struct {
	Account
	Role access.Membership
}

// TeamIn is a team with its organization.
type TeamIn struct {
	Team
	Organization Account
}

// Collaborator is one who has a role on a repository.
type Collaborator struct {
	Account
	// Role is the highest, whatever gives it.
	Role access.RepositoryRole
	// Direct is the role that it was given itself; zero for none.
	Direct access.RepositoryRole
	// Member is set for members of the owning organization.
	Member bool
}

// Standing returns the account of that login, in any case of letters, and what
// who is to it; NotFound for none.
func (s *Service) Standing(ctx context.Context, who access.Principal, login string) (Account, access.Standing, error) {
	folded, err := ParseLogin(login)
	if err != nil {
		return Account{}, access.Standing{}, errs.New(errs.NotFound, "no account %q", login)
	}
	return s.Store.AccountStanding(ctx, who, folded)
}

// RepositoryStanding returns the repository OWNER/NAME, in any case of letters,
// and what who is to it; NotFound for none.
func (s *Service) RepositoryStanding(ctx context.Context, who access.Principal, owner, name string) (OwnedRepository, error) {
	n, err := ParseRepository(owner + "/" + name)
	if err != nil || strings.Contains(owner, "/") {
		return OwnedRepository{}, errs.New(errs.NotFound, "no repository %q", owner+"/"+name)
	}
	return s.Store.RepositoryStanding(ctx, who, n)
}

// TeamBySlug returns the team of an organization, by its slug in any case of
// letters, or NotFound.
func (s *Service) TeamBySlug(ctx context.Context, organization Account, slug string) (Team, error) {
	return s.team(ctx, organization, slug)
}
