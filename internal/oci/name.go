package oci

import (
	"strings"

	"packhouse/internal/errs"
)

// MaxNameLength bounds a name so that host, slash and name fit in 255
// characters, the length clients take.
const MaxNameLength = 200

// Name is the checked form of what the distribution specification calls a
// repository name: here OWNER/PACKAGE, where PACKAGE may hold further slashes.
// It is comparable; the zero value is no name.
type Name struct{ text string }

// ParseName accepts the grammar of distribution-spec, "Pulling manifests". The
// error is Invalid with the code NAME_INVALID. A name of one part passes: it
// can be asked for, though no package can have it.
func ParseName(s string) (Name, error) {
	if len(s) > MaxNameLength {
		return Name{}, nameError("name is longer than 200 characters")
	}
	for part := range strings.SplitSeq(s, "/") {
		if !validNamePart(part) {
			if strings.ToLower(s) != s && validName(strings.ToLower(s)) {
				return Name{}, nameError("name must be lower-case: use " + strings.ToLower(s))
			}
			return Name{}, nameError("name must be lower-case letters and digits, separated by one of . _ __ - and /")
		}
	}
	return Name{s}, nil
}

// ParseAddress is ParseName for what a client wrote: the owner, its first part,
// is taken in any case of letters, since people write logins as they like and
// those who copy one into an address mean the account. The rest is not, since
// clients refuse such names before they send them.
func ParseAddress(s string) (Name, error) {
	owner, rest, found := strings.Cut(s, "/")
	if !found {
		return ParseName(s)
	}
	return ParseName(strings.ToLower(owner) + "/" + rest)
}

func validName(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		if !validNamePart(part) {
			return false
		}
	}
	return true
}

// validNamePart matches [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*.
func validNamePart(s string) bool {
	if s == "" || !alphanumeric(s[0]) || !alphanumeric(s[len(s)-1]) {
		return false
	}
	for i := 0; i < len(s); {
		if alphanumeric(s[i]) {
			i++
			continue
		}
		start := i
		for !alphanumeric(s[i]) { // ends: the last character is alphanumeric
			i++
		}
		switch sep := s[start:i]; {
		case sep == ".", sep == "_", sep == "__":
		case strings.Trim(sep, "-") == "":
		default:
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func alphanumericAnyCase(c byte) bool { return alphanumeric(c) || 'A' <= c && c <= 'Z' }

func nameError(text string) *errs.Error {
	return errs.New(errs.Invalid, "%s", text).WithCode("NAME_INVALID")
}

// String returns the whole name.
func (n Name) String() string { return n.text }

// IsZero reports whether n is the zero value.
func (n Name) IsZero() bool { return n.text == "" }

// Owner returns the first part, the login of an account.
func (n Name) Owner() string {
	owner, _, _ := strings.Cut(n.text, "/")
	return owner
}

// Package returns what follows the first slash; "" when there is none.
func (n Name) Package() string {
	_, rest, _ := strings.Cut(n.text, "/")
	return rest
}

// MaxTagLength is the longest tag the specification allows.
const MaxTagLength = 128

// Tag is the checked form of a tag. It is comparable; the zero value is no tag.
type Tag struct{ text string }

// ParseTag accepts [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}. The error is Invalid with
// the code MANIFEST_INVALID: the specification's table has no code for a tag,
// and Docker's TAG_INVALID says something else, that the tag inside a schema 1
// manifest differs from the one in its address.
func ParseTag(s string) (Tag, error) {
	ok := s != "" && len(s) <= MaxTagLength && s[0] != '.' && s[0] != '-'
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = alphanumericAnyCase(c) || c == '_' || c == '.' || c == '-'
	}
	if !ok {
		return Tag{}, errs.New(errs.Invalid,
			"tag must be 1 to 128 letters, digits, underscores, periods and hyphens, and must not start with a period or a hyphen").
			WithCode("MANIFEST_INVALID")
	}
	return Tag{s}, nil
}

// String returns the tag.
func (t Tag) String() string { return t.text }

// IsZero reports whether t is the zero value.
func (t Tag) IsZero() bool { return t.text == "" }

// Reference names a manifest: by tag or by digest, one of them set.
type Reference struct {
	Tag    Tag
	Digest Digest
}

// ParseReference takes what stands behind /manifests/: with a colon it must be
// a digest, else a tag. The error is ParseDigest's or ParseTag's.
func ParseReference(s string) (Reference, error) {
	if strings.Contains(s, ":") {
		d, err := ParseDigest(s)
		return Reference{Digest: d}, err
	}
	t, err := ParseTag(s)
	return Reference{Tag: t}, err
}

// String returns the tag or the digest as it stands in an address.
func (r Reference) String() string {
	if r.Digest.IsZero() {
		return r.Tag.String()
	}
	return r.Digest.String()
}
