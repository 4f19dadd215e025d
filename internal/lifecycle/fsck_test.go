package lifecycle_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

// flips are the ways in which bytes go bad.
var flips = []struct {
	name string
	do   func(y *yard, loc blob.Location)
}{
	{"a bit flips", func(y *yard, loc blob.Location) {
		b := y.read(y.t, loc)
		b[len(b)/3] ^= 0x10
		y.overwrite(y.t, loc, b)
	}},
	{"cut short", func(y *yard, loc blob.Location) { b := y.read(y.t, loc); y.overwrite(y.t, loc, b[:len(b)-1]) }},
	{"zeroed", func(y *yard, loc blob.Location) { y.overwrite(y.t, loc, make([]byte, len(y.read(y.t, loc)))) }},
	{"emptied", func(y *yard, loc blob.Location) { y.overwrite(y.t, loc, nil) }},
	{"gone", func(y *yard, loc blob.Location) { y.remove(y.t, loc) }},
}

// damage pushes an image and damages n of its layers outside of the database, and
// as many within; it returns the layers.
func (y *yard) damage(n int) [][]byte {
	y.t.Helper()
	var layers [][]byte
	for i := range n {
		large, _ := randomBytes(20_000 + 10_000*i)
		small, _ := randomBytes(200 + i)
		layers = append(layers, large, small)
	}
	y.image("v1", layers...)
	y.clean("before the damage")
	for i := range n {
		flips[i%len(flips)].do(y, y.at(oci.SHA256.FromBytes(layers[2*i])))
		d := oci.SHA256.FromBytes(layers[2*i+1])
		if i%2 == 0 {
			y.exec(`UPDATE blob_contents SET content = ? WHERE digest = ?`, append([]byte{layers[2*i+1][0] ^ 1}, layers[2*i+1][1:]...), d.String())
		} else {
			y.exec(`DELETE FROM blob_contents WHERE digest = ?`, d.String())
		}
	}
	y.Service = y.node() // nothing is in memory
	return layers
}

// heals pushes the layers again and expects each to be whole.
func (y *yard) heals(layers [][]byte) {
	y.t.Helper()
	for _, l := range layers {
		d := oci.SHA256.FromBytes(l)
		if b, err := y.pull(d); err == nil {
			y.t.Errorf("after the detection %d bytes of %s are served, right: %v", len(b), d, bytes.Equal(b, l))
		}
		if _, err := y.StatBlob(y.t.Context(), y.alice, y.app, d); err == nil {
			y.t.Errorf("a push is told that %s is there", d)
		}
		y.push(l)
		if b, err := y.pull(d); err != nil || !bytes.Equal(b, l) {
			y.t.Errorf("after a push: %d bytes, %v", len(b), err)
		}
	}
	// What the damaged files leave behind are strays.
	if _, found := y.fsck(lifecycle.FsckOptions{ReadData: 100, Repair: true}); faults(found)[lifecycle.Stray] != 0 {
		y.t.Errorf("strays are left: %+v", found)
	}
	y.clean("after the pushes")
}

// T-FLIP: every damage is found, no wrong byte is served afterwards, and a push
// heals it.
func TestFsckFindsEveryDamage(t *testing.T) {
	onYards(t, func(y *yard) {
		const n = 12
		layers := y.damage(n)
		for _, repair := range []bool{false, true} {
			report, found := y.fsck(lifecycle.FsckOptions{ReadData: 100, Repair: repair})
			got := faults(found)
			if sum := got[lifecycle.BlobDamaged] + got[lifecycle.BlobMissing]; sum != 2*n || report.Left != 2*n {
				y.t.Fatalf("repair %v: %d of %d were found: %+v", repair, sum, 2*n, found)
			}
		}
		y.heals(layers)
	})
}

