package oci

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"packhouse/internal/errs"
)

// Algorithm names a hash that digests may be made with.
type Algorithm string

// The supported algorithms (image-spec, descriptor.md, "Registered algorithms").
const (
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
)

// ParseAlgorithm accepts the name of a supported algorithm. The error is Invalid
// with the code DIGEST_INVALID.
func ParseAlgorithm(s string) (Algorithm, error) {
	switch a := Algorithm(s); a {
	case SHA256, SHA512:
		return a, nil
	}
	return "", digestError(unsupportedAlgorithm)
}

const unsupportedAlgorithm = "digest algorithm is not supported; use sha256 or sha512"

// New returns a hash in its initial state. Its state can be saved and restored
// through encoding.BinaryMarshaler.
func (a Algorithm) New() hash.Hash {
	if a == SHA512 {
		return sha512.New()
	}
	return sha256.New()
}

// FromBytes returns the digest of b.
func (a Algorithm) FromBytes(b []byte) Digest {
	h := a.New()
	_, _ = h.Write(b) // a hash.Hash never returns an error
	return a.Sum(h)
}

// Sum returns the digest of what was written to h, which a.New returned.
func (a Algorithm) Sum(h hash.Hash) Digest {
	return Digest{string(a) + ":" + hex.EncodeToString(h.Sum(nil))}
}

// Digest is the checked form of algorithm:hex. It is comparable; the zero value
// is no digest.
type Digest struct{ text string }

// ParseDigest accepts sha256 and sha512 digests in lower-case hexadecimal of
// exact length. The error is Invalid with the code DIGEST_INVALID.
func ParseDigest(s string) (Digest, error) {
	if problem := digestProblem(s); problem != "" {
		return Digest{}, digestError(problem)
	}
	return Digest{s}, nil
}

// digestProblem says what keeps s from being a digest; "" when nothing does.
func digestProblem(s string) string {
	alg, sum, found := strings.Cut(s, ":")
	if !found {
		return "digest has no algorithm; expected sha256:<64 hex digits>"
	}
	want := 0
	switch Algorithm(alg) {
	case SHA256:
		want = sha256.Size * 2
	case SHA512:
		want = sha512.Size * 2
	default:
		return unsupportedAlgorithm
	}
	if len(sum) != want {
		return fmt.Sprintf("digest has the wrong length; %s takes %d hex digits", alg, want)
	}
	for i := range len(sum) {
		if c := sum[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "digest must be lower-case hexadecimal"
		}
	}
	return ""
}

func digestError(text string) *errs.Error {
	return errs.New(errs.Invalid, "%s", text).WithCode("DIGEST_INVALID")
}

// String returns algorithm:hex, and "" for the zero value.
func (d Digest) String() string { return d.text }

// IsZero reports whether d is the zero value.
func (d Digest) IsZero() bool { return d.text == "" }

// Algorithm returns the part before the colon.
func (d Digest) Algorithm() Algorithm {
	alg, _, _ := strings.Cut(d.text, ":")
	return Algorithm(alg)
}

// Hex returns the part after the colon.
func (d Digest) Hex() string {
	_, sum, _ := strings.Cut(d.text, ":")
	return sum
}

// MarshalText returns String, so that a Digest can stand in JSON.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.text), nil }

// UnmarshalText is ParseDigest.
func (d *Digest) UnmarshalText(b []byte) error {
	parsed, err := ParseDigest(string(b))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
