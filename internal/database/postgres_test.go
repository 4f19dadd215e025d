package database_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"sync"
	"testing"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/testkit"
)

// ownServer starts a server for a test that stops it or fills its disk.
func ownServer(t testing.TB) *testkit.PostgresServer {
	t.Helper()
	server, err := testkit.NewPostgresServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Remove)
	return server
}

func openPostgres(t testing.TB, url string, o database.Options) *database.DB {
	t.Helper()
	db, err := database.OpenPostgres(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPostgresGoneAndBack(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	db := openPostgres(t, server.URL("postgres"), database.Options{})
	must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
	useWholePool := func() {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if err := try(t.Context(), db, "INSERT INTO pair (k, n) VALUES (?, 1) ON CONFLICT (k) DO UPDATE SET n = 2", fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	useWholePool()

	server.Stop()
	for range 3 {
		err := try(t.Context(), db, "DELETE FROM pair")
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.Unavailable || e.RetryAfter <= 0 {
			t.Errorf("a write to a stopped server: %v, want unavailable and when to come again", err)
		}
		if err := db.Read().QueryRow(t.Context(), "SELECT 1").Scan(new(int)); !errs.Is(err, errs.Unavailable) {
			t.Errorf("a read from a stopped server: %v, want unavailable", err)
		}
		if err := db.Ping(t.Context()); !errs.Is(err, errs.Unavailable) {
			t.Errorf("ping of a stopped server: %v, want unavailable", err)
		}
	}
	if _, err := database.OpenPostgres(t.Context(), server.URL("postgres"), database.Options{}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("opening a stopped server: %v, want unavailable", err)
	}

	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	useWholePool()
	wantNumber(t, db, 20, "SELECT count(*) FROM pair WHERE n = 2")

	// Restarted between two requests: nobody notices.
	server.Stop()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	wantNumber(t, db, 20, "SELECT count(*) FROM pair")
	useWholePool()
}

// A connection that dies before COMMIT was sent costs a repetition, one that
// dies during COMMIT is never called a success.
func TestPostgresConnectionLost(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
	const suicide = "SELECT pg_terminate_backend(pg_backend_pid())"
	runs := 0
	err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		runs++
		if _, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('a', ?)", runs); err != nil {
			return err
		}
		if runs == 1 {
			return tx.QueryRow(ctx, suicide).Scan(new(bool))
		}
		return nil
	})
	if err != nil || runs != 2 {
		t.Errorf("lost before the commit: %v after %d runs", err, runs)
	}
	wantNumber(t, db, 2, "SELECT sum(n) FROM pair")

	must(t, db, "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$")
	must(t, db, "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON pair DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()")
	runs = 0
	err = db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		runs++
		_, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('b', 1)")
		return err
	})
	if !errs.Is(err, errs.Unavailable) || runs != 1 {
		t.Errorf("lost during the commit: %v after %d runs, want unavailable after one", err, runs)
	}
}

// Two transactions lock two rows in opposite order. PostgreSQL ends one of
// them, which runs again, and both succeed.
func TestPostgresDeadlock(t *testing.T) {
	t.Parallel()
	db := openPostgres(t, testkit.Postgres(t), database.Options{Random: func() float64 { return 0.5 }})
	must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
	must(t, db, "INSERT INTO pair (k, n) VALUES ('a', 0), ('b', 0)")
	var wg, bothHoldOne sync.WaitGroup
	bothHoldOne.Add(2)
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		wg.Go(func() {
			var first sync.Once
			err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
				if _, err := tx.Exec(ctx, "UPDATE pair SET n = n + 1 WHERE k = ?", order[0]); err != nil {
					return err
				}
				first.Do(func() { bothHoldOne.Done(); bothHoldOne.Wait() })
				_, err := tx.Exec(ctx, "UPDATE pair SET n = n + 1 WHERE k = ?", order[1])
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantNumber(t, db, 4, "SELECT sum(n) FROM pair")
}

func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	for _, c := range []struct {
		setting, want string
		options       []database.WriteOption
	}{
		{"synchronous_commit", "on", nil},
		{"synchronous_commit", "off", []database.WriteOption{database.Relaxed}},
		{"statement_timeout", "30s", nil},
		{"idle_in_transaction_session_timeout", "1min", nil},
		{"transaction_isolation", "read committed", nil},
	} {
		var got string
		err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
			return tx.QueryRow(ctx, "SHOW "+c.setting).Scan(&got)
		}, c.options...)
		if err != nil || got != c.want {
			t.Errorf("%s = %q, %v, want %q", c.setting, got, err, c.want)
		}
	}
	var timeout string
	if err := db.SQL().QueryRowContext(t.Context(), "SHOW statement_timeout").Scan(&timeout); err != nil || timeout != "0" {
		t.Errorf("a migration is ended after %s, %v", timeout, err)
	}
	if _, ok, err := db.Version(t.Context()); ok || err != nil {
		t.Errorf("Version: %v, %v, want no answer", ok, err)
	}
}

func TestPostgresDiskFull(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	dir := smallDisk(t, 1<<20)
	if os.Geteuid() == 0 {
		giveToPostgres(t, dir)
	}
	db := openPostgres(t, server.URL("postgres"), database.Options{})
	if _, err := db.SQL().ExecContext(t.Context(), "CREATE TABLESPACE small LOCATION '"+dir+"'"); err != nil {
		t.Fatal(err)
	}
	must(t, db, "CREATE TABLE page (n bigint, b bytea) TABLESPACE small")
	must(t, db, "ALTER TABLE page ALTER COLUMN b SET STORAGE EXTERNAL")
	filler := fill(t, dir)
	var err error
	stored := 0
	for err == nil && stored < 100 {
		if err = try(t.Context(), db, "INSERT INTO page (n, b) VALUES (?, ?)", stored, make([]byte, 100_000)); err == nil {
			stored++
		}
	}
	if !errs.Is(err, errs.NoSpace) {
		t.Errorf("on a full disk: %v, want no space", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	must(t, db, "INSERT INTO page (n, b) VALUES (1000, ?)", make([]byte, 100_000))
	wantNumber(t, db, stored+1, "SELECT count(*) FROM page")
}

func giveToPostgres(t testing.TB, dir string) {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
}
