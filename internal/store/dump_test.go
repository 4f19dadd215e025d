package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// copies is a way to dump one database and to load it as another.
type copies struct {
	dump func(ctx context.Context, dir string) error
	load func(ctx context.Context, dir string, r store.Restored) error
	// open opens the loaded one.
	open func(t *testing.T) *database.DB
}

// onCopies runs a test on a database of each engine that can be dumped.
func onCopies(t *testing.T, run func(t *testing.T, db *database.DB, c copies)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		from, to := filepath.Join(t.TempDir(), "from.db"), filepath.Join(t.TempDir(), "to.db")
		open := func(t *testing.T, path string) *database.DB {
			db, err := database.OpenSQLite(t.Context(), path, database.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			return db
		}
		run(t, open(t, from), copies{
			dump: func(ctx context.Context, dir string) error { return store.DumpSQLite(ctx, from, dir) },
			load: func(ctx context.Context, dir string, r store.Restored) error {
				return store.LoadSQLite(ctx, dir, to, r)
			},
			open: func(t *testing.T) *database.DB { return open(t, to) },
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		from, to := testkit.Postgres(t), testkit.Postgres(t)
		open := func(t *testing.T, url string) *database.DB {
			db, err := database.OpenPostgres(t.Context(), url, database.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			return db
		}
		run(t, open(t, from), copies{
			dump: func(ctx context.Context, dir string) error { return store.DumpPostgres(ctx, from, dir) },
			load: func(ctx context.Context, dir string, r store.Restored) error {
				return store.LoadPostgres(ctx, to, dir, "", r)
			},
			open: func(t *testing.T) *database.DB { return open(t, to) },
		})
	})
}

// moved is what a test's restore does with the blobs.
func moved(places map[string]blob.Location) store.Restored {
	return store.Restored{
		Now: noon, Quarantine: noon.Add(time.Hour), Entry: audit.Entry{At: noon, Actor: audit.Operator, Action: "site.restore", Target: "site"},
		Locations: func(fn func(oci.Digest, blob.Location) error) error {
			for text, loc := range places {
				d, err := oci.ParseDigest(text)
				if err != nil {
					return err
				}
				if err := fn(d, loc); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func TestDumpAndLoad(t *testing.T) {
	onCopies(t, func(t *testing.T, db *database.DB, c copies) {
		d := newDirectory(t, db)
		odd := "tab\t, line\n, \\N, 'quote', \x01 and ü"
		execute(t, db, `UPDATE accounts SET description = ?`, odd)
		execute(t, db, `INSERT INTO trust_rules (owner_id, issuer, audience, claims, actions, created_at, created_by) VALUES (?, '', '', '', 1, 0, 0)`, d.org)
		var kept, lost []string
		for i := range 4 {
			digest := oci.SHA256.FromBytes([]byte{byte(i)}).String()
			location := fmt.Sprintf("sha256/%02d", i)
			if i == 3 {
				location = ""
			}
			execute(t, db, `INSERT INTO blobs (digest, size, location, state, lease_until, created_at) VALUES (?, ?, ?, 'live', 0, 0)`, digest, 100+i, location)
			kept = append(kept, digest)
		}
		execute(t, db, `INSERT INTO blob_contents (digest, content) VALUES (?, ?)`, kept[3], []byte{0, 1, 255, '\\', '\n'})
		execute(t, db, `INSERT INTO trash (digest, size, location, packages, created_at, trashed_at, purge_at) VALUES ('', 1, 'x', '[]', 0, 0, 0)`)
		dir := t.TempDir()
		if err := c.dump(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		execute(t, db, `DELETE FROM team_reach WHERE user_id > ?`, 0) // a dump is of its moment

		seen := map[string]blob.Location{}
		last := ""
		err := store.DumpedBlobs(dir, func(b store.DumpedBlob) error {
			if b.Digest.String() < last || b.Size < 100 {
				t.Errorf("%s of %d bytes comes after %s", b.Digest, b.Size, last)
			}
			last = b.Digest.String()
			seen[last] = "new/" + b.Location
			return nil
		})
		if err != nil || len(seen) != 3 {
			t.Fatalf("the dump names %v, %v", seen, err)
		}
		seen[kept[0]], lost = "", kept[:1]
		if err := c.load(t.Context(), dir, moved(seen)); err != nil {
			t.Fatal(err)
		}
		checkLoaded(t, c.open(t), seen, lost, kept[3], odd)
	})
}

func checkLoaded(t *testing.T, db *database.DB, places map[string]blob.Location, lost []string, inside, odd string) {
	t.Helper()
	one := func(query string, args ...any) (text string) {
		t.Helper()
		if err := db.Read().QueryRow(t.Context(), query, args...).Scan(&text); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return text
	}
	for query, want := range map[string]string{
		`SELECT MIN(description) FROM accounts`:                         odd,
		`SELECT COUNT(*) FROM team_reach`:                               "1",
		`SELECT COUNT(*) FROM trash`:                                    "0",
		`SELECT COUNT(*) FROM packages`:                                 "2",
		`SELECT value FROM settings WHERE name = 'gc.quarantine_until'`: fmt.Sprint(noon.Add(time.Hour).UnixMicro()),
		`SELECT COUNT(*) FROM audit WHERE action = 'site.restore'`:      "1",
	} {
		if got := one(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for digest, loc := range places {
		if loc != "" && one(`SELECT location FROM blobs WHERE digest = ? AND state = 'live'`, digest) != string(loc) {
			t.Errorf("%s is not at its new place", digest)
		}
	}
	for _, digest := range lost {
		if one(`SELECT state FROM blobs WHERE digest = ?`, digest) != "suspect" {
			t.Errorf("%s, whose bytes are lost, is served", digest)
		}
	}
	s := store.New(db)
	d, _ := oci.ParseDigest(inside)
	if content, err := s.BlobContent(t.Context(), d); err != nil || string(content) != "\x00\x01\xff\\\n" {
		t.Errorf("bytes in the database: %q, %v", content, err)
	}
	var first, next int64
	err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT MAX(id) FROM trust_rules`).Scan(&first); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO trust_rules (owner_id, issuer, audience, claims, actions, created_at, created_by)
			SELECT owner_id, '', '', '', 1, 0, 0 FROM trust_rules RETURNING id`).Scan(&next)
	})
	if err != nil || next < first+1000 {
		t.Errorf("the next number is %d after %d, %v: one that was given after the backup may come again", next, first, err)
	}
}

// A dump of a later version is not taken for one of this.
func TestLoadRefusesWhatItDoesNotKnow(t *testing.T) {
	onCopies(t, func(t *testing.T, db *database.DB, c copies) {
		newDirectory(t, db)
		execute(t, db, `UPDATE goose_db_version SET version_id = 999 WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)`)
		dir := t.TempDir()
		if err := c.dump(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		if err := c.load(t.Context(), dir, moved(nil)); !errs.Is(err, errs.Unsupported) {
			t.Errorf("a dump of a later version: %v", err)
		}
	})
}

// A database that is in use is not filled, unless it is put aside.
func TestLoadPutsAside(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db, err := database.OpenPostgres(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	newDirectory(t, db)
	dir := t.TempDir()
	if err := store.DumpPostgres(t.Context(), url, dir); err != nil {
		t.Fatal(err)
	}
	execute(t, db, `DELETE FROM team_reach WHERE user_id > ?`, 0)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.LoadPostgres(t.Context(), url, dir, "", moved(nil)); !errs.Is(err, errs.Exists) {
		t.Errorf("a database that is in use: %v", err)
	}
	if err := store.LoadPostgres(t.Context(), url, dir, "aside", moved(nil)); err != nil {
		t.Fatal(err)
	}
	if db, err = database.OpenPostgres(t.Context(), url, database.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var now, before int
	err = db.Read().QueryRow(t.Context(), `SELECT (SELECT COUNT(*) FROM team_reach), (SELECT COUNT(*) FROM aside.team_reach)`).Scan(&now, &before)
	if err != nil || now != 1 || before != 0 {
		t.Errorf("%d rows now and %d before, %v", now, before, err)
	}
}

// A load of SQLite that breaks off leaves no database.
func TestLoadIsWholeOrNot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "from.db")
	db, err := database.OpenSQLite(t.Context(), path, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	newDirectory(t, db)
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "to.db")
	if err := store.DumpSQLite(t.Context(), path, dir); err != nil {
		t.Fatal(err)
	}
	r := moved(nil)
	r.Locations = func(func(oci.Digest, blob.Location) error) error { return os.ErrDeadlineExceeded }
	if err := store.LoadSQLite(t.Context(), dir, to, r); err == nil {
		t.Fatal("the load did not fail")
	}
	if _, err := os.Stat(to); !os.IsNotExist(err) {
		t.Errorf("there is a database: %v", err)
	}
	if err := store.LoadSQLite(t.Context(), dir, to, moved(nil)); err != nil {
		t.Errorf("the load after one that broke off: %v", err)
	}
	names, _ := filepath.Glob(filepath.Dir(to) + "/*")
	if len(names) != 1 || !strings.HasSuffix(names[0], "to.db") {
		t.Errorf("the load left %v", names)
	}
}
