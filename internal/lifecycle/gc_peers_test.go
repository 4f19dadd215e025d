package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

// How other registries lost what they had promised to keep, acted out here.
func TestPeerBugs(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(w *world){
		"B1 children of an index":                      childrenOfAnIndex,
		"B2 a blob that several manifests share":       sharedBlob,
		"B3 a kept manifest keeps its links":           keptLinks,
		"B4 a push after the collection":               pushAfterwards,
		"B5 rows and bytes agree at every moment":      rowsAndBytes,
		"B6 a blob whose manifest is still to come":    slowPush,
		"B7 one copy of the bytes, whoever holds them": oneCopy,
		"B13 a child deleted behind an index":          deletedChild,
		"B24 HEAD, then the manifest alone":            skippedUpload,
	} {
		t.Run(name, func(t *testing.T) { onBoth(t, run) })
	}
}

// Pushed by digest and never tagged, as clients do, the children stay as long as
// the index does, and go with it.
func childrenOfAnIndex(w *world) {
	amd, arm, doomed := w.image(w.app, w.layer()), w.image(w.app, w.layer()), w.image(w.app, w.layer())
	for _, m := range [][]byte{amd, arm, doomed} {
		w.put(w.app, m, "")
	}
	index := indexOf(amd, arm)
	w.put(w.app, index, "latest")
	w.delete(w.app, oci.SHA256.FromBytes(doomed).String())
	w.pass(forget)
	w.mustPull(w.app, "latest")
	w.wantState(oci.SHA256.FromBytes(doomed), "gone")

	w.put(w.app, w.image(w.app, w.layer()), "latest") // the index lies untagged, and stays too
	w.pass(forget)
	w.mustPull(w.app, oci.SHA256.FromBytes(index).String())
}

func sharedBlob(w *world) {
	shared, own := w.layer(), w.layer()
	first, second := w.put(w.app, w.image(w.app, shared, own), "1"), w.put(w.app, w.image(w.app, shared), "2")
	w.put(w.bobs, w.image(w.bobs, shared), "1")
	w.delete(w.app, first.String())
	// A look at the rows that fails half way decides nothing.
	broken := w.options()
	broken.Garbage = &failing{Garbage: w.store}
	for range 40 {
		w.now = w.now.Add(step)
		if _, err := lifecycle.NewCollector(broken).Run(w.ctx()); err == nil {
			w.t.Fatal("the error was passed over")
		}
	}
	w.mustPull(w.app, second.String(), "2")
	w.pass(forget)
	w.mustPull(w.app, "2")
	w.mustPull(w.bobs, "1")
	w.wantState(oci.SHA256.FromBytes(own), "gone")
	w.wantState(oci.SHA256.FromBytes(shared), "live")
}

// failing is a database that breaks after each review.
type failing struct{ lifecycle.Garbage }

func (f *failing) Review(ctx context.Context, now time.Time, t lifecycle.Times, n int) (lifecycle.Reviewed, error) {
	r, err := f.Garbage.Review(ctx, now, t, 1)
	return r, errors.Join(err, errors.New("no answer"))
}

func (f *failing) BeginPurge(context.Context, time.Time, int) ([]lifecycle.Trash, error) {
	panic("purging after an error")
}

func keptLinks(w *world) {
	base := w.layer()
	for _, p := range []access.Package{w.app, w.other} {
		w.put(p, w.image(p, base), "kept")
		w.delete(p, w.put(p, w.image(p, base, w.layer()), "dropped").String())
	}
	w.pass(forget)
	w.mustPull(w.app, "kept")
	w.mustPull(w.other, "kept")
}

// What is gone is gone in every answer, whatever is cached, and comes back whole.
func pushAfterwards(w *world) {
	layer, config := w.layer(), []byte(`{"os":"linux"}`)
	d, m := oci.SHA256.FromBytes(layer), imageOf(config, layer)
	for range 3 {
		w.push(w.app, layer)
		w.push(w.app, config)
		w.put(w.app, m, "1")
		w.mustPull(w.app, "1")
		w.delete(w.app, oci.SHA256.FromBytes(m).String())
		w.pass(forget)
		w.wantState(d, "gone")
		if w.head(w.app, d) {
			w.t.Error("a blob that is gone is said to be there")
		}
		if ok, err := w.Mount(w.ctx(), w.alice, w.other, d, access.Package{}); ok || err != nil {
			w.t.Errorf("a blob that is gone is mounted: %v, %v", ok, err)
		}
		if _, err := w.tryPut(w.app, m, "1"); err == nil {
			w.t.Error("a manifest is taken whose blobs are gone")
		}
		w.wantBytes()
	}
}

func rowsAndBytes(w *world) {
	for i := range 8 {
		d := w.put(w.app, w.image(w.app, w.layer(), w.layer()), "1")
		if i%2 == 0 {
			w.delete(w.app, d.String())
		}
		w.push(w.other, w.layer()) // never to be named by a manifest
		for range 4 {
			w.pass(step)
			w.wantBytes()
		}
	}
	w.pass(forget)
	w.wantBytes()
	w.mustPull(w.app, "1")
	if n := w.number(`SELECT COUNT(*) FROM package_blobs`); n != 4*3 {
		w.t.Errorf("%d blobs are held, want those of 4 images", n)
	}
}

