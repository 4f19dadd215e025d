package oci

import (
	"net/url"
	"slices"
	"strings"
)

// maxSource is the longest address that is looked at.
const maxSource = 2048

// ParseSource returns the repository, OWNER/NAME in lower case, that source
// leads to: the address of a repository, or of something in it, as people and
// tools write it in org.opencontainers.image.source.
//
//	https://HOST/OWNER/NAME[.git][/tree/main/…]
//	ssh://git@HOST[:PORT]/OWNER/NAME.git
//	git@HOST:OWNER/NAME.git
//
// ok is false for every other text and for hosts that are not among hosts, which
// are names in lower case. Ports do not count: the same repositories are reached
// by several.
func ParseSource(source string, hosts []string) (name Name, ok bool) {
	if len(source) > maxSource {
		return Name{}, false
	}
	host, path := splitSource(strings.TrimSpace(source))
	if !slices.Contains(hosts, strings.TrimSuffix(strings.ToLower(host), ".")) {
		return Name{}, false
	}
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 3)
	if len(parts) < 2 {
		return Name{}, false
	}
	repository := strings.TrimSuffix(strings.ToLower(parts[1]), ".git")
	name, err := ParseName(strings.ToLower(parts[0]) + "/" + repository)
	return name, err == nil
}

// splitSource returns the host and the path of an address; "" when it is none.
func splitSource(source string) (host, path string) {
	scheme, rest, isURL := strings.Cut(source, "://")
	if !isURL { // as ssh takes it
		host, path, found := strings.Cut(source, ":")
		if !found {
			return "", ""
		}
		return host[strings.LastIndexByte(host, '@')+1:], path
	}
	switch strings.TrimPrefix(strings.ToLower(scheme), "git+") {
	case "https", "http", "ssh", "git":
	default:
		return "", ""
	}
	u, err := url.Parse("https://" + rest)
	if err != nil {
		return "", ""
	}
	return u.Hostname(), u.Path
}
