package lifecycle_test

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/testkit"
)

// On PostgreSQL transactions run beside each other, and each statement sees what
// was committed before it began. Here one transaction is held open at the moment
// that matters while the other runs. Nothing waits for a time: a transaction
// that must wait is seen waiting.
type race struct {
	*world
	layer, config []byte
	manifest      []byte
	d             oci.Digest
}

func newRace(t *testing.T) *race {
	r := &race{world: newWorld(t, testkit.OpenPostgres(t))}
	r.layer, r.config = r.world.layer(), []byte(`{"os":"linux"}`)
	r.d, r.manifest = r.push(r.app, r.layer), imageOf(r.config, r.layer)
	r.push(r.app, r.config)
	return r
}

// during runs inside while a transaction is open that has done before, and then
// lets it commit. inside may begin what waits for that transaction, and returns
// what waits for its end.
func (r *race) during(before func(ctx context.Context, tx *database.Tx) error, inside func() (wait func())) {
	r.t.Helper()
	reached, proceed, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	commit := sync.OnceFunc(func() { close(proceed) })
	defer commit() // also when inside fails
	go func() {
		done <- r.db.Write(r.t.Context(), func(ctx context.Context, tx *database.Tx) error {
			if err := before(ctx, tx); err != nil {
				return err
			}
			close(reached)
			<-proceed
			return nil
		})
	}()
	select {
	case <-reached:
	case err := <-done:
		r.t.Fatal(err)
	}
	wait := inside()
	commit()
	r.check(<-done)
	wait()
}

