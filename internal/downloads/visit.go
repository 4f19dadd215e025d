package downloads

import (
	"cmp"
	"slices"
	"time"

	"packhouse/internal/oci"
)

// visit is what one client has read of one package lately.
type visit struct {
	reads []read // the latest last
	looks []look
}

// read is a manifest that was given to the client.
type read struct {
	Version
	tag   string
	parts []uint64 // what it names, by the beginning of digests
}

// look is a tag that was asked about by HEAD.
type look struct {
	digest oci.Digest
	tag    string
}

// maxReads is how many manifests, and how many tags, are remembered of one visit:
// an index, its child and some more that are pulled beside it.
const maxReads = 6

func (v *visit) add(r read) {
	v.reads = slices.DeleteFunc(v.reads, func(o read) bool { return o.VersionID == r.VersionID })
	if len(v.reads) >= maxReads {
		v.reads = slices.Delete(v.reads, 0, 1)
	}
	v.reads = append(v.reads, r)
}

func (v *visit) look(d oci.Digest, tag string) {
	v.looks = slices.DeleteFunc(v.looks, func(o look) bool { return o.tag == tag })
	if len(v.looks) >= maxReads {
		v.looks = slices.Delete(v.looks, 0, 1)
	}
	v.looks = append(v.looks, look{d, tag})
}

// tagOf is the tag that led the client to the digest; "" for none.
func (v *visit) tagOf(d oci.Digest) string {
	for _, l := range slices.Backward(v.looks) {
		if l.digest == d {
			return l.tag
		}
	}
	return ""
}

// holder is the latest manifest, or index, that names the part.
func (v *visit) holder(part uint64, index bool) (read, bool) {
	for _, r := range slices.Backward(v.reads) {
		if r.Index == index && slices.Contains(r.parts, part) {
			return r, true
		}
	}
	return read{}, false
}

// compare orders counts as they are written, the same for all nodes, so that
// none waits for another that waits for it.
func compare(a, b Count) int {
	return cmp.Or(cmp.Compare(a.PackageID, b.PackageID), cmp.Compare(a.VersionID, b.VersionID), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Day, b.Day))
}

// generations is a map that forgets: what was not used since the last two turns
// is gone. It turns when it holds max entries, and after a time.
type generations[K comparable, V any] struct {
	max      int
	every    time.Duration
	turnedAt time.Time
	young    map[K]V
	old      map[K]V
}

func newGenerations[K comparable, V any](max int, every time.Duration) *generations[K, V] {
	return &generations[K, V]{max: max, every: every, young: map[K]V{}}
}

func (g *generations[K, V]) get(k K, now time.Time) (V, bool) {
	g.turn(now)
	if v, ok := g.young[k]; ok {
		return v, true
	}
	v, ok := g.old[k]
	if ok {
		g.put(k, v, now)
	}
	return v, ok
}

func (g *generations[K, V]) put(k K, v V, now time.Time) {
	g.turn(now)
	g.young[k] = v
}

func (g *generations[K, V]) turn(now time.Time) {
	age := now.Sub(g.turnedAt)
	switch {
	case age >= 2*g.every: // nothing is young enough
		g.young, g.old = map[K]V{}, nil
	case age >= g.every || len(g.young) >= g.max:
		g.young, g.old = map[K]V{}, g.young
	default:
		return
	}
	g.turnedAt = now
}
