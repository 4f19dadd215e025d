package access

// HookScope is the scope that a credential needs for the hooks of the owner of
// f, or with repository set for those of the repository of f.
func HookScope(f Facts, repository bool) Scopes {
	switch {
	case repository:
		return AdminRepoHook
	case f.OwnerIsOrganization:
		return AdminOrgHook
	}
	return User
}

// RulesHooks reports whether the hooks of the owner of f, or with repository set
// those of the repository of f, are p's to see and to change, whatever the scopes
// of its credential. They tell of many packages, so they are for people, and not
// for credentials that are limited to some; those of a package are decided by
// Decide.
func RulesHooks(p Principal, f Facts, repository bool) bool {
	switch {
	case !f.OwnerExists, repository && f.RepositoryID == 0:
		return false
	case p.Operator:
		return true
	case !p.User(), p.Limited, p.Restricted, ssoMissing(p, f):
		return false
	case p.SiteAdmin:
		return true
	case f.OwnerSuspended:
		return false
	}
	return ownsNamespace(p, f) || repository && f.RepositoryRole == RepositoryAdmin
}
