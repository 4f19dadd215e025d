package oci

import (
	"regexp"
	"strings"
	"testing"

	"packhouse/internal/errs"
	"pgregory.net/rapid"
)

// The grammars as the distribution specification writes them.
const namePart = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`

var (
	nameGrammar = regexp.MustCompile(`\A` + namePart + `(/` + namePart + `)*\z`)
	tagGrammar  = regexp.MustCompile(`\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z`)
)

func TestParseName(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, owner, pkg string }{
		{"octo/app", "octo", "app"},
		{"octo/app/web/front-end", "octo", "app/web/front-end"},
		{"octo/manifests/tags/list", "octo", "manifests/tags/list"},
		{"single", "single", ""},
		{"a/b", "a", "b"},
		{"0a.b_c__d-e---f/1", "0a.b_c__d-e---f", "1"},
		{strings.Repeat("a", MaxNameLength-2) + "/b", strings.Repeat("a", MaxNameLength-2), "b"},
	}
	for _, tt := range tests {
		n, err := ParseName(tt.in)
		if err != nil || n.String() != tt.in || n.Owner() != tt.owner || n.Package() != tt.pkg || n.IsZero() {
			t.Errorf("ParseName(%q) = %q, %q, %q, %v", tt.in, n, n.Owner(), n.Package(), err)
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"": "letters and digits", "/": "letters and digits", "/a": "letters and digits",
		"a/": "letters and digits", "a//b": "letters and digits", "a/./b": "letters and digits",
		"a/../b": "letters and digits", "..": "letters and digits", "a..b": "letters and digits",
		"a___b": "letters and digits", "a._b": "letters and digits", "a-_b": "letters and digits",
		"-a": "letters and digits", "a-": "letters and digits", "a_/b": "letters and digits",
		"a b": "letters and digits", "a\x00b": "letters and digits", "a%2fb": "letters and digits",
		"a:b": "letters and digits", "a@b": "letters and digits", "é/b": "letters and digits",
		"a\\b": "letters and digits", "a\n": "letters and digits",
		"octo/App":                      "use octo/app",
		"Octo/APP/x":                    "use octo/app/x",
		"OCTO/-":                        "letters and digits",
		strings.Repeat("a/", 100) + "b": "longer than 200",
	}
	for in, want := range tests {
		_, err := ParseName(in)
		wantCode(t, err, errs.Invalid, "NAME_INVALID")
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("ParseName(%q): %v; want %q in it", in, err, want)
		}
	}
}

func TestParseTagRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", ".a", "-a", "a/b", "a:b", "a+b", "a b", "é", "a\n", "..", strings.Repeat("a", 129)} {
		_, err := ParseTag(in)
		wantCode(t, err, errs.Invalid, "MANIFEST_INVALID")
	}
}

func TestParseReference(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"latest", "v1.0.0_b1", "_", "A-b.C", strings.Repeat("9", MaxTagLength), "sha256-" + strings.Repeat("a", 64)} {
		r, err := ParseReference(in)
		if err != nil || r.Tag.String() != in || !r.Digest.IsZero() || r.String() != in {
			t.Errorf("ParseReference(%q) = %+v, %v", in, r, err)
		}
	}
	r, err := ParseReference(emptySHA512)
	if err != nil || r.Digest.String() != emptySHA512 || !r.Tag.IsZero() || r.String() != emptySHA512 {
		t.Errorf("ParseReference(%q) = %+v, %v", emptySHA512, r, err)
	}
	_, err = ParseReference("sha256:baddigeststring")
	wantCode(t, err, errs.Invalid, "DIGEST_INVALID")
	_, err = ParseReference("a/b")
	wantCode(t, err, errs.Invalid, "MANIFEST_INVALID")
}

func TestNamesAndTagsFollowTheGrammar(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		checkName(t, rapid.OneOf(
			rapid.StringMatching(`[a-cA0._\-/]{0,24}`),
			rapid.StringMatching(namePart+`(/`+namePart+`){0,2}`),
			rapid.String(),
		).Draw(t, "name"))
		checkTag(t, rapid.OneOf(
			rapid.StringMatching(`[a-zA-Z0-9._\-/:]{0,20}`),
			rapid.StringMatching(`[a-zA-Z0-9_][a-zA-Z0-9._\-]{120,130}`),
			rapid.String(),
		).Draw(t, "tag"))
	})
}

func checkName(t rapid.TB, s string) {
	n, err := ParseName(s)
	if (err == nil) != (len(s) <= MaxNameLength && nameGrammar.MatchString(s)) {
		t.Fatalf("ParseName(%q): %v", s, err)
	}
	if err != nil {
		if !errs.Is(err, errs.Invalid) {
			t.Fatalf("ParseName(%q): %v", s, err)
		}
		return
	}
	whole := n.Owner()
	if strings.Contains(s, "/") {
		whole += "/" + n.Package()
	}
	if n.String() != s || whole != s {
		t.Fatalf("%q became %q and %q", s, n, whole)
	}
}

func checkTag(t rapid.TB, s string) {
	tag, err := ParseTag(s)
	if (err == nil) != tagGrammar.MatchString(s) {
		t.Fatalf("ParseTag(%q): %v", s, err)
	}
	if err == nil && tag.String() != s {
		t.Fatalf("%q became %q", s, tag)
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"octo/app", "", "a", "a//b", "Octo/App", "a___b/c", "a--b/c..d", strings.Repeat("a/", 100) + "b", "\u212a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkName(t, s) })
}

func FuzzParseTag(f *testing.F) {
	for _, s := range []string{"latest", "", ".a", "v1.0.0_b1", strings.Repeat("a", 128), strings.Repeat("a", 129), "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkTag(t, s) })
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"latest", emptySHA256, emptySHA512, "sha256:", "a:b", ":", "", "latest@" + emptySHA256} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		if (err == nil) != (tagGrammar.MatchString(s) || digestGrammar.MatchString(s)) {
			t.Fatalf("ParseReference(%q): %v", s, err)
		}
		if err == nil && (r.String() != s || r.Tag.IsZero() == r.Digest.IsZero()) {
			t.Errorf("%q became %+v", s, r)
		}
	})
}
