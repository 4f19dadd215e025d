package store_test

import (
	"context"
	"testing"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// PostgreSQL: the deletion of a tag waits for a push that moves it. The statement
// that waited sees the end of the old interval and not the beginning of the new
// one; yet the tag was there at all times.
func TestATagThatMovesAtTheMomentOfItsDeletionIsDeleted(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), testkit.OpenPostgres(t)
	if err := store.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	d := &world{Store: store.New(db), db: db}
	d.ann = addUser(t, d.Store, "ann")
	id := d.pkg(t, d.ann, "container", "app", 0)
	d.exec(t, `INSERT INTO tags (package_id, name, digest, since, set_by) VALUES (?, 'latest', 'sha256:a', 1, 0)`, id)
	tag, err := oci.ParseTag("latest")
	if err != nil {
		t.Fatal(err)
	}

	moved, proceed, pushed, deleted := make(chan struct{}), make(chan struct{}), make(chan error, 1), make(chan error, 1)
	go func() {
		pushed <- db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE tags SET until = 2 WHERE package_id = ? AND until IS NULL`, id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO tags (package_id, name, digest, since, set_by) VALUES (?, 'latest', 'sha256:b', 2, 0)`, id); err != nil {
				return err
			}
			close(moved)
			<-proceed
			return nil
		})
	}()
	<-moved
	go func() { deleted <- d.DeleteTag(ctx, id, tag, registry.Removal{Entry: entry("tag.delete")}) }()
	for tick := time.NewTicker(time.Millisecond); d.number(t, `SELECT COUNT(*) FROM pg_stat_activity
		WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 0; <-tick.C {
	}
	close(proceed)
	if err := <-pushed; err != nil {
		t.Fatal(err)
	}
	if err := <-deleted; err != nil {
		t.Errorf("the deletion: %v", err)
	}
	if n := d.number(t, `SELECT COUNT(*) FROM tags WHERE package_id = ? AND until IS NULL`, id); n != 0 {
		t.Error("the tag is there after its deletion")
	}
}
