package app

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// WorkflowTokenRequest describes a token for the jobs of a repository.
type WorkflowTokenRequest struct {
	Repository  string   // OWNER/REPO
	Permissions []string // such as packages=write; what is not named is none
	Life        time.Duration
	Codespace   bool // it only pulls, whatever the permissions
}

func (a *App) workflowTokens() *token.WorkflowTokens {
	return &token.WorkflowTokens{Store: a.Store, Now: time.Now, Random: rand.Reader}
}

// CreateWorkflowToken makes a workflow token and returns its secret, which is
// not kept anywhere.
func CreateWorkflowToken(ctx context.Context, cfg *config.Config, r WorkflowTokenRequest) (secret string, err error) {
	scopes, err := permissionScopes(r.Permissions)
	if err != nil {
		return "", err
	}
	if r.Codespace {
		scopes = access.ReadPackages
	}
	if r.Life == 0 {
		return "", errs.New(errs.Invalid, "a workflow token lasts at most 6 hours")
	}
	err = administer(ctx, cfg, func(a *App) error {
		repository, err := a.Accounts.Repository(ctx, r.Repository)
		if err != nil {
			return err
		}
		made, _, err := a.workflowTokens().Create(ctx, audit.Operator, token.NewWorkflowToken{
			RepositoryID: repository.ID, OwnerID: repository.OwnerID, Scopes: scopes, Codespace: r.Codespace,
			ExpiresAt: time.Now().Add(r.Life), Target: repository.Name.String(),
		})
		secret = made.Reveal()
		return err
	})
	return secret, err
}

// permissionScopes reads permissions as a workflow file has them. Those for
// other things than packages are taken and give nothing.
func permissionScopes(permissions []string) (access.Scopes, error) {
	var scopes access.Scopes
	for _, p := range permissions {
		what, level, _ := strings.Cut(p, "=")
		s, err := token.PermissionScopes(level)
		if err != nil || what == "" {
			return 0, errs.New(errs.Invalid, "%q must be like packages=write: none, read or write", p)
		}
		if what == "packages" {
			scopes = s
		}
	}
	return scopes, nil
}

// ListWorkflowTokens returns the tokens of a repository's jobs that hold, newest
// first.
func ListWorkflowTokens(ctx context.Context, cfg *config.Config, repository string) (lines []TokenLine, err error) {
	err = administer(ctx, cfg, func(a *App) error {
		r, err := a.Accounts.Repository(ctx, repository)
		if err != nil {
			return err
		}
		tokens, err := a.workflowTokens().List(ctx, r.ID)
		lines = tokenLines(tokens)
		return err
	})
	return lines, err
}

// RevokeWorkflowToken ends a workflow token.
func RevokeWorkflowToken(ctx context.Context, cfg *config.Config, id int64) error {
	return administer(ctx, cfg, func(a *App) error { return a.workflowTokens().Revoke(ctx, audit.Operator, id) })
}
