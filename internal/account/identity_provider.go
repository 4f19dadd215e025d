package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"packhouse/internal/errs"
)

// providerPatience is how long one request to the provider may take.
const providerPatience = 10 * time.Second

// ProviderOptions say which outside provider signs people in.
type ProviderOptions struct {
	Issuer       string
	ClientID     string
	ClientSecret string   // empty for a public client
	Scopes       []string // openid among them
	LoginClaim   string
	GroupsClaim  string // empty: groups are none of the provider's business
	RedirectURL  string // of ours, as the provider knows it
	// Roots are the authorities to trust when talking to the provider; nil for
	// the system's.
	Roots *x509.CertPool
	Now   func() time.Time
}

// Provider signs people in by OpenID Connect: the authorization code flow with
// PKCE. It asks the provider for its addresses when they are first needed, so
// the server starts without it. Safe for concurrent use.
type Provider struct {
	ProviderOptions
	client *http.Client

	asking singleflight.Group
	known  atomic.Pointer[endpoints] // nil until the provider has answered
}

// endpoints are what the provider says of itself.
type endpoints struct {
	provider *oidc.Provider
	oauth    oauth2.Config
}

// NewProvider returns a Provider on o. It asks nothing of the network.
func NewProvider(o ProviderOptions) *Provider {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: providerPatience,
		TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
	}
	return &Provider{ProviderOptions: o, client: &http.Client{
		Transport: transport, Timeout: providerPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Attempt is one way of a browser to the provider and back, made of a secret
// that this browser alone keeps. Binding is what else the browser must bring
// back as it was; the provider sees neither.
type Attempt struct {
	Secret  []byte // 32 random bytes
	Binding string
	// Anew asks the provider to let the person sign in again, instead of vouching
	// for who signed in there before.
	Anew bool
}

// derive returns a value for one purpose that tells nothing of another's.
func (a Attempt) derive(purpose string) string {
	mac := hmac.New(sha256.New, a.Secret)
	mac.Write([]byte(purpose + "\x00" + a.Binding))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Owns reports whether state came back from a.
func (a Attempt) Owns(state string) bool {
	return subtle.ConstantTimeCompare([]byte(a.derive("state")), []byte(state)) == 1
}

// Address returns where to send the browser. Unavailable when the provider does
// not answer; the next call asks again.
func (p *Provider) Address(ctx context.Context, a Attempt) (string, error) {
	at, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.derive("nonce")), oauth2.S256ChallengeOption(a.derive("verifier"))}
	if a.Anew {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return at.oauth.AuthCodeURL(a.derive("state"), options...), nil
}

// Redeem returns who came back from the provider with code. The caller has
// checked that a owns the state that came with it. Denied when the provider or
// its answer does not vouch for anybody.
func (p *Provider) Redeem(ctx context.Context, a Attempt, code string) (Identity, error) {
	at, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	tokens, err := at.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.derive("verifier")))
	if err != nil {
		return Identity{}, p.refused(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := at.provider.Verifier(&oidc.Config{ClientID: p.ClientID, Now: p.Now}).Verify(ctx, raw)
	if err != nil {
		return Identity{}, p.refused(err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.derive("nonce"))) != 1 || id.Subject == "" {
		return Identity{}, p.refused(errs.New(errs.Denied, "the identity token has another nonce, or no subject"))
	}
	signedIn, err := signedInAt(id)
	if err != nil {
		return Identity{}, p.refused(err)
	}
	if a.Anew && !signedIn.IsZero() && p.Now().Sub(signedIn) >= anewWithin { // some providers say nothing of it
		return Identity{}, errs.New(errs.Denied, "the provider did not ask who you are again; sign out there and try again")
	}
	claims, err := p.claims(ctx, at, id, tokens)
	if err != nil {
		return Identity{}, p.refused(err)
	}
	i, err := p.identity(id.Subject, claims)
	i.SignedInAt = signedIn
	return i, err
}

// anewWithin is how long ago a person may have signed in at the provider that was
// asked to let them sign in again.
const anewWithin = 10 * time.Minute

// signedInAt is when the person signed in at the provider; zero when it does not
// say.
func signedInAt(id *oidc.IDToken) (time.Time, error) {
	var claims struct {
		At *int64 `json:"auth_time"`
	}
	if err := id.Claims(&claims); err != nil || claims.At == nil {
		return time.Time{}, err
	}
	return time.Unix(*claims.At, 0), nil
}

func (p *Provider) refused(cause error) error {
	return errs.Wrap(errs.Denied, cause, "the provider did not confirm who you are; try again")
}

// claims returns those of the identity token, and those of the user information
// if the token lacks one that is needed: many providers put some only there.
func (p *Provider) claims(ctx context.Context, at *endpoints, id *oidc.IDToken, tokens *oauth2.Token) (map[string]any, error) {
	var all, more map[string]any
	if err := id.Claims(&all); err != nil {
		return nil, err
	}
	if p.has(all) || at.provider.UserInfoEndpoint() == "" {
		return all, nil
	}
	info, err := at.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return nil, err
	}
	if info.Subject != id.Subject {
		return nil, errs.New(errs.Denied, "the user information is about somebody else")
	}
	if err := info.Claims(&more); err != nil {
		return nil, err
	}
	for name, value := range more {
		if _, ok := all[name]; !ok {
			all[name] = value
		}
	}
	return all, nil
}

func (p *Provider) has(claims map[string]any) bool {
	_, login := claims[p.LoginClaim]
	_, groups := claims[p.GroupsClaim]
	return login && (groups || p.GroupsClaim == "")
}

// identity reads the claims. Groups that are missing are none, since providers
// leave out an empty list; groups that cannot be read let nobody in, since
// taking them for none or for some would both be wrong.
func (p *Provider) identity(subject string, claims map[string]any) (Identity, error) {
	i := Identity{Issuer: p.Issuer, Subject: subject, GroupsKnown: p.GroupsClaim != ""}
	i.Login, _ = claims[p.LoginClaim].(string)
	if !i.GroupsKnown {
		return i, nil
	}
	unreadable := errs.New(errs.Denied, "the provider's claim %q is no list of groups; tell the site administrator", p.GroupsClaim)
	if elsewhere, _ := claims["_claim_names"].(map[string]any); elsewhere[p.GroupsClaim] != nil {
		return Identity{}, errs.New(errs.Denied, "the provider has too many groups of yours to tell them; ask it to tell only those that matter here")
	}
	switch value := claims[p.GroupsClaim].(type) {
	case nil:
	case string:
		i.Groups = []string{value}
	case []any:
		for _, v := range value {
			group, ok := v.(string)
			if !ok {
				return Identity{}, unreadable
			}
			i.Groups = append(i.Groups, group)
		}
	default:
		return Identity{}, unreadable
	}
	i.Groups = slices.DeleteFunc(i.Groups, func(g string) bool { return g == "" })
	slices.Sort(i.Groups)
	i.Groups = slices.Compact(i.Groups)
	return i, nil
}

// discover returns what the provider says of itself. Requests that come while it
// is asked share its answer.
func (p *Provider) discover(ctx context.Context) (*endpoints, error) {
	if at := p.known.Load(); at != nil {
		return at, nil
	}
	at, err, _ := p.asking.Do("", func() (any, error) { return p.ask(context.WithoutCancel(ctx)) })
	if err != nil {
		e := errs.Wrap(errs.Unavailable, err, "the sign-in provider does not answer; try again, or sign in with a password")
		e.RetryAfter = providerPatience
		return nil, e
	}
	return at.(*endpoints), nil
}

func (p *Provider) ask(ctx context.Context) (*endpoints, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer)
	if err != nil {
		return nil, err
	}
	at := &endpoints{provider: provider, oauth: oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: p.RedirectURL, Scopes: p.Scopes, Endpoint: provider.Endpoint(),
	}}
	if at.oauth.Endpoint.AuthStyle, err = p.authStyle(provider); err != nil {
		return nil, err
	}
	p.known.Store(at)
	return at, nil
}

// authStyle says how the provider wants to be told our secret. Trying one way
// after the other would spend the code.
func (p *Provider) authStyle(provider *oidc.Provider) (oauth2.AuthStyle, error) {
	var about struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&about); err != nil {
		return 0, err
	}
	if p.ClientSecret == "" || len(about.Methods) > 0 && !slices.Contains(about.Methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams, nil
	}
	return oauth2.AuthStyleInHeader, nil
}
