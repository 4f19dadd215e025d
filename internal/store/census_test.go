package store_test

import (
	"testing"

	"packhouse/internal/account"
	"packhouse/internal/audit"
)

func TestCensus(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		users, organizations, packages, err := d.Census(t.Context())
		if err != nil || users != 3 || organizations != 1 || packages != 0 {
			t.Fatalf("%d users, %d organizations, %d packages: %v", users, organizations, packages, err)
		}
		e := audit.Entry{At: noon, Actor: "ann", Action: "user.create", Target: "dora"}
		if _, err := d.CreateUser(t.Context(), account.Account{Login: "dora", DisplayLogin: "dora", Kind: account.User, CreatedAt: noon}, e); err != nil {
			t.Fatal(err)
		}
		if users, _, _, err = d.Census(t.Context()); err != nil || users != 4 {
			t.Errorf("%d users: %v", users, err)
		}
	})
}
