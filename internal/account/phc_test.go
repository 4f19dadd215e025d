package account_test

import (
	"strings"
	"testing"

	"packhouse/internal/account"
)

// A hash that argon2's reference program made, with the password "password" and
// the salt "somesalt", in the form that it prints.
const foreignHash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestVerifyTakesTheReferenceProgramsHash(t *testing.T) {
	t.Parallel()
	p := account.NewPasswords(cheap, 1, nil)
	ok, outdated, err := p.Verify(t.Context(), foreignHash, "password")
	if !ok || !outdated || err != nil {
		t.Errorf("right password: %v, %v, %v", ok, outdated, err)
	}
	if ok, _, err := p.Verify(t.Context(), foreignHash, "Password"); ok || err != nil {
		t.Errorf("wrong password: %v, %v", ok, err)
	}
}

func TestVerifyRefusesDamagedHashes(t *testing.T) {
	t.Parallel()
	p := account.NewPasswords(cheap, 1, nil)
	for _, c := range [][2]string{
		{"argon2id", "argon2i"}, {"v=19", "v=18"}, {"m=65536", "m=4294967295"}, {"m=65536", "m=x"},
		{"t=2", "t=0"}, {"p=1", "p=0"}, {"c29tZXNhbHQ", "c29t*XNhbHQ"}, {"CTFh", ""}, {"$", ""}, {"RPPc", "RPPd"},
	} {
		damaged := strings.Replace(foreignHash, c[0], c[1], 1)
		ok, _, err := p.Verify(t.Context(), damaged, "password")
		if ok || err == nil && c[0] != "RPPc" {
			t.Errorf("%s for %s: %v, %v", c[1], c[0], ok, err)
		}
	}
}

func TestNoPasswordMatchesAnEmptyHash(t *testing.T) {
	t.Parallel()
	p := account.NewPasswords(cheap, 1, nil)
	for _, password := range []string{"", "password"} {
		if ok, _, err := p.Verify(t.Context(), "", password); ok || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
}
