package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/store"
)

// TestAnswersAreNeverStale changes what lookups read through another handle of
// the same database, as an admin command does, and asks again at once.
func TestAnswersAreNeverStale(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "packhouse.db")
	open := func() *database.DB {
		db, err := database.OpenSQLite(t.Context(), path, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	ours, other := open(), open()
	if err := store.Migrate(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) { t.Helper(); execute(t, other, query, args...) }
	exec(`INSERT INTO accounts (id, login, kind, site_admin, password_hash, created_at) VALUES (1, 'alice', 'user', 0, '', 0)`)
	exec(`INSERT INTO logins (login, account_id) VALUES ('alice', 1)`)
	exec(`INSERT INTO packages (id, owner_id, type, name, visibility, created_at, created_by) VALUES (1, 1, 'container', 'app', 'private', 0, 1)`)
	exec(`INSERT INTO package_names (owner_id, name, type, package_id) VALUES (1, 'app', 'container', 1)`)
	ask := tagLookup(t, store.New(ours))
	for i := range 20 {
		d := oci.SHA256.FromBytes([]byte{byte(i)})
		exec(`INSERT INTO manifests (digest, content, created_at) VALUES (?, '', 0)`, d.String())
		exec(`INSERT INTO versions (package_id, digest, media_type, size, artifact_type, annotations, created_at, created_by)
			VALUES (1, ?, 'x', 0, '', 'null', 0, 1)`, d.String())
		exec(`UPDATE tags SET until = 1 WHERE until IS NULL`)
		exec(`INSERT INTO tags (package_id, name, digest, since, set_by) VALUES (1, 'latest', ?, 0, 1)`, d.String())
		for range 2 {
			if got, _ := ask(); got != d {
				t.Fatalf("round %d: the tag is at %s, want %s", i, got, d)
			}
		}
		want := []access.Visibility{access.Public, access.Private}[i%2]
		exec(`UPDATE packages SET visibility = ?`, string(want))
		if _, got := ask(); got != want {
			t.Fatalf("round %d: the package is %s, want %s", i, got, want)
		}
	}
}

func execute(t *testing.T, db *database.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tagLookup returns what asks s for alice/app:latest as alice.
func tagLookup(t *testing.T, s *store.Store) func() (oci.Digest, access.Visibility) {
	t.Helper()
	name, err := oci.ParseName("alice/app")
	if err != nil {
		t.Fatal(err)
	}
	tag, err := oci.ParseTag("latest")
	if err != nil {
		t.Fatal(err)
	}
	return func() (oci.Digest, access.Visibility) {
		t.Helper()
		pkg, v, err := s.Version(t.Context(), access.Principal{AccountID: 1},
			access.Package{Type: access.Container, Name: name}, oci.Reference{Tag: tag})
		if err != nil {
			t.Fatal(err)
		}
		if v == nil {
			return oci.Digest{}, pkg.Facts.Visibility
		}
		return v.Digest, pkg.Facts.Visibility
	}
}
