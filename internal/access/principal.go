package access

import "packhouse/internal/oci"

// Principal is who asks: an account by one of its credentials, or nobody. The
// zero value is nobody, who may read what is public.
type Principal struct {
	// AccountID is zero for nobody.
	AccountID int64
	Login     string
	SiteAdmin bool
	Scopes    Scopes
	// TokenID names the personal access token behind the credential; zero for
	// a password.
	TokenID int64
	// Restricted is set when the credential is a bearer token, which holds for
	// Grants alone.
	Restricted bool
	Grants     []Grant
}

// Grant is what a bearer token was issued for.
type Grant struct {
	Name    oci.Name
	Actions []Action
}

// Anonymous reports whether p is nobody.
func (p Principal) Anonymous() bool { return p.AccountID == 0 }

// Unrestricted returns p without the limits of a bearer token: the rights of
// its account within the scopes of its credential.
func (p Principal) Unrestricted() Principal {
	p.Restricted, p.Grants = false, nil
	return p
}

// issuedFor reports whether p's credential may be used for a on name.
func (p Principal) issuedFor(name oci.Name, a Action) bool {
	if !p.Restricted {
		return true
	}
	for _, g := range p.Grants {
		if g.Name != name {
			continue
		}
		for _, granted := range g.Actions {
			if granted == a {
				return true
			}
		}
	}
	return false
}
