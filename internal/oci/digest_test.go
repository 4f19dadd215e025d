package oci

import (
	"encoding"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"packhouse/internal/errs"
)

// The digests of no bytes at all.
const (
	emptySHA256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	emptySHA512 = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" +
		"47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
)

// digestGrammar is the specification's, for the algorithms we take.
var digestGrammar = regexp.MustCompile(`\A(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})\z`)

// wantCode checks the kind and the protocol code of an error.
func wantCode(t testing.TB, err error, kind errs.Kind, code string) {
	t.Helper()
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Code != code || e.Public == "" {
		t.Errorf("error %#v; want kind %q, code %s and a public text", err, kind, code)
	}
}

func mustDigest(t testing.TB, s string) Digest {
	t.Helper()
	d, err := ParseDigest(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseDigestRefuses(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 64)
	tests := map[string]string{
		"":                                   "no algorithm",
		zeros:                                "no algorithm",
		":" + zeros:                          "not supported",
		"md5:" + zeros[:32]:                  "not supported",
		"sha1:" + zeros[:40]:                 "not supported",
		"SHA256:" + zeros:                    "not supported",
		"sha256+b64:" + zeros:                "not supported",
		"blake3:" + zeros:                    "not supported",
		"sha256:":                            "sha256 takes 64",
		"sha256:" + zeros[1:]:                "sha256 takes 64",
		"sha256:" + zeros + "0":              "sha256 takes 64",
		"sha512:" + zeros:                    "sha512 takes 128",
		"sha256:" + zeros + zeros:            "sha256 takes 64",
		"sha256:" + zeros[1:] + "A":          "lower-case hexadecimal",
		"sha256:" + zeros[1:] + "g":          "lower-case hexadecimal",
		"sha256:" + zeros[1:] + "\n":         "lower-case hexadecimal",
		"sha256:" + zeros[3:] + "\uff10":     "lower-case hexadecimal",
		"sha256:../../" + zeros[6:]:          "lower-case hexadecimal",
		"sha256:" + zeros[1:] + "\x00":       "lower-case hexadecimal",
		"sha256::" + zeros[1:]:               "lower-case hexadecimal",
		"sha256:baddigeststring":             "wrong length",
		" sha256:" + zeros:                   "not supported",
		"sha256:" + zeros + " ":              "wrong length",
		"sha256:" + zeros[:60] + "%2F" + "0": "lower-case hexadecimal",
	}
	for in, want := range tests {
		_, err := ParseDigest(in)
		wantCode(t, err, errs.Invalid, "DIGEST_INVALID")
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("ParseDigest(%q): %v; want %q in it", in, err, want)
		}
	}
}

func TestDigestOfNothing(t *testing.T) {
	t.Parallel()
	for alg, want := range map[Algorithm]string{SHA256: emptySHA256, SHA512: emptySHA512} {
		d := mustDigest(t, want)
		if got := alg.FromBytes(nil); got != d {
			t.Errorf("%s of nothing is %s, want %s", alg, got, want)
		}
		if d.Algorithm() != alg || string(alg)+":"+d.Hex() != want || d.String() != want || d.IsZero() {
			t.Errorf("parts of %s: %s, %s", want, d.Algorithm(), d.Hex())
		}
		if got, err := ParseAlgorithm(string(alg)); got != alg || err != nil {
			t.Errorf("ParseAlgorithm(%s) = %s, %v", alg, got, err)
		}
	}
	_, err := ParseAlgorithm("md5")
	wantCode(t, err, errs.Invalid, "DIGEST_INVALID")
}

func TestHashGoesOnFromSavedState(t *testing.T) {
	t.Parallel()
	for _, alg := range []Algorithm{SHA256, SHA512} {
		first := alg.New()
		_, _ = first.Write([]byte("pack"))
		state, err := first.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		second := alg.New()
		if err := second.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
		_, _ = second.Write([]byte("house"))
		if got, want := alg.Sum(second), alg.FromBytes([]byte("packhouse")); got != want {
			t.Errorf("%s after a pause: %s, want %s", alg, got, want)
		}
	}
}

func TestDigestInJSON(t *testing.T) {
	t.Parallel()
	type document struct{ D Digest }
	in := document{mustDigest(t, emptySHA256)}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"D":"`+emptySHA256+`"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var out document
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("%v, %v", out, err)
	}
	wantCode(t, json.Unmarshal([]byte(`{"D":"sha256:00"}`), &out), errs.Invalid, "DIGEST_INVALID")
	if zero := (Digest{}); !zero.IsZero() || zero.String() != "" || zero.Hex() != "" || zero.Algorithm() != "" {
		t.Errorf("the zero digest is %q", zero)
	}
}

func FuzzParseDigest(f *testing.F) {
	for _, s := range []string{emptySHA256, emptySHA512, "", "sha256:", "md5:00", "sha256:" + strings.Repeat("A", 64),
		"sha512:" + strings.Repeat("0", 64), "sha256:" + strings.Repeat("\u0660", 32)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDigest(s)
		if (err == nil) != digestGrammar.MatchString(s) {
			t.Fatalf("ParseDigest(%q): %v", s, err)
		}
		if err != nil {
			wantCode(t, err, errs.Invalid, "DIGEST_INVALID")
			return
		}
		if d.String() != s || string(d.Algorithm())+":"+d.Hex() != s {
			t.Errorf("%q became %q", s, d)
		}
		if tag, err := ParseTag(FallbackTag(d).String()); err != nil || !IsFallbackTag(tag) {
			t.Errorf("fallback tag of %q: %v", s, err)
		}
	})
}
