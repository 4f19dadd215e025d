package app

import (
	"net/netip"
	"time"

	"packhouse/internal/api/rest"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/httpx"
)

// composeAPI makes the REST API.
func (a *App) composeAPI(cfg *config.Config) error {
	api, err := rest.New(rest.Deps{
		Authenticator: a.Tokens, Owners: a.Accounts, Packages: a.Packages, Downloads: a.Packages, ImmutableTags: a.Packages, Readmes: a.Packages,
		RetentionPolicies: a.Retention, RetentionPlans: a.Retention, Versions: a.Packages, Tags: a.Packages, Sizes: a.Packages, Storage: a.Packages, Settings: a.Packages, Accounts: a.Accounts, Directory: a.Store,
		Rights: a.Packages, Personal: a.personalTokens(), Workflow: a.workflowTokens(), Trust: a.Trust, TokenLists: a.Store,
		Audit: &audit.Service{Store: a.Store}, Migrations: a.Packages, Jobs: a.Jobs, Hooks: a.Hooks, Garbage: a.Collector,
		Base: cfg.APIURL(), Site: cfg.URL,
		RateLimit: cfg.API.RateLimit, AnonymousRateLimit: cfg.API.AnonymousRateLimit,
		Client: httpx.Proxies(cfg.TrustedProxies).ClientAddr, Now: time.Now,
	})
	a.Handlers.API = api
	if _, err := netip.ParseAddr(cfg.Hosts()[0]); err != nil { // an address has no names below it
		a.Handlers.APIHost = cfg.APIHost()
	}
	return err
}
