package lifecycle

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"packhouse/internal/oci"
)

// chooses reports whether a rule of Delete chooses the version.
func (r *compiledRule) chooses(n *node, now time.Time) bool {
	if r.named() && (len(n.names) == 0 || !all(n.names, r.names)) {
		return false
	}
	return r.fits(n, now)
}

// spares reports whether a rule of Keep chooses it, its number apart.
func (r *compiledRule) spares(n *node, now time.Time) bool {
	if r.named() && !slices.ContainsFunc(n.names, r.names) {
		return false
	}
	return r.fits(n, now)
}

func (r *compiledRule) named() bool {
	return len(r.patterns) > 0 || r.versions != nil || r.LastPerMinor > 0
}

func all(tags []StockTag, ok func(StockTag) bool) bool {
	return !slices.ContainsFunc(tags, func(t StockTag) bool { return !ok(t) })
}

// names reports whether the tag is one of those that the rule is about.
func (r *compiledRule) names(t StockTag) bool {
	if len(r.patterns) > 0 && !slices.ContainsFunc(r.patterns, func(p oci.TagPattern) bool { return p.Match(t.Tag) }) {
		return false
	}
	if r.versions == nil && r.LastPerMinor == 0 {
		return true
	}
	v := release(t.Tag)
	return v != nil && (r.versions == nil || r.versions.Check(v))
}

// release is the version that a tag names in full, such as v1.2.3; nil for none.
func release(t oci.Tag) *semver.Version {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(t.String(), "v"))
	if err != nil {
		return nil
	}
	return v
}

// fits applies the conditions that are not about tags' names.
func (r *compiledRule) fits(n *node, now time.Time) bool {
	before := func(at time.Time, age time.Duration) bool { return !at.After(now.Add(-age)) }
	pulled := n.pulledAt()
	used := n.TouchedAt
	if pulled.After(used) {
		used = pulled
	}
	ends := n.expiresAt()
	switch {
	case r.Untagged && len(n.names) > 0,
		len(r.Kinds) > 0 && !slices.Contains(r.Kinds, n.Kind),
		r.Expired && (ends.IsZero() || ends.After(now)),
		r.olderThan > 0 && !before(n.TouchedAt, r.olderThan),
		r.notPulledFor > 0 && !before(used, r.notPulledFor),
		r.youngerThan > 0 && before(n.TouchedAt, r.youngerThan),
		r.pulledWithin > 0 && (pulled.IsZero() || before(pulled, r.pulledWithin)):
		return false
	}
	return true
}

// kept returns those of the roots that a rule of Keep keeps.
func (r *compiledRule) kept(roots []*node, now time.Time) []*node {
	var list []*node
	for _, n := range roots {
		if r.spares(n, now) {
			list = append(list, n)
		}
	}
	if r.Last == 0 && r.LastPerMinor == 0 {
		return list
	}
	order := r.newest
	if r.versions != nil || r.LastPerMinor > 0 {
		order = r.highest
	}
	slices.SortStableFunc(list, order)
	if r.Last > 0 {
		return list[:min(r.Last, len(list))]
	}
	count := map[[2]uint64]int{}
	return slices.DeleteFunc(list, func(n *node) bool {
		v := r.release(n)
		line := [2]uint64{v.Major(), v.Minor()}
		count[line]++
		return count[line] > r.LastPerMinor
	})
}

// newest orders by when a tag that the rule is about was set, or else by when the
// version was touched, the latest first.
func (r *compiledRule) newest(a, b *node) int {
	return cmp.Or(r.setAt(b).Compare(r.setAt(a)), cmp.Compare(b.ID, a.ID))
}

func (r *compiledRule) setAt(n *node) time.Time {
	var at time.Time
	for _, t := range n.names {
		if r.names(t) && t.Since.After(at) {
			at = t.Since
		}
	}
	if at.IsZero() {
		return n.TouchedAt
	}
	return at
}

// highest orders by the versions that tags name, the highest first.
func (r *compiledRule) highest(a, b *node) int {
	return cmp.Or(r.release(b).Compare(r.release(a)), r.newest(a, b))
}

// release is the highest version that a tag names which the rule is about. There
// is one wherever the rule spares the version.
func (r *compiledRule) release(n *node) *semver.Version {
	best := semver.New(0, 0, 0, "", "")
	for _, t := range n.names {
		if v := release(t.Tag); v != nil && r.names(t) && v.GreaterThan(best) {
			best = v
		}
	}
	return best
}
