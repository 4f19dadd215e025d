package lifecycle_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// The way out, stage by stage, with what is on record about it.
func TestWhatNothingNeedsGoes(t *testing.T) {
	onBoth(t, func(w *world) {
		layer := w.layer()
		d := w.push(w.app, layer)
		config := []byte(`{"os":"linux"}`)
		small := w.push(w.app, config)
		born := w.now
		m := w.put(w.app, imageOf(config, layer), "1")
		w.delete(w.app, m.String())
		w.pass(times.Restore - step)
		w.wantState(d, "live")
		if w.number(`SELECT COUNT(*) FROM manifests`) != 1 {
			t.Error("the manifest is gone while it can be restored")
		}
		w.pass(step)
		condemned := w.now
		w.wantState(d, "condemned")
		w.wantState(small, "condemned")
		w.pass(times.Condemn)
		w.wantState(d, "trash")
		w.wantBytes()
		trashed := w.now
		w.pass(times.Trash - step)
		w.wantState(d, "trash")
		w.pass(step)
		w.wantState(d, "gone")
		w.wantBytes()
		if n := w.number(`SELECT COUNT(*) FROM blobs`) + w.number(`SELECT COUNT(*) FROM blob_contents`) +
			w.number(`SELECT COUNT(*) FROM package_blobs`) + w.number(`SELECT COUNT(*) FROM edges`) + w.number(`SELECT COUNT(*) FROM versions`); n != 0 {
			t.Errorf("%d rows stay", n)
		}
		list, err := w.gc.Receipts(w.ctx(), 0, 10)
		w.check(err)
		if len(list) != 3 {
			t.Fatalf("receipts %+v", list)
		}
		for _, r := range list {
			switch r.Digest {
			case d.String():
				if r.Kind != "blob" || r.Size != int64(len(layer)) || r.Location == "" || !r.CreatedAt.Equal(born) ||
					!r.CondemnedAt.Equal(condemned) || !r.TrashedAt.Equal(trashed) || !r.PurgedAt.Equal(w.now) {
					t.Errorf("receipt %+v", r)
				}
			case m.String():
				if r.Kind != "manifest" || !r.PurgedAt.Equal(condemned) {
					t.Errorf("receipt %+v", r)
				}
			case small.String():
			default:
				t.Errorf("receipt of %s", r.Digest)
			}
		}
	})
}

// Blobs that no manifest ever named go too, however often they were pushed.
func TestAbandonedPush(t *testing.T) {
	onBoth(t, func(w *world) {
		layer, small := w.layer(), []byte("small")
		d := w.push(w.app, layer)
		w.push(w.app, small)
		w.pass(times.Grace - step)
		w.wantState(d, "live")
		w.push(w.other, layer)
		w.push(w.other, small)
		w.pass(times.Grace - step)
		w.wantState(d, "live")
		w.pass(forget)
		w.wantState(d, "gone")
		w.wantState(oci.SHA256.FromBytes(small), "gone")
	})
}

func TestUndelete(t *testing.T) {
	onBoth(t, func(w *world) {
		layer, config := w.layer(), []byte(`{"os":"linux"}`)
		d, small := w.push(w.app, layer), w.push(w.app, config)
		if ok, err := w.Mount(w.ctx(), w.alice, w.other, d, w.app); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if _, err := w.gc.Undelete(w.ctx(), d, audit.Operator); !errs.Is(err, errs.NotFound) {
			t.Errorf("what is in no trash: %v", err)
		}
		w.pass(times.Grace + times.Condemn + step)
		w.wantState(d, "trash")
		for digest, packages := range map[oci.Digest]int{d: 2, small: 1} {
			if n, err := w.gc.Undelete(w.ctx(), digest, audit.Operator); n != packages || err != nil {
				t.Errorf("%s is held by %d packages, %v; want %d", digest, n, err, packages)
			}
		}
		w.pass(times.Grace - step) // it is promised again
		w.check(w.read(w.other, d.String()))
		w.put(w.app, imageOf(config, layer), "1")
		w.pass(forget)
		w.mustPull(w.app, "1")
		w.wantBytes()
	})
}

