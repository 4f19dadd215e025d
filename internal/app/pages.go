package app

import (
	"context"
	"crypto/rand"
	"net/url"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/httpx"
	"packhouse/internal/web"
)

// composePages makes the pages.
func (a *App) composePages(cfg *config.Config) error {
	public, err := url.Parse(cfg.URL)
	if err != nil {
		return err
	}
	d := web.Deps{
		Credentials: a.Tokens, Accounts: a.Accounts, Directory: a.Store, Sessions: a.sessions(),
		Browsers: &account.Browsers{Store: a.Store, Now: time.Now}, TokenLists: a.Store,
		Personal: a.personalTokens(), Workflow: a.workflowTokens(), Trust: a.Trust,
		Packages: a.Packages, Registry: a.Registry, Retention: a.Retention, Collector: a.Collector, Hooks: a.Hooks, Jobs: a.Jobs,
		Audit: &audit.Service{Store: a.Store}, Figures: a.Store, Version: func() string { return a.Version }, Health: a.health,
		URL:           public,
		ContainerHost: withoutScheme(cfg.ContainersURL()), DockerHost: withoutScheme(cfg.DockerURL()), Makes: makes(cfg),
		Client: httpx.Proxies(cfg.TrustedProxies).ClientAddr, Now: time.Now, Random: rand.Reader,
	}
	if d.Factors, err = a.factors(public); err != nil {
		return err
	}
	if cfg.OIDC.Issuer != "" {
		if d.Provider, err = newProvider(cfg); err != nil {
			return err
		}
		d.ProviderName, d.Identities = cfg.OIDC.Name, a.identities(cfg)
	}
	a.Handlers.Pages, err = web.New(d)
	return err
}

// makes returns the type of the packages that people are told how to make.
func makes(cfg *config.Config) access.PackageType {
	if !cfg.SubdomainIsolation && cfg.BareHost == config.BareDocker {
		return access.Docker
	}
	return access.Container
}

// health asks each part that the server needs, all at once.
func (a *App) health(ctx context.Context) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	answers := make([]chan error, len(a.Handlers.Ready))
	for i, c := range a.Handlers.Ready {
		answers[i] = make(chan error, 1)
		go func() { answers[i] <- c.Probe(ctx) }()
	}
	states := map[string]error{}
	for i, c := range a.Handlers.Ready {
		select {
		case states[c.Name] = <-answers[i]:
		case <-ctx.Done(): // a probe that does not heed its deadline
			states[c.Name] = ctx.Err()
		}
	}
	return states
}

func (a *App) sessions() *account.Sessions {
	return &account.Sessions{Store: a.Store, Now: time.Now, Random: rand.Reader}
}

func (a *App) factors(public *url.URL) (*account.Factors, error) {
	return account.NewFactors(account.FactorOptions{Store: a.Store, URL: public, Now: time.Now, Random: rand.Reader})
}

// newProvider returns the outside provider, which need not be there yet.
func newProvider(cfg *config.Config) (*account.Provider, error) {
	o := cfg.OIDC
	roots, err := o.Roots()
	return account.NewProvider(account.ProviderOptions{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), Scopes: o.Scopes,
		LoginClaim: o.LoginClaim, GroupsClaim: o.GroupsClaim, RedirectURL: cfg.URL + web.CallbackPath, Roots: roots, Now: time.Now,
	}), err
}

func (a *App) identities(cfg *config.Config) *account.Identities {
	return &account.Identities{
		Store: a.Store, Groups: a.Accounts, Now: time.Now,
		Create: func(ctx context.Context) (bool, error) {
			if cfg.OIDC.CreateAccounts {
				return true, nil
			}
			return a.Accounts.SignUpOpen(ctx)
		},
	}
}
