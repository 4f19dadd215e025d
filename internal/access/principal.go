package access

import (
	"slices"

	"packhouse/internal/oci"
)

// Principal is who asks: an account by one of its credentials, a job, the
// operator of the machine, or nobody. The zero value is nobody, who may read
// what is public.
type Principal struct {
	// AccountID is the user; zero for nobody, for a job and for the operator.
	AccountID int64
	// Login is what logs call the principal.
	Login     string
	SiteAdmin bool
	Scopes    Scopes
	// TokenID names the token behind the credential; zero for a password and
	// for an identity token.
	TokenID int64
	// Generation is when the password behind the credential was set, in
	// microseconds; zero for a token.
	Generation int64
	// SignedOn is set when the outside provider vouched for the person in this
	// session of a browser: single sign-on is done, for every organization.
	SignedOn bool
	// Limited is set for a credential that holds for Limits alone.
	Limited bool
	Limits  []Limit
	// Workflow is set for a job.
	Workflow *Workflow
	// Operator is whoever runs commands on the machine itself.
	Operator bool
	// Restricted is set when the credential is a bearer token, which holds for
	// Grants alone.
	Restricted bool
	Grants     []Grant
	// Catalog is set when a bearer token was issued for listing packages.
	Catalog bool
}

// Workflow is what a job acts for: a repository, or a rule of trust by which the
// owner of packages let it in.
type Workflow struct {
	// RepositoryID is zero when a rule for a package or a namespace let the
	// job in; then Limits say all that it may do.
	RepositoryID int64
	Repository   oci.Name // OWNER/NAME; zero likewise
	OwnerID      int64    // of the repository, or of the rule
	// TrustID is the rule; zero when the token was made by hand.
	TrustID int64
	// Codespace is set for a codespace of the repository, which pulls only.
	Codespace bool
}

// Limit is one thing that a limited credential reaches.
type Limit struct {
	OwnerID int64
	// PackageID is zero for all packages of the owner, also those to come.
	PackageID int64
	Actions   Actions
}

// Grant is what a bearer token was issued for: the actions may be none, for a
// package that it was asked for in vain.
type Grant struct {
	Name    oci.Name
	Actions []Action
}

// Anonymous reports whether p is nobody.
func (p Principal) Anonymous() bool { return p.AccountID == 0 && p.Workflow == nil && !p.Operator }

// User reports whether p is a person's account, by whatever credential.
func (p Principal) User() bool { return p.AccountID != 0 }

// ID names p in rows: an account's id, minus twice a repository's for its jobs,
// minus twice a trust rule's and one for jobs let in by that alone, and zero
// for nobody and the operator.
func (p Principal) ID() int64 {
	switch {
	case p.Workflow == nil:
		return p.AccountID
	case p.Workflow.RepositoryID != 0:
		return -2 * p.Workflow.RepositoryID
	}
	return -2*p.Workflow.TrustID - 1
}

// RepositoryID is the repository that p is a job of; zero when it is none.
func (p Principal) RepositoryID() int64 {
	if p.Workflow == nil {
		return 0
	}
	return p.Workflow.RepositoryID
}

// Unrestricted returns p without the limits of a bearer token: the rights of
// its account within what its credential allows.
func (p Principal) Unrestricted() Principal {
	p.Restricted, p.Grants, p.Catalog = false, nil, false
	return p
}

// issuedFor reports whether p's bearer token may be used for a on name.
func (p Principal) issuedFor(name oci.Name, a Action) bool {
	if !p.Restricted {
		return true
	}
	return slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return g.Name == name && slices.Contains(g.Actions, a)
	})
}

// mentions reports whether p's bearer token was asked for with name.
func (p Principal) mentions(name oci.Name) bool {
	return !p.Restricted || slices.ContainsFunc(p.Grants, func(g Grant) bool { return g.Name == name })
}

// codespace reports whether p is a codespace, which pulls and no more.
func (p Principal) codespace() bool { return p.Workflow != nil && p.Workflow.Codespace }

// needs returns the scopes that p's credential needs for a, all of them. A job
// that may publish is not one that may change settings: that takes a rule of
// trust with delete too, or a permission to write packages, which has both.
func (p Principal) needs(a Action) Scopes {
	if a == Administer && p.Workflow != nil {
		return WritePackages | DeletePackages
	}
	return a.scope()
}

// foreignRule reports whether p is a job that a rule of trust let in, which
// says all that it may do.
func foreignRule(p Principal) bool { return p.Workflow != nil && p.Workflow.RepositoryID == 0 }

// reaches reports whether p's credential covers a on the package of f, or on one
// to be made there. Settings are no token's to change unless it has no limits.
func (p Principal) reaches(f Facts, a Action) bool {
	if !p.Limited && !foreignRule(p) {
		return true
	}
	return p.limit(f).Has(a)
}

// limit returns the actions that p's limits name for the package of f.
func (p Principal) limit(f Facts) Actions {
	var all Actions
	for _, l := range p.Limits {
		if l.OwnerID == f.OwnerID && l.OwnerID != 0 && (l.PackageID == 0 || l.PackageID == f.PackageID) {
			all |= l.Actions
		}
	}
	return all
}