// Damaged bytes are not taken back, and what was pushed again stays as it is.
func TestUndeleteOfWhatIsOtherwise(t *testing.T) {
	onBoth(t, func(w *world) {
		layer := w.layer()
		d := w.push(w.app, layer)
		w.pass(times.Grace + times.Condemn + step)
		w.wantState(d, "trash")
		w.push(w.other, layer)
		if n, err := w.gc.Undelete(w.ctx(), d, audit.Operator); n != 1 || err != nil {
			t.Errorf("undelete beside a new push: %d, %v", n, err)
		}
		w.check(w.read(w.app, d.String()))
		w.pass(forget)
		w.wantBytes()
		w.wantState(d, "gone")

		d = w.push(w.app, w.layer())
		w.pass(times.Grace + times.Condemn + step)
		var loc blob.Location
		w.check(w.db.Read().QueryRow(w.ctx(), `SELECT location FROM trash WHERE digest = ?`, d.String()).Scan(&loc))
		w.check(w.blobs.Remove(w.ctx(), loc))
		if _, err := w.gc.Undelete(w.ctx(), d, audit.Operator); err == nil {
			t.Error("bytes that are not there were taken back")
		}
		w.wantState(d, "trash")
		w.exec(`UPDATE trash SET purging = 1`)
		if _, err := w.gc.Undelete(w.ctx(), d, audit.Operator); err == nil {
			t.Error("what is being removed was taken back")
		}
	})
}

// A deleted package goes with all it has, in small steps; its name stays.
func TestDeletedPackageIsCleared(t *testing.T) {
	onBoth(t, func(w *world) {
		for range 45 {
			w.put(w.app, w.image(w.app), "latest")
		}
		shared := w.image(w.other, w.layer())
		w.put(w.other, shared, "1")
		w.exec(`UPDATE packages SET deleted_at = ? WHERE name = 'app'`, w.now.UnixMicro())
		w.pass(times.Restore - step)
		w.exec(`UPDATE packages SET deleted_at = NULL WHERE name = 'app'`)
		w.mustPull(w.app, "latest")
		w.exec(`UPDATE packages SET deleted_at = ? WHERE name = 'app'`, w.now.UnixMicro())
		w.pass(times.Restore)
		if n := w.number(`SELECT COUNT(*) FROM packages WHERE name = 'app' AND purged_at IS NOT NULL AND cleared_at IS NOT NULL`); n != 1 {
			t.Error("the package is not marked as cleared")
		}
		for _, table := range []string{"versions", "tags", "package_blobs"} {
			if n := w.number(`SELECT COUNT(*) FROM ` + table + ` h JOIN packages p ON p.id = h.package_id WHERE p.name = 'app'`); n != 0 {
				t.Errorf("%d rows of %s stay", n, table)
			}
		}
		w.pass(forget)
		w.mustPull(w.other, "1")
		if n := w.number(`SELECT COUNT(*) FROM blobs`); n != 2 {
			t.Errorf("%d blobs stay, want those of the other package", n)
		}
	})
}

// What can be restored is whole, also when somebody took a blob out of the package
// meanwhile.
func TestRestoredVersionIsWhole(t *testing.T) {
	onBoth(t, func(w *world) {
		w.put(w.app, w.image(w.app), "other")
		layer := w.layer()
		d := w.push(w.app, layer)
		m := w.put(w.app, w.image(w.app, layer), "1")
		w.delete(w.app, m.String())
		w.check(w.DeleteBlob(w.ctx(), w.alice, w.app, d))
		w.pass(times.Restore - step)
		if w.read(w.app, d.String()) == nil {
			t.Error("the blob can be read although it was taken out")
		}
		id := int64(w.number(`SELECT id FROM versions WHERE digest = ?`, m.String()))
		c := packages.Change{By: 1, Entry: audit.Entry{At: w.now, Actor: "alice", Action: "version.restore", Target: "alice/app"}}
		pkg := int64(w.number(`SELECT package_id FROM versions WHERE id = ?`, id))
		w.check(w.store.RestorePackageVersion(w.ctx(), pkg, id, w.now.Add(-times.Restore), c))
		w.mustPull(w.app, "1")
		w.pass(forget)
		w.mustPull(w.app, "1")
	})
}

