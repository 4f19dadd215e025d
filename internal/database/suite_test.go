package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/testkit"
)

// must runs one statement in a Write.
func must(t testing.TB, db *database.DB, text string, args ...any) {
	t.Helper()
	if err := try(t.Context(), db, text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func try(ctx context.Context, db *database.DB, text string, args ...any) error {
	return db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, text, args...)
		return err
	})
}

// wantNumber asks for one number, outside transactions.
func wantNumber(t testing.TB, db *database.DB, want int, text string, args ...any) {
	t.Helper()
	var got int
	if err := db.Read().QueryRow(t.Context(), text, args...).Scan(&got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if got != want {
		t.Errorf("%s = %d, want %d", text, got, want)
	}
}

// onBoth runs a test on both engines, with a table of pairs.
func onBoth(t *testing.T, run func(t *testing.T, db *database.DB)) {
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) {
		must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
		run(t, db)
	})
}

func TestWriteIsSeenByReads(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		must(t, db, "INSERT INTO pair (k, n) VALUES (?, ?)", "a?", 1)
		wantNumber(t, db, 1, "SELECT n FROM pair WHERE k = 'a?' AND k = ?", "a?")
		err := db.Read().QueryRow(t.Context(), "SELECT n FROM pair WHERE k = ?", "b").Scan(new(int))
		if err != sql.ErrNoRows {
			t.Errorf("no row: %v, want sql.ErrNoRows itself", err)
		}
		if _, err := db.Read().Exec(t.Context(), "DELETE FROM pair"); err == nil {
			t.Error("Exec outside a Write was taken")
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("Ping: %v", err)
		}
	})
}

func TestRollback(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		refused := errors.New("refused")
		err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('a', 1)"); err != nil {
				return err
			}
			return refused
		})
		if err != refused {
			t.Errorf("Write: %v, want the function's own error", err)
		}
		wantNumber(t, db, 0, "SELECT count(*) FROM pair")
	})
}

// A function that overlooks a failed statement must not commit the rest.
func TestFailedStatementEndsTheTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		must(t, db, "INSERT INTO pair (k, n) VALUES ('a', 1)")
		err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
			tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('b', 1)")
			tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('a', 2)")
			tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('c', 1)")
			return nil
		})
		if !database.IsUnique(err) {
			t.Errorf("Write: %v, want the statement's unique violation", err)
		}
		wantNumber(t, db, 1, "SELECT count(*) FROM pair")
	})
}

func TestConstraints(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		must(t, db, "CREATE TABLE child (k text UNIQUE REFERENCES pair (k))")
		must(t, db, "INSERT INTO pair (k, n) VALUES ('a', 1)")
		must(t, db, "INSERT INTO child (k) VALUES ('a')")
		returning := func(ctx context.Context, tx *database.Tx) error {
			return tx.QueryRow(ctx, "INSERT INTO child (k) VALUES ('nobody') RETURNING k").Scan(new(string))
		}
		for _, c := range []struct {
			name               string
			err                error
			unique, foreignKey bool
		}{
			{"primary key", try(t.Context(), db, "INSERT INTO pair (k, n) VALUES ('a', 1)"), true, false},
			{"unique", try(t.Context(), db, "INSERT INTO child (k) VALUES ('a')"), true, false},
			{"no parent", try(t.Context(), db, "INSERT INTO child (k) VALUES ('nobody')"), false, true},
			{"no parent, returning", db.Write(t.Context(), returning), false, true},
			{"has a child", try(t.Context(), db, "DELETE FROM pair"), false, true},
			{"not null", try(t.Context(), db, "INSERT INTO pair (k) VALUES ('b')"), false, false},
		} {
			if c.err == nil || database.IsUnique(c.err) != c.unique || database.IsForeignKey(c.err) != c.foreignKey {
				t.Errorf("%s: %v: unique %v, foreign key %v", c.name, c.err, database.IsUnique(c.err), database.IsForeignKey(c.err))
			}
		}
		wantNumber(t, db, 1, "SELECT count(*) FROM child")
	})
}

// Many writers at once: those who succeed are there, those who fail are not,
// and none of them is in the way of another.
func TestParallelWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		refused := errors.New("refused")
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				for i := range 20 {
					fails := (w+i)%4 == 0
					err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
						if _, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES (?, 1)", fmt.Sprint(w, "-", i)); err != nil {
							return err
						}
						if fails {
							return refused
						}
						return nil
					})
					if fails != (err == refused) || (!fails && err != nil) {
						t.Errorf("writer %d, %d: %v", w, i, err)
					}
				}
			})
		}
		wg.Wait()
		wantNumber(t, db, 16*15, "SELECT count(*) FROM pair")
	})
}

// Increments read before they write. None may be lost to another.
func TestCounterLosesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		must(t, db, "INSERT INTO pair (k, n) VALUES ('a', 0)")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					if err := try(t.Context(), db, "UPDATE pair SET n = n + 1 WHERE k = ?", "a"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		wantNumber(t, db, 80, "SELECT n FROM pair")
	})
}