func TestScrubFindsEveryDamage(t *testing.T) {
	onYards(t, func(y *yard) {
		const n = 12
		layers := y.damage(n)
		start := y.now
		var found []lifecycle.Finding
		s := &lifecycle.Scrub{
			Rows: y.store, Memory: y.store, Store: y.blobs, Now: func() time.Time { return y.now }, Period: 30 * 24 * time.Hour,
			Found: func(f lifecycle.Finding) { found = append(found, f) },
		}
		seen := map[int]bool{}
		for day := 0; day <= 31; day++ { // each by another node
			y.now = start.Add(time.Duration(day) * 24 * time.Hour)
			again := *s
			_, err := again.Run(y.t.Context())
			y.check(err)
			seen[len(found)] = true
		}
		if len(found) != 2*n {
			y.t.Errorf("%d of %d were found: %+v", len(found), 2*n, found)
		}
		if len(seen) < 5 {
			y.t.Errorf("the scrub did all at once: %v", seen)
		}
		var unverified int
		y.check(y.db.Read().QueryRow(y.t.Context(), `SELECT COUNT(*) FROM blobs WHERE verified_at IS NULL`).Scan(&unverified))
		if unverified != 0 {
			y.t.Errorf("%d blobs were not looked at", unverified)
		}
		y.heals(layers)
	})
}

// Bytes that a pull does not find are not there for the next push either.
func TestAPullThatFailsHasTheNextPushHeal(t *testing.T) {
	onYards(t, func(y *yard) {
		for _, flip := range flips[3:] { // of another size, and gone
			layer, d := randomBytes(50_000)
			y.image("v1", layer)
			flip.do(y, y.at(d))
			if _, err := y.pull(d); err == nil {
				y.t.Errorf("%s: served", flip.name)
			}
			if _, err := y.StatBlob(y.t.Context(), y.alice, y.app, d); err == nil {
				y.t.Errorf("%s: a push is told that it is there", flip.name)
			}
			y.push(layer)
			if b, err := y.pull(d); err != nil || !bytes.Equal(b, layer) {
				y.t.Errorf("%s: after a push: %d bytes, %v", flip.name, len(b), err)
			}
		}
	})
}

// A blob that seemed damaged and is not, as when a disk was away, is served again.
func TestFsckTakesAMarkBack(t *testing.T) {
	onYards(t, func(y *yard) {
		layer, d := randomBytes(50_000)
		y.image("v1", layer)
		loc := y.at(d)
		y.remove(y.t, loc)
		y.fsck(lifecycle.FsckOptions{Light: true, Repair: true})
		if _, err := y.pull(d); err == nil {
			y.t.Error("a missing blob is served")
		}
		y.overwrite(y.t, loc, layer)
		if _, found := y.fsck(lifecycle.FsckOptions{Light: true, Repair: true}); len(found) != 1 || !found[0].Mended {
			y.t.Errorf("findings: %+v", found)
		}
		if b, err := y.pull(d); err != nil || !bytes.Equal(b, layer) {
			y.t.Errorf("after the repair: %d bytes, %v", len(b), err)
		}
		y.clean("after the repair")
	})
}

// put publishes bytes that nothing leads to.
func (y *yard) put(b []byte) blob.Location {
	y.t.Helper()
	w, err := y.blobs.Resume(y.t.Context(), blob.Staged{ID: y.NewID()})
	y.check(err)
	_, err = w.Write(b)
	y.check(err)
	up, err := w.Close()
	y.check(err)
	loc, err := y.blobs.Publish(y.t.Context(), up, oci.SHA256.FromBytes(b))
	y.check(err)
	return loc
}

func TestStraysGoToTheTrash(t *testing.T) {
	onYards(t, func(y *yard) {
		layer, _ := randomBytes(30_000)
		y.image("v1", layer)
		loc := y.put(layer)
		y.now = y.now.Add(-72 * time.Hour) // the check looks two days later
		if r, found := y.fsck(lifecycle.FsckOptions{Light: true, Repair: true}); len(found) != 0 || r.Fresh != 1 {
			y.t.Fatalf("a young stray: %+v, %+v", r, found)
		}
		y.now = y.now.Add(72 * time.Hour)
		if _, found := y.fsck(lifecycle.FsckOptions{Light: true, Repair: true, KeepStrays: true}); faults(found)[lifecycle.Stray] != 1 {
			y.t.Fatalf("findings: %+v", found)
		}
		if _, found := y.fsck(lifecycle.FsckOptions{Light: true, Repair: true}); len(found) != 1 || !found[0].Mended || found[0].Location != string(loc) {
			y.t.Fatalf("findings: %+v", found)
		}
		var n int
		y.check(y.db.Read().QueryRow(y.t.Context(), `SELECT COUNT(*) FROM trash WHERE location = ? AND purging = 0 AND condemned_at IS NULL`, string(loc)).Scan(&n))
		if n != 1 || len(y.read(y.t, loc)) != len(layer) {
			y.t.Errorf("%d rows of the trash", n)
		}
		y.clean("with the stray in the trash")
	})
}

