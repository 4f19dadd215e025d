package web

import (
	"context"
	"html/template"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/token"
)

// Credentials checks what people sign in with; token.Authenticator does.
type Credentials interface {
	// ByPassword returns the principal of a login with its password, and takes
	// nothing else. It limits the tries.
	ByPassword(ctx context.Context, r *http.Request, login, password string) (access.Principal, error)
	// Attempt counts a try of the client that sent r against its limit. settle
	// gives it back when it went well.
	Attempt(r *http.Request) (settle func(ok bool), err error)
}

// Accounts is what the pages ask of the directory.
type Accounts interface {
	// Get returns the account of that login, or NotFound.
	Get(ctx context.Context, login string) (account.Account, error)
	// SignUpOpen reports whether people may make accounts for themselves.
	SignUpOpen(ctx context.Context) (bool, error)
	// SignUp makes a user without any privilege; Denied when sign-up is closed.
	SignUp(ctx context.Context, login, password string) (access.Principal, error)
}

// Tokens makes, lists, ends and authorizes personal access tokens;
// token.PersonalTokens does.
type Tokens interface {
	Create(ctx context.Context, by audit.Actor, n token.NewToken) (token.Secret, token.Token, error)
	List(ctx context.Context, accountID int64) ([]token.Token, error)
	Revoke(ctx context.Context, by audit.Actor, accountID, id int64) error
	// Authorize lets a token of a member reach the organization, whosever it is.
	Authorize(ctx context.Context, by audit.Actor, id, organizationID int64, target string) error
}

// oldDeps is what the pages are made of that have no room yet.
type oldDeps struct {
	Credentials Credentials
	Accounts    Accounts
	Sessions    *account.Sessions
	Tokens      Tokens
	// Provider and Identities are nil when there is no outside provider;
	// ProviderName is what people call it.
	Provider     *account.Provider
	ProviderName string
	Identities   *account.Identities
	// URL is the public address.
	URL *url.URL
	// RegistryHost is what people log docker in to.
	RegistryHost string
	// Client returns the address of the client, behind trusted proxies.
	Client func(*http.Request) netip.Addr
	Now    func() time.Time
	Random io.Reader
}

// old returns the pages that have no room yet.
func old(d oldDeps) (http.Handler, error) {
	templates, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	p := &pages{oldDeps: d, templates: templates, mux: http.NewServeMux()}
	p.on("GET /login", p.loginForm)
	p.on("POST /login", p.login)
	p.on("POST /logout", p.logout)
	p.on("GET /join", p.joinForm)
	p.on("POST /join", p.join)
	p.on("GET /settings/tokens", p.signedIn(p.listTokens))
	p.on("POST /settings/tokens", p.signedIn(p.createToken))
	p.on("POST /settings/tokens/{id}/revoke", p.signedIn(p.revokeToken))
	if d.Provider != nil {
		p.on("GET "+oidcPath, p.toProvider)
		p.on("GET "+CallbackPath, p.fromProvider)
		p.on("POST /settings/tokens/{id}/authorize", p.signedIn(p.authorizeToken))
		p.on("GET /settings/identities", p.signedIn(p.listIdentities))
		p.on("POST /settings/identities", p.signedIn(p.linkIdentity))
	}
	p.on("/", func(http.ResponseWriter, *http.Request) error {
		return errs.New(errs.NotFound, "there is no such page")
	})
	return p.mux, nil
}

type pages struct {
	oldDeps
	templates map[string]*template.Template
	mux       *http.ServeMux
}

// on serves pattern, which also names the route in the log.
func (p *pages) on(pattern string, h httpx.HandlerFunc) {
	p.mux.Handle(pattern, httpx.Handle(func(w http.ResponseWriter, r *http.Request) error {
		httpx.EventFrom(w).Route = pattern
		return h(w, r)
	}, p.fail))
}
