package registry

import (
	"context"
	"fmt"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// StatManifest returns the version that ref names.
func (s *Service) StatManifest(ctx context.Context, who access.Principal, p access.Package, ref oci.Reference) (Version, error) {
	pkg, v, err := s.Lookups.Version(ctx, who, p, ref)
	if err != nil {
		return Version{}, err
	}
	if err := decide(who, p, pkg, effects(access.Read, ref)); err != nil {
		return Version{}, err
	}
	if err := s.checkReference(pkg, ref); err != nil {
		return Version{}, err
	}
	if v == nil {
		return Version{}, manifestUnknown(ref)
	}
	return *v, nil
}

// ManifestContent returns the exact bytes of a version that StatManifest
// returned. They are shared: the caller must not change them.
func (s *Service) ManifestContent(ctx context.Context, v Version) ([]byte, error) {
	return cached(ctx, s.manifests, v.Digest, s.Lookups.ManifestContent)
}

// Push is one manifest to be stored.
type Push struct {
	// Reference is the tag or the digest it is pushed under.
	Reference oci.Reference
	// Tags are set beside it.
	Tags        []oci.Tag
	ContentType string
	Content     []byte
}

// Pushed tells what became of a Push.
type Pushed struct {
	Digest  oci.Digest
	Subject *oci.Descriptor
	Tags    []oci.Tag
	// Warning is a text for whoever pushed; "" for none.
	Warning string
}

// PushManifest checks the manifest and stores it with all its tags, or nothing.
// The package must hold every blob and child manifest that it names, except
// foreign layers and the subject. The first push makes the package. What the
// manifest says of its source may link the package to a repository.
func (s *Service) PushManifest(ctx context.Context, who access.Principal, p access.Package, push Push) (Pushed, error) {
	d, tags, err := push.names()
	if err != nil {
		return Pushed{}, err
	}
	t, err := s.target(ctx, who, p, access.Effects{Action: access.Write, Digest: d, Tags: tags})
	if err != nil {
		return Pushed{}, err
	}
	if err := s.checkReference(t.pkg, push.Reference); err != nil {
		return Pushed{}, err
	}
	m, err := oci.ParseManifest(push.ContentType, push.Content)
	if err != nil {
		return Pushed{}, err
	}
	pushed := Pushed{Digest: d, Subject: m.Subject, Tags: tags}
	if pushed.Warning, err = t.checkImage(m); err != nil {
		return Pushed{}, err
	}
	c, err := s.manifestCommit(ctx, t, m)
	if err != nil {
		return Pushed{}, err
	}
	c.Digest, c.Content, c.Tags = d, push.Content, tags
	if err := s.Commits.CommitManifest(context.WithoutCancel(ctx), c); err != nil {
		return Pushed{}, err
	}
	s.manifests.Set(d, push.Content)
	return pushed, nil
}

// manifestCommit describes what storing m does to the target.
func (s *Service) manifestCommit(ctx context.Context, t target, m *oci.Manifest) (*ManifestCommit, error) {
	labels, err := s.labels(ctx, m)
	if err != nil {
		return nil, err
	}
	publish, err := s.publication(ctx, t, labels)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	return &ManifestCommit{
		Into: t.creation(), Manifest: m, Labels: labels, Publish: publish, Parts: m.Parts(),
		Now: now, LeaseUntil: now.Add(s.Limits.Grace),
	}, nil
}

// names returns the digest of the content, which must be the one it is pushed
// under, and every tag to be set, each once.
func (p Push) names() (oci.Digest, []oci.Tag, error) {
	want := p.Reference.Digest
	if want.IsZero() {
		return oci.SHA256.FromBytes(p.Content), unique(append([]oci.Tag{p.Reference.Tag}, p.Tags...)), nil
	}
	got := want.Algorithm().FromBytes(p.Content)
	if got != want {
		return oci.Digest{}, nil, errs.New(errs.Invalid, "the manifest hashes to another digest than the one named").
			WithCode("DIGEST_INVALID").WithDetail(map[string]string{"digest": want.String(), "received": got.String()})
	}
	return want, unique(p.Tags), nil
}

func unique(tags []oci.Tag) []oci.Tag {
	seen := map[oci.Tag]bool{}
	var out []oci.Tag
	for _, t := range tags {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

// DeleteManifest deletes a tag, or a version with all its tags. Both can be
// brought back for a while. What a present index holds is not deleted: Conflict.
func (s *Service) DeleteManifest(ctx context.Context, who access.Principal, p access.Package, ref oci.Reference) error {
	pkg, v, err := s.Lookups.Version(ctx, who, p, ref)
	if err != nil {
		return err
	}
	if err := decide(who, p, pkg, effects(access.Delete, ref)); err != nil {
		return err
	}
	switch {
	case v == nil:
		return manifestUnknown(ref)
	case ref.Digest.IsZero():
		e := s.removal(who, pkg, "tag.delete")
		e.Entry.Detail["tag"] = ref.Tag.String()
		return s.Commits.DeleteTag(ctx, pkg.ID, ref.Tag, e)
	}
	e := s.removal(who, pkg, "version.delete")
	e.Entry.Target += "@" + ref.Digest.String()
	return s.Commits.DeleteVersion(ctx, pkg.ID, ref.Digest, e)
}

func (s *Service) removal(who access.Principal, pkg Package, action string) Removal {
	detail := map[string]any{}
	if pkg.Facts.Type == access.Docker {
		detail["type"] = string(access.Docker)
	}
	return Removal{By: who.ID(), Entry: audit.Entry{
		At: s.Now(), Actor: audit.By(who), Action: action, Target: pkg.Facts.Name.String(), Detail: detail,
	}}
}

func effects(a access.Action, ref oci.Reference) access.Effects {
	if ref.Digest.IsZero() {
		return access.Effects{Action: a, Tags: []oci.Tag{ref.Tag}}
	}
	return access.Effects{Action: a, Digest: ref.Digest}
}

func manifestUnknown(ref oci.Reference) error {
	return errs.New(errs.NotFound, "the package has no version %s", ref).
		WithCode("MANIFEST_UNKNOWN").WithDetail(map[string]string{"reference": ref.String()})
}

// MissingPart is a blob or child manifest that a pushed manifest names and the
// package does not hold, or holds in another size.
type MissingPart struct {
	Part oci.Part
	// Held is the size that the package holds; -1 when it does not hold it.
	Held int64
}

// MissingParts is the refusal of a manifest whose parts are not all held.
type MissingParts []MissingPart

// Error names the first part.
func (m MissingParts) Error() string {
	return fmt.Sprintf("%d parts are not held, the first is %s", len(m), m[0].Part.Digest)
}