// What versions need and has lost its row, or its bytes, is taken in again if
// the store has it somewhere.
func TestFsckAdoptsWhatIsNeeded(t *testing.T) {
	onYards(t, func(y *yard) {
		a, da := randomBytes(30_000)
		b, db := randomBytes(30_000)
		unneeded, du := randomBytes(30_000)
		y.image("v1", a, b)
		y.push(unneeded)
		for _, d := range []oci.Digest{da, du} {
			y.exec(`DELETE FROM package_blobs WHERE digest = ?`, d.String())
			y.exec(`DELETE FROM blobs WHERE digest = ?`, d.String())
		}
		y.remove(y.t, y.at(db))
		y.put(b) // as a copy from elsewhere
		_, found := y.fsck(lifecycle.FsckOptions{ReadData: 100})
		want := map[lifecycle.Fault]int{lifecycle.PartMissing: 1, lifecycle.BlobMissing: 1, lifecycle.Stray: 3}
		if got := faults(found); fmt.Sprint(got) != fmt.Sprint(want) {
			y.t.Errorf("findings: %v, want %v", got, want)
		}
		r, found := y.fsck(lifecycle.FsckOptions{Repair: true})
		if r.Left != 0 {
			y.t.Errorf("after the repair: %+v", found)
		}
		y.clean("after the repair")
		for _, l := range [][]byte{a, b} {
			if got, err := y.pull(oci.SHA256.FromBytes(l)); err != nil || !bytes.Equal(got, l) {
				y.t.Errorf("after the repair: %d bytes, %v", len(got), err)
			}
		}
	})
}

// What a version needs should never come into the trash; were it there, it is
// taken back.
func TestFsckTakesBackFromTheTrash(t *testing.T) {
	onYards(t, func(y *yard) {
		for _, size := range []int{300, 30_000} {
			layer, d := randomBytes(size)
			y.image("v1", layer)
			loc := y.at(d)
			var content any
			if loc == "" {
				content = layer
			}
			y.exec(`INSERT INTO trash (digest, size, location, content, packages, created_at, condemned_at, trashed_at, purge_at)
				VALUES (?, ?, ?, ?, '[]', 0, 0, 0, 0)`, d.String(), size, string(loc), content)
			for _, table := range []string{"package_blobs", "blob_contents", "blobs"} {
				y.exec(`DELETE FROM `+table+` WHERE digest = ?`, d.String())
			}
			if _, found := y.fsck(lifecycle.FsckOptions{}); faults(found)[lifecycle.PartMissing] != 1 {
				y.t.Errorf("%d bytes: %+v", size, found)
			}
			if _, found := y.fsck(lifecycle.FsckOptions{Repair: true}); len(found) != 1 || !found[0].Mended {
				y.t.Errorf("%d bytes: after the repair: %+v", size, found)
			}
			y.clean("after the repair")
			if got, err := y.pull(d); err != nil || !bytes.Equal(got, layer) {
				y.t.Errorf("%d bytes: after the repair: %d, %v", size, len(got), err)
			}
		}
	})
}

