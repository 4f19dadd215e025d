package account

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
)

// Store keeps the whole directory. Logins, slugs and names are given in lower
// case, and may be old ones. Every change is recorded as the entry that it is
// given, whose time is when the change is made; a change that fails leaves no
// entry.
type Store interface {
	Accounts
	Changes
	Organizations
	Repositories
	Grants
	Directory
	SiteStore
}

// Directory keeps what is said of accounts, teams and repositories, and tells
// what callers are to them.
type Directory interface {
	Profiles
	Standings
	People
}

// Organizations keeps who belongs together.
type Organizations interface {
	Members
	Teams
	TeamMembers
}

// Accounts keeps accounts.
type Accounts interface {
	// CreateUser stores a, with the settings of DefaultSettings, and returns
	// its id; Exists when the login is taken.
	CreateUser(ctx context.Context, a Account, e audit.Entry) (int64, error)
	// CreateOrganization stores a with ownerID as its owner, both or neither;
	// Exists when the login is taken, NotFound without such a user.
	CreateOrganization(ctx context.Context, a Account, ownerID int64, e audit.Entry) (int64, error)
	// AccountByLogin returns NotFound when no login leads to an account.
	AccountByLogin(ctx context.Context, login string) (Account, error)
	// ListAccounts returns up to limit accounts of the kind in the order of their
	// logins, from the first one behind after.
	ListAccounts(ctx context.Context, k Kind, after string, limit int) ([]Account, error)
	// HasSiteAdmin reports whether there is one, suspended or not.
	HasSiteAdmin(ctx context.Context) (bool, error)
	// RehashPassword replaces the hash of the same password if it still is
	// old; Conflict if not. It is no change of the account.
	RehashPassword(ctx context.Context, id int64, old, hash string) error
}

// Changes changes accounts. All return NotFound for one that was deleted. There
// is always a site administrator who is not suspended, unless there never was:
// Conflict for what would leave none.
type Changes interface {
	// SetPassword replaces the password if its hash still is old; Conflict if
	// not.
	SetPassword(ctx context.Context, id int64, old, hash string, e audit.Entry) error
	// SetSuspended suspends the account or lifts that.
	SetSuspended(ctx context.Context, id int64, suspended bool, e audit.Entry) error
	// SetSiteAdmin makes the user a site administrator, or one no longer.
	SetSiteAdmin(ctx context.Context, id int64, admin bool, e audit.Entry) error
	// RenameAccount gives the account another login; the old ones go on leading
	// to it. Exists when another account has that login or had it.
	RenameAccount(ctx context.Context, id int64, login, display string, e audit.Entry) error
	// SetSettings changes the settings that c names.
	SetSettings(ctx context.Context, id int64, c SettingsChange, e audit.Entry) error
	// DeleteAccount shuts the account out for good and ends all that it has and
	// was given: see Service.Delete. Conflict for the last owner of an
	// organization.
	DeleteAccount(ctx context.Context, id int64, e audit.Entry) error
}

// Members keeps who belongs to which organization.
type Members interface {
	// SetMember makes the user a member in that role, from now on if new.
	// Conflict when that would leave the organization without an owner.
	SetMember(ctx context.Context, organizationID, userID int64, role access.Membership, e audit.Entry) error
	// RemoveMember ends a membership, and what the organization gave to the
	// user: places in its teams, roles on its repositories and packages. NotFound
	// when there is none, Conflict for the last owner.
	RemoveMember(ctx context.Context, organizationID, userID int64, e audit.Entry) error
	// ListMembers returns the members in the order of their logins.
	ListMembers(ctx context.Context, organizationID int64) ([]Member, error)
}

