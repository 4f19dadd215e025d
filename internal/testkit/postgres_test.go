package testkit_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"packhouse/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// Every test has a database of its own, which nothing was written to.
func TestPostgresIsFresh(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "another"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := pgx.Connect(t.Context(), testkit.Postgres(t))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(context.Background())
			if _, err := c.Exec(t.Context(), "CREATE TABLE mine (n int)"); err != nil {
				t.Error(err)
			}
		})
	}
}

// A server that was stopped has its data and its address when it starts again.
func TestPostgresServerRestarts(t *testing.T) {
	t.Parallel()
	server, err := testkit.NewPostgresServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Remove)
	if err := server.Do(t.Context(), "CREATE TABLE kept (n int)"); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if err := server.Do(t.Context(), "SELECT 1"); err == nil {
		t.Error("a stopped server answers")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := server.Do(t.Context(), "INSERT INTO kept VALUES (1)"); err != nil {
		t.Error(err)
	}
}
