package testkit

import (
	"path/filepath"
	"testing"

	"packhouse/internal/database"
)

// Databases runs a test on a new, empty database of each engine, as sub-tests
// that run beside each other.
func Databases(t *testing.T, run func(t *testing.T, db *database.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, OpenPostgres(t))
	})
}

// SQLite returns a new, empty SQLite database for this test.
func SQLite(t testing.TB) *database.DB {
	t.Helper()
	db, err := database.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "packhouse.db"), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, db)
	return db
}

// OpenPostgres returns a new, empty PostgreSQL database for this test, opened.
func OpenPostgres(t testing.TB) *database.DB {
	t.Helper()
	db, err := database.OpenPostgres(t.Context(), Postgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, db)
	return db
}

func closeAtEnd(t testing.TB, db *database.DB) {
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
}
