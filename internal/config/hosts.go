package config

import (
	"net/url"
	"strings"
)

// ContainersURL and DockerURL are the addresses of the two registries: one each
// under SubdomainIsolation, otherwise both URL.
func (c *Config) ContainersURL() string { return c.subdomain("containers.") }

// DockerURL: see ContainersURL.
func (c *Config) DockerURL() string { return c.subdomain("docker.") }

// APIURL is the address of the REST API.
func (c *Config) APIURL() string { return c.URL + "/api/v3" }

// APIHost is the name on which the REST API is served at / too.
func (c *Config) APIHost() string { return "api." + hostOf(c.URL) }

func (c *Config) subdomain(prefix string) string {
	if !c.SubdomainIsolation {
		return c.URL
	}
	scheme, host, _ := strings.Cut(c.URL, "://")
	return scheme + "://" + prefix + host
}

// Addresses are all that the server has: URL, and those of the registries when
// they are others.
func (c *Config) Addresses() []string {
	if !c.SubdomainIsolation {
		return []string{c.URL}
	}
	return []string{c.URL, c.ContainersURL(), c.DockerURL()}
}

// Hosts are the names in Addresses, one each, in lower case and without ports.
func (c *Config) Hosts() []string {
	var names []string
	for _, a := range c.Addresses() {
		names = append(names, hostOf(a))
	}
	return names
}

// CertificateHosts are the names that ACME obtains certificates for: those that
// were set and, when that of URL is one of them, those of its registries.
func (c *Config) CertificateHosts() []string {
	names := append([]string{}, c.TLS.ACME.Hosts...)
	own := c.Hosts()
	for _, name := range c.TLS.ACME.Hosts {
		if strings.EqualFold(name, own[0]) {
			names = append(names, own[1:]...)
		}
	}
	return names
}

// hostOf returns the lower-case host of a URL, without its port.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