// The layers arrive, and the manifest as late as the grace allows. Asking for a
// layer late in its lease prolongs it.
func slowPush(w *world) {
	layer, config := w.layer(), []byte(`{"os":"linux"}`)
	w.push(w.app, layer)
	w.pass(times.Grace - time.Hour)
	w.push(w.app, config)
	m := imageOf(config, layer)
	w.put(w.app, m, "in-time")
	w.delete(w.app, oci.SHA256.FromBytes(m).String())

	other := w.layer()
	d := w.push(w.app, other)
	for range 6 {
		w.pass(times.Grace - step)
		if !w.head(w.app, d) {
			w.t.Fatal("a promised blob is absent")
		}
	}
	w.pass(times.Grace - step)
	w.push(w.app, config)
	w.put(w.app, imageOf(config, other), "late")
	w.pass(forget)
	w.mustPull(w.app, "late")
}

func oneCopy(w *world) {
	layer := w.layer()
	d := w.push(w.app, layer)
	first := w.put(w.app, w.image(w.app, layer), "1")
	if ok, err := w.Mount(w.ctx(), w.alice, w.other, d, w.app); !ok || err != nil {
		w.t.Fatal(ok, err)
	}
	w.put(w.other, w.image(w.other, layer), "1")
	w.delete(w.app, first.String())
	w.pass(forget)
	w.mustPull(w.other, "1")

	// Bytes that got lost are mended by the next push, and what was there stays
	// to be looked at.
	w.exec(`UPDATE blobs SET state = 'suspect' WHERE digest = ?`, d.String())
	if w.pull(w.other, "1") == nil {
		w.t.Error("damaged bytes are served")
	}
	w.push(w.other, layer)
	w.mustPull(w.other, "1")
	w.wantBytes()
	if n := w.number(`SELECT COUNT(*) FROM trash WHERE digest = ?`, d.String()); n != 1 {
		w.t.Errorf("%d entries of the damaged bytes in the trash, want 1", n)
	}
	w.pass(forget)
	w.mustPull(w.other, "1")
	w.wantBytes()
}

// A child that is deleted although an index needs it can be restored as long as
// the index is there, or can be restored itself.
func deletedChild(w *world) {
	child := w.image(w.app, w.layer())
	d := w.put(w.app, child, "")
	index := w.put(w.app, indexOf(child), "latest")
	drop := `UPDATE versions SET deleted_at = ? WHERE digest = ?`
	w.exec(drop, w.now.UnixMicro(), d.String())
	w.pass(forget)
	w.exec(`UPDATE versions SET deleted_at = NULL WHERE digest = ?`, d.String())
	w.mustPull(w.app, "latest")

	w.exec(drop, w.now.UnixMicro(), d.String())
	w.pass(times.Restore)
	w.exec(drop, w.now.UnixMicro(), index.String())
	w.pass(times.Restore - step)
	w.exec(`UPDATE versions SET deleted_at = NULL`)
	w.mustPull(w.app, index.String())

	w.exec(`UPDATE versions SET deleted_at = ?`, w.now.UnixMicro())
	w.pass(forget)
	if n := w.number(`SELECT COUNT(*) FROM manifests`); n != 0 {
		w.t.Errorf("%d manifests stay", n)
	}
}

// At each age of an unneeded blob: if a pusher is told that it is there, then a
// manifest that names it is taken, and can be pulled for good.
func skippedUpload(w *world) {
	var told, refused int
	for age := time.Duration(0); age < times.Grace+times.Condemn+times.Trash; age += step {
		layer, config := w.layer(), []byte(`{"os":"linux"}`)
		d := w.push(w.app, layer)
		w.pass(age)
		state := w.state(d)
		if !w.head(w.app, d) {
			refused++
			if state == "live" || state == "condemned" {
				w.t.Errorf("a %s blob is absent", state)
			}
			continue
		}
		told++
		w.push(w.app, config)
		w.pass(times.Grace/2 - step) // a push may take this long
		tag := "a" + age.String()
		if _, err := w.tryPut(w.app, imageOf(config, layer), tag); err != nil {
			w.t.Errorf("age %s: %v", age, err)
			continue
		}
		w.pass(times.Condemn + step)
		w.mustPull(w.app, tag)
	}
	// The manifest that needed a blob goes right after somebody was told of it.
	layer, config := w.layer(), []byte(`{"os":"linux"}`)
	d := w.push(w.app, layer)
	w.push(w.app, config)
	w.delete(w.app, w.put(w.app, imageOf(config, layer), "going").String())
	w.pass(times.Restore - step)
	if !w.head(w.app, d) {
		w.t.Fatal("a blob that a version needs which can be restored is absent")
	}
	w.pass(times.Grace/2 + step)
	w.push(w.app, config)
	if _, err := w.tryPut(w.app, imageOf(config, layer), "again"); err != nil {
		w.t.Errorf("after the removal of its last manifest: %v", err)
	}
	if told < 4 || refused < 3 {
		w.t.Errorf("told %d times and refused %d times; the ages prove nothing", told, refused)
	}
}
