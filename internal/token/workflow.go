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
	// MaxWorkflowLife is the longest that a workflow token lasts.
	MaxWorkflowLife = 6 * time.Hour
	// WorkflowLife is how long one lasts if nothing else is asked for.
	WorkflowLife = time.Hour
	// rememberedFor is how long a token that has expired is told so, and not
	// that there is none. Each job leaves a token, so they must not pile up.
	rememberedFor = 7 * 24 * time.Hour
	// sweepSize is how many are forgotten in one transaction.
	sweepSize = 500
)

// WorkflowTokens makes, lists and ends the tokens of jobs. Safe for concurrent
// use.
type WorkflowTokens struct {
	Store  JobTokens
	Now    func() time.Time
	Random io.Reader
}

// NewWorkflowToken describes a token for a job.
type NewWorkflowToken struct {
	// RepositoryID is whose job it is; zero for one that a rule of trust about
	// a package or a namespace let in, which reaches Limits alone.
	RepositoryID int64
	// OwnerID is the repository's owner, or the rule's.
	OwnerID int64
	// TrustID is the rule that it comes from; zero for none. The token ends
	// with the rule.
	TrustID int64
	Limits  []access.Limit
	// Scopes may be zero: such a job reads what is public.
	Scopes    access.Scopes
	ExpiresAt time.Time
	// Codespace makes it a token that only pulls.
	Codespace bool
	// Target is what the record of changes calls what the token is for.
	Target string
}

// Create makes a token. The secret is returned here and nowhere else.
func (w *WorkflowTokens) Create(ctx context.Context, by audit.Actor, n NewWorkflowToken) (Secret, Token, error) {
	now := w.Now()
	switch {
	case n.OwnerID == 0 || n.RepositoryID == 0 && (len(n.Limits) == 0 || n.TrustID == 0 || n.Codespace):
		return Secret{}, Token{}, errs.New(errs.Invalid, "a workflow token is for a repository")
	case n.Scopes&^access.AllScopes != 0:
		return Secret{}, Token{}, errs.New(errs.Invalid, "a workflow token has scopes for packages alone")
	case n.Codespace && n.Scopes != access.ReadPackages:
		return Secret{}, Token{}, errs.New(errs.Invalid, "a codespace only pulls")
	case !n.ExpiresAt.After(now):
		return Secret{}, Token{}, errs.New(errs.Invalid, "a token cannot expire before it is made")
	case n.ExpiresAt.After(now.Add(MaxWorkflowLife)):
		return Secret{}, Token{}, errs.New(errs.Invalid, "a workflow token lasts at most 6 hours")
	}
	t := Token{
		AccountID: n.OwnerID, Kind: Workflow, Scopes: n.Scopes, CreatedAt: now, ExpiresAt: n.ExpiresAt,
		RepositoryID: n.RepositoryID, TrustID: n.TrustID, Codespace: n.Codespace, Limited: len(n.Limits) > 0,
	}
	return create(ctx, w.Store, w.Random, t, n.Limits, audit.Entry{
		At: now, Actor: by, Action: "workflow_token.create", Target: n.Target,
		Detail: map[string]any{"scopes": n.Scopes.String(), "expires_at": n.ExpiresAt.UTC().Format(time.RFC3339)},
	})
}

// List returns the tokens of the repository's jobs that still hold, newest
// first.
func (w *WorkflowTokens) List(ctx context.Context, repositoryID int64) ([]Token, error) {
	return w.Store.RepositoryTokens(ctx, repositoryID, w.Now())
}

// Revoke ends the token. What it signed in is refused at once, except reads by
// bearer tokens, which end within their five minutes. NotFound when no workflow
// token of that id holds.
func (w *WorkflowTokens) Revoke(ctx context.Context, by audit.Actor, id int64) error {
	t, h, err := w.Store.TokenByID(ctx, id)
	if err != nil {
		return err
	}
	if t.Kind != Workflow {
		return errs.New(errs.NotFound, "no such token")
	}
	target := h.Login
	if !h.Repository.IsZero() {
		target = h.Repository.String()
	}
	return w.Store.RevokeToken(ctx, t.AccountID, id, audit.Entry{
		At: w.Now(), Actor: by, Action: "workflow_token.revoke", Target: target, Detail: map[string]any{"token": id},
	})
}

// Sweep forgets the tokens that expired a week ago and returns how many.
func (w *WorkflowTokens) Sweep(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := w.Store.ForgetJobTokens(ctx, w.Now().Add(-rememberedFor), sweepSize)
		total += n
		if err != nil || n < sweepSize {
			return total, err
		}
	}
}

// PermissionScopes returns the scopes of the permission that a job has for
// packages: none, read or write.
func PermissionScopes(permission string) (access.Scopes, error) {
	switch permission {
	case "none":
		return 0, nil
	case "read":
		return access.ReadPackages, nil
	case "write":
		return access.AllScopes, nil
	}
	return 0, errs.New(errs.Invalid, "a workflow's permission for packages is none, read or write, not %q", permission)
}
