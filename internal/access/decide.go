package access

import "packhouse/internal/oci"

// Decision is the outcome of Decide.
type Decision struct {
	Allowed bool
	Reason  Reason
	// Visible reports whether the principal may know that the package exists.
	Visible bool
	// Told reports whether the principal may be told Reason. One who may not
	// gets the same answer whether the package exists or not.
	Told bool
}

// Decide tells whether p may do e to what is at the address name, by what is
// known of it. It is the only place where this is decided.
func Decide(p Principal, name oci.Name, f Facts, e Effects) Decision {
	role := effectiveRole(p, f)
	visible := publicly(f) || readable(p, f, role) && p.issuedFor(name, Read)
	reason := decide(p, name, f, e, role, visible)
	if reason == allowed && !p.issuedFor(name, e.Action) && !(e.Action == Read && publicly(f)) {
		reason = notIssuedFor
	}
	return Decision{
		Allowed: reason == allowed, Reason: reason, Visible: visible,
		Told: visible || reason.Blind || reason == singleSignOn || e.Action == Write && mayPushInto(p, f),
	}
}

// decide tells what the account may do with its credential. What a bearer token
// was issued for comes after, so that a refused push names the cause and not
// the token that was refused for the same cause; but not for reads, whose answer
// must not depend on a package that the token has nothing to do with.
func decide(p Principal, name oci.Name, f Facts, e Effects, role Role, visible bool) Reason {
	switch {
	case f.Mode == Disabled && !p.Operator:
		return registryDisabled
	case e.Action == Read && publicly(f):
		return allowed
	case p.Anonymous():
		return noCredential
	case e.Action == Read && !p.issuedFor(name, Read):
		return notIssuedFor
	case !p.Operator && !p.Scopes.Has(e.Action.scope()):
		return noScope
	case !p.reaches(f, e.Action):
		return outsideLimits
	case e.Action == Read && visible:
		return allowed
	case f.Mode == ReadOnly && !p.Operator && e.Action != Read:
		return registryReadOnly
	case f.OwnerSuspended && !p.SiteAdmin && !p.Operator:
		return ownerSuspended
	case ssoMissing(p, f) && concerned(p, f):
		return singleSignOn
	case f.Exists && role.allows(e.Action):
		return allowed
	case f.Exists && p.Workflow != nil:
		return notLinked
	case f.Exists:
		return noRole
	case e.Action != Write:
		return noPackage
	}
	return decideCreate(p, f, e)
}

// decideCreate tells whether p may make a package at the address of f.
func decideCreate(p Principal, f Facts, e Effects) Reason {
	switch {
	case !mayPushInto(p, f):
		return noPush
	case f.Retired:
		return nameRetired
	case f.Type == Docker && f.RepositoryID == 0:
		return noRepository
	case f.Type == Docker && !roleInRepository(p, f).allows(Write):
		return noPush
	case f.Type == Docker:
		return allowed
	}
	v := e.Visibility
	if v == "" {
		v = f.NewVisibility("")
	}
	if !mayMake(p, f, v) {
		return visibilityNotAllowed
	}
	return allowed
}

// RoleOf returns the role that p has on the package, whatever the scopes of its
// credential, and whether or not single sign-on is missing.
func RoleOf(p Principal, f Facts) Role {
	switch {
	case p.Operator:
		return RoleAdmin
	case p.Anonymous() || !f.OwnerExists:
		return ""
	case p.Workflow != nil:
		return workflowRole(p, f)
	case p.SiteAdmin, ownsNamespace(p, f):
		return RoleAdmin
	case f.Inherits:
		return inheritedRole(f)
	case f.Type == Container && f.OwnerIsOrganization && f.Membership == "" && f.Visibility != Public:
		return "" // what is not public is for members alone
	}
	return f.Grant
}

// effectiveRole is RoleOf, but nothing where single sign-on is missing.
func effectiveRole(p Principal, f Facts) Role {
	if ssoMissing(p, f) {
		return ""
	}
	return RoleOf(p, f)
}

// ssoMissing reports whether the organization refuses this credential of a
// person until it was authorized by single sign-on.
func ssoMissing(p Principal, f Facts) bool {
	return f.SSORequired && !f.SSOAuthorized && p.User()
}

