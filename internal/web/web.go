package web

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/hooks"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
	"packhouse/internal/web/lists"
	"packhouse/internal/web/organizations"
	"packhouse/internal/web/packagepage"
	"packhouse/internal/web/packagesettings"
	"packhouse/internal/web/repositories"
	"packhouse/internal/web/retention"
	"packhouse/internal/web/security"
	"packhouse/internal/web/settings"
	"packhouse/internal/web/signin"
	"packhouse/internal/web/site"
	"packhouse/internal/web/trust"
	"packhouse/internal/web/versions"
	"packhouse/internal/web/webhooks"
)

// CallbackPath is where, below the public address, the outside provider sends
// people back; it has to be known there.
const CallbackPath = signin.CallbackPath

// Directory reads who belongs where.
type Directory interface {
	account.Standings
	account.People
	// OutsideCollaborators returns those with a role on a repository of the
	// organization who are no members.
	OutsideCollaborators(ctx context.Context, organizationID int64) ([]account.Account, error)
}

// Deps is what the pages are made of.
type Deps struct {
	Credentials signin.Credentials
	Accounts    *account.Service
	Directory   Directory
	Sessions    *account.Sessions
	Browsers    *account.Browsers
	Personal    *token.PersonalTokens
	TokenLists  settings.TokenLists
	Workflow    *token.WorkflowTokens
	Trust       *token.Trust
	Packages    *packages.Service
	Registry    *registry.Service
	Retention   *lifecycle.Retention
	Collector   *lifecycle.Collector
	Hooks       *hooks.Service
	Jobs        *jobs.Queue
	Audit       *audit.Service
	Figures     site.Figures
	// Version returns that of the program, and Health asks its parts how they do,
	// by their names; both for the site's administration alone.
	Version func() string
	Health  func(context.Context) map[string]error
	// Provider and Identities are nil when there is no outside provider;
	// ProviderName is what people call it.
	Provider     *account.Provider
	ProviderName string
	Identities   *account.Identities
	Factors      *account.Factors
	// URL is the public address.
	URL *url.URL
	// ContainerHost and DockerHost are what people log docker in to.
	ContainerHost, DockerHost string
	// Makes is the type of the packages that pushes to the public address make,
	// where both registries are there.
	Makes access.PackageType
	// Client returns the address of the client, behind trusted proxies.
	Client func(*http.Request) netip.Addr
	Now    func() time.Time
	Random io.Reader
}

// New returns the pages, with paths from the root. The error is that of a broken
// build.
func New(d Deps) (http.Handler, error) {
	f, err := Frame(d)
	if err != nil {
		return nil, err
	}
	return f.Handler(), nil
}

// Frame returns the frame with all rooms on it, for checks of what they show.
func Frame(d Deps) (*frame.Frame, error) {
	issuer := ""
	if d.Provider != nil {
		issuer = d.Provider.Issuer
	}
	f, err := frame.New(frame.Deps{
		Sessions: d.Sessions, Accounts: d.Accounts, Packages: d.Packages, ProviderIssuer: issuer, URL: d.URL,
		ContainerHost: d.ContainerHost, DockerHost: d.DockerHost, Client: d.Client, Now: d.Now, Random: d.Random,
	})
	if err != nil {
		return nil, err
	}
	for _, open := range rooms(d) {
		if err := open(f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// rooms opens each room with what it needs.
func rooms(d Deps) []func(*frame.Frame) error {
	return []func(*frame.Frame) error{
		func(f *frame.Frame) error {
			return signin.New(f, signin.Deps{
				Credentials: d.Credentials, Accounts: d.Accounts, Factors: d.Factors,
				Provider: d.Provider, ProviderName: d.ProviderName, Identities: d.Identities,
			})
		},
		func(f *frame.Frame) error {
			return security.New(f, security.Deps{Credentials: d.Credentials, Accounts: d.Accounts, Factors: d.Factors})
		},
		func(f *frame.Frame) error { return settings.New(f, settingsDeps(d)) },
		func(f *frame.Frame) error {
			return repositories.New(f, repositories.Deps{Accounts: d.Accounts, Directory: d.Directory, Packages: d.Packages, Workflow: d.Workflow})
		},
		func(f *frame.Frame) error {
			return packagepage.New(f, packagepage.Deps{Packages: d.Packages, Registry: d.Registry, Accounts: d.Accounts})
		},
		func(f *frame.Frame) error { return versions.New(f, versions.Deps{Packages: d.Packages}) },
		func(f *frame.Frame) error {
			return packagesettings.New(f, packagesettings.Deps{Packages: d.Packages, Directory: d.Directory})
		},
		func(f *frame.Frame) error { return trust.New(f, trust.Deps{Packages: d.Packages, Trust: d.Trust}) },
		func(f *frame.Frame) error {
			return retention.New(f, retention.Deps{Retention: d.Retention, People: d.Directory})
		},
		func(f *frame.Frame) error { return webhooks.New(f, webhooks.Deps{Hooks: d.Hooks}) },
		func(f *frame.Frame) error {
			return lists.New(f, lists.Deps{Packages: d.Packages, Accounts: d.Accounts, Directory: d.Directory, Makes: d.Makes})
		},
		func(f *frame.Frame) error {
			return organizations.New(f, organizations.Deps{
				Accounts: d.Accounts, Directory: d.Directory, Packages: d.Packages, Audit: d.Audit, ProviderName: d.ProviderName,
			})
		},
		func(f *frame.Frame) error {
			return site.New(f, site.Deps{
				Accounts: d.Accounts, Members: d.Directory, Packages: d.Packages, Collector: d.Collector, Jobs: d.Jobs, Audit: d.Audit,
				Figures: d.Figures, Factors: d.Factors, Identities: d.Identities, ProviderName: d.ProviderName, Version: d.Version, Health: d.Health,
			})
		},
	}
}

func settingsDeps(d Deps) settings.Deps {
	own := settings.Deps{
		Accounts: d.Accounts, Directory: d.Directory, Browsers: d.Browsers, Personal: d.Personal, TokenLists: d.TokenLists,
		Packages: d.Packages, Audit: d.Audit, Identities: d.Identities, ProviderName: d.ProviderName,
	}
	if d.Provider != nil {
		own.Issuer = d.Provider.Issuer
	}
	return own
}
