package web

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/token"
)

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
	Sessions *account.Sessions
	Tokens   Tokens
	// Provider and Identities are nil when there is no outside provider;
	// ProviderName is what people call it.
	Provider     *account.Provider
	ProviderName string
	Identities   *account.Identities
	// URL is the public address.
	URL *url.URL
	// RegistryHost is what people log docker in to.
	RegistryHost string
	Now          func() time.Time
}

// old returns the pages that have no room yet.
func old(d oldDeps) (http.Handler, error) {
	templates, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	p := &pages{oldDeps: d, templates: templates, mux: http.NewServeMux()}
	p.on("GET /settings/tokens", p.signedIn(p.listTokens))
	p.on("POST /settings/tokens", p.signedIn(p.createToken))
	p.on("POST /settings/tokens/{id}/revoke", p.signedIn(p.revokeToken))
	if d.Provider != nil {
		p.on("POST /settings/tokens/{id}/authorize", p.signedIn(p.authorizeToken))
		p.on("GET /settings/identities", p.signedIn(p.listIdentities))
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

func (p *pages) listIdentities(w http.ResponseWriter, r *http.Request, v visitor) error {
	list, err := p.Identities.List(r.Context(), v.Principal)
	if err != nil {
		return err
	}
	linked := false
	for _, i := range list {
		linked = linked || i.Issuer == p.Provider.Issuer
	}
	return p.show(w, http.StatusOK, "identities", struct {
		oldFrame
		Provider   string
		Identities []account.Identity
		Linked     bool
	}{p.oldPage("Identities", v.Principal, nil), p.ProviderName, list, linked})
}
