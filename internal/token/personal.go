package token

import (
	"context"
	"io"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

const (
	// MaxNote is the longest note on a token, in bytes.
	MaxNote = 200
	// MaxFineGrainedLife is the longest that a fine-grained token lasts.
	MaxFineGrainedLife = 366 * 24 * time.Hour
	// MaxLimits is how many packages and namespaces one token can name. All of
	// them travel in each bearer token that it gets.
	MaxLimits = 50
)

// allActions are those that a limit can name.
const allActions = access.Pull | access.Push | access.Remove

// PersonalTokens makes, lists and ends the tokens of users. Safe for concurrent
// use.
type PersonalTokens struct {
	Store  UserTokens
	Now    func() time.Time
	Random io.Reader
}

// NewToken describes a token of a user to create: a classic one by Scopes, or a
// fine-grained one by Limits.
type NewToken struct {
	AccountID int64
	// Target is what the record of changes calls the account: its login.
	Target string
	Note   string
	Scopes access.Scopes
	Limits []access.Limit
	// ExpiresAt may be zero for a classic token, which then lasts until it is
	// revoked.
	ExpiresAt time.Time
}

// Create makes a token. The secret is returned here and nowhere else.
func (p *PersonalTokens) Create(ctx context.Context, by audit.Actor, n NewToken) (Secret, Token, error) {
	now := p.Now()
	t := Token{
		AccountID: n.AccountID, Kind: Personal, Note: n.Note, Scopes: n.Scopes, CreatedAt: now,
		ExpiresAt: n.ExpiresAt, Limited: len(n.Limits) > 0,
	}
	err := checkScopes(n.Scopes)
	if t.Limited {
		t.Kind, t.Scopes = FineGrained, LimitScopes(n.Limits)
		err = checkFineGrained(n, now)
	}
	switch {
	case err != nil:
		return Secret{}, Token{}, err
	case !n.ExpiresAt.IsZero() && !n.ExpiresAt.After(now):
		return Secret{}, Token{}, errs.New(errs.Invalid, "a token cannot expire before it is made")
	case len(n.Note) > MaxNote:
		return Secret{}, Token{}, errs.New(errs.Invalid, "a note has at most %d bytes", MaxNote)
	}
	return create(ctx, p.Store, p.Random, t, n.Limits, audit.Entry{
		At: now, Actor: by, Action: "token.create", Target: n.Target,
		Detail: map[string]any{"kind": string(t.Kind), "scopes": t.Scopes.String()},
	})
}

func checkScopes(s access.Scopes) error {
	if s == 0 || s&^access.EveryScope != 0 {
		return errs.New(errs.Invalid, "a token needs at least one scope, such as read:packages")
	}
	return nil
}

func checkFineGrained(n NewToken, now time.Time) error {
	switch {
	case n.Scopes != 0:
		return errs.New(errs.Invalid, "a fine-grained token has actions instead of scopes")
	case n.ExpiresAt.IsZero():
		return errs.New(errs.Invalid, "a fine-grained token needs an end")
	case n.ExpiresAt.After(now.Add(MaxFineGrainedLife)):
		return errs.New(errs.Invalid, "a fine-grained token lasts at most 366 days")
	case len(n.Limits) > MaxLimits:
		return errs.New(errs.Invalid, "a fine-grained token names at most %d packages and namespaces", MaxLimits)
	}
	for _, l := range n.Limits {
		if l.OwnerID == 0 || l.Actions == 0 || l.Actions&^allActions != 0 {
			return errs.New(errs.Invalid, "a fine-grained token needs pull, push or delete for each package")
		}
	}
	return nil
}

// LimitScopes returns the scopes that cover all actions of the limits.
func LimitScopes(limits []access.Limit) access.Scopes {
	scopes := access.ReadPackages
	for _, l := range limits {
		if l.Actions.Has(access.Write) {
			scopes |= access.WritePackages
		}
		if l.Actions.Has(access.Delete) {
			scopes |= access.DeletePackages
		}
	}
	return scopes
}

// List returns the account's tokens that are not revoked, newest first.
func (p *PersonalTokens) List(ctx context.Context, accountID int64) ([]Token, error) {
	return p.Store.Tokens(ctx, accountID)
}

// Revoke ends a token of the account. What it signed in is refused at once,
// except reads by bearer tokens, which end within their five minutes.
func (p *PersonalTokens) Revoke(ctx context.Context, by audit.Actor, accountID, id int64) error {
	t, h, err := p.Store.TokenByID(ctx, id)
	if err != nil {
		return err
	}
	if t.Kind == Workflow || t.AccountID != accountID {
		return errs.New(errs.NotFound, "no such token")
	}
	return p.Store.RevokeToken(ctx, accountID, id, p.entry(by, "token.revoke", id, h.Login))
}

// Authorize lets a token of a member reach the organization, called target in
// the record, which demands single sign-on.
func (p *PersonalTokens) Authorize(ctx context.Context, by audit.Actor, id, organizationID int64, target string) error {
	return p.Store.AuthorizeToken(ctx, id, organizationID, p.entry(by, "token.authorize", id, target))
}

// Deauthorize takes that back, at once.
func (p *PersonalTokens) Deauthorize(ctx context.Context, by audit.Actor, id, organizationID int64, target string) error {
	return p.Store.DeauthorizeToken(ctx, id, organizationID, p.entry(by, "token.deauthorize", id, target))
}

func (p *PersonalTokens) entry(by audit.Actor, action string, id int64, target string) audit.Entry {
	return audit.Entry{At: p.Now(), Actor: by, Action: action, Target: target, Detail: map[string]any{"token": id}}
}