// A file that cannot be removed holds up no other, and goes when it can.
func TestRemovalThatFails(t *testing.T) {
	onBoth(t, func(w *world) {
		bytes := &stubborn{Store: w.blobs}
		o := w.options()
		o.Bytes = bytes
		w.gc = lifecycle.NewCollector(o)
		first, second := w.push(w.app, w.layer()), w.push(w.app, w.layer())
		w.pass(times.Grace + times.Condemn + times.Trash - step)
		bytes.refuse = 1
		w.now = w.now.Add(step)
		if _, err := w.gc.Run(w.ctx()); err == nil {
			t.Error("the failure was passed over")
		}
		r := w.round()
		if r.Purged.Blobs != 1 {
			t.Errorf("%+v", r)
		}
		w.pass(step)
		w.wantState(first, "gone")
		w.wantState(second, "gone")
		w.wantBytes()
	})
}

// stubborn refuses to remove bytes as often as it is told.
type stubborn struct {
	blob.Store
	refuse int
}

func (s *stubborn) Remove(ctx context.Context, loc blob.Location) error {
	if s.refuse > 0 {
		s.refuse--
		return errors.New("busy")
	}
	return s.Store.Remove(ctx, loc)
}

// Collectors of several nodes at once do what one does, and each thing once.
func TestSeveralCollectors(t *testing.T) {
	onBoth(t, func(w *world) {
		var kept []string
		for i := range 12 {
			d := w.put(w.app, w.image(w.app, w.layer()), "")
			if i%3 == 0 {
				kept = append(kept, d.String())
			} else {
				w.delete(w.app, d.String())
			}
		}
		for passed := time.Duration(0); passed < forget; passed += step {
			w.now = w.now.Add(step)
			var all sync.WaitGroup
			for range 3 {
				gc := lifecycle.NewCollector(w.options())
				all.Go(func() {
					if _, err := gc.Run(w.ctx()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
		w.mustPull(w.app, kept...)
		w.wantBytes()
		if n := w.number(`SELECT COUNT(*) FROM receipts`); n != 8*3 {
			t.Errorf("%d receipts, want one for each manifest, config and layer", n)
		}
		if n := w.number(`SELECT COUNT(*) FROM trash`); n != 0 {
			t.Errorf("%d things lie in the trash", n)
		}
	})
}

func TestExplain(t *testing.T) {
	onBoth(t, func(w *world) {
		layer, config := w.layer(), []byte(`{"os":"linux"}`)
		d := w.push(w.app, layer)
		w.push(w.app, config)
		explain := func(d oci.Digest, want string) lifecycle.Explanation {
			t.Helper()
			e, err := w.gc.Explain(w.ctx(), d)
			w.check(err)
			if len(e.Verdict) < len(want) || e.Verdict[:len(want)] != want {
				t.Errorf("%s: %q, want %q", d, e.Verdict, want)
			}
			return e
		}
		if _, err := w.gc.Explain(w.ctx(), oci.SHA256.FromBytes([]byte("never"))); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		explain(d, "kept by a lease")
		m := w.put(w.app, imageOf(config, layer), "1")
		w.put(w.app, indexOf(imageOf(config, layer)), "all")
		e := explain(d, "kept: manifests need it")
		if len(e.Needs.Parents) != 1 || e.Needs.Parents[0].Package != "alice/app" || e.Needs.Parents[0].Digest != m ||
			len(e.Needs.Parents[0].Tags) != 1 || e.Needs.Parents[0].Tags[0] != "1" || len(e.Needs.Holders) != 1 {
			t.Errorf("%+v", e.Needs)
		}
		if e = explain(m, "kept: a version of alice/app"); len(e.Needs.Parents) != 1 {
			t.Errorf("%+v", e.Needs)
		}
		w.exec(`UPDATE versions SET deleted_at = ?`, w.now.UnixMicro())
		explain(m, "deleted on 2026-01-02 03:04:05 UTC; it can be restored until 2026-01-04 03:04:05 UTC")
		w.pass(times.Restore)
		explain(m, "gone")
		explain(d, "condemned on")
		w.pass(times.Condemn)
		explain(d, "in the trash since")
		w.pass(times.Trash)
		if e = explain(d, "gone"); len(e.Receipts) != 1 {
			t.Errorf("%+v", e)
		}
	})
}
