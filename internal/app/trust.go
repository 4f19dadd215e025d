package app

import (
	"crypto/rand"
	"net/url"
	"strings"
	"time"

	"packhouse/internal/config"
	"packhouse/internal/httpx"
	"packhouse/internal/store"
	"packhouse/internal/token"
)

const (
	// maxIssuerAnswer is how much is read of what an issuer publishes.
	maxIssuerAnswer = 1 << 20
	issuerTimeout   = 10 * time.Second
)

// newTrust lets the jobs of outside issuers in.
func newTrust(cfg *config.Config, s *store.Store) *token.Trust {
	return token.NewTrust(token.TrustOptions{
		Store: s, Rules: s, Client: httpx.Outbound(cfg.Identity.AllowPrivateIssuers, maxIssuerAnswer, issuerTimeout),
		AllowPrivate: cfg.Identity.AllowPrivateIssuers, URL: cfg.URL, Names: ownNames(cfg),
		Tokens: &token.WorkflowTokens{Store: s, Now: time.Now, Random: rand.Reader}, Life: cfg.Identity.TokenLife, Now: time.Now,
	})
}

// ownNames are the addresses of this server, with their scheme and without.
func ownNames(cfg *config.Config) []string {
	var names []string
	for _, address := range cfg.Addresses() {
		names = append(names, strings.ToLower(address))
		if u, err := url.Parse(address); err == nil {
			names = append(names, strings.ToLower(u.Host))
		}
	}
	return names
}
