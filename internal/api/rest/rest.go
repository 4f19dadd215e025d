package rest

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/httpx"
	"packhouse/internal/token"
)

// Authenticator tells who sent a request.
type Authenticator interface {
	// Authenticate returns nobody for a request without a credential and
	// Unauthenticated for one whose credential does not hold.
	Authenticate(ctx context.Context, r *http.Request) (access.Principal, error)
}

// Deps is what a Handler is built from.
type Deps struct {
	Authenticator     Authenticator
	Owners            Owners
	Packages          Packages
	Versions          Versions
	Tags              Tags
	Sizes             Sizes
	Storage           Storage
	Settings          PackageSettings
	Accounts          *account.Service
	Directory         Directory
	Rights            Rights
	Personal          *token.PersonalTokens
	Workflow          *token.WorkflowTokens
	Trust             *token.Trust
	TokenLists        TokenLists
	Audit             *audit.Service
	Migrations        DockerMigrations
	Jobs              Jobs
	Hooks             *hooks.Service
	Downloads         Downloads
	ImmutableTags     ImmutableTags
	Readmes           Readmes
	RetentionPolicies RetentionPolicies
	RetentionPlans    RetentionPlans
	Garbage           Garbage
	// Base is the public address of the API, such as https://HOST/api/v3, and
	// Site that of the pages. No slash at their ends.
	Base, Site string
	// RateLimit is how many requests an hour a caller may send, and
	// AnonymousRateLimit an address without a credential; zero for any number.
	RateLimit, AnonymousRateLimit int
	// Client returns the address of the client, behind trusted proxies.
	Client func(*http.Request) netip.Addr
	Now    func() time.Time
}

// Handler serves the API. Safe for concurrent use.
type Handler struct {
	Deps
	table *table
	rates rates
}

// New returns a Handler; an error when a route lacks a policy or is there twice.
func New(d Deps) (*Handler, error) {
	h := &Handler{Deps: d, rates: rates{now: d.Now}}
	t, err := newTable(h.routes())
	h.table = t
	return h, err
}

// routes are all operations. Each group has a file of its own.
func (h *Handler) routes() []route {
	var all []route
	for _, group := range [][]route{
		h.metaRoutes(),
		h.packageRoutes(),
		h.tagRoutes(),
		h.sizeRoutes(),
		h.searchRoutes(),
		h.directoryRoutes(),
		h.packageSettingRoutes(),
		h.downloadRoutes(),
		h.immutableTagRoutes(),
		h.readmeRoutes(),
		h.repositoryReadmeRoutes(),
		h.retentionRoutes(),
		h.hookRoutes(),
		h.garbageRoutes(),
		h.storageRoutes(),
		h.jobRoutes(),
		h.descriptionRoutes(),
	} {
		all = append(all, group...)
	}
	return all
}

// metaRoutes are about the API itself.
func (h *Handler) metaRoutes() []route {
	return []route{
		{"GET", "/rate_limit", h.getRateLimit, open()},
	}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	httpx.Handle(h.serve, h.encode).ServeHTTP(w, r)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	event := httpx.EventFrom(w)
	event.Route = "none"
	header := w.Header()
	header.Set("X-GitHub-Request-Id", event.ID)
	header.Set("X-GitHub-Media-Type", "github.v3; format=json")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("Vary", "Accept, Authorization")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	c := &call{h: h, w: w, r: r}
	if err := c.authenticate(); err != nil {
		return err
	}
	event.Principal = c.who.Login
	if err := c.rate(); err != nil {
		return err
	}
	return c.dispatch(event)
}

func (c *call) dispatch(event *httpx.Event) error {
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	found, params, allowed := c.h.table.find(method, c.r.URL.EscapedPath())
	switch {
	case len(allowed) == 0:
		return errs.New(errs.NotFound, "Not Found")
	case found == nil:
		c.w.Header().Set("Allow", strings.Join(allowed, ", "))
		return errs.New(errs.Unsupported, "Method Not Allowed").WithCode("405")
	}
	var err error
	if c.q, err = httpx.Query(c.r); err != nil {
		return err
	}
	c.route, c.params = found, params
	event.Route = found.method + " /api/v3" + found.pattern
	if err := c.admit(); err != nil {
		return err
	}
	return found.do(c)
}

// authenticate finds out who calls. The scheme "token" is GitHub's older word
// for Bearer. A password has every scope here.
func (c *call) authenticate() error {
	r := c.r
	if scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "token") {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(value))
	}
	who, err := c.h.Authenticator.Authenticate(r.Context(), r)
	if errs.Is(err, errs.Unauthenticated) {
		return errs.Wrap(errs.Unauthenticated, err, "Bad credentials")
	}
	if err != nil {
		return err
	}
	if who.User() && who.TokenID == 0 && !who.Restricted {
		who.Scopes = access.EveryScope
	}
	c.who = who
	if who.TokenID != 0 && !who.Limited && who.Workflow == nil {
		c.w.Header().Set("X-OAuth-Scopes", strings.ReplaceAll(who.Scopes.String(), ",", ", "))
	}
	return nil
}

// admit applies the route's policy. Routes that need a scope need a credential.
func (c *call) admit() error {
	p := c.route.policy
	if p.scopes != 0 {
		c.w.Header().Set("X-Accepted-OAuth-Scopes", strings.ReplaceAll(p.scopes.String(), ",", ", "))
	}
	if p.check == nil {
		return nil
	}
	return p.check(c)
}

// signedIn refuses nobody, and credentials that are for packages alone: bearer
// tokens of the registries, limited tokens and jobs.
func (c *call) signedIn(scopes access.Scopes) error {
	switch {
	case c.who.Anonymous():
		return errs.New(errs.Unauthenticated, "Requires authentication")
	case !c.who.User() || c.who.Restricted || c.who.Limited:
		return errs.New(errs.Denied, "Resource not accessible by integration")
	case scopes != 0 && !c.who.Scopes.Has(scopes):
		return errs.New(errs.Denied, "The token lacks the scope that this needs: %s.", scopes)
	}
	return nil
}

// siteAdmin is the policy of what the administrators of the site may do.
func siteAdmin() policy {
	return checked(access.SiteAdministration, func(c *call) error {
		if err := c.signedIn(access.SiteAdministration); err != nil {
			return err
		}
		if !c.who.SiteAdmin {
			return errs.New(errs.NotFound, "Not Found")
		}
		return nil
	})
}
