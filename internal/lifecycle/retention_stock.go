package lifecycle

import (
	"time"

	"packhouse/internal/oci"
)

// Stock is what a package holds, as far as retention looks at it.
type Stock struct {
	PackageID, OwnerID int64
	Name               string // OWNER/NAME
	// Immutable are the patterns of tags that never move.
	Immutable []oci.TagPattern
	// Guard is how often a version may have been downloaded and still be
	// deleted; negative for any number.
	Guard    int64
	Versions []StockVersion
}

// StockVersion is a present version.
type StockVersion struct {
	ID              int64
	Digest, Subject string
	Kind            oci.Kind
	Tags            []StockTag
	// Children are the manifests that it is made of, present or not.
	Children  []string
	Downloads int64
	// TouchedAt is when it was pushed, or a tag last came to it or left it.
	TouchedAt time.Time
	PulledAt  time.Time // zero for never
	ExpiresAt time.Time // zero for never
}

// StockTag is a tag that a version has.
type StockTag struct {
	oci.Tag
	Since time.Time
}

// node is a version among the others.
type node struct {
	*StockVersion
	names   []StockTag // without those by which it is attached to another
	parents []*node    // present indexes that hold it
	subject *node      // the present version that it speaks of
	parts   []*node    // present children
	about   []*node    // present versions that speak of it
}

func (n *node) root() bool { return len(n.parents) == 0 && n.subject == nil }

// graph links the versions. A version without a subject that has a tag such as
// sha256-<hex>.sig speaks of the version that the tag names.
func graph(versions []StockVersion) []*node {
	nodes, at := make([]*node, len(versions)), map[string]*node{}
	for i := range versions {
		nodes[i] = &node{StockVersion: &versions[i]}
		at[versions[i].Digest] = nodes[i]
	}
	for _, n := range nodes {
		for _, child := range n.Children {
			if c := at[child]; c != nil && c != n {
				n.parts, c.parents = append(n.parts, c), append(c.parents, n)
			}
		}
		subject := n.Subject
		for _, t := range n.Tags {
			d, _, attached := t.Attached()
			if !attached {
				n.names = append(n.names, t)
			} else if subject == "" {
				subject = d.String()
			}
		}
		if s := at[subject]; s != nil && s != n {
			n.subject, s.about = s, append(s.about, n)
		}
	}
	return nodes
}

// pulledAt is when the version, or anything that goes along with it, was pulled.
func (n *node) pulledAt() time.Time {
	at := n.PulledAt
	for _, part := range n.parts {
		if part.PulledAt.After(at) {
			at = part.PulledAt
		}
	}
	return at
}

// expiresAt is the version's own end; an index without one ends when all that it
// is made of do.
func (n *node) expiresAt() time.Time {
	if !n.ExpiresAt.IsZero() {
		return n.ExpiresAt
	}
	var at time.Time
	for _, part := range n.parts {
		if part.Kind == oci.KindAttestation {
			continue
		}
		if part.ExpiresAt.IsZero() {
			return time.Time{}
		}
		if part.ExpiresAt.After(at) {
			at = part.ExpiresAt
		}
	}
	return at
}
