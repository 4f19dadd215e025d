package database_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/errs"
)

func openSQLite(t testing.TB, path string, o database.Options) *database.DB {
	t.Helper()
	db, err := database.OpenSQLite(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// commits counts the commits in the log of the database at path. The log is
// not among the files whose locks an open and close of ours would drop.
func commits(t testing.TB, path string) (n int) {
	t.Helper()
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const header, frame = 32, 24 + 4096
	for at := header; at+frame <= len(log); at += frame {
		if binary.BigEndian.Uint32(log[at+4:]) != 0 {
			n++
		}
	}
	return n
}

// Writers who queue behind one that is slow share its commit. One of them that
// fails is rolled back alone, and one who leaves meanwhile never runs.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "p.db")
		db := openSQLite(t, path, database.Options{})
		must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
		before := commits(t, path)

		started, proceed := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
				close(started)
				<-proceed
				_, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES ('slow', 1)")
				return err
			})
			if err != nil {
				t.Errorf("the slow one: %v", err)
			}
		})
		<-started
		for i := range 6 {
			wg.Go(func() {
				err := try(t.Context(), db, "INSERT INTO pair (k, n) VALUES (?, 1)", fmt.Sprint(i%5))
				if err != nil && !database.IsUnique(err) {
					t.Errorf("writer %d: %v", i, err)
				}
			})
		}
		leaving, leave := context.WithCancel(t.Context())
		wg.Go(func() {
			err := db.Write(leaving, func(context.Context, *database.Tx) error {
				t.Error("a caller who had left was served")
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left: %v", err)
			}
		})
		synctest.Wait() // everyone is in the queue
		leave()
		synctest.Wait()
		close(proceed)
		wg.Wait()

		wantNumber(t, db, 6, "SELECT count(*) FROM pair")
		if got := commits(t, path) - before; got != 1 {
			t.Errorf("%d commits, want one for all", got)
		}
	})
}

func TestVersion(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.db")
	db := openSQLite(t, path, database.Options{})
	must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
	seen := map[uint64]bool{}
	version := func() uint64 {
		v, ok, err := db.Version(t.Context())
		if err != nil || !ok {
			t.Fatal(v, ok, err)
		}
		return v
	}
	seen[version()] = true
	fresh := func(what string) {
		t.Helper()
		v := version()
		if seen[v] {
			t.Errorf("%s: version %x was there before", what, v)
		}
		seen[v] = true
		wantNumber(t, db, 1, "SELECT count(*) > 0 FROM sqlite_schema")
		if again := version(); again != v {
			t.Errorf("%s: from %x to %x though nothing changed", what, v, again)
		}
	}
	for i := range 20 {
		must(t, db, "INSERT INTO pair (k, n) VALUES (?, 1)", fmt.Sprint(i))
		fresh("a write of ours")
	}
	relaxed := func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE pair SET n = n + 1")
		return err
	}
	if err := db.Write(t.Context(), relaxed, database.Relaxed); err != nil {
		t.Fatal(err)
	}
	fresh("a relaxed write")
	if _, err := db.SQL().ExecContext(t.Context(), "CREATE TABLE more (k text)"); err != nil {
		t.Fatal(err)
	}
	fresh("a migration")

	other := exec.CommandContext(t.Context(), os.Args[0])
	other.Env = append(os.Environ(), "OTHER_PROCESS_PATH="+path, "OTHER_PROCESS_STATEMENT=UPDATE pair SET n = 77")
	if out, err := other.CombinedOutput(); err != nil {
		t.Fatalf("the other process: %v\n%s", err, out)
	}
	fresh("another process")
	wantNumber(t, db, 77, "SELECT min(n) FROM pair")
}

// Writers and a reader that keeps what it read as long as the version stands:
// what it keeps must never be older than what was acknowledged before it asked.
func TestVersionUnderWrites(t *testing.T) {
	t.Parallel()
	db := openSQLite(t, filepath.Join(t.TempDir(), "p.db"), database.Options{})
	must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
	must(t, db, "INSERT INTO pair (k, n) VALUES ('a', 0)")
	var mu sync.Mutex
	acknowledged := 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 500 {
			if err := try(t.Context(), db, "UPDATE pair SET n = ?", i); err != nil {
				t.Error(err)
			}
			mu.Lock()
			acknowledged = i
			mu.Unlock()
		}
	})
	var keptAt uint64
	kept := -1
	for done := false; !done; {
		mu.Lock()
		want := acknowledged
		mu.Unlock()
		v, _, err := db.Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if v != keptAt {
			if err := db.Read().QueryRow(t.Context(), "SELECT n FROM pair").Scan(&kept); err != nil {
				t.Fatal(err)
			}
			keptAt = v
		}
		if kept < want {
			t.Fatalf("kept %d at version %x, but %d had been acknowledged", kept, v, want)
		}
		done = want == 499
	}
	wg.Wait()
}

func TestFileOfTheOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c#d%20é.db")
	db := openSQLite(t, path, database.Options{})
	must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
	for _, end := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + end)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, want 0600", end, info.Mode())
		}
	}
	if _, err := database.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "none", "p.db"), database.Options{}); err == nil {
		t.Error("a database was opened in a directory that is not there")
	}
}

// Another process that holds the database for too long makes a write
// unavailable; reads go on.
func TestOtherProcessWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.db")
	db := openSQLite(t, path, database.Options{LockWait: 10 * time.Millisecond})
	other := openSQLite(t, path, database.Options{})
	must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
	err := other.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		err := try(ctx, db, "INSERT INTO pair (k, n) VALUES ('a', 1)")
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.Unavailable || e.RetryAfter <= 0 {
			t.Errorf("while another writes: %v, want unavailable and when to come again", err)
		}
		wantNumber(t, db, 0, "SELECT count(*) FROM pair")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, "INSERT INTO pair (k, n) VALUES ('a', 1)")
}

// The log is copied and started over; it doesn't grow with what is written.
func TestLogStaysSmall(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.db")
	db := openSQLite(t, path, database.Options{})
	must(t, db, "CREATE TABLE page (n integer PRIMARY KEY, b blob)")
	page := make([]byte, 8000)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 { // 50 MB of log in all
				if err := try(t.Context(), db, "INSERT INTO page (b) VALUES (?)", page); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 24<<20 {
		t.Errorf("the log has %d MiB", info.Size()>>20)
	}
	wantNumber(t, db, 3200, "SELECT count(*) FROM page")
}
