package app

import (
	"context"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// TrustRequest describes a rule of trust to make, about exactly one of
// Repository, Package and Owner.
type TrustRequest struct {
	Repository, Package, Owner string
	token.TrustPreset
	// Audience may be empty: the public address of this server.
	Audience string
	Actions  []string
}

// AddTrust makes a rule of trust and returns its id.
func AddTrust(ctx context.Context, cfg *config.Config, r TrustRequest) (id int64, err error) {
	kind, name, err := r.target()
	if err != nil {
		return 0, err
	}
	rule := token.TrustRule{Audience: r.Audience}
	if rule.Audience == "" {
		rule.Audience = cfg.URL
	}
	if rule.Actions, err = token.ParseActionSet(strings.Join(r.Actions, ",")); err != nil {
		return 0, err
	}
	if rule.Issuer, rule.Claims, err = r.TrustPreset.Rule(); err != nil {
		return 0, err
	}
	err = administer(ctx, cfg, func(a *App) error {
		if rule.TrustTarget, err = a.Trust.Target(ctx, kind, name); err != nil {
			return err
		}
		id, err = a.Trust.Add(ctx, audit.Operator, access.Principal{Operator: true}, rule)
		return err
	})
	return id, err
}

// target returns what the rule is about.
func (r TrustRequest) target() (kind, name string, err error) {
	for k, n := range map[string]string{"repository": r.Repository, "package": r.Package, "owner": r.Owner} {
		switch {
		case n == "":
		case kind != "":
			return "", "", errs.New(errs.Invalid, "a rule is about one thing: --repository, --package or --owner")
		default:
			kind, name = k, n
		}
	}
	if kind == "" {
		return "", "", errs.New(errs.Invalid, "name what the rule is about: --repository OWNER/REPO, --package OWNER/NAME or --owner OWNER")
	}
	return kind, name, nil
}

// ListedTrust is one rule of trust as commands show it.
type ListedTrust struct {
	ID               int64
	Kind, Target     string
	Issuer, Audience string
	Claims           map[string]string
	Actions          string
	LastUsedAt       time.Time // zero says never
}

// ListTrust returns the rules of trust of an account, by id.
func ListTrust(ctx context.Context, cfg *config.Config, owner string) (list []ListedTrust, err error) {
	err = administer(ctx, cfg, func(a *App) error {
		var of account.Account
		if of, err = a.Accounts.Get(ctx, owner); err != nil {
			return err
		}
		rules, err := a.Trust.List(ctx, of.ID)
		for _, r := range rules {
			list = append(list, ListedTrust{
				ID: r.ID, Kind: r.Kind(), Target: r.TrustTarget.String(), Issuer: r.Issuer, Audience: r.Audience,
				Claims: r.Claims, Actions: token.FormatActions(r.Actions), LastUsedAt: r.LastUsedAt,
			})
		}
		return err
	})
	return list, err
}

// RemoveTrust ends a rule of trust and the tokens that came from it.
func RemoveTrust(ctx context.Context, cfg *config.Config, id int64) error {
	return administer(ctx, cfg, func(a *App) error { return a.Trust.Remove(ctx, audit.Operator, id) })
}