// begin starts do, and returns when it waits for a lock, and what waits for its
// end.
func (r *race) begin(do func() error) (wait func()) {
	r.t.Helper()
	done := make(chan error, 1)
	go func() { done <- do() }()
	ctx, cancel := context.WithTimeout(r.ctx(), time.Minute)
	defer cancel()
	for n := 0; n == 0; {
		select {
		case err := <-done:
			r.t.Fatalf("it did not wait: %v", err)
		case <-ctx.Done():
			r.t.Fatal("it neither ends nor waits for a lock")
		default:
		}
		n = r.number(`SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	}
	return func() { r.t.Helper(); r.check(<-done) }
}

// review does one review, as another node would.
func (r *race) review() lifecycle.Reviewed {
	r.t.Helper()
	got, err := r.store.Review(r.ctx(), r.now, times, 50)
	r.check(err)
	return got
}

// hold is what a push holds of a blob before it writes edges.
func (r *race) hold(ctx context.Context, tx *database.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE blobs SET lease_until = ? WHERE digest = ?`, r.now.Add(times.Grace).UnixMicro(), r.d.String())
	return err
}

// The review passes by what a push holds, and waits for nobody.
func TestReviewBesideAPush(t *testing.T) {
	t.Parallel()
	r := newRace(t)
	r.now = r.now.Add(times.Grace)
	r.during(r.hold, func() func() {
		if got := r.review(); got.Condemned.Blobs != 1 { // the config, which nobody holds
			t.Errorf("%+v", got)
		}
		r.wantState(r.d, "live")
		return func() {}
	})
	r.wantState(r.d, "live")
	if got := r.review(); got.Postponed != 1 {
		t.Errorf("after the push: %+v", got)
	}
}

// A push that comes while its blobs are being condemned waits for that, and takes
// them back; one that comes while they go to the trash finds them absent.
func TestPushBesideAReview(t *testing.T) {
	t.Parallel()
	r := newRace(t)
	r.now = r.now.Add(times.Grace)
	condemn := func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE blobs SET state = 'condemned', condemned_at = ?, review_at = ?`,
			r.now.UnixMicro(), r.now.Add(times.Condemn).UnixMicro())
		return err
	}
	for what, act := range map[string]func() error{
		"manifest": func() error { _, err := r.tryPut(r.app, r.manifest, "1"); return err },
		"head":     func() error { _, err := r.StatBlob(r.ctx(), r.alice, r.app, r.d); return err },
		"mount": func() error {
			_, err := r.Mount(r.ctx(), r.alice, r.other, r.d, r.app)
			return err
		},
		"push": func() error { return r.PushBlob(r.ctx(), r.alice, r.app, r.d, whole(r.layer)) },
	} {
		r.exec(`DELETE FROM tags`)
		r.exec(`DELETE FROM versions`)
		r.exec(`DELETE FROM edges`)
		r.exec(`DELETE FROM manifests`)
		r.exec(`UPDATE blobs SET state = 'live', condemned_at = NULL, lease_until = 0`)
		r.during(condemn, func() func() { return r.begin(act) })
		if r.state(r.d) != "live" {
			t.Errorf("%s: the blob is %s", what, r.state(r.d))
		}
		r.review()
		r.wantState(r.d, "live")
	}
}

// A blob that is pushed while its row goes to the trash gets bytes of its own.
func TestPushBesideTheTrash(t *testing.T) {
	t.Parallel()
	r := newRace(t)
	r.exec(`UPDATE blobs SET lease_until = 0, review_at = 0`)
	r.review()
	r.now = r.now.Add(times.Condemn)
	trash := func(ctx context.Context, tx *database.Tx) error {
		for _, statement := range []string{
			`SELECT digest FROM blobs WHERE digest = ? FOR UPDATE`,
			`INSERT INTO trash (digest, size, location, packages, created_at, condemned_at, trashed_at, purge_at)
				SELECT digest, size, location, '[]', created_at, condemned_at, 0, 0 FROM blobs WHERE digest = ?`,
			`DELETE FROM package_blobs WHERE digest = ?`,
			`DELETE FROM blobs WHERE digest = ?`,
		} {
			if _, err := tx.Exec(ctx, statement, r.d.String()); err != nil {
				return err
			}
		}
		return nil
	}
	r.during(trash, func() func() {
		return r.begin(func() error { return r.PushBlob(r.ctx(), r.alice, r.app, r.d, whole(r.layer)) })
	})
	r.wantState(r.d, "live")
	r.put(r.app, imageOf(r.layer), "1")
	r.pass(forget)
	r.mustPull(r.app, "1")
	r.wantBytes()
}

// Whoever takes a manifest away while its blob is reviewed has it reviewed again:
// it is not forgotten.
func TestManifestGoesBesideAReview(t *testing.T) {
	t.Parallel()
	r := newRace(t)
	m := r.put(r.app, r.manifest, "1")
	r.exec(`UPDATE blobs SET lease_until = 0, review_at = 0`)
	r.delete(r.app, m.String())
	r.now = r.now.Add(times.Restore)
	keep := func(ctx context.Context, tx *database.Tx) error { // as a review that has seen the edges
		_, err := tx.Exec(ctx, `UPDATE blobs SET review_at = NULL`)
		return err
	}
	r.during(keep, func() func() {
		return r.begin(func() error {
			_, err := r.store.ClearVersions(r.ctx(), r.now.Add(-times.Restore), r.now, 10)
			return err
		})
	})
	if got := r.review(); got.Condemned.Blobs != 2 {
		t.Errorf("%+v", got)
	}
}

// An edge that fsck takes away while a review finds it leaves a blob that is
// looked at again.
func TestEdgesAreMendedBesideAReview(t *testing.T) {
	t.Parallel()
	r := newRace(t)
	m, more := r.put(r.app, r.manifest, "1"), r.push(r.app, r.world.layer())
	r.exec(`INSERT INTO edges (parent, child, kind) VALUES (?, ?, 'blob')`, m.String(), more.String())
	page, err := r.store.ManifestsAfter(r.ctx(), "", 10)
	r.check(err)
	want := maps.Clone(page[0].Edges)
	delete(want, lifecycle.Edge{Child: more.String(), Kind: "blob"})
	review := func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE blobs SET review_at = NULL WHERE digest = ?`, more.String())
		return err
	}
	r.during(review, func() func() {
		return r.begin(func() error { return r.store.RewriteEdges(r.ctx(), page[0], want, r.now, r.now) })
	})
	if n := r.number(`SELECT COUNT(*) FROM blobs WHERE digest = ? AND review_at IS NOT NULL`, more.String()); n != 1 {
		t.Error("garbage collection would never see the blob")
	}
}

