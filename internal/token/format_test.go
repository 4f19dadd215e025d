package token_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"packhouse/internal/token"
)

func TestATokenHasTheFormThatScannersLookFor(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^php_[0-9A-Za-z]{36}$`)
	seen := map[string]bool{}
	for range 200 {
		secret, err := token.Generate(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		text := secret.Reveal()
		if !form.MatchString(text) || !token.WellFormed(text) || seen[text] {
			t.Errorf("generated %s", text)
		}
		seen[text] = true
	}
}

// 248 and more would make the first eight characters likelier than the others.
func TestGenerateUsesRandomBytesEvenly(t *testing.T) {
	t.Parallel()
	random := append([]byte{248, 255, 0, 61, 62, 247}, bytes.Repeat([]byte{10}, 40)...)
	secret, err := token.Generate(bytes.NewReader(random))
	if err != nil || !strings.HasPrefix(secret.Reveal(), "php_0z0zAAAA") {
		t.Errorf("%s, %v", secret.Reveal(), err)
	}
	if _, err := token.Generate(bytes.NewReader(random[:10])); err == nil {
		t.Error("a token was made without enough randomness")
	}
}

// CRC-32 of "123456789" is cbf43926 by definition: 3421780262 in base62.
func TestChecksumIsCRC32InBase62(t *testing.T) {
	t.Parallel()
	if got := token.Checksum("123456789"); got != "3jZRME" {
		t.Errorf("checksum is %s", got)
	}
	if got := token.Checksum(""); got != "000000" {
		t.Errorf("checksum of nothing is %s", got)
	}
}

func TestEveryChangedCharacterIsNoticed(t *testing.T) {
	t.Parallel()
	secret, err := token.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := secret.Reveal()
	for i := range good {
		for _, c := range []byte{'0', 'z', '-', ' ', 0, 0xff} {
			bad := good[:i] + string([]byte{c}) + good[i+1:]
			if bad != good && token.WellFormed(bad) {
				t.Errorf("%q passes for a token", bad)
			}
		}
	}
	for _, body := range []string{"php_" + strings.Repeat("-", 30), "php_" + strings.Repeat("a", 29), "php_" + strings.Repeat("a", 31), "php_"} {
		if token.WellFormed(body + token.Checksum(body)) { // the checksum is right
			t.Errorf("%q passes for a token", body)
		}
	}
	for _, bad := range []string{"", "php_", good + "0", good[:len(good)-1], good + "\n", " " + good, "PHP" + good[3:]} {
		if token.WellFormed(bad) {
			t.Errorf("%q passes for a token", bad)
		}
	}
}

func FuzzWellFormed(f *testing.F) {
	f.Add("php_0000000000000000000000000000000000000")
	f.Add("php_")
	f.Fuzz(func(t *testing.T, s string) {
		if token.WellFormed(s) && (len(s) != 40 || token.Checksum(s[:34]) != s[34:]) {
			t.Errorf("%q passes for a token", s)
		}
	})
}

func TestASecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	secret, err := token.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Token  token.Secret
		hidden token.Secret
	}
	h := holder{secret, secret}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+"\n", secret, h)
		fmt.Fprintf(&out, verb+"\n", &h)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "token", secret, "in", h)
	slog.New(slog.NewTextHandler(&out, nil)).Info("made", "token", secret, "in", h)
	if err := json.NewEncoder(&out).Encode(map[string]any{"token": secret, "in": h}); err != nil {
		t.Error(err)
	}
	random := secret.Reveal()[4:]
	if text := out.String(); strings.Contains(text, random) || strings.Contains(text, fmt.Sprintf("%x", random)) {
		t.Errorf("the secret is in\n%s", text)
	}
}
