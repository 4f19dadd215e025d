package access

// Standing is what the database tells of an account of the directory, of a
// repository of that account, and of what the caller is to them. The zero value
// of the fields about a repository is none.
type Standing struct {
	AccountID     int64
	Organization  bool
	Suspended     bool       // the account
	Membership    Membership // of the caller in the organization
	SSORequired   bool
	SSOAuthorized bool // the caller's token

	RepositoryID int64
	Visibility   Visibility
	// RepositoryRole is the caller's own, its teams' or what the organization
	// gives to members, the highest of them.
	RepositoryRole RepositoryRole
}

// DirectoryAction is what a request does in the directory.
type DirectoryAction int

// The actions in the directory. Accounts themselves are everybody's to see.
const (
	// SeeMembers is to see who belongs to an organization, and its teams.
	SeeMembers DirectoryAction = iota + 1
	// AdministerAccount is to change an account: its profile, and of an
	// organization its settings, members, teams and repositories.
	AdministerAccount
	SeeRepository
	AdministerRepository
	// RemoveRepository is to delete a repository or to give it to another owner:
	// its administrators' right, of an organization's those in it.
	RemoveRepository
)

// Verdict is the outcome of DecideDirectory.
type Verdict int

// The verdicts.
const (
	// Unseen: to the caller it is not there.
	Unseen Verdict = iota
	// Refused: the caller may know of it, and not do that.
	Refused
	// SignOn: it takes a credential that single sign-on was authorized for.
	SignOn
	// Granted: go on.
	Granted
)

// DecideDirectory tells whether p may do a by what s says. It is the only place
// where this is decided. The scopes that a change needs are the route's to check
// before; those without which nothing but the public is to be seen are looked at
// here.
func DecideDirectory(p Principal, s Standing, a DirectoryAction) Verdict {
	switch a {
	case SeeMembers:
		return decideMembers(p, s)
	case AdministerAccount:
		return decideAccount(p, s)
	case SeeRepository:
		if seesRepository(p, s) {
			return Granted
		}
	case AdministerRepository:
		return decideRepository(p, s)
	case RemoveRepository:
		return decideRemoval(p, s)
	}
	return Unseen
}

func decideMembers(p Principal, s Standing) Verdict {
	switch {
	case !s.Organization, !p.Operator && !(p.inDirectory() && p.Scopes.Has(ReadOrg)):
		return Unseen
	case !p.rulesSite() && s.Membership == "":
		return Unseen
	case signOnMissing(p, s):
		return SignOn
	}
	return Granted
}

func decideAccount(p Principal, s Standing) Verdict {
	switch {
	case !p.ownsAccount(s):
		return Refused
	case signOnMissing(p, s):
		return SignOn
	}
	return Granted
}

func decideRepository(p Principal, s Standing) Verdict {
	switch {
	case !seesRepository(p, s):
		return Unseen
	case p.roleIn(s) != RepositoryAdmin:
		return Refused
	case signOnMissing(p, s):
		return SignOn
	}
	return Granted
}

func decideRemoval(p Principal, s Standing) Verdict {
	if v := decideRepository(p, s); v != Granted || !s.Organization || s.Membership != "" || p.rulesSite() {
		return v
	}
	return Refused
}

// seesRepository reports whether p may know of the repository. What is not public
// takes the scope repo, except for a job's own repository.
func seesRepository(p Principal, s Standing) bool {
	switch {
	case s.RepositoryID == 0:
		return false
	case s.Suspended:
		return DirectoryRole(p, s) != 0 && p.rulesSite()
	case s.Visibility == Public, p.RepositoryID() == s.RepositoryID:
		return true
	case !p.Operator && !p.Scopes.Has(Repo):
		return false
	case s.Visibility == Internal && p.inDirectory() && !signOnMissing(p, s):
		return true
	}
	return DirectoryRole(p, s) != 0
}

// DirectoryRole returns what p may do with the repository of s.
func DirectoryRole(p Principal, s Standing) RepositoryRole {
	if signOnMissing(p, s) {
		return 0
	}
	return p.roleIn(s)
}

// roleIn is DirectoryRole, also where single sign-on is missing.
func (p Principal) roleIn(s Standing) RepositoryRole {
	switch {
	case s.RepositoryID == 0:
		return 0
	case p.ownsAccount(s):
		return RepositoryAdmin
	case !p.inDirectory():
		return 0
	}
	return s.RepositoryRole
}

// inDirectory reports whether p is a person by a credential that is not for
// packages alone: no bearer token of the registries, and no limited one.
func (p Principal) inDirectory() bool { return p.User() && !p.Restricted && !p.Limited }

// rulesSite reports whether the whole directory is p's.
func (p Principal) rulesSite() bool { return p.Operator || p.SiteAdmin && p.inDirectory() }

// ownsAccount reports whether the account of s is p's to change.
func (p Principal) ownsAccount(s Standing) bool {
	switch {
	case p.rulesSite():
		return true
	case !p.inDirectory():
		return false
	case s.Organization:
		return s.Membership == Owner
	}
	return p.AccountID == s.AccountID
}

// signOnMissing reports whether the organization refuses this credential of a
// person until it was authorized by single sign-on.
func signOnMissing(p Principal, s Standing) bool {
	return s.SSORequired && !s.SSOAuthorized && !p.SignedOn && p.User()
}
