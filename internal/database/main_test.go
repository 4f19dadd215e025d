package database_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"packhouse/internal/database"
	"packhouse/internal/testkit"
)

// TestMain also plays another process that works on the same SQLite file, when
// a test runs this program with a path and a statement.
func TestMain(m *testing.M) {
	if path := os.Getenv("OTHER_PROCESS_PATH"); path != "" {
		if err := otherProcess(path, os.Getenv("OTHER_PROCESS_STATEMENT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	testkit.RunMain(m)
}

func otherProcess(path, statement string) error {
	ctx := context.Background()
	db, err := database.OpenSQLite(ctx, path, database.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	return try(ctx, db, statement)
}
