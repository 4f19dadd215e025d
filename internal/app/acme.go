package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// CertStore keeps what ACME obtains, keys among it, under short names. Several
// nodes may share one. A name that is not there is NotFound.
type CertStore interface {
	Get(ctx context.Context, name string) ([]byte, error)
	Put(ctx context.Context, name string, data []byte) error
	Delete(ctx context.Context, name string) error
}

// acmeTimeout bounds one exchange with the authority.
const acmeTimeout = 30 * time.Second

func newACME(cfg *config.Config, store CertStore) (certificates, error) {
	a := cfg.TLS.ACME
	client, err := acmeHTTP(a.CAFile)
	if err != nil {
		return certificates{}, err
	}
	var cache autocert.Cache = autocert.DirCache(filepath.Join(cfg.Data, "acme"))
	if store != nil {
		cache = certCache{store}
	}
	m := &autocert.Manager{
		Prompt:     autocert.AcceptTOS, // naming hosts accepts them, see docs/configuration.md
		Cache:      cache,
		HostPolicy: autocert.HostWhitelist(cfg.CertificateHosts()...),
		Email:      a.Email,
		Client:     &acme.Client{DirectoryURL: a.DirectoryURL, HTTPClient: client, UserAgent: "packhouse"},
	}
	if a.DirectoryURL == "" {
		m.Client.DirectoryURL = autocert.DefaultACMEDirectory
	}
	t := m.TLSConfig()
	t.MinVersion = tls.VersionTLS12
	c := certificates{config: t}
	if a.HTTPListen != "" {
		c.challenges = withoutPort(m.HTTPHandler(toPublicURL(cfg)))
	}
	return c, nil
}

// acmeHTTP returns a client that also trusts the roots in file.
func acmeHTTP(file string) (*http.Client, error) {
	client := &http.Client{Timeout: acmeTimeout}
	if file == "" {
		return client, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "tls.acme.ca_file: cannot be read: %v", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errs.New(errs.Invalid, "tls.acme.ca_file: holds no certificate")
	}
	client.Transport = &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}
	return client, nil
}

// withoutPort takes the port off the host that was asked for: the names that
// challenges are answered for have none.
func withoutPort(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			named := *r
			named.Host = host
			r = &named
		}
		next.ServeHTTP(w, r)
	})
}

// toPublicURL sends a plain request to the configured address of the host that
// it names, and to the main one when that is none of ours.
func toPublicURL(cfg *config.Config) http.Handler {
	addresses := map[string]string{}
	for i, name := range cfg.Hosts() {
		addresses[name] = cfg.Addresses()[i]
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		public, ours := addresses[hostName(r.Host)]
		if !ours {
			public = cfg.URL
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			plainAnswer(w, r, http.StatusForbidden, "Use "+public+"\n")
			return
		}
		path := r.URL.EscapedPath()
		if path == "" || path[0] != '/' {
			path = "/"
		}
		w.Header().Set("Location", public+path)
		plainAnswer(w, r, http.StatusPermanentRedirect, "Use "+public+"\n")
	})
}

// certCache speaks a CertStore's words to autocert.
type certCache struct{ store CertStore }

func (c certCache) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := c.store.Get(ctx, name)
	if errs.Is(err, errs.NotFound) {
		return nil, autocert.ErrCacheMiss // this very value: autocert compares
	}
	return data, err
}

func (c certCache) Put(ctx context.Context, name string, data []byte) error {
	return c.store.Put(ctx, name, data)
}

func (c certCache) Delete(ctx context.Context, name string) error {
	return c.store.Delete(ctx, name)
}
