package store_test

import (
	"testing"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// onBoth runs a test on a new store of either engine.
func onBoth(t *testing.T, run func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) {
		if err := store.Migrate(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		run(t, store.New(db))
	})
}

// noon is a moment that both engines keep exactly.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 123456000, time.UTC)
