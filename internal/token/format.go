package token

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"io"
	"strings"

	"packhouse/internal/errs"
)

// Kind is the sort of a token, and the prefix it begins with.
type Kind string

// The kinds. All have one format: the kind, an underscore, 30 random base62
// characters (178 bits), and 6 of the CRC-32 of all that precedes them, so that
// scanners can tell a token from a text like it, and so can we without asking
// the database.
const (
	Personal    Kind = "php" // acts for a user
	FineGrained Kind = "phf" // likewise, on what it names alone
	Workflow    Kind = "phw" // acts for the jobs of a repository
)

const (
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	randomLength   = 30
	checksumLength = 6
)

// generate returns a new token of kind k.
func generate(k Kind, random io.Reader) (Secret, error) {
	b := []byte(k + "_")
	var one [1]byte
	for n := 0; n < randomLength; {
		if _, err := io.ReadFull(random, one[:]); err != nil {
			return Secret{}, errs.Wrap(errs.Internal, err, "no randomness for a token")
		}
		if int(one[0]) >= 4*len(base62) {
			continue // would make some characters likelier than others
		}
		b = append(b, base62[int(one[0])%len(base62)])
		n++
	}
	return newSecret(string(b) + checksum(string(b))), nil
}

// checksum returns the CRC-32 of s in base62, padded on the left.
func checksum(s string) string {
	sum := crc32.ChecksumIEEE([]byte(s))
	var out [checksumLength]byte
	for i := range out {
		out[len(out)-1-i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(out[:])
}

// looksLike reports whether s begins like a token of kind k.
func (k Kind) looksLike(s string) bool {
	return strings.HasPrefix(s, string(k)) && strings.HasPrefix(s[len(k):], "_")
}

// kindOf returns the kind that s begins like; "" for none.
func kindOf(s string) Kind {
	for _, k := range []Kind{Personal, FineGrained, Workflow} {
		if k.looksLike(s) {
			return k
		}
	}
	return ""
}

// wellFormed reports whether s is a token of kind k as generate makes them.
func (k Kind) wellFormed(s string) bool {
	if k == "" || !k.looksLike(s) || len(s) != len(k)+1+randomLength+checksumLength {
		return false
	}
	body := s[:len(s)-checksumLength]
	if strings.Trim(body[len(k)+1:], base62) != "" {
		return false
	}
	return checksum(body) == s[len(body):]
}

// hashOf returns what is stored of a token's secret. The secret has too many
// bits to be guessed, so a plain hash holds.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
