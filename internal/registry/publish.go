package registry

import (
	"context"
	"io"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// labels returns what the manifest says of itself: an image in the labels of its
// config and then in its annotations, an index in its annotations.
func (s *Service) labels(ctx context.Context, m *oci.Manifest) (oci.Labels, error) {
	if m.Config == nil || !oci.IsImageConfig(m.Config.MediaType) || m.Config.Size > oci.MaxConfigSize {
		return m.Labels(), nil
	}
	config, err := s.config(ctx, m.Config.Digest)
	return oci.ConfigLabels(config).Or(m.Labels()), err
}

// config returns the bytes of an image's config; nil when there are none or too
// many. That the package holds them is not checked here: a commit does.
func (s *Service) config(ctx context.Context, d oci.Digest) ([]byte, error) {
	b, err := s.Lookups.AnyBlob(ctx, d)
	if err != nil || b == nil || b.Size > oci.MaxConfigSize {
		return nil, err
	}
	o, err := s.OpenBlob(ctx, *b)
	if errs.Is(err, errs.Internal) {
		return nil, nil // broken bytes say nothing; whoever pulls them is told
	}
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return io.ReadAll(io.LimitReader(o, oci.MaxConfigSize+1))
}

// publication decides what a manifest with these labels does to its package. A
// source makes a link when the caller may write to the repository, and, once the
// package is published, when the caller may change its settings too: a first publish
// hands the package to the repository, later its admins alone may.
func (s *Service) publication(ctx context.Context, t target, l oci.Labels) (Publication, error) {
	f, pkg := t.pkg.Facts, t.pkg
	linkable := f.RepositoryID == 0 && pkg.LinkedBy == "" && l.Source != "" && (pkg.ID != 0 || t.who.RepositoryID() == 0)
	p := Publication{Inherit: f.InheritDefault}
	if f.Type == access.Docker {
		return p, nil
	}
	if f.RepositoryID == 0 {
		p.Claim = l.Source
	}
	repository := f.RepositoryVisibility
	if linkable && (!pkg.Published || t.maySet()) {
		src, ok, err := s.source(ctx, t, l.Source)
		if err != nil {
			return p, err
		}
		if ok {
			p.Link, repository = src.ID, src.Visibility
		}
	}
	if pkg.Published || f.DefaultVisibility != access.AsRepository {
		return p, nil
	}
	if pkg.ID == 0 && t.who.RepositoryID() != 0 {
		own, _, err := s.Sources.Source(ctx, t.who, t.who.Workflow.Repository)
		if err != nil {
			return p, err
		}
		repository = own.Visibility
	}
	return p, t.publishAs(&p, f.NewVisibility(repository))
}

// maySet reports whether the caller may change the package's settings, whatever
// its bearer token was issued for. A fine-grained token changes none.
func (t target) maySet() bool {
	e := access.Effects{Action: access.Administer}
	return access.Decide(t.who.Unrestricted(), t.asked.Name, t.pkg.Facts, e).Allowed
}

// publishAs has the first publish give the package the visibility v, which must
// be one that the caller may make there: an upload made the package before that
// was known. One who may push to the package and make none leaves it as it is,
// if members may make such packages.
func (t target) publishAs(p *Publication, v access.Visibility) error {
	f := t.pkg.Facts
	f.Exists, f.PackageID, f.Retired = false, 0, false
	e := access.Effects{Action: access.Write, Visibility: v}
	who := t.who.Unrestricted()
	who.Limited = false // the right to push was checked
	d := access.Decide(who, t.asked.Name, f, e)
	switch {
	case d.Allowed:
		p.Visibility = v
	case d.Reason.Code == "visibility_not_allowed" || !access.MayMake(who, f, f.Visibility):
		return refusal(t.who, t.asked.Name, f, e, d)
	}
	return nil
}

// source returns the repository that a label names, if it has the package's
// owner and the caller may publish from it.
func (s *Service) source(ctx context.Context, t target, label string) (Source, bool, error) {
	name, ok := s.SourceName(label)
	if !ok {
		return Source{}, false, nil
	}
	src, ok, err := s.Sources.Source(ctx, t.who, name)
	if err != nil || !ok || src.OwnerID != t.pkg.OwnerID {
		return Source{}, false, err
	}
	f := t.pkg.Facts
	f.RepositoryID, f.RepositoryRole = src.ID, src.Role
	return src, access.MayPublishFrom(t.who, f), nil
}

// largeImage is the size in bytes above which the Docker registry warns.
const largeImage = 10 << 30

// checkImage applies the rules of the Docker registry, and warns of what works
// and should not be done.
func (t target) checkImage(m *oci.Manifest) (warning string, err error) {
	if t.pkg.Address.Type != access.Docker {
		return "", nil
	}
	if foreign := m.ForeignParts(); len(foreign) > 0 {
		return "", errs.New(errs.Invalid, "layer %s is a foreign layer, which the Docker registry does not take; "+
			"push an image without, or push to the Container registry", foreign[0].Digest).WithCode("MANIFEST_INVALID")
	}
	var size int64
	for _, part := range m.Parts() {
		size += part.Size
	}
	if size > largeImage {
		return "the image is larger than 10 GB, which the Docker registry advises against", nil
	}
	return "", nil
}

// checkReference refuses digests where the Docker registry takes tags alone.
func (s *Service) checkReference(pkg Package, ref oci.Reference) error {
	if !s.TagsOnly || pkg.Address.Type != access.Docker || ref.Digest.IsZero() {
		return nil
	}
	return errs.New(errs.Unsupported, "this server's Docker registry takes tags alone: name the image by a tag, not by a digest")
}
