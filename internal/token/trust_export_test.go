package token

// GlobMatches, CheckPins and ClaimMatches let tests look at the parts of a rule.
func GlobMatches(pattern, text string) bool { return globMatches(pattern, text) }

func CheckPins(issuer string, claims map[string]string) error { return checkPins(issuer, claims) }

func ClaimMatches(raw, name, pattern string) (bool, error) {
	claims, err := decodeIdentity([]byte(raw))
	return claimMatches(pattern, claimAt(claims, name)), err
}

// SetPage makes pages of rules small.
func (t *Trust) SetPage(n int) { t.page = n }
