package app

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/token"
)

// TokenRequest describes a token of a user to create: by scopes, or a
// fine-grained one by what it reaches.
type TokenRequest struct {
	User   string
	Scopes []string
	// Packages are like OWNER/NAME:pull,push and Namespaces like OWNER:pull.
	Packages, Namespaces []string
	Life                 time.Duration // 0: until it is revoked
	Note                 string
}

func (a *App) personalTokens() *token.PersonalTokens {
	return &token.PersonalTokens{Store: a.Store, Now: time.Now, Random: rand.Reader}
}

// CreateToken makes a token of a user and returns its secret, which is not kept
// anywhere.
func CreateToken(ctx context.Context, cfg *config.Config, r TokenRequest) (secret string, err error) {
	n := token.NewToken{Note: r.Note}
	if r.Life > 0 {
		n.ExpiresAt = time.Now().Add(r.Life)
	}
	if len(r.Packages)+len(r.Namespaces) == 0 {
		if n.Scopes, err = access.ParseScopes(strings.Join(r.Scopes, ",")); err != nil {
			return "", err
		}
	}
	err = administer(ctx, cfg, func(a *App) error {
		user, err := a.user(ctx, r.User)
		if err != nil {
			return err
		}
		if n.Limits, err = a.limits(ctx, r.Packages, r.Namespaces); err != nil {
			return err
		}
		n.AccountID, n.Target = user.ID, user.Login
		made, _, err := a.personalTokens().Create(ctx, audit.Operator, n)
		secret = made.Reveal()
		return err
	})
	return secret, err
}

// user returns the user who is called login.
func (a *App) user(ctx context.Context, login string) (account.Account, error) {
	user, err := a.Accounts.Get(ctx, login)
	if err == nil && user.Kind != account.User {
		err = errs.New(errs.NotFound, "no user %q: tokens belong to users", login)
	}
	return user, err
}

// limits finds what a fine-grained token is to reach.
func (a *App) limits(ctx context.Context, packages, namespaces []string) ([]access.Limit, error) {
	var list []access.Limit
	for _, text := range packages {
		name, actions, err := parseReach(text)
		if err != nil {
			return nil, err
		}
		limit, err := a.packageLimit(ctx, name)
		if err != nil {
			return nil, err
		}
		limit.Actions = actions
		list = append(list, limit)
	}
	for _, text := range namespaces {
		login, actions, err := parseReach(text)
		if err != nil {
			return nil, err
		}
		owner, err := a.Accounts.Get(ctx, login)
		if err != nil {
			return nil, err
		}
		list = append(list, access.Limit{OwnerID: owner.ID, Actions: actions})
	}
	return list, nil
}

// packageLimit finds a package in either registry.
func (a *App) packageLimit(ctx context.Context, text string) (access.Limit, error) {
	name, err := oci.ParseAddress(text)
	if err != nil {
		return access.Limit{}, err
	}
	pkg, err := a.Store.Package(ctx, access.Principal{Operator: true}, access.Package{Type: access.Container, Also: access.Docker, Name: name})
	if err == nil && !pkg.Facts.Exists {
		err = errs.New(errs.NotFound, "no package %q; a namespace takes also packages to come", text)
	}
	return access.Limit{OwnerID: pkg.Facts.OwnerID, PackageID: pkg.Facts.PackageID}, err
}

// parseReach splits NAME:pull,push,delete.
func parseReach(text string) (name string, actions access.Actions, err error) {
	name, list, _ := strings.Cut(text, ":")
	if actions, err = token.ParseActionSet(list); err != nil {
		return "", 0, errs.New(errs.Invalid, "%q must be a name, a colon and some of pull, push and delete, such as %s:pull,push", text, name)
	}
	return name, actions, nil
}

// TokenLine is what a list says of a token. Times are zero for never.
type TokenLine struct {
	ID         int64
	Kind, Note string
	// May is the scopes, or what a fine-grained token reaches.
	May                             string
	CreatedAt, ExpiresAt, LastUseAt time.Time
}

func tokenLines(tokens []token.Token) []TokenLine {
	kinds := map[token.Kind]string{token.Personal: "classic", token.FineGrained: "fine-grained", token.Workflow: "workflow"}
	var lines []TokenLine
	for _, t := range tokens {
		line := TokenLine{
			ID: t.ID, Kind: kinds[t.Kind], May: t.Scopes.String(), Note: t.Note,
			CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUseAt: t.LastUsedAt,
		}
		if t.Codespace {
			line.Kind = "codespace"
		}
		if line.May == "" {
			line.May = "none"
		}
		lines = append(lines, line)
	}
	return lines
}

// ListTokens returns the tokens of a user that are not revoked, newest first.
func ListTokens(ctx context.Context, cfg *config.Config, login string) (lines []TokenLine, err error) {
	err = administer(ctx, cfg, func(a *App) error {
		user, err := a.user(ctx, login)
		if err != nil {
			return err
		}
		tokens, err := a.personalTokens().List(ctx, user.ID)
		if err != nil {
			return err
		}
		lines = tokenLines(tokens)
		for i, t := range tokens {
			if t.Limited {
				if lines[i].May, err = a.reach(ctx, t.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return lines, err
}

// reach returns what a fine-grained token reaches, in the form that makes one.
func (a *App) reach(ctx context.Context, tokenID int64) (string, error) {
	names, err := a.Store.LimitNames(ctx, tokenID)
	var list []string
	for _, n := range names {
		list = append(list, n.Name+":"+token.FormatActions(n.Actions))
	}
	return strings.Join(list, " "), err
}

// RevokeToken ends a token of a user.
func RevokeToken(ctx context.Context, cfg *config.Config, id int64) error {
	return administer(ctx, cfg, func(a *App) error {
		t, _, err := a.Store.TokenByID(ctx, id)
		if err != nil {
			return err
		}
		return a.personalTokens().Revoke(ctx, audit.Operator, t.AccountID, id)
	})
}

// AuthorizeToken lets a token of a member reach an organization that requires
// single sign-on, or no longer.
func AuthorizeToken(ctx context.Context, cfg *config.Config, id int64, organization string, allow bool) error {
	return administer(ctx, cfg, func(a *App) error {
		org, err := a.Accounts.Get(ctx, organization)
		if err != nil {
			return err
		}
		if org.Kind != account.Organization {
			return errs.New(errs.NotFound, "no organization %q", organization)
		}
		if allow {
			return a.personalTokens().Authorize(ctx, audit.Operator, id, org.ID, org.Login)
		}
		return a.personalTokens().Deauthorize(ctx, audit.Operator, id, org.ID, org.Login)
	})
}
