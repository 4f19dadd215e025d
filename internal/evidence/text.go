package evidence

import (
	"strings"
	"unicode"
)

// maxText is how many characters of a text come out.
const maxText = 300

// text is what of s can be shown: no control characters, nothing that turns the
// direction of what stands beside it, and not more than maxText.
func text(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimSpace(s) {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			continue
		}
		if n == maxText {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// first returns the first of the texts that says anything.
func first(texts ...string) string {
	for _, s := range texts {
		if s = text(s); s != "" {
			return s
		}
	}
	return ""
}
