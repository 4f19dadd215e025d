package oci

import (
	"path"
	"strings"

	"packhouse/internal/errs"
)

// TagPattern chooses tags: * stands for any characters, ? for one, [a-z] for one
// of a range. The zero value matches nothing.
type TagPattern struct{ text string }

// maxPattern is the longest pattern; no tag is longer.
const maxPattern = MaxTagLength

// ParseTagPattern reads a pattern of up to 128 characters.
func ParseTagPattern(text string) (TagPattern, error) {
	if _, err := path.Match(text, ""); err != nil || text == "" || len(text) > maxPattern || strings.ContainsAny(text, "/ \t\r\n") {
		return TagPattern{}, errs.New(errs.Invalid, "%q is no pattern of tags, such as v* or 1.2.?", text)
	}
	return TagPattern{text}, nil
}

// String returns what was read.
func (p TagPattern) String() string { return p.text }

// Match reports whether the pattern chooses t.
func (p TagPattern) Match(t Tag) bool {
	ok, err := path.Match(p.text, t.text)
	return err == nil && ok
}

// Protects is Match for patterns of tags that never move. Tools move the tags of
// signatures and of lists of referrers whenever they add one, so only a pattern
// that begins as these do holds them.
func (p TagPattern) Protects(t Tag) bool {
	_, _, attached := t.Attached()
	return p.Match(t) && (!attached || strings.HasPrefix(p.text, string(SHA256)+"-"))
}