// concerned reports whether the organization's demand is p's business: it would
// have a right there otherwise. A member is told of it at every name.
func concerned(p Principal, f Facts) bool {
	return f.Membership != "" || RoleOf(p, f) != "" || f.Exists && f.Visibility == Internal
}

// ownsNamespace reports whether everything in the namespace is p's to rule.
func ownsNamespace(p Principal, f Facts) bool {
	if f.OwnerIsOrganization {
		return f.Membership == Owner
	}
	return p.AccountID == f.OwnerID
}

// inheritedRole is what the repository's role is worth on the package. People
// from outside the organization have theirs on the repository alone, and so on
// what lies in it; packages of the Container registry do not.
func inheritedRole(f Facts) Role {
	if f.Type == Container && f.OwnerIsOrganization && f.Membership == "" {
		return ""
	}
	return f.RepositoryRole.PackageRole()
}

// roleInRepository is the role on a package that p would make in the repository.
func roleInRepository(p Principal, f Facts) Role {
	switch {
	case p.Operator, p.SiteAdmin:
		return RoleAdmin
	case p.Workflow != nil:
		return workflowRole(p, f)
	case ownsNamespace(p, f):
		return RoleAdmin
	}
	return f.RepositoryRole.PackageRole()
}

// workflowRole is the role of a job: all on what is linked to its repository,
// what the package's settings give to that repository, or what a rule of trust
// says. A codespace pulls.
func workflowRole(p Principal, f Facts) Role {
	w := p.Workflow
	linked := w.RepositoryID != 0 && f.RepositoryID == w.RepositoryID
	switch {
	case w.Codespace && (f.CodespacesAccess || linked && f.Inherits):
		return RoleRead
	case w.Codespace:
		return ""
	case w.RepositoryID == 0:
		return p.limit(f).role()
	case linked:
		return RoleAdmin
	}
	return f.ActionsRole
}

// role returns the least role that allows every action of the set.
func (s Actions) role() Role {
	switch {
	case s&Remove != 0:
		return RoleAdmin
	case s&Push != 0:
		return RoleWrite
	case s != 0:
		return RoleRead
	}
	return ""
}

func publicly(f Facts) bool {
	return f.Exists && f.Visibility == Public && !f.OwnerSuspended && f.Mode != Disabled
}

// readable reports whether p may read the package with its credential.
func readable(p Principal, f Facts, role Role) bool {
	switch {
	case p.Operator:
		return f.Exists
	case publicly(f):
		return true
	case !f.Exists || p.Anonymous() || !p.Scopes.Has(ReadPackages) || !p.reaches(f, Read) || f.Mode == Disabled:
		return false
	case f.OwnerSuspended:
		return p.SiteAdmin
	}
	return f.Visibility == Internal && !ssoMissing(p, f) && !foreignRule(p) || role.allows(Read)
}

// foreignRule reports whether p is a job that a rule of trust let in, which
// says all that it may do.
func foreignRule(p Principal) bool { return p.Workflow != nil && p.Workflow.RepositoryID == 0 }

// mayPushInto reports whether packages in the namespace may be p's to make.
func mayPushInto(p Principal, f Facts) bool {
	switch {
	case p.Operator:
		return true
	case p.Anonymous() || !f.OwnerExists || ssoMissing(p, f):
		return false
	case p.Workflow != nil && p.Workflow.Codespace:
		return false
	case p.Workflow != nil:
		return p.Workflow.OwnerID == f.OwnerID
	case p.SiteAdmin, ownsNamespace(p, f):
		return true
	case f.Type == Docker: // its repository decides, for people from outside too
		return f.RepositoryRole.PackageRole().allows(Read)
	}
	return f.Membership == Member
}

// mayMake reports whether p may make a package of visibility v. What an
// organization allows to members does not bind its owners.
func mayMake(p Principal, f Facts, v Visibility) bool {
	if v == Internal && !f.OwnerIsOrganization {
		return false
	}
	if p.Operator || p.SiteAdmin || !f.OwnerIsOrganization || p.Workflow == nil && ownsNamespace(p, f) {
		return true
	}
	return f.MembersCreate.Has(v)
}

// MayList reports whether p may list packages beyond the public ones.
func MayList(p Principal) bool {
	return p.Operator || !p.Anonymous() && p.Scopes.Has(ReadPackages) && (!p.Restricted || p.Catalog)
}
