package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Validate checks the rules that hold between settings. Its error has one line
// for each broken rule, beginning with the key.
func (c *Config) Validate() error {
	var p problems
	c.checkAddresses(&p)
	c.checkTLS(&p)
	c.checkStorage(&p)
	c.checkObservation(&p)
	c.checkLimits(&p)
	c.checkLifecycle(&p)
	c.checkOIDC(&p)
	c.checkIdentity(&p)
	return errors.Join(p...)
}

type problems []error

// need records a problem with key unless ok.
func (p *problems) need(ok bool, key, rule string) {
	if !ok {
		*p = append(*p, fmt.Errorf("%s: %s", key, rule))
	}
}

func (c *Config) checkAddresses(p *problems) {
	p.need(c.Data != "", "data", "must name a directory")
	p.need(hostPort(c.Listen), "listen", "must be HOST:PORT, such as localhost:8080 or :443")
	p.need(c.MetricsListen == "" || hostPort(c.MetricsListen), "metrics_listen", "must be HOST:PORT")
	p.need(c.URL == "" || publicURL(c.URL), "url", "must be http:// or https:// and a host, without path, query or user")
	p.need(c.BareHost == BareContainer || c.BareHost == BareDocker, "bare_host", "must be container or docker")
	p.need(!c.SubdomainIsolation || c.hasHostName(), "subdomain_isolation", "needs a url with a host name: a number has no subdomains")
	p.need(c.UsesTLS() || c.PlainHTTP || len(c.TrustedProxies) > 0 || loopback(c.Listen), "listen",
		"is reachable from other machines without TLS: set tls.cert_file or tls.acme.hosts, or trusted_proxies, or plain_http")
}

func (c *Config) checkTLS(p *problems) {
	p.need((c.TLS.CertFile == "") == (c.TLS.KeyFile == ""), "tls.key_file", "tls.cert_file and tls.key_file belong together")
	p.need(c.TLS.CertFile == "" || !c.UsesACME(), "tls.acme.hosts", "tls.cert_file is set too: choose one")
	for _, h := range c.TLS.ACME.Hosts {
		p.need(hostName(h), "tls.acme.hosts", "must be full host names")
	}
	a := c.TLS.ACME
	p.need(a.HTTPListen == "" || hostPort(a.HTTPListen), "tls.acme.http_listen", "must be HOST:PORT")
	p.need(a.DirectoryURL == "" || webURL(a.DirectoryURL), "tls.acme.directory_url", "must be a URL")
	if info, err := os.Stat(c.TLS.KeyFile); err == nil {
		p.need(info.Mode().Perm()&0o007 == 0, "tls.key_file", "is readable by everyone: chmod o= it")
	}
}

