package token

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// LimitName is what a limited token reaches, by its present name.
type LimitName struct {
	Name    string // OWNER/NAME, or OWNER for all of it
	Actions access.Actions
}

// Authorization is a token that was authorized for an organization that demands
// single sign-on.
type Authorization struct {
	Token
	Login string // whose it is
	At    time.Time
}

// Below returns the end of a credential with the scopes that who makes by a
// credential of its own, which may give no more than it has and last no longer:
// without an end of its own it has that one's. Denied for scopes, Invalid for an
// end, that go beyond it.
func Below(ctx context.Context, store Issued, who access.Principal, scopes access.Scopes, end time.Time) (time.Time, error) {
	if scopes != 0 && !who.Scopes.Has(scopes) {
		return end, errs.New(errs.Denied, "a credential makes none that may do more than itself, and it lacks some of %s", scopes)
	}
	if who.TokenID == 0 { // a password has no end
		return end, nil
	}
	t, _, err := store.TokenByID(ctx, who.TokenID)
	switch {
	case err != nil:
		return end, err
	case t.ExpiresAt.IsZero():
		return end, nil
	case end.IsZero():
		return t.ExpiresAt, nil
	case end.After(t.ExpiresAt):
		return end, errs.New(errs.Invalid, "a credential makes none that lasts longer than itself: until %s", t.ExpiresAt.UTC().Format(time.RFC3339))
	}
	return end, nil
}

// CreateBelow is Create for who, by a credential that bounds the new token as
// Below has it.
func (p *PersonalTokens) CreateBelow(ctx context.Context, by audit.Actor, who access.Principal, n NewToken) (_ Secret, _ Token, err error) {
	scopes := n.Scopes
	if len(n.Limits) > 0 {
		scopes = LimitScopes(n.Limits)
	}
	if n.ExpiresAt, err = Below(ctx, p.Store, who, scopes, n.ExpiresAt); err != nil {
		return Secret{}, Token{}, err
	}
	return p.Create(ctx, by, n)
}

// CreateBelow is Create for who, by a credential that bounds the new token as
// Below has it.
func (w *WorkflowTokens) CreateBelow(ctx context.Context, by audit.Actor, who access.Principal, n NewWorkflowToken) (_ Secret, _ Token, err error) {
	if n.ExpiresAt, err = Below(ctx, w.Store, who, n.Scopes, n.ExpiresAt); err != nil {
		return Secret{}, Token{}, err
	}
	return w.Create(ctx, by, n)
}

// RevokeIn is Revoke for a token of the repository; NotFound for any other.
func (w *WorkflowTokens) RevokeIn(ctx context.Context, by audit.Actor, repositoryID, id int64) error {
	t, _, err := w.Store.TokenByID(ctx, id)
	if err != nil {
		return err
	}
	if t.Kind != Workflow || t.RepositoryID != repositoryID || repositoryID == 0 {
		return errs.New(errs.NotFound, "no such token")
	}
	return w.Revoke(ctx, by, id)
}

// ListIn returns the rules about the target; those about everything of an owner
// with all others of that owner.
func (t *Trust) ListIn(ctx context.Context, target TrustTarget) ([]TrustRule, error) {
	all, err := t.Rules.TrustRulesIn(ctx, target.OwnerID)
	var list []TrustRule
	for _, r := range all {
		if target.covers(r.TrustTarget) {
			list = append(list, r)
		}
	}
	return list, err
}

// RemoveIn is Remove for a rule that ListIn has; NotFound for any other.
func (t *Trust) RemoveIn(ctx context.Context, by audit.Actor, target TrustTarget, id int64) error {
	r, err := t.Rules.AnyTrustRule(ctx, id)
	if err != nil {
		return err
	}
	if !target.covers(r.TrustTarget) {
		return errs.New(errs.NotFound, "no such rule of trust")
	}
	return t.Remove(ctx, by, id)
}

// covers reports whether o is t, or lies in the namespace that t is.
func (t TrustTarget) covers(o TrustTarget) bool {
	return t.same(o) || t.Kind() == "owner" && t.OwnerID == o.OwnerID
}
