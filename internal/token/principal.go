package token

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// Principal returns who acts by the token of that id. The error is NotFound
// when there is none, and Unauthenticated with the reason when it does not hold.
func (a *Authenticator) Principal(ctx context.Context, tokenID int64) (access.Principal, error) {
	t, h, err := a.Store.TokenByID(ctx, tokenID)
	if err != nil {
		return access.Principal{}, err
	}
	if err := live(t, h, a.Now()); err != nil {
		return access.Principal{}, err
	}
	return a.principal(ctx, t, h)
}

// principal returns who acts by t, whose limits it loads.
func (a *Authenticator) principal(ctx context.Context, t Token, h Holder) (access.Principal, error) {
	who := access.Principal{Scopes: t.Scopes, TokenID: t.ID, Limited: t.Limited}
	if t.Kind == Workflow {
		who.Login = h.Repository.String()
		if t.RepositoryID == 0 {
			who.Login = fmt.Sprintf("%s (trust rule %d)", h.Login, t.TrustID)
		}
		who.Workflow = &access.Workflow{
			RepositoryID: t.RepositoryID, Repository: h.Repository, OwnerID: h.AccountID,
			TrustID: t.TrustID, Codespace: t.Codespace,
		}
	} else {
		who.AccountID, who.Login, who.SiteAdmin = h.AccountID, h.Login, h.SiteAdmin
	}
	if !t.Limited {
		return who, nil
	}
	var err error
	who.Limits, err = a.Store.Limits(ctx, t.ID)
	return who, err
}

// takesIdentity reports whether text looks like an identity token, and somebody
// is there who takes such.
func (a *Authenticator) takesIdentity(text string) bool {
	return a.Identities != nil && len(text) <= MaxIdentity && LooksLikeIdentity(text) && !ours(text)
}

// identify returns the principal of an identity token.
func (a *Authenticator) identify(ctx context.Context, r *http.Request, login, text string) (access.Principal, error) {
	var who access.Principal
	err := a.CountRefusal(r, func() (err error) {
		who, err = a.Identities.Identify(ctx, login, text)
		return err
	})
	if err != nil {
		return access.Principal{}, err
	}
	// What everything after this relies on. Another outcome is a mistake of
	// ours, and must not become a person or a job without limits.
	w := who.Workflow
	if w == nil || w.TrustID == 0 || w.OwnerID == 0 || w.RepositoryID == 0 && !who.Limited ||
		who.Login == "" || who.AccountID != 0 || who.TokenID != 0 || who.Restricted || who.Operator || who.SiteAdmin {
		return access.Principal{}, errs.Wrap(errs.Internal, errors.New("an identity token became no job"), "the identity token cannot be used")
	}
	return who, nil
}

// StillValid returns Unauthenticated when the credential behind who has ended
// since who was authenticated: its token revoked or expired, its password
// changed or no longer enough, its account suspended, deleted or no longer a site administrator, its
// repository gone or given away, its rule of trust withdrawn. It costs one query,
// and none for a principal that this request has just authenticated by Basic.
func (a *Authenticator) StillValid(ctx context.Context, who access.Principal) error {
	switch {
	case who.Anonymous() || !who.Restricted:
		return nil
	case who.TokenID == 0 && who.Workflow != nil:
		if a.Identities == nil {
			return errBearer()
		}
		return a.Identities.Trusted(ctx, who)
	}
	t, h, err := a.credential(ctx, who)
	if errs.Is(err, errs.NotFound) {
		return errBearer()
	}
	if err != nil {
		return err
	}
	if err := live(t, h, a.Now()); err != nil {
		return err
	}
	switch {
	case !sameHolder(who, t, h), who.SiteAdmin && !h.SiteAdmin:
		return errBearer()
	case who.TokenID == 0 && who.Generation != h.Generation:
		return errCredential("the password was changed")
	case who.TokenID == 0 && h.SecondFactor:
		return errCredential("the account has a second factor now: use a personal access token")
	}
	return nil
}

// credential returns what there is now of who's.
func (a *Authenticator) credential(ctx context.Context, who access.Principal) (Token, Holder, error) {
	if who.TokenID != 0 {
		return a.Store.TokenByID(ctx, who.TokenID)
	}
	h, err := a.Store.HolderByID(ctx, who.AccountID)
	return Token{}, h, err
}

// sameHolder reports whether who still is what t and h say.
func sameHolder(who access.Principal, t Token, h Holder) bool {
	w := who.Workflow
	if w == nil {
		return t.Kind != Workflow && h.AccountID == who.AccountID
	}
	return t.Kind == Workflow && h.AccountID == w.OwnerID && t.RepositoryID == w.RepositoryID && t.TrustID == w.TrustID
}
