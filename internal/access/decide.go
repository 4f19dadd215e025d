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

// Absent reports whether the answer to a refused request is that there is no
// such package: to one who knows that there is none, and to one who may not know.
func (d Decision) Absent() bool { return !d.Told || d.Reason == noPackage }

// SignIn reports whether it takes a credential to be told more.
func (d Decision) SignIn() bool { return d.Reason == noCredential }

// Decide tells whether p may do e to what is at the address name, by what is
// known of it. It is the only place where this is decided.
func Decide(p Principal, name oci.Name, f Facts, e Effects) Decision {
	f = seenBy(p, f)
	role := effectiveRole(p, f)
	account := readable(p, f, role)
	visible := publicly(f) || account && p.issuedFor(name, Read)
	reason := decide(p, name, f, e, role, account)
	if reason == allowed && !p.issuedFor(name, e.Action) && !(e.Action == Read && publicly(f)) {
		reason = notIssuedFor
	}
	return Decision{
		Allowed: reason == allowed, Reason: reason, Visible: visible,
		Told: visible || p.Operator || reason.Blind || reason == singleSignOn ||
			reason == ownerSuspended && concerned(p, f) || mayFindOut(p, f, e),
	}
}

// seenBy returns f as it looks to p: of a package that p may not see, not even
// the registry shows.
func seenBy(p Principal, f Facts) Facts {
	open := f
	open.Mode = Enabled
	if !publicly(open) && !readable(p, open, effectiveRole(p, open)) {
		f.Mode, f.Type = f.AskedMode, f.AskedType
	}
	return f
}

// decide tells what the account may do with its credential; readable is whether
// it may read. What a bearer token was issued for comes after, so that the
// answer names the cause and not the token that was refused for the same cause.
// What the token was never asked for, it learns nothing about. Until the limits
// are looked at, nothing here depends on a package that is not public.
func decide(p Principal, name oci.Name, f Facts, e Effects, role Role, readable bool) Reason {
	switch {
	case e.Action == Read && publicly(f):
		return allowed
	case !p.Anonymous() && !p.mentions(name):
		return notIssuedFor
	case f.Mode == Disabled && !p.Operator:
		return registryDisabled
	case p.Anonymous():
		return noCredential
	case e.Action != Read && p.codespace():
		return codespacePulls
	case !p.Operator && !p.Scopes.Has(p.needs(e.Action)):
		return noScope
	case f.Mode == ReadOnly && !p.Operator && e.Action != Read:
		return registryReadOnly
	case !p.reaches(f, e.Action):
		return outsideLimits
	case e.Action == Read && readable:
		return allowed
	case f.OwnerSuspended && !p.SiteAdmin && !p.Operator:
		return ownerSuspended
	case ssoMissing(p, f) && concerned(p, f):
		return singleSignOn
	case f.Exists && role.allows(e.Action):
		return decideChange(p, f, e)
	case f.Exists && p.Workflow != nil:
		return notLinked
	case f.Exists:
		return noRole
	case e.Action != Write:
		return noPackage
	}
	return decideCreate(p, f, e, role)
}

// decideChange tells whether the package may become what e makes of it.
func decideChange(p Principal, f Facts, e Effects) Reason {
	if e.Action == Administer && e.Visibility != "" && !MayMake(p, f, e.Visibility) {
		return visibilityNotAllowed
	}
	return allowed
}

// decideCreate tells whether p may make a package at the address of f.
func decideCreate(p Principal, f Facts, e Effects, role Role) Reason {
	switch {
	case !mayPushInto(p, f):
		return noPush
	case f.Retired:
		return nameRetired
	case f.Type == Docker && f.RepositoryID == 0:
		return noRepository
	case f.Type == Docker && !role.allows(Write):
		return noRepositoryRole
	case f.Type == Docker:
		return allowed
	}
	v := e.Visibility
	if v == "" && f.DefaultVisibility == AsRepository {
		if mayMakeAny(p, f) { // the first publish shows which it is
			return allowed
		}
		return visibilityNotAllowed
	}
	if v == "" {
		v = f.NewVisibility("")
	}
	if !MayMake(p, f, v) {
		return visibilityNotAllowed
	}
	return allowed
}

// RoleOf returns the role that p has on the package, or in the Docker registry
// would have on one that it made, whatever the scopes of its credential, and
// whether or not single sign-on is missing.
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
	case membersOnly(f):
		return ""
	case f.inherits():
		return f.RepositoryRole.PackageRole()
	}
	return f.Grant
}

