package rest

import (
	"context"
	"net/http"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/token"
)

// Rights tells who administers packages.
type Rights interface {
	// Administer returns the facts about a package whose settings who may change.
	Administer(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error)
}

// trustRoutes are the rules of trust about an account, a repository or a package.
func (h *Handler) trustRoutes() []route {
	var routes []route
	add := func(at string, target func(*call) (token.TrustTarget, error), p policy) {
		routes = append(
			routes,
			route{"GET", at, h.listTrust(target), p},
			route{"POST", at, h.addTrust(target), p},
			route{"DELETE", at + "/{rule_id}", h.removeTrust(target), p},
		)
	}
	add("/orgs/{org}/trust-rules", (*call).accountTarget, onAccount(account.Organization, access.AdminOrg, access.AdministerAccount))
	add("/user/trust-rules", (*call).accountTarget, self(access.User))
	add("/repos/{owner}/{repo}/trust-rules", (*call).repositoryTarget, administerRepository(access.Repo))
	for at, owner := range h.owned() {
		add(at+"/packages/{package_type}/{package_name...}/trust-rules", packageTarget(owner), withToken(access.WritePackages))
	}
	return routes
}

func (c *call) accountTarget() (token.TrustTarget, error) {
	return token.TrustTarget{OwnerID: c.target.account.ID, Owner: c.target.account.Login}, nil
}

func (c *call) repositoryTarget() (token.TrustTarget, error) {
	r := c.target.repository
	return token.TrustTarget{OwnerID: r.OwnerID, Owner: r.Owner.Login, RepositoryID: r.ID, Name: r.Name}, nil
}

// packageTarget finds a package that the caller administers.
func packageTarget(owner func(*call) (packages.Owner, error)) func(*call) (token.TrustTarget, error) {
	return func(c *call) (token.TrustTarget, error) {
		u, err := owner(c)
		if errs.Is(err, errs.NotFound) {
			err = errPackageNotFound()
		}
		if err != nil {
			return token.TrustTarget{}, err
		}
		p, err := c.pkg(u.Login)
		if err != nil {
			return token.TrustTarget{}, err
		}
		f, err := c.h.Rights.Administer(c.r.Context(), c.who, p)
		if errs.Is(err, errs.NotFound) {
			err = errPackageNotFound()
		}
		if err == nil { // a rule outlasts a job, and is no limited token's to make
			err = c.signedIn(access.WritePackages)
		}
		return token.TrustTarget{OwnerID: f.OwnerID, Owner: f.Owner, PackageID: f.PackageID, Name: f.Name}, err
	}
}

// trustRule is a rule of trust: the jobs for which the issuer vouches may do the
// actions, if every claim of their identity token matches its pattern.
type trustRule struct {
	ID int64 `json:"id"`
	// Kind is owner, repository or package; Target its name.
	Kind     string            `json:"kind"`
	Target   string            `json:"target"`
	Issuer   string            `json:"issuer"`
	Audience string            `json:"audience"`
	Claims   map[string]string `json:"claims"`
	Actions  []string          `json:"actions"`

	CreatedAt  string `json:"created_at"`
	LastUsedAt any    `json:"last_used_at"`
}

func trustOf(r token.TrustRule) trustRule {
	return trustRule{
		ID: r.ID, Kind: r.Kind(), Target: r.TrustTarget.String(), Issuer: r.Issuer, Audience: r.Audience, Claims: r.Claims,
		Actions: strings.Split(token.FormatActions(r.Actions), ","), CreatedAt: moment(r.CreatedAt), LastUsedAt: optional(r.LastUsedAt),
	}
}

// trustRequest is the body that makes a rule: an issuer and claims, or one of the
// well-known kinds of jobs, from which they follow.
type trustRequest struct {
	Issuer string            `json:"issuer"`
	Claims map[string]string `json:"claims"`
	// Audience is the public address of this server if it is absent.
	Audience string `json:"audience"`
	// Actions are some of pull, push and delete.
	Actions []string `json:"actions"`

	GitHub      string `json:"github"`     // OWNER/REPO
	GitLab      string `json:"gitlab"`     // GROUP/PROJECT
	Gitea       string `json:"gitea"`      // https://HOST/OWNER/REPO
	Kubernetes  string `json:"kubernetes"` // NAMESPACE/SERVICEACCOUNT
	Ref         string `json:"ref"`
	Environment string `json:"environment"`
}

func (h *Handler) listTrust(find func(*call) (token.TrustTarget, error)) func(*call) error {
	return func(c *call) error {
		target, err := find(c)
		if err != nil {
			return err
		}
		p, err := c.page()
		if err != nil {
			return err
		}
		all, err := h.Trust.ListIn(c.r.Context(), target)
		if err != nil {
			return err
		}
		list := []trustRule{}
		for _, r := range slice(p, all) {
			list = append(list, trustOf(r))
		}
		return c.list(p, len(all), list)
	}
}

// addTrust makes a rule that lets jobs do no more than the credential by which
// it is made.
func (h *Handler) addTrust(find func(*call) (token.TrustTarget, error)) func(*call) error {
	return func(c *call) error {
		target, err := find(c)
		if err != nil {
			return err
		}
		var b trustRequest
		if err := c.body(&b); err != nil {
			return err
		}
		rule := token.TrustRule{TrustTarget: target, Audience: b.Audience}
		if rule.Audience == "" {
			rule.Audience = h.Site
		}
		if rule.Actions, err = token.ParseActionSet(strings.Join(b.Actions, ",")); err != nil {
			return changed(err)
		}
		preset := token.TrustPreset{
			GitHub: b.GitHub, GitLab: b.GitLab, Gitea: b.Gitea, Kubernetes: b.Kubernetes, Ref: b.Ref, Environment: b.Environment,
			Issuer: b.Issuer, Claims: b.Claims,
		}
		if rule.Issuer, rule.Claims, err = preset.Rule(); err != nil {
			return changed(err)
		}
		if needed := token.LimitScopes([]access.Limit{{Actions: rule.Actions}}); !c.who.Scopes.Has(needed) {
			return errs.New(errs.Denied, "The token lacks some of the scopes that the rule would give: %s.", needed)
		}
		id, err := h.Trust.Add(c.r.Context(), c.by(), c.who, rule)
		if err != nil {
			return changed(absent(err))
		}
		rule.ID, rule.CreatedAt, rule.Actions = id, h.Now(), rule.Actions|access.Pull
		return c.json(http.StatusCreated, trustOf(rule))
	}
}

func (h *Handler) removeTrust(find func(*call) (token.TrustTarget, error)) func(*call) error {
	return func(c *call) error {
		target, err := find(c)
		if err != nil {
			return err
		}
		id, err := c.id("rule_id")
		if err != nil {
			return errNotThere()
		}
		if err := h.Trust.RemoveIn(c.r.Context(), c.by(), target, id); err != nil {
			return absent(err)
		}
		return c.none()
	}
}
