package config

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// OIDC says which outside provider signs people in by OpenID Connect. An empty
// Issuer means none.
type OIDC struct {
	Issuer       string // as the provider writes it, to the last slash
	ClientID     string
	ClientSecret Secret // empty for a public client
	Name         string // what people call the provider
	Scopes       []string
	LoginClaim   string
	GroupsClaim  string // empty: groups do not come from the provider
	CAFile       string // further roots to trust when talking to the provider
	// CreateAccounts makes an account for somebody who comes for the first
	// time, also while sign-up is closed.
	CreateAccounts bool
}

func defaultOIDC() OIDC {
	return OIDC{
		Name: "OpenID Connect", Scopes: []string{"openid", "profile"}, LoginClaim: "preferred_username",
		GroupsClaim: "groups", CreateAccounts: true,
	}
}

func signInSettings(c *Config) []Setting {
	o := &c.OIDC
	return []Setting{
		{"oidc.issuer", "OpenID Connect provider that signs people in, exactly as it names itself. Empty: passwords alone.", &o.Issuer},
		{"oidc.client_id", "Client id at the provider.", &o.ClientID},
		{"oidc.client_secret", "Client secret at the provider. Empty: a public client.", &o.ClientSecret},
		{"oidc.name", "What people call the provider; the button says `Sign in with NAME`.", &o.Name},
		{"oidc.scopes", "Scopes to ask for, `openid` among them. Some providers tell groups only with one more, such as `groups`.", &o.Scopes},
		{"oidc.login_claim", "Claim that the login of a new account is made of.", &o.LoginClaim},
		{"oidc.groups_claim", "Claim with the groups that fill teams; at each sign-in they replace those of before. Empty: groups do not come from the provider.", &o.GroupsClaim},
		{"oidc.create_accounts", "Make an account for whoever comes from the provider for the first time, also while sign-up is closed.", &o.CreateAccounts},
		{"oidc.ca_file", "Further roots to trust when talking to the provider, PEM.", &o.CAFile},
	}
}

func (c *Config) checkOIDC(p *problems) {
	o := c.OIDC
	if o.Issuer == "" {
		p.need(o.ClientID == "", "oidc.issuer", "is needed with oidc.client_id")
		return
	}
	p.need(issuerURL(o.Issuer), "oidc.issuer", "must be an https:// URL, or http:// on this machine, without query")
	p.need(o.ClientID != "", "oidc.client_id", "is needed with oidc.issuer")
	p.need(o.Name != "", "oidc.name", "must not be empty")
	p.need(slices.Contains(o.Scopes, "openid"), "oidc.scopes", "must hold openid")
	p.need(o.LoginClaim != "", "oidc.login_claim", "must not be empty")
	if _, err := o.Roots(); err != nil {
		p.need(false, "oidc.ca_file", "must be a PEM file of certificates")
	}
}

// Roots returns the authorities to trust when talking to the provider; nil for
// the system's alone.
func (o OIDC) Roots() (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", o.CAFile)
	}
	return pool, nil
}

// issuerURL reports whether s may be an issuer: what comes from it must not be
// changed on the way.
func issuerURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && local
}