func TestRetry(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		runs := 0
		err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
			runs++
			if _, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('a', ?)", runs); err != nil {
				return err
			}
			if runs < 3 {
				return fmt.Errorf("once more: %w", database.ErrRetry)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantNumber(t, db, 3, "SELECT sum(n) FROM pair")

		runs = 0
		err = db.Write(t.Context(), func(context.Context, *database.Tx) error { runs++; return database.ErrRetry })
		if !errs.Is(err, errs.Unavailable) || runs < 2 {
			t.Errorf("for ever: %v after %d runs, want unavailable after a few", err, runs)
		}
	})
}

func TestSnapshotSeesOneState(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		must(t, db, "INSERT INTO pair (k, n) VALUES ('a', 1)")
		err := db.Snapshot(t.Context(), func(ctx context.Context, q database.Querier) error {
			count := func() (n int) {
				if err := q.QueryRow(ctx, "SELECT count(*) FROM pair").Scan(&n); err != nil {
					t.Error(err)
				}
				return n
			}
			before := count()
			must(t, db, "INSERT INTO pair (k, n) VALUES ('b', 1)")
			if after := count(); before != 1 || after != 1 {
				t.Errorf("counted %d, and then %d", before, after)
			}
			if _, err := q.Exec(ctx, "DELETE FROM pair"); err == nil {
				t.Error("Exec in a snapshot was taken")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantNumber(t, db, 2, "SELECT count(*) FROM pair")
	})
}

func TestRelaxedThenDurable(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		for i := range 10 {
			var options []database.WriteOption
			if i%3 != 2 {
				options = append(options, database.Relaxed)
			}
			err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES (?, ?)", fmt.Sprint(i), i)
				return err
			}, options...)
			if err != nil {
				t.Fatal(err)
			}
			wantNumber(t, db, i, "SELECT max(n) FROM pair")
		}
	})
}

// Rows that a function leaves open must not hold up the writes after it.
func TestRowsLeftOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		must(t, db, "INSERT INTO pair (k, n) VALUES ('a', 1), ('b', 2)")
		leave := func(ctx context.Context, q database.Querier) error {
			rows, err := q.Query(ctx, "SELECT n FROM pair ORDER BY n")
			if err == nil {
				rows.Next()
			}
			return nil
		}
		if err := db.Snapshot(t.Context(), leave); err != nil {
			t.Fatal(err)
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
			rows, err := tx.Query(ctx, "SELECT n FROM pair ORDER BY n")
			if err != nil || !rows.Next() {
				t.Error("no rows", err)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		must(t, db, "DELETE FROM pair")
	})
}

func TestCancelledCallers(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
			cancel()
			_, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('a', 1)")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled under way: %v", err)
		}
		if err := try(ctx, db, "INSERT INTO pair (k, n) VALUES ('a', 1)"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
		if err := db.Read().QueryRow(ctx, "SELECT 1").Scan(new(int)); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled read: %v", err)
		}
		wantNumber(t, db, 0, "SELECT count(*) FROM pair")
	})
}

// A panic is the caller's own; the next Write finds everything in order.
func TestPanicInWrite(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not reach the caller")
				}
			}()
			db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
				tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('a', 1)")
				panic("a mistake")
			})
		}()
		must(t, db, "INSERT INTO pair (k, n) VALUES ('b', 1)")
		wantNumber(t, db, 1, "SELECT count(*) FROM pair")
	})
}

func TestScan(t *testing.T) {
	type name string
	onBoth(t, func(t *testing.T, db *database.DB) {
		must(t, db, "CREATE TABLE kinds (s text, n bigint, b bytea, t boolean, none text)")
		must(t, db, "INSERT INTO kinds (s, n, b, t, none) VALUES (?, ?, ?, ?, ?)", name("text"), 7, []byte{0, 255}, true, nil)
		var (
			s       name
			n32     int32
			n       *int
			b       []byte
			yes     bool
			null    sql.NullString
			pointer *string
		)
		row := db.Read().QueryRow(t.Context(), "SELECT s, n, n, b, t, none, none FROM kinds")
		if err := row.Scan(&s, &n32, &n, &b, &yes, &null, &pointer); err != nil {
			t.Fatal(err)
		}
		if s != "text" || n32 != 7 || n == nil || *n != 7 || string(b) != "\x00\xff" || !yes || null.Valid || pointer != nil {
			t.Errorf("scanned %v %v %v %v %v %v %v", s, n32, n, b, yes, null, pointer)
		}
		row = db.Read().QueryRow(t.Context(), "SELECT none FROM kinds")
		if err := row.Scan(new(string)); err == nil {
			t.Error("NULL was scanned into a string")
		}
	})
}

func TestClosed(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database.DB) {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := try(t.Context(), db, "DELETE FROM pair"); err == nil {
			t.Error("a closed database took a write")
		}
		if err := db.Read().QueryRow(t.Context(), "SELECT 1").Scan(new(int)); err == nil {
			t.Error("a closed database took a read")
		}
	})
}
