package access

import "packhouse/internal/oci"

// Facts is what the database tells about a package and what the principal is to
// it. The zero value is a package that does not exist, of an owner who does not
// either.
type Facts struct {
	Exists              bool
	Visibility          Visibility
	OwnerID             int64
	OwnerExists         bool
	OwnerIsOrganization bool
	OwnerSuspended      bool
	// Membership is the principal's in the owning organization.
	Membership Membership
	// Grant is the principal's explicit role on the package.
	Grant Role
	// MembersMayCreate lets members of the organization make packages.
	MembersMayCreate bool
}

// Effects is all that a request would do to one package.
type Effects struct {
	Action Action
	// Digest and Tags are what it touches; both may be empty.
	Digest oci.Digest
	Tags   []oci.Tag
}

// Reason says which rule decided. Code is stable, Text is for people and tells
// nothing about packages.
type Reason struct {
	Code, Text string
	// Blind is set when the rule looked at the credential alone, so that the
	// reason may be told to anyone.
	Blind bool
}

// The reasons.
var (
	allowed        = Reason{Code: "allowed", Text: "allowed"}
	noCredential   = Reason{Code: "no_credential", Text: "authentication required", Blind: true}
	notIssuedFor   = Reason{Code: "not_issued_for", Text: "the bearer token was not issued for this action on this package", Blind: true}
	noScope        = Reason{Code: "no_scope", Text: "the token lacks the scope that this action needs", Blind: true}
	noRole         = Reason{Code: "no_role", Text: "the account's role on this package does not allow this"}
	noPush         = Reason{Code: "no_push", Text: "the account may not push to this package, nor create it in this namespace"}
	ownerSuspended = Reason{Code: "owner_suspended", Text: "the owner of this namespace is suspended"}
)

// Decision is the outcome of Decide.
type Decision struct {
	Allowed bool
	Reason  Reason
	// Visible reports whether the principal may know that the package exists.
	Visible bool
}

// Decide tells whether p may do e to the package named name, by what is known
// of it. It is the only place where this is decided.
func Decide(p Principal, name oci.Name, f Facts, e Effects) Decision {
	role := RoleOf(p, f)
	visible := publicly(f) || readable(p, f, role) && p.issuedFor(name, Read)
	reason := decide(p, name, f, e, role, visible)
	if reason == allowed && !p.issuedFor(name, e.Action) && !(e.Action == Read && publicly(f)) {
		reason = notIssuedFor
	}
	return Decision{Allowed: reason == allowed, Reason: reason, Visible: visible}
}

// decide tells what the account may do with its credential. What a bearer token
// was issued for comes after, so that a refused push names the cause and not
// the token that was refused for the same cause; but not for reads, whose answer
// must not depend on a package that the token has nothing to do with.
func decide(p Principal, name oci.Name, f Facts, e Effects, role Role, visible bool) Reason {
	switch {
	case e.Action == Read && publicly(f):
		return allowed
	case p.Anonymous():
		return noCredential
	case e.Action == Read && !p.issuedFor(name, Read):
		return notIssuedFor
	case !p.Scopes.Has(e.Action.scope()):
		return noScope
	case e.Action == Read && visible:
		return allowed
	case f.OwnerSuspended && !p.SiteAdmin:
		return ownerSuspended
	case e.Action == Write && !f.Exists && mayCreate(p, f):
		return allowed
	case f.Exists && role.allows(e.Action):
		return allowed
	case !visible:
		return noPush
	}
	return noRole
}

// RoleOf returns the role that the account of p has on the package, whatever
// the scopes of its credential.
func RoleOf(p Principal, f Facts) Role {
	switch {
	case p.Anonymous() || !f.OwnerExists:
		return ""
	case p.SiteAdmin,
		!f.OwnerIsOrganization && p.AccountID == f.OwnerID,
		f.OwnerIsOrganization && f.Membership == Owner:
		return RoleAdmin
	}
	return f.Grant
}

func publicly(f Facts) bool { return f.Exists && f.Visibility == Public && !f.OwnerSuspended }

// readable reports whether p may read the package with its credential.
func readable(p Principal, f Facts, role Role) bool {
	switch {
	case publicly(f):
		return true
	case !f.Exists || p.Anonymous() || !p.Scopes.Has(ReadPackages):
		return false
	case f.OwnerSuspended:
		return p.SiteAdmin
	}
	return f.Visibility == Internal || role.allows(Read)
}

// mayCreate reports whether the account of p may make a package in the
// namespace.
func mayCreate(p Principal, f Facts) bool {
	switch {
	case p.Anonymous() || !f.OwnerExists:
		return false
	case p.SiteAdmin:
		return true
	case f.OwnerIsOrganization:
		return f.Membership == Owner || f.Membership == Member && f.MembersMayCreate
	}
	return p.AccountID == f.OwnerID
}

// MayList reports whether p may list packages beyond the public ones.
func MayList(p Principal) bool { return !p.Anonymous() && p.Scopes.Has(ReadPackages) }
