package lifecycle

import (
	"cmp"
	"slices"
	"time"

	"packhouse/internal/oci"
)

// KeepReason is why a version stays although a rule of Delete chooses it.
type KeepReason string

// The reasons. Where several hold, the first of them is told.
const (
	KeptNeeded    KeepReason = "needed"    // an index that stays holds it, or it speaks of a version that stays
	KeptByRule    KeepReason = "rule"      // a rule of Keep chooses it
	KeptImmutable KeepReason = "immutable" // a tag of it never moves
	KeptPopular   KeepReason = "downloads" // it was downloaded too often
	KeptTagged    KeepReason = "tagged"    // what needs it goes, but it has a tag of its own: the next plan may delete it
	KeptLast      KeepReason = "last"      // it is the last with a tag
)

// Kept is how many versions stay for one reason, with the newest of them.
type Kept struct {
	Reason KeepReason `json:"reason"`
	// Rule is which of the rules of Keep, for KeptByRule.
	Rule     int           `json:"rule,omitempty"`
	Versions int           `json:"versions"`
	Examples []KeptVersion `json:"examples"`
}

// KeptVersion is one that stays.
type KeptVersion struct {
	VersionID int64    `json:"version"`
	Package   string   `json:"package"` // OWNER/NAME
	Digest    string   `json:"digest"`
	Tags      []string `json:"tags,omitempty"`
	// For is the digest of the version that needs it, for KeptNeeded.
	For string `json:"for,omitempty"`
}

// maxExamples is how many versions are named for each reason.
const maxExamples = 5

// Spared returns what of the stock stays although a rule of Delete chooses it,
// when items are what goes, by reasons. More says that items are not all that the
// rules delete.
func (r Rules) Spared(s Stock, items []Item, more bool, now time.Time) ([]Kept, error) {
	c, err := r.compile()
	if err != nil {
		return nil, err
	}
	gone := map[int64]bool{}
	for _, item := range items {
		gone[item.VersionID] = true
	}
	nodes := graph(s.Versions)
	ruled := c.keptBy(nodes, now)
	slices.SortFunc(nodes, func(a, b *node) int { return cmp.Or(b.TouchedAt.Compare(a.TouchedAt), cmp.Compare(b.ID, a.ID)) })
	var list []Kept
	for _, n := range nodes {
		if gone[n.ID] || !slices.ContainsFunc(c.remove, func(r compiledRule) bool { return r.chooses(n, now) }) {
			continue
		}
		k, v := Kept{Versions: 1}, KeptVersion{VersionID: n.ID, Package: s.Name, Digest: n.Digest}
		for _, t := range n.Tags {
			v.Tags = append(v.Tags, t.String())
		}
		slices.Sort(v.Tags)
		rule, ok := ruled[n]
		v.For = n.neededBy(gone)
		switch {
		case v.For != "":
			k.Reason = KeptNeeded
		case ok:
			k.Reason, k.Rule = KeptByRule, rule
		case s.frozen(n):
			k.Reason = KeptImmutable
		case s.holds(n):
			k.Reason = KeptPopular
		case more: // it goes by the next plan
			continue
		case !n.root():
			k.Reason = KeptTagged
		default:
			k.Reason = KeptLast
		}
		k.Examples = []KeptVersion{v}
		list = joinKept(list, []Kept{k})
	}
	return list, nil
}

// keptBy returns for the roots that a rule of Keep keeps which one that is.
func (c *compiledRules) keptBy(nodes []*node, now time.Time) map[*node]int {
	var roots []*node
	for _, n := range nodes {
		if n.root() {
			roots = append(roots, n)
		}
	}
	ruled := map[*node]int{}
	for i, rule := range c.keep {
		for _, n := range rule.kept(roots, now) {
			if _, ok := ruled[n]; !ok {
				ruled[n] = i
			}
		}
	}
	return ruled
}

// neededBy is the digest of a version that stays and needs this one, "" for none.
func (n *node) neededBy(gone map[int64]bool) string {
	for _, p := range n.parents {
		if !gone[p.ID] {
			return p.Digest
		}
	}
	if n.subject != nil && !gone[n.subject.ID] {
		return n.subject.Digest
	}
	return ""
}

// frozen reports whether a tag of the version never moves.
func (s *Stock) frozen(n *node) bool {
	return slices.ContainsFunc(n.Tags, func(t StockTag) bool {
		return slices.ContainsFunc(s.Immutable, func(p oci.TagPattern) bool { return p.Protects(t.Tag) })
	})
}

// joinKept adds what is kept of one package to what is kept of others.
func joinKept(all, more []Kept) []Kept {
	for _, k := range more {
		at := slices.IndexFunc(all, func(o Kept) bool { return o.Reason == k.Reason && o.Rule == k.Rule })
		if at < 0 {
			all = append(all, k)
			continue
		}
		all[at].Versions += k.Versions
		room := max(0, maxExamples-len(all[at].Examples))
		all[at].Examples = append(all[at].Examples, k.Examples[:min(room, len(k.Examples))]...)
	}
	return all
}