// A deletion that waits for a push finds the tag that it set, and that it never
// moves.
func TestDeletionBesideAPushOfAnImmutableTag(t *testing.T) {
	t.Parallel()
	r := newRace(t)
	r.put(r.app, imageOf(r.config), "latest")
	m := r.put(r.app, r.manifest, "1")
	r.delete(r.app, "1")
	r.exec(`UPDATE packages SET immutable_tags = '["v*"]'`)
	push := func(ctx context.Context, tx *database.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE versions SET media_type = media_type WHERE digest = ?`, m.String()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO tags (package_id, name, digest, since, set_by) SELECT package_id, 'v1', digest, 1, 1 FROM versions WHERE digest = ?`, m.String())
		return err
	}
	r.during(push, func() func() {
		return r.begin(func() error {
			if err := r.DeleteManifest(r.ctx(), r.alice, r.app, r.ref(m.String())); !errs.Is(err, errs.Conflict) {
				t.Errorf("deleted: %v", err)
			}
			return nil
		})
	})
	r.mustPull(r.app, "v1")
}

// A manifest that is pushed again while it is being removed is stored again, with
// its edges.
func TestPushBesideTheRemovalOfItsManifest(t *testing.T) {
	t.Parallel()
	r := newRace(t)
	m := r.put(r.app, r.manifest, "1")
	r.delete(r.app, m.String())
	remove := func(ctx context.Context, tx *database.Tx) error {
		for _, statement := range []string{
			`SELECT digest FROM manifests WHERE digest = ? FOR UPDATE`,
			`DELETE FROM versions WHERE digest = ?`,
			`DELETE FROM edges WHERE parent = ?`,
			`DELETE FROM manifests WHERE digest = ?`,
		} {
			if _, err := tx.Exec(ctx, statement, m.String()); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range []access.Package{r.app, r.other} {
		r.push(p, r.layer)
		r.push(p, r.config)
		r.during(remove, func() func() {
			return r.begin(func() error { _, err := r.tryPut(p, r.manifest, "2"); return err })
		})
		r.mustPull(p, "2")
		if n := r.number(`SELECT COUNT(*) FROM edges WHERE parent = ?`, m.String()); n != 2 {
			t.Errorf("%d edges, want 2", n)
		}
		r.delete(p, m.String())
	}
	// And the other way round: the push is first, and the removal lets it be.
	r.now = r.now.Add(times.Restore)
	again := func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE versions SET deleted_at = NULL WHERE digest = ?`, m.String())
		return err
	}
	r.during(again, func() func() {
		return r.begin(func() error {
			got, err := r.store.ClearVersions(r.ctx(), r.now.Add(-times.Restore), r.now, 10)
			if got.Versions+got.Manifests > 0 {
				t.Errorf("%+v", got)
			}
			return err
		})
	})
	r.mustPull(r.other, m.String())
}

// What is being taken back is not removed, and what is being removed is not taken
// back.
func TestUndeleteBesideAPurge(t *testing.T) {
	t.Parallel()
	r := newRace(t)
	r.pass(times.Grace + times.Condemn + step)
	list, err := r.store.InTrash(r.ctx(), r.d)
	r.check(err)
	r.now = r.now.Add(times.Trash)
	mark := func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE trash SET purging = 1 WHERE digest = ?`, r.d.String())
		return err
	}
	r.during(mark, func() func() {
		return r.begin(func() error {
			if _, err := r.gc.Undelete(r.ctx(), r.d, audit.Operator); err == nil {
				t.Error("bytes that are being removed were taken back")
			}
			return nil
		})
	})
	r.exec(`UPDATE trash SET purging = 0`)
	hold := func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `SELECT id FROM trash WHERE id = ? FOR UPDATE`, list[0].ID)
		return err
	}
	r.during(hold, func() func() {
		due, err := r.store.BeginPurge(r.ctx(), r.now, 10)
		r.check(err)
		for _, d := range due {
			if d.Digest == r.d {
				t.Error("the removal begins of what is being taken back")
			}
		}
		return func() {}
	})
}
