package registry

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"

	"packhouse/internal/errs"
)

const (
	// sealed begins a place in the catalog that is told to nobody. No name
	// begins like that.
	sealed = "~"
	// sealedLength is what all such places are filled up to, in bytes.
	sealedLength = 320
)

// places hides where a page of the catalog ends that ends at a package which the
// caller may not know of.
type places struct{ aead cipher.AEAD }

// newPlaces makes one of a key of 32 bytes; nil makes one for this process.
func newPlaces(key []byte) (places, error) {
	if key == nil {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return places{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return places{aead}, err
}

// hide returns the page as it may be told.
func (p places) hide(page Page) Page {
	if page.Next != "" && !slices.Contains(page.Names, page.Next) {
		plain := make([]byte, max(sealedLength, len(page.Next)))
		copy(plain, page.Next)
		page.Next = sealed + base64.RawURLEncoding.EncodeToString(p.aead.Seal(nil, nil, plain, nil))
	}
	return page
}

// open returns the name that last means.
func (p places) open(last string) (string, error) {
	text, hidden := strings.CutPrefix(last, sealed)
	if !hidden {
		return last, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		raw, err = p.aead.Open(nil, nil, raw, nil)
	}
	if err != nil {
		return "", errs.New(errs.Invalid, "last must be taken from a Link header").WithCode("PAGINATION_NUMBER_INVALID")
	}
	return strings.TrimRight(string(raw), "\x00"), nil
}
