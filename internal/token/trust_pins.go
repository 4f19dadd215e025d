package token

import (
	"maps"
	"slices"
	"strings"

	"packhouse/internal/errs"
)

// sharedIssuer is one whose tokens anybody can have: a claim must say whose job
// it is.
type sharedIssuer struct {
	name string
	// exact are claims of which one value is one owner or one project.
	exact []string
	// within are claims that begin with an owner, after the text that is given.
	within map[string]string
	hint   string
}

// shared returns what is known of an issuer that many share.
func shared(issuer string) (sharedIssuer, bool) {
	switch {
	case strings.HasPrefix(issuer, GitHubIssuer), strings.HasSuffix(issuer, "/_services/token"), strings.HasSuffix(issuer, "/api/actions"):
		return sharedIssuer{
			name:   "a server with Actions",
			exact:  []string{"repository_id", "repository_owner", "repository_owner_id"},
			within: map[string]string{"repository": "", "sub": "repo:"},
			hint:   "repository=OWNER/REPO",
		}, true
	case issuer == GitLabIssuer:
		return sharedIssuer{
			name:   "GitLab.com",
			exact:  []string{"project_id", "namespace_id", "namespace_path"},
			within: map[string]string{"project_path": "", "namespace_path": "", "sub": "project_path:"},
			hint:   "project_path=GROUP/PROJECT",
		}, true
	}
	return sharedIssuer{}, false
}

// checkPins returns why the claims would let in whom nobody meant, or nil.
func checkPins(issuer string, claims map[string]string) error {
	pinned := false
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		pattern := claims[name]
		switch {
		case name == "iss" || name == "aud":
			return errs.New(errs.Invalid, "the issuer and the audience of a rule are no claims of it")
		case len(name)+len(pattern) > maxTrustPattern || !validPath(name):
			return errs.New(errs.Invalid, "%q is no name of a claim: it is a member of the token, or a JSON pointer that begins with a slash", name)
		case pattern == "":
			return errs.New(errs.Invalid, "the claim %q must not be empty; leave it out, or write a value or a pattern with *", name)
		}
		pinned = pinned || strings.Trim(pattern, "*") != ""
	}
	if !pinned {
		return errs.New(errs.Invalid, "the rule would let in every job that %s vouches for: pin at least one claim, such as sub=VALUE", issuer)
	}
	s, ok := shared(issuer)
	if !ok || s.pinned(claims) {
		return nil
	}
	return errs.New(errs.Invalid, "the rule would let in other people's jobs: everybody who has a repository there can get tokens of %s, so one claim "+
		"must say whose job it is, such as %s", s.name, s.hint)
}

func (s sharedIssuer) pinned(claims map[string]string) bool {
	for _, name := range s.exact {
		if p := claims[name]; p != "" && !strings.Contains(p, "*") {
			return true
		}
	}
	for name, prefix := range s.within {
		fixed, _, _ := strings.Cut(claims[name], "*")
		owner, found := strings.CutPrefix(fixed, prefix)
		if at := strings.IndexByte(owner, '/'); found && at > 0 {
			return true
		}
	}
	return false
}