// Teams keeps the teams of organizations. A team's parent is one of the same
// organization, and no team is above itself.
type Teams interface {
	// TeamBySlug returns NotFound when the organization has no such team.
	TeamBySlug(ctx context.Context, organizationID int64, slug string) (Team, error)
	// ListTeams returns an organization's teams in the order of their slugs.
	ListTeams(ctx context.Context, organizationID int64) ([]Team, error)
	// CreateTeam stores t and returns its id; Exists when the slug is taken,
	// NotFound without the parent.
	CreateTeam(ctx context.Context, t Team, e audit.Entry) (int64, error)
	// MoveTeam puts the team below another one, or with a parentID of zero on
	// top. Conflict when the parent is the team itself or below it.
	MoveTeam(ctx context.Context, t Team, parentID int64, e audit.Entry) error
	// DeleteTeam deletes the team and the roles it was given; those below it
	// move up.
	DeleteTeam(ctx context.Context, t Team, e audit.Entry) error
}

// TeamMembers keeps who is in which team.
type TeamMembers interface {
	// SetTeamMember puts the user into the team, or out of it. Conflict for a
	// user who is not in the organization, and for a team that an outside group
	// fills; NotFound for taking out who is not in it.
	SetTeamMember(ctx context.Context, t Team, userID int64, in bool, e audit.Entry) error
	// TeamMembers returns the logins of those in the team itself.
	TeamMembers(ctx context.Context, teamID int64) ([]string, error)
	// ReplaceGroups puts the user into exactly the teams that these groups
	// fill, of all teams that groups fill, and into their organizations. It ends
	// the memberships that came of groups alone and have none any more. Nothing
	// is recorded when nothing changes.
	ReplaceGroups(ctx context.Context, userID int64, groups []string, e audit.Entry) error
}

// Repositories keeps repositories. The changes return NotFound for one that was
// deleted.
type Repositories interface {
	// RepositoryByName returns NotFound when no name leads to one.
	RepositoryByName(ctx context.Context, name oci.Name) (Repository, error)
	// ListRepositories returns the owner's in the order of their names.
	ListRepositories(ctx context.Context, ownerID int64) ([]Repository, error)
	// CreateRepository stores r and returns its id. Exists when the name is
	// taken, also by one that is called otherwise now.
	CreateRepository(ctx context.Context, r Repository, e audit.Entry) (int64, error)
	// SetRepositoryVisibility is also the visibility of its Docker packages.
	SetRepositoryVisibility(ctx context.Context, id int64, v access.Visibility, e audit.Entry) error
	// MoveRepository gives the repository, and the Docker packages in it, the
	// owner and the name of to, where the old name goes on leading. Exists, with
	// the names, when one is taken there. A repository that changes its owner
	// loses the grants to teams, the rules of trust, the tokens of its jobs, and
	// the packages of the Container registry that are linked to it or let it in.
	MoveRepository(ctx context.Context, r Repository, to Repository, e audit.Entry) error
	// DeleteRepository deletes it and unlinks the packages; Conflict while there
	// are Docker packages in it. The name is free again for the same owner.
	DeleteRepository(ctx context.Context, id int64, e audit.Entry) error
}

// Grants keeps who has which role on which repository.
type Grants interface {
	// SetRepositoryGrant gives the user a role on the repository, anew or
	// another one; a role of zero takes it away, NotFound when there is none.
	SetRepositoryGrant(ctx context.Context, r Repository, userID int64, role access.RepositoryRole, e audit.Entry) error
	// SetRepositoryTeamGrant does the same for a team of the owner.
	SetRepositoryTeamGrant(ctx context.Context, r Repository, teamID int64, role access.RepositoryRole, e audit.Entry) error
	// RepositoryGrants returns all, users first, in the order of their names.
	RepositoryGrants(ctx context.Context, id int64) ([]RepositoryGrant, error)
	// OutsideCollaborators returns those who have a role of their own on a
	// repository of the organization and are no members, in the order of their
	// logins.
	OutsideCollaborators(ctx context.Context, organizationID int64) ([]Account, error)
}

// SiteStore keeps the settings of the whole server by name.
type SiteStore interface {
	// SiteSettings returns those that were set; the others are not in the map.
	SiteSettings(ctx context.Context) (map[string]string, error)
	// SetSiteSetting sets one, for every node from now on.
	SetSiteSetting(ctx context.Context, name, value string, e audit.Entry) error
}
