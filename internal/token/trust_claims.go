package token

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// mismatch returns what of the rule the identity does not meet, for the log, and
// "" when it meets all of it.
func (r TrustRule) mismatch(id Identity) string {
	if r.Issuer != id.Issuer {
		return "iss"
	}
	if !slices.Contains(id.Audience, r.Audience) {
		return fmt.Sprintf("aud is not %q", r.Audience)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Claims)) {
		if !claimMatches(r.Claims[name], claimAt(id.claims, name)) {
			return fmt.Sprintf("%s is not %q", name, r.Claims[name])
		}
	}
	if len(r.Claims) == 0 {
		return "the rule has no claims" // none is made; never take it for all
	}
	return ""
}

// validPath reports whether name is a claim's: its name as it is, or a JSON
// pointer (RFC 6901) when it begins with a slash.
func validPath(name string) bool {
	rest := strings.NewReplacer("~0", "", "~1", "").Replace(name)
	return name != "" && name != "/" && (name[0] != '/' || !strings.Contains(rest, "~"))
}

// claimAt returns the claim of that name, nil when there is none.
func claimAt(claims map[string]any, name string) any {
	if !strings.HasPrefix(name, "/") {
		return claims[name]
	}
	var value any = claims
	for part := range strings.SplitSeq(name[1:], "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) || strconv.Itoa(i) != part {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// claimMatches reports whether a value matches the pattern. Of a list one
// element has to; an object and null never do.
func claimMatches(pattern string, value any) bool {
	switch v := value.(type) {
	case string:
		return globMatches(pattern, v)
	case json.Number:
		return globMatches(pattern, v.String())
	case bool:
		return globMatches(pattern, strconv.FormatBool(v))
	case []any:
		return slices.ContainsFunc(v, func(one any) bool {
			_, list := one.([]any)
			return !list && claimMatches(pattern, one)
		})
	}
	return false
}

// globMatches reports whether text is pattern, in which each * stands for any
// characters, also none. It takes time in proportion to their product at most.
func globMatches(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	for _, part := range parts[:len(parts)-1] {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
