package account_test

import (
	"strings"
	"testing"

	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

func TestParseLogin(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", account.MaxLoginLength)
	for in, want := range map[string]string{
		"ann": "ann", "Ann": "ann", "ANN-B": "ann-b", "0": "0", "a-b-c": "a-b-c", long: long,
		"": "", long + "a": "", "-a": "", "a-": "", "-": "", "a--b": "", "a_b": "", "a.b": "", "a b": "",
		"a/b": "", "\u00e4": "", "\u212a": "", "a\x00": "", "a\n": "", "..": "", "a%2fb": "",
	} {
		got, err := account.ParseLogin(in)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("ParseLogin(%q) = %q, %v; want %q", in, got, err, want)
		}
		if err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("ParseLogin(%q): %v is not Invalid", in, err)
		}
	}
}

func FuzzParseLogin(f *testing.F) {
	for _, s := range []string{"ann", "Ann-B", "-a", "a--b", "ſ", "0-0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		login, err := account.ParseLogin(s)
		if err != nil {
			return
		}
		name, err := oci.ParseName(login + "/app")
		if err != nil || name.Owner() != login || !strings.EqualFold(login, s) {
			t.Errorf("login %q of %q is no first part of a name: %v", login, s, err)
		}
		if again, err := account.ParseLogin(login); again != login || err != nil {
			t.Errorf("%q becomes %q, %v", login, again, err)
		}
	})
}
