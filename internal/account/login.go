package account

import (
	"slices"
	"strings"

	"packhouse/internal/errs"
)

// MaxLoginLength is the longest login, as on GitHub.
const MaxLoginLength = 39

// reserved returns the first path parts that pages, APIs and endpoints use or
// may come to use; an account of that name could not be reached.
func reserved() []string {
	return []string{
		"api", "assets", "explore", "healthz", "help", "join", "login", "logout", "metrics", "new",
		"notifications", "operator", "organizations", "orgs", "packages", "readyz", "robots", "search",
		"server", "sessions", "settings", "signup", "site", "static", "teams", "token", "tokens",
		"users", "v1", "v2",
	}
}

// ParseLogin returns the login as it is stored, in lower case: 1 to 39 letters,
// digits and single hyphens, none of them first or last. Every login is a valid
// first part of a package's name. The error is Invalid.
func ParseLogin(s string) (string, error) {
	if s == "" || len(s) > MaxLoginLength {
		return "", errs.New(errs.Invalid, "a login has 1 to %d characters", MaxLoginLength)
	}
	for i := range len(s) {
		c := s[i]
		alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		hyphen := c == '-' && i > 0 && i < len(s)-1 && s[i-1] != '-'
		if !alphanumeric && !hyphen {
			return "", errs.New(errs.Invalid, "a login has letters, digits and single hyphens, none of them first or last")
		}
	}
	return strings.ToLower(s), nil
}

// newLogin also refuses logins that pages need.
func newLogin(s string) (string, error) {
	login, err := ParseLogin(s)
	if err == nil && slices.Contains(reserved(), login) {
		return "", errs.New(errs.Invalid, "the login %q is reserved", login)
	}
	return login, err
}