// membersOnly reports whether no role counts, since the person is no member of
// the organization: on what is not public, and on what inherits, for roles on a
// repository of people from outside are worth something there alone, and on what
// lies in it. Packages of the Container registry do not.
func membersOnly(f Facts) bool {
	return f.OwnerIsOrganization && f.Membership == "" && f.Type != Docker && (f.inherits() || f.Visibility != Public)
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
	return f.SSORequired && !f.SSOAuthorized && !p.SignedOn && p.User()
}

// concerned reports whether p would have a right there if the namespace were
// open to it. A member is told why it is not at every name.
func concerned(p Principal, f Facts) bool {
	return f.Membership != "" || RoleOf(p, f) != "" || f.Visibility == Internal
}

// mayFindOut reports whether a push of p's would tell which names are taken, so
// that nothing is given away by saying it. What a person reads has to look
// absent all the same: reading leaves no trace, pushing does.
func mayFindOut(p Principal, f Facts, e Effects) bool {
	return (e.Action == Write || p.Workflow != nil && p.Scopes.Has(WritePackages)) && mayPushInto(p, f)
}

// ownsNamespace reports whether everything in the namespace is p's to rule.
func ownsNamespace(p Principal, f Facts) bool {
	if f.OwnerIsOrganization {
		return f.Membership == Owner
	}
	return p.AccountID == f.OwnerID
}

// roleInRepository is what a person may do with the repository of f, as a role
// on packages.
func roleInRepository(p Principal, f Facts) Role {
	if p.Operator || p.SiteAdmin || ownsNamespace(p, f) {
		return RoleAdmin
	}
	return f.RepositoryRole.PackageRole()
}

// workflowRole is the role of a job: what a rule of trust says, else all on what
// is linked to its repository and what the package's settings give to that
// repository. A codespace pulls.
func workflowRole(p Principal, f Facts) Role {
	if foreignRule(p) {
		return p.limit(f).role()
	}
	linked := f.RepositoryID == p.Workflow.RepositoryID
	switch {
	case p.codespace() && (f.CodespacesAccess || linked && f.inherits()):
		return RoleRead
	case p.codespace():
		return ""
	case linked:
		return RoleAdmin
	}
	return f.ActionsRole
}

func publicly(f Facts) bool {
	return f.Exists && f.Visibility == Public && !f.OwnerSuspended && f.Mode != Disabled
}

// readable reports whether p may read a package that is not public with its
// credential, a bearer token's own limits aside.
func readable(p Principal, f Facts, role Role) bool {
	switch {
	case p.Operator:
		return f.Exists
	case !f.Exists || p.Anonymous() || !p.Scopes.Has(ReadPackages) || !p.reaches(f, Read) || f.Mode == Disabled:
		return false
	case f.OwnerSuspended:
		return p.SiteAdmin && role.allows(Read)
	}
	return f.Visibility == Internal && !ssoMissing(p, f) || role.allows(Read)
}

// mayPushInto reports whether packages in the namespace may be p's to make.
func mayPushInto(p Principal, f Facts) bool {
	switch {
	case p.Anonymous() || !f.OwnerExists:
		return false
	case p.Operator:
		return true
	case foreignRule(p):
		return p.limit(f).Has(Write)
	case p.Workflow != nil:
		return p.Workflow.OwnerID == f.OwnerID && !p.Workflow.Codespace
	case p.SiteAdmin, ownsNamespace(p, f):
		return true
	case f.Type == Docker: // its repository decides, for people from outside too
		return RoleOf(p, f).allows(Read)
	}
	return f.Membership == Member
}

// mayMakeAny reports whether there is a visibility that p may give to a package.
func mayMakeAny(p Principal, f Facts) bool {
	return MayMake(p, f, Private) || MayMake(p, f, Internal) || MayMake(p, f, Public)
}

// MayMake reports whether p, who may push to a package, may give visibility v to
// it. What an organization allows to members does not bind its owners; jobs are
// members. In the Docker registry the repository has the visibility.
func MayMake(p Principal, f Facts, v Visibility) bool {
	switch {
	case f.Type == Docker, v == Internal && !f.OwnerIsOrganization:
		return false
	case p.Operator, p.SiteAdmin, !f.OwnerIsOrganization, ownsNamespace(p, f):
		return true
	}
	return f.MembersCreate.Has(v)
}

// MayList reports whether p may list packages beyond the public ones.
func MayList(p Principal) bool {
	return p.Operator || !p.Anonymous() && p.Scopes.Has(ReadPackages) && (!p.Restricted || p.Catalog)
}
