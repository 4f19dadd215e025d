package lifecycle_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"packhouse/internal/access"
	"packhouse/internal/blob"
	"packhouse/internal/oci"
	"packhouse/internal/testkit"
)

// modelVersion is a manifest that was stored in a package.
type modelVersion struct {
	pkg       access.Package
	manifest  []byte
	parts     []int // blobs of the round
	deletedAt time.Time
}

func (v *modelVersion) digest() oci.Digest { return oci.SHA256.FromBytes(v.manifest) }

// held is that a package was told of a blob.
type held struct {
	pkg  access.Package
	blob int
}

// model is what must be there, from what was said and done alone.
type model struct {
	*world
	packages []access.Package
	blobs    [][]byte
	told     map[held]time.Time
	versions []*modelVersion
}

// Whatever is pushed, asked for, mounted, deleted and restored, in any order, and
// whichever steps a collector takes meanwhile, or begins and does not end: what
// was promised is taken, what is present can be pulled, what can be restored is
// whole.
func TestNothingPromisedIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.SQLite(t))
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		m := &model{world: w, told: map[held]time.Time{}}
		for _, name := range []string{"a", "b"} {
			m.packages = append(m.packages, packageAt(fmt.Sprintf("alice/%s%d", name, round)))
		}
		for i := range 5 {
			size := 10
			if i > 2 {
				size = 20_000
			}
			m.blobs = append(m.blobs, bytes.Repeat([]byte{byte(i), byte(round), byte(round >> 8)}, size))
		}
		t.Repeat(map[string]func(*rapid.T){
			"":             m.invariant,
			"push":         m.pushBlob,
			"ask":          m.askBlob,
			"mount":        m.mountBlob,
			"put":          m.putImage,
			"delete":       m.deleteVersion,
			"restore":      m.restoreVersion,
			"wait":         m.wait,
			"collect":      func(*rapid.T) { m.round() },
			"one step":     m.oneStep,
			"broken purge": m.brokenPurge,
		})
	})
}

func (m *model) any(t *rapid.T) held {
	return held{rapid.SampledFrom(m.packages).Draw(t, "package"), rapid.IntRange(0, len(m.blobs)-1).Draw(t, "blob")}
}

func (m *model) pushBlob(t *rapid.T) {
	h := m.any(t)
	m.push(h.pkg, m.blobs[h.blob])
	m.told[h] = m.now
}

func (m *model) askBlob(t *rapid.T) {
	h := m.any(t)
	there := m.head(h.pkg, oci.SHA256.FromBytes(m.blobs[h.blob]))
	if !there && m.promised(h) {
		t.Fatalf("blob %d of %s was promised and is absent", h.blob, h.pkg.Name)
	}
	if there {
		m.told[h] = m.now
	}
}

func (m *model) mountBlob(t *rapid.T) {
	h := m.any(t)
	ok, err := m.Mount(m.ctx(), m.alice, h.pkg, oci.SHA256.FromBytes(m.blobs[h.blob]), rapid.SampledFrom(m.packages).Draw(t, "from"))
	m.check(err)
	if ok {
		m.told[h] = m.now
	}
}

// promised is for at least half the grace.
func (m *model) promised(h held) bool {
	at, ok := m.told[h]
	return ok && m.now.Sub(at) <= times.Grace/2
}

// putImage names some blobs. When all were promised it must be taken.
func (m *model) putImage(t *rapid.T) {
	pkg := rapid.SampledFrom(m.packages).Draw(t, "package")
	parts := rapid.SliceOfNDistinct(rapid.IntRange(0, len(m.blobs)-1), 1, 3, rapid.ID).Draw(t, "blobs")
	all := true
	layers := make([][]byte, len(parts))
	for i, p := range parts {
		layers[i] = m.blobs[p]
		all = all && m.promised(held{pkg, p})
	}
	manifest := imageOf(layers[0], layers[1:]...)
	_, err := m.tryPut(pkg, manifest, "")
	if err != nil && all {
		t.Fatalf("a manifest whose parts were all promised: %v", err)
	}
	if err != nil {
		return
	}
	m.versions = slices.DeleteFunc(m.versions, func(v *modelVersion) bool { return v.pkg == pkg && bytes.Equal(v.manifest, manifest) })
	m.versions = append(m.versions, &modelVersion{pkg: pkg, manifest: manifest, parts: parts})
}

