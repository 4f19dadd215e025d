package database_test

import (
	"context"
	"testing"

	"packhouse/internal/database"
	"packhouse/internal/testkit"
)

func TestInsert(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, db *database.DB) {
		err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
			if _, err := tx.Exec(ctx, "CREATE TABLE x (a integer)"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "INSERT INTO x (a) VALUES (?)", 7)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var a int
		if err := db.Read().QueryRow(t.Context(), "SELECT a FROM x WHERE a = ?", 7).Scan(&a); err != nil {
			t.Fatal(err)
		}
	})
}
