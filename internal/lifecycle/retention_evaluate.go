package lifecycle

import (
	"cmp"
	"slices"
	"time"
)

// Item is one version that a plan deletes.
type Item struct {
	VersionID, PackageID int64
	Package              string // OWNER/NAME
	Digest               string
	Tags                 []string // all it had, sorted
	// Reason says in words why it goes.
	Reason string
	// Bytes are those of the blobs that no package of the owner needs once the
	// plan is applied; of those that several items need, the first has them.
	Bytes int64
}

// Evaluate returns what the rules delete of the stock at that time, the oldest
// first, each version before what goes along with it, and up to max of them; more
// is set when there were more.
//
// Rules are asked about roots alone: versions that no present index holds and
// that speak of no present one. What an index holds, and what speaks of a
// version, goes along with it when nothing that stays needs it and it has no tag
// of its own, and never otherwise. A version stays if a tag of it never moves, or
// if it was downloaded too often.
func (r Rules) Evaluate(s Stock, now time.Time, max int) (items []Item, more bool, err error) {
	c, err := r.compile()
	if err != nil {
		return nil, false, err
	}
	var roots []*node
	for _, n := range graph(s.Versions) {
		if n.root() {
			roots = append(roots, n)
		}
	}
	slices.SortFunc(roots, func(a, b *node) int { return cmp.Or(a.TouchedAt.Compare(b.TouchedAt), cmp.Compare(a.ID, b.ID)) })
	e := evaluation{stock: s, gone: map[*node]bool{}}
	for _, n := range c.doomed(roots, s, now) {
		before := len(e.items)
		e.take(n.node, n.reason)
		if len(e.items) > max {
			return e.items[:before], true, nil
		}
	}
	return e.items, false, nil
}

type doomed struct {
	*node
	reason string
}

// doomed returns the roots that go.
func (c *compiledRules) doomed(roots []*node, s Stock, now time.Time) []doomed {
	kept := map[*node]bool{}
	for _, rule := range c.keep {
		for _, n := range rule.kept(roots, now) {
			kept[n] = true
		}
	}
	var list []doomed
	var last *node // the newest with a tag, or if none has one the newest
	stays := false // something with a tag, or if nothing has one anything
	tagged := slices.ContainsFunc(roots, func(n *node) bool { return len(n.names) > 0 })
	for _, n := range roots {
		rule := slices.IndexFunc(c.remove, func(r compiledRule) bool { return r.chooses(n, now) })
		counts := len(n.names) > 0 || !tagged
		if rule < 0 || kept[n] || s.holds(n) {
			stays = stays || counts
			continue
		}
		list = append(list, doomed{n, c.remove[rule].text})
		if counts {
			last = n
		}
	}
	if stays || c.deleteLast {
		return list
	}
	return slices.DeleteFunc(list, func(d doomed) bool { return d.node == last })
}

// holds reports whether the version may not be deleted, whatever the rules say.
func (s *Stock) holds(n *node) bool {
	if s.Guard >= 0 && n.Downloads > s.Guard {
		return true
	}
	return s.frozen(n)
}

type evaluation struct {
	stock Stock
	gone  map[*node]bool
	items []Item
}

// take deletes a version, and then what nothing else needs.
func (e *evaluation) take(n *node, reason string) {
	e.gone[n] = true
	tags := make([]string, len(n.Tags))
	for i, t := range n.Tags {
		tags[i] = t.String()
	}
	slices.Sort(tags)
	e.items = append(e.items, Item{
		VersionID: n.ID, PackageID: e.stock.PackageID, Package: e.stock.Name, Digest: n.Digest, Tags: tags, Reason: reason,
	})
	for _, part := range n.parts {
		if e.unneeded(part) {
			e.take(part, "part of "+n.Digest)
		}
	}
	for _, about := range n.about {
		if e.unneeded(about) {
			e.take(about, "belongs to "+n.Digest)
		}
	}
}

// unneeded reports whether a version that came with one that goes stays for no
// other reason.
func (e *evaluation) unneeded(n *node) bool {
	if e.gone[n] || len(n.names) > 0 || e.stock.holds(n) || n.subject != nil && !e.gone[n.subject] {
		return false
	}
	return !slices.ContainsFunc(n.parents, func(p *node) bool { return !e.gone[p] })
}