func (m *model) deleteVersion(t *rapid.T) {
	if v := m.version(t, true); v != nil {
		m.delete(v.pkg, v.digest().String())
		v.deletedAt = m.now
	}
}

func (m *model) restoreVersion(t *rapid.T) {
	v := m.version(t, false)
	if v == nil || !m.now.Before(v.deletedAt.Add(times.Restore)) {
		return
	}
	m.exec(`UPDATE versions SET deleted_at = NULL WHERE digest = ? AND package_id IN (SELECT id FROM packages WHERE name = ?)`,
		v.digest().String(), v.pkg.Name.Package())
	v.deletedAt = time.Time{}
}

// version returns one that is present or deleted, nil when there is none.
func (m *model) version(t *rapid.T, present bool) *modelVersion {
	var list []*modelVersion
	for _, v := range m.versions {
		if v.deletedAt.IsZero() == present {
			list = append(list, v)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return rapid.SampledFrom(list).Draw(t, "version")
}

func (m *model) wait(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.SampledFrom([]int{1, 3, 6, 11, 48}).Draw(t, "hours")) * time.Hour)
	m.check(m.store.Note(m.ctx(), map[string]string{"gc.last": ""})) // several waits are no jump of the clock
}

// oneStep does what a collector did just before it died.
func (m *model) oneStep(t *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(t, "rows")
	var err error
	switch rapid.IntRange(0, 1).Draw(t, "step") {
	case 0:
		_, err = m.store.ClearVersions(m.ctx(), m.now.Add(-times.Restore), m.now, n)
	default:
		_, err = m.store.Review(m.ctx(), m.now, times, n)
	}
	m.check(err)
}

// brokenPurge marks, and removes some of the bytes, and goes no further.
func (m *model) brokenPurge(t *rapid.T) {
	due, err := m.store.BeginPurge(m.ctx(), m.now, 2)
	m.check(err)
	for _, d := range due {
		if d.Location != "" && rapid.Bool().Draw(t, "removed") {
			m.check(m.world.blobs.Remove(m.ctx(), d.Location))
		}
	}
}

func (m *model) invariant(t *rapid.T) {
	if n := m.number(`SELECT COUNT(*) FROM blobs b WHERE review_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.child = b.digest AND e.kind = 'blob')`); n > 0 {
		t.Fatalf("%d blobs that nothing needs will never be looked at", n)
	}
	for _, v := range m.versions {
		switch {
		case v.deletedAt.IsZero():
			if err := m.pull(v.pkg, v.digest().String()); err != nil {
				t.Fatalf("a present version of %s: %v", v.pkg.Name, err)
			}
		case m.now.Before(v.deletedAt.Add(times.Restore)):
			for _, p := range v.parts {
				if err := m.whole(m.blobs[p]); err != nil {
					t.Fatalf("a version of %s that can be restored: %v", v.pkg.Name, err)
				}
			}
		}
	}
}

// whole looks whether bytes are on record and stored.
func (m *model) whole(content []byte) error {
	var loc blob.Location
	err := m.db.Read().QueryRow(m.ctx(), `SELECT location FROM blobs WHERE digest = ?`, oci.SHA256.FromBytes(content).String()).Scan(&loc)
	if err != nil || loc == "" {
		return err
	}
	o, err := m.world.blobs.Open(m.ctx(), loc, int64(len(content)))
	if err != nil {
		return err
	}
	return o.Close()
}
