package packages

import (
	"context"
	"path"
	"slices"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Tag is a present tag.
type Tag struct {
	Name      string
	Digest    oci.Digest
	VersionID int64
	// Size, TotalSize and Kind are the version's.
	Size, TotalSize int64
	Kind            string
	Since           time.Time
	SetBy           string // "" when that is not known any more
}

// TagSort orders tags.
type TagSort string

// The orders; "" is ByName.
const (
	ByName TagSort = "name"
	Newest TagSort = "newest" // those set last come first
)

// TagQuery chooses a page of tags.
type TagQuery struct {
	// Match is a pattern of path.Match that the whole name must fit, no longer
	// than a tag may be; "" for all.
	Match         string
	Sort          TagSort
	Page, PerPage int // as of VersionQuery
}

// TagInterval is what a tag led to for a while.
type TagInterval struct {
	Digest oci.Digest
	// VersionID is zero when the version is gone for good.
	VersionID    int64
	Since, Until time.Time // Until is zero for the present one
	SetBy        string
	// Present reports whether the version is there for the tag to lead to again.
	Present bool
}

// TagChange is a tag to be set or to be taken away.
type TagChange struct {
	PackageID int64
	Tag       oci.Tag
	Digest    oci.Digest // zero takes it away
	Change
}

// Tagging changes tags. Every method is one transaction with its entry in the
// record and its event.
type Tagging interface {
	// SetPackageTag has the tag lead to a present version; nothing changes when
	// it does already. NotFound without the version.
	SetPackageTag(ctx context.Context, t TagChange) error
	// DeletePackageTag ends the tag; NotFound without it.
	DeletePackageTag(ctx context.Context, t TagChange) error
}

// Tags returns a page of the present tags and how many there are on all pages.
func (s *Service) Tags(ctx context.Context, who access.Principal, p access.Package, q TagQuery) (list []Tag, total int, err error) {
	w, err := s.span(q.Page, q.PerPage)
	if err != nil {
		return nil, 0, err
	}
	if _, err := path.Match(q.Match, ""); err != nil || len(q.Match) > oci.MaxTagLength { // each tag is held against it
		return nil, 0, errs.New(errs.Invalid, "match is a pattern of up to %d characters, such as v* or 1.2.?", oci.MaxTagLength)
	}
	if q.Sort != "" && q.Sort != ByName && q.Sort != Newest {
		return nil, 0, errs.New(errs.Invalid, "tags are sorted by name or by newest, not by %q", q.Sort)
	}
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, 0, err
	}
	return s.Contents.PackageTags(ctx, f.PackageID, q, w)
}

// SetTag has the tag lead to the version that ref names, whatever it led to.
func (s *Service) SetTag(ctx context.Context, who access.Principal, p access.Package, tag oci.Tag, ref oci.Reference) error {
	tags := []oci.Tag{tag}
	if ref.Digest.IsZero() {
		tags = append(tags, ref.Tag)
	}
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Write, Digest: ref.Digest, Tags: tags})
	if err != nil {
		return err
	}
	v, err := s.Contents.PackageVersionNamed(ctx, f.PackageID, ref)
	if err != nil {
		return err
	}
	return s.setTag(ctx, who, f, "tag.set", tag, v.Digest)
}

func (s *Service) setTag(ctx context.Context, who access.Principal, f access.Facts, action string, tag oci.Tag, d oci.Digest) error {
	e := s.entry(who, f, action, map[string]any{"tag": tag.String(), "digest": d.String()})
	return s.Tagging.SetPackageTag(ctx, TagChange{f.PackageID, tag, d, Change{who.ID(), e}})
}

// DeleteTag takes the tag away; what it led to stays.
func (s *Service) DeleteTag(ctx context.Context, who access.Principal, p access.Package, tag oci.Tag) error {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Delete, Tags: []oci.Tag{tag}})
	if err != nil {
		return err
	}
	e := s.entry(who, f, "tag.delete", map[string]any{"tag": tag.String()})
	return s.Tagging.DeletePackageTag(ctx, TagChange{PackageID: f.PackageID, Tag: tag, Change: Change{who.ID(), e}})
}

// maxHistory is how much of a tag's history is told.
const maxHistory = 1000

// TagHistory returns what the tag led to, the newest first, up to 1,000 times.
// NotFound when there never was such a tag.
func (s *Service) TagHistory(ctx context.Context, who access.Principal, p access.Package, tag oci.Tag) ([]TagInterval, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, err
	}
	list, err := s.Contents.PackageTagHistory(ctx, f.PackageID, tag, maxHistory)
	if err == nil && len(list) == 0 {
		err = errs.New(errs.NotFound, "the package never had a tag %s", tag)
	}
	return list, err
}

// RestoreTag has the tag lead again to what it once led to. Conflict when that
// version is deleted: restore it first.
func (s *Service) RestoreTag(ctx context.Context, who access.Principal, p access.Package, tag oci.Tag, to oci.Digest) error {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Write, Digest: to, Tags: []oci.Tag{tag}})
	if err != nil {
		return err
	}
	list, err := s.Contents.PackageTagHistory(ctx, f.PackageID, tag, maxHistory)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(t TagInterval) bool { return t.Digest == to })
	switch {
	case i < 0:
		return errs.New(errs.NotFound, "the tag %s never led to %s", tag, to)
	case list[i].VersionID == 0:
		return errs.New(errs.Conflict, "version %s is gone for good", to)
	case !list[i].Present:
		return errs.New(errs.Conflict, "version %s is deleted: restore it first", to)
	}
	return s.setTag(ctx, who, f, "tag.restore", tag, to)
}
