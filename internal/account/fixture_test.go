package account_test

import (
	"crypto/rand"
	"testing"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// cheap is a cost that keeps tests short.
var cheap = account.Cost{MemoryKiB: 64, Passes: 1, Threads: 1}

// fixture is a Service on a real database, with a clock that stands still.
type fixture struct {
	*account.Service
	store *store.Store
	now   time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db := testkit.SQLite(t)
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: store.New(db), now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
	f.Service = f.open(t, cheap)
	return f
}

// open returns another Service on the same database, as a further process has.
func (f *fixture) open(t *testing.T, cost account.Cost) *account.Service {
	t.Helper()
	s, err := account.New(account.Options{
		Store: f.store, Passwords: account.NewPasswords(cost, 2, rand.Reader),
		Now: func() time.Time { return f.now }, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fixture) user(t *testing.T, login, password string) account.Account {
	t.Helper()
	a, err := f.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: login, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
