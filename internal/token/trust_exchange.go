package token

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// ErrTarget is in the chain of an error when an exchange asks for a target that
// its identity token leads to no rule about, or leaves open which of several.
var ErrTarget = errors.New("the target leads to no rule")

// Exchange is a job's wish to have a workflow token for its identity token.
type Exchange struct {
	Identity string
	// Audience are names of servers, all of which must be this one's. It may
	// be empty.
	Audience []string
	// Target is OWNER/NAME or OWNER; "" when the rules leave no doubt.
	Target string
	// Actions narrows what the token may do; zero takes what the rule allows.
	Actions access.Actions
}

// Exchanged is the workflow token of an exchange.
type Exchanged struct {
	Token   Secret
	Life    time.Duration
	Actions access.Actions
	Who     access.Principal
}

// Exchange returns a workflow token for an identity token. It ends with its rule
// or after Life, and does not need the identity token any more.
func (t *Trust) Exchange(ctx context.Context, x Exchange) (Exchanged, error) {
	for _, name := range x.Audience {
		if !slices.Contains(t.Names, strings.ToLower(strings.TrimSuffix(name, "/"))) {
			return Exchanged{}, errs.Wrap(errs.Invalid, ErrTarget, "this server is %s, not %q", t.URL, cut(name))
		}
	}
	target := strings.TrimPrefix(x.Target, t.URL+"/")
	rule, _, err := t.recognize(ctx, x.Identity, target, "")
	if err != nil {
		return Exchanged{}, err
	}
	if x.Actions != 0 {
		if x.Actions&^rule.Actions != 0 {
			return Exchanged{}, errs.New(errs.Denied, "the rule of trust allows %s, not all of %s",
				FormatActions(rule.Actions), FormatActions(x.Actions))
		}
		rule.Actions = x.Actions
	}
	who := rule.principal()
	secret, made, err := t.Tokens.Create(ctx, audit.By(who), NewWorkflowToken{
		RepositoryID: rule.RepositoryID, OwnerID: rule.OwnerID, TrustID: rule.ID, Limits: who.Limits,
		Scopes: who.Scopes, ExpiresAt: t.Now().Add(t.Life), Target: rule.TrustTarget.String(),
	})
	if errs.Is(err, errs.NotFound) { // removed since it was looked up
		return Exchanged{}, errs.New(errs.Unauthenticated, "the rule of trust was withdrawn")
	}
	if err != nil {
		return Exchanged{}, err
	}
	who.TokenID = made.ID
	return Exchanged{Token: secret, Life: t.Life, Actions: rule.Actions, Who: who}, nil
}
