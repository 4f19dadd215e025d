package token

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Bearer is an issued bearer token.
type Bearer struct {
	Token    Secret
	IssuedAt time.Time
	// Life is how long it holds from then on.
	Life time.Duration
}

// bearerActions are the actions that a bearer token can be issued for, by the
// names that the protocol has for them.
var bearerActions = []struct {
	name   string
	action access.Action
}{
	{"pull", access.Read}, {"push", access.Write}, {"delete", access.Delete},
}

// ActionNamed returns the action that the token protocol calls name.
func ActionNamed(name string) (access.Action, bool) {
	for _, b := range bearerActions {
		if b.name == name {
			return b.action, true
		}
	}
	return 0, false
}

// ActionName returns the protocol's name of an action, and "" for one that no
// bearer token is issued for.
func ActionName(a access.Action) string {
	for _, b := range bearerActions {
		if b.action == a {
			return b.name
		}
	}
	return ""
}

// Issue signs a bearer token for who, which holds for grants alone, and for
// listing packages if who.Catalog is set. Whoever calls it has seen to it that
// who has these rights. A principal that comes
// from a bearer token is refused: a short life must not be prolonged by itself.
func (a *Authenticator) Issue(ctx context.Context, who access.Principal, grants []access.Grant) (Bearer, error) {
	if who.Restricted {
		return Bearer{}, errCredential("a bearer token cannot be exchanged for another")
	}
	key, err := a.keys.signer(ctx)
	if err != nil {
		return Bearer{}, err
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(a.Random, id); err != nil {
		return Bearer{}, errs.Wrap(errs.Internal, err, "no randomness for a token id")
	}
	now := a.Now()
	c := claimsFor(who, grants)
	c.Issuer, c.Audience, c.ID = a.Issuer, a.Service, hex.EncodeToString(id)
	c.ExpiresAt, c.NotBefore, c.IssuedAt = now.Add(BearerLife).Unix(), now.Unix(), now.Unix()
	text, err := key.sign(c)
	if err != nil {
		return Bearer{}, errs.Wrap(errs.Internal, err, "the token cannot be signed")
	}
	if len(text) > MaxBearer {
		return Bearer{}, errs.New(errs.TooLarge, "too many scopes for one token; ask for fewer")
	}
	return Bearer{Token: newSecret(text), IssuedAt: time.Unix(now.Unix(), 0).UTC(), Life: BearerLife}, nil
}

// claimsFor returns the claims that say who it is and what for. All that is known
// of a principal is in them, so that checking one asks no database.
func claimsFor(who access.Principal, grants []access.Grant) claims {
	c := claims{
		Subject: who.Login, Access: claimsOf(grants), Account: who.AccountID, Token: who.TokenID,
		SiteAdmin: who.SiteAdmin, Scopes: who.Scopes.String(), Generation: who.Generation, Limited: who.Limited,
	}
	if who.Catalog {
		c.Access = append(c.Access, catalogAccess())
	}
	for _, l := range who.Limits {
		c.Limits = append(c.Limits, [3]int64{l.OwnerID, l.PackageID, int64(l.Actions)})
	}
	if w := who.Workflow; w != nil {
		c.Workflow = &claimWorkflow{w.RepositoryID, w.Repository.String(), w.OwnerID, w.TrustID, w.Codespace}
	}
	return c
}

func claimsOf(grants []access.Grant) []claimAccess {
	list := make([]claimAccess, 0, len(grants))
	for _, g := range grants {
		c := claimAccess{Type: "repository", Name: g.Name.String(), Actions: []string{}}
		for _, action := range g.Actions {
			if name := ActionName(action); name != "" {
				c.Actions = append(c.Actions, name)
			}
		}
		list = append(list, c)
	}
	return list
}

// catalogAccess is what the protocol calls the right to list packages.
func catalogAccess() claimAccess {
	return claimAccess{Type: "registry", Name: "catalog", Actions: []string{"*"}}
}

// principal returns who the claims speak of. They passed parseBearer, so an
// error means that another version of us wrote what this one cannot read.
func (c claims) principal() (access.Principal, error) {
	who := access.Principal{
		AccountID: c.Account, Login: c.Subject, SiteAdmin: c.SiteAdmin, TokenID: c.Token, Restricted: true,
		Generation: c.Generation, Limited: c.Limited,
	}
	var err error
	if c.Scopes != "" {
		if who.Scopes, err = access.ParseScopes(c.Scopes); err != nil {
			return access.Principal{}, err
		}
	}
	if who.Limits, err = c.limits(); err != nil {
		return access.Principal{}, err
	}
	if c.Workflow != nil {
		if who.Workflow, err = c.Workflow.workflow(c.Limited); err != nil {
			return access.Principal{}, err
		}
	}
	who.Grants, who.Catalog = grantsOf(c.Access)
	return who, nil
}

func (c claims) limits() ([]access.Limit, error) {
	if len(c.Limits) > 0 && !c.Limited {
		return nil, errors.New("limits of a token that has none")
	}
	var list []access.Limit
	for _, l := range c.Limits {
		if l[2] < 0 || l[2] > int64(allActions) {
			return nil, errors.New("an action that there is not")
		}
		list = append(list, access.Limit{OwnerID: l[0], PackageID: l[1], Actions: access.Actions(l[2])})
	}
	return list, nil
}

func (w claimWorkflow) workflow(limited bool) (*access.Workflow, error) {
	var repository oci.Name
	if w.RepositoryID == 0 && !limited {
		return nil, errors.New("a job without a repository and without limits")
	}
	if w.RepositoryID != 0 {
		var err error
		if repository, err = oci.ParseName(w.Repository); err != nil {
			return nil, err
		}
	}
	return &access.Workflow{
		RepositoryID: w.RepositoryID, Repository: repository, OwnerID: w.OwnerID, TrustID: w.TrustID, Codespace: w.Codespace,
	}, nil
}

// grantsOf is the reverse of claimsOf.
func grantsOf(list []claimAccess) (grants []access.Grant, catalog bool) {
	for _, entry := range list {
		if entry.Type == "registry" && entry.Name == "catalog" && slices.Contains(entry.Actions, "*") {
			catalog = true
		}
		name, err := oci.ParseName(entry.Name)
		if err != nil || entry.Type != "repository" {
			continue // not for packages
		}
		g := access.Grant{Name: name}
		for _, n := range entry.Actions {
			if action, ok := ActionNamed(n); ok {
				g.Actions = append(g.Actions, action)
			}
		}
		grants = append(grants, g)
	}
	return grants, catalog
}

// verified remembers a bearer token that was checked.
type verified struct {
	who   access.Principal
	until time.Time
}

// bearer returns the principal of a bearer token. One that was seen before
// costs a look into memory; one that does not hold is checked each time.
func (a *Authenticator) bearer(ctx context.Context, token string) (access.Principal, error) {
	if v, ok := a.seen.GetIfPresent(token); ok && a.Now().Before(v.until) {
		return v.who, nil
	}
	c, err := a.keys.parseBearer(ctx, token, a.Issuer, a.Service)
	if err != nil {
		return access.Principal{}, err
	}
	who, err := c.principal()
	if err != nil {
		return access.Principal{}, errBearer()
	}
	a.seen.Set(token, verified{who: who, until: time.Unix(c.ExpiresAt, 0)})
	return who, nil
}