func (c *Config) checkStorage(p *problems) {
	if !c.Database.URL.IsZero() {
		u, err := url.Parse(c.Database.URL.Reveal())
		p.need(err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql"), "database.url", "must be a postgres:// address, or empty for SQLite")
	}
	s := c.S3
	p.need(s.Bucket == "" || s.Endpoint != "", "s3.endpoint", "is needed with s3.bucket")
	p.need(s.Endpoint == "" || s.Bucket != "", "s3.bucket", "is needed with s3.endpoint")
	p.need(!strings.Contains(s.Endpoint, "/"), "s3.endpoint", "must be HOST:PORT without a scheme; s3.tls chooses it")
	p.need((s.AccessKey == "") == s.SecretKey.IsZero(), "s3.secret_key", "s3.access_key and s3.secret_key belong together")
	p.need(s.Prefix == "" || strings.HasSuffix(s.Prefix, "/") && !strings.HasPrefix(s.Prefix, "/"), "s3.prefix", "must end in a slash and not begin with one")
	p.need(s.PublicEndpoint == "" || webURL(s.PublicEndpoint), "s3.public_endpoint", "must be a URL")
}

func (c *Config) checkObservation(p *problems) {
	p.need(slices.Contains([]string{"json", "text"}, c.Log.Format), "log.format", "must be json or text")
	p.need(slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level", "must be debug, info, warn or error")
	p.need(c.OTLP.Endpoint == "" || webURL(c.OTLP.Endpoint), "otlp.endpoint", "must be a URL")
	p.need(c.OTLP.Sample >= 0 && c.OTLP.Sample <= 1, "otlp.sample", "must be between 0 and 1")
}

func (c *Config) checkLimits(p *problems) {
	h, r := c.HTTP, c.Registry
	p.need(h.ReadHeaderTimeout > 0, "http.read_header_timeout", "must be more than 0")
	p.need(h.IdleTimeout > 0, "http.idle_timeout", "must be more than 0")
	p.need(h.MaxHeaderSize >= 4*KiB && h.MaxHeaderSize <= MiB, "http.max_header_size", "must be between 4KiB and 1MiB")
	p.need(h.MaxConnections >= 0, "http.max_connections", "must not be negative")
	p.need(h.UploadIdle > 0, "http.upload_idle", "must be more than 0")
	p.need(h.UploadGrace > 0, "http.upload_grace", "must be more than 0")
	p.need(h.UploadMaxTime >= 0, "http.upload_max_time", "must not be negative")
	p.need(h.DownloadIdle > 0, "http.download_idle", "must be more than 0")
	p.need(c.Drain.Delay >= 0, "drain.delay", "must not be negative")
	p.need(c.Drain.Requests >= 0, "drain.requests", "must not be negative")
	p.need(c.Drain.Uploads >= c.Drain.Requests, "drain.uploads", "must not be less than drain.requests")
	p.need(r.MaxBlobSize > 0, "registry.max_blob_size", "must be more than 0")
	p.need(r.UploadInactivity > 0, "registry.upload_inactivity", "must be more than 0")
	p.need(r.UploadLife >= r.UploadInactivity, "registry.upload_life", "must not be less than registry.upload_inactivity")
	p.need(r.MaxUploads > 0, "registry.max_uploads", "must be more than 0")
	for _, h := range r.SourceHosts {
		p.need(h != "" && !strings.ContainsAny(h, "/:@*? "), "registry.source_hosts", "must be host names, without a scheme, port or path")
	}
	p.need(c.API.RateLimit >= 0 && c.API.AnonymousRateLimit >= 0, "api.rate_limit", "must be 0 or more")
	p.need(c.Docker.MaxBlobSize > 0, "docker.max_blob_size", "must be more than 0")
}

func (c *Config) checkLifecycle(p *problems) {
	g := c.GC
	p.need(g.Interval >= time.Second, "gc.interval", "must be 1s or more")
	p.need(2*g.Interval <= max(g.Grace/2, time.Hour), "gc.interval", "must be 30m, or a quarter of gc.grace, at most: rounds further apart look like a jump of the clock")
	p.need(g.Grace > c.Registry.UploadLife, "gc.grace", "must be more than registry.upload_life: a push that goes on must find what it sent first")
	p.need(g.Grace/2+g.CondemnFor > c.Registry.UploadLife, "gc.condemn_for", "with half of gc.grace, must be more than registry.upload_life: promises are renewed when half is over")
	p.need(g.CondemnFor > 0, "gc.condemn_for", "must be more than 0")
	p.need(g.TrashFor >= 0, "gc.trash_for", "must not be negative")
	p.need(g.MaxShare > 0 && g.MaxShare <= 1, "gc.max_share", "must be more than 0, and 1 at most")
	p.need(c.Scrub.Period >= 0, "scrub.period", "must not be negative")
	p.need(c.Retention.RestoreWindow >= 0, "retention.restore_window", "must not be negative")
}

// derivedURL is the public address of a server that nobody named.
func (c *Config) derivedURL() string {
	host, port, _ := net.SplitHostPort(c.Listen)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	scheme, usual := "http", "80"
	if c.UsesTLS() {
		scheme, usual = "https", "443"
	}
	if c.UsesACME() {
		host = c.TLS.ACME.Hosts[0]
	}
	if port == usual {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// DatabaseFile returns the path of the SQLite database; it has a meaning only
// while Database.URL is empty.
func (c *Config) DatabaseFile() string { return filepath.Join(c.Data, "packhouse.db") }

// BlobDir returns the directory of blobs; it has a meaning only without S3.
func (c *Config) BlobDir() string { return filepath.Join(c.Data, "blobs") }

func hostPort(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil && port != ""
}

func loopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func hostName(h string) bool {
	return strings.Contains(strings.Trim(h, "."), ".") && !strings.ContainsAny(h, "/:@*? ") && net.ParseIP(h) == nil
}

func webURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func publicURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && webURL(s) && (u.Path == "" || u.Path == "/") &&
		u.RawQuery == "" && u.Fragment == "" && u.User == nil && !u.ForceQuery
}

// hasHostName reports whether the public address, as it will be, has a name and
// not a number. One that is no address at all is another rule's to refuse.
func (c *Config) hasHostName() bool {
	address := c.URL
	if address == "" {
		address = c.derivedURL()
	}
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err != nil
}