// A manifest may name another's bytes as a foreign layer. No repair gives them
// to its package.
func TestFsckLinksNoForeignLayer(t *testing.T) {
	onYards(t, func(y *yard) {
		secret, d := randomBytes(30_000)
		y.push(secret)
		config := []byte(`{}`)
		y.push(config)
		y.tag("v1", fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},
			"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":%q,"size":30000}]}`,
			oci.MediaTypeImageManifest, oci.SHA256.FromBytes(config), d))
		y.exec(`DELETE FROM package_blobs WHERE digest = ?`, d.String())
		if _, found := y.fsck(lifecycle.FsckOptions{Repair: true}); len(found) != 0 {
			y.t.Errorf("findings: %+v", found)
		}
		if _, err := y.pull(d); err == nil {
			y.t.Error("the package got the foreign layer")
		}
	})
}

// Rows that were broken by hand, one at a time.
func TestFsckFindsBrokenRows(t *testing.T) {
	onYards(t, func(y *yard) {
		layer, d := randomBytes(30_000)
		m := y.image("v1", layer)
		child := oci.SHA256.FromBytes(m)
		y.tag("index", fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
			oci.MediaTypeImageIndex, oci.MediaTypeImageManifest, child, len(m)))
		alone, loose := randomBytes(300)
		y.push(alone)
		y.exec(`UPDATE blobs SET review_at = 1 WHERE digest = ?`, loose.String())
		for _, c := range []struct {
			fault   lifecycle.Fault
			breaks  string
			args    []any
			mends   bool
			restore string
		}{
			{lifecycle.EdgesWrong, `DELETE FROM edges WHERE parent = ? AND kind = 'blob'`, []any{child.String()}, true, ""},
			{lifecycle.EdgesWrong, `INSERT INTO edges (parent, child, kind) VALUES (?, ?, 'blob')`, []any{child.String(), loose.String()}, true, ""},
			{lifecycle.EdgesWrong, `UPDATE edges SET kind = 'subject' WHERE child = ?`, []any{child.String()}, true, ""},
			{lifecycle.PartUnlinked, `DELETE FROM package_blobs WHERE digest = ?`, []any{d.String()}, true, ""},
			{lifecycle.ReviewMissing, `UPDATE blobs SET review_at = NULL WHERE digest = ?`, []any{loose.String()}, true, ""},
			{lifecycle.SumWrong, `UPDATE packages SET downloads = 7 WHERE id > ?`, []any{0}, true, ""},
			{lifecycle.SumWrong, `UPDATE versions SET downloads = 7 WHERE id > ?`, []any{0}, true, ""},
			{lifecycle.TagDangling, `INSERT INTO tags (package_id, name, digest, since, set_by) SELECT id, 'dangling', ?, 0, 0 FROM packages`,
				[]any{d.String()}, false, `DELETE FROM tags WHERE name = 'dangling'`},
			{lifecycle.ManifestDamaged, `UPDATE manifests SET content = ? WHERE digest = ?`, []any{m[:len(m)-1], child.String()}, false, "push"},
			{lifecycle.ChildMissing, `UPDATE versions SET deleted_at = 1 WHERE digest = ?`, []any{child.String()}, false, `UPDATE versions SET deleted_at = NULL`},
		} {
			y.clean("before " + string(c.fault))
			y.exec(c.breaks, c.args...)
			if _, found := y.fsck(lifecycle.FsckOptions{}); faults(found)[c.fault] == 0 {
				y.t.Errorf("%s was not found: %+v", c.fault, found)
			}
			_, found := y.fsck(lifecycle.FsckOptions{Repair: true})
			if mended := faults(found)[c.fault] == 0; mended != c.mends {
				y.t.Errorf("%s: mended %v, want %v: %+v", c.fault, mended, c.mends, found)
			}
			switch c.restore {
			case "":
			case "push":
				y.tag("v1", string(m))
			default:
				y.exec(c.restore)
			}
		}
		y.clean("at the end")
	})
}

// A store that is not there must not have every blob pushed again.
func TestCautiousFsckSparesAStoreThatIsAway(t *testing.T) {
	onYards(t, func(y *yard) {
		var layers [][]byte
		for range 110 {
			b, _ := randomBytes(17_000)
			layers = append(layers, b)
		}
		y.image("v1", layers...)
		for _, l := range layers {
			y.remove(y.t, y.at(oci.SHA256.FromBytes(l)))
		}
		f := &lifecycle.Fsck{Blobs: y.store, Objects: y.store, Trashed: y.store, Manifests: y.store, Others: y.store, Store: y.blobs, Now: time.Now, Actor: "server"}
		if _, err := f.Run(context.Background(), lifecycle.FsckOptions{Light: true, Repair: true, Cautious: true}); err == nil {
			y.t.Error("the check went on")
		}
		var marked int
		y.check(y.db.Read().QueryRow(y.t.Context(), `SELECT COUNT(*) FROM blobs WHERE state = 'suspect'`).Scan(&marked))
		if marked != 0 {
			y.t.Errorf("%d blobs were marked", marked)
		}
	})
}
