package packagepage

import (
	"context"
	"io"

	"packhouse/internal/errs"
	"packhouse/internal/evidence"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/web/frame"
)

// What a page reads: up to maxBlob of a blob, and maxPage of all blobs and
// manifests together, however often it comes to one.
const maxBlob, maxPage = evidence.MaxDocument, 16 << 20

// reader reads from the call's package, as its visitor. What it reads is no
// download: those are counted where clients pull. It belongs to one call.
type reader struct {
	*room
	c    *frame.Call
	ctx  context.Context
	left int64 // of maxPage
}

func (r *room) reader(c *frame.Call) *reader {
	return &reader{room: r, c: c, ctx: c.R.Context(), left: maxPage}
}

// manifest returns the manifest of a version that the visitor was shown. An
// error is that of stored bytes which cannot be read, or of a page that has read
// enough.
func (r *reader) manifest(v packages.Version) (*oci.Manifest, []byte, error) {
	if r.left <= 0 {
		return nil, nil, errs.New(errs.TooLarge, "this is too much for a page")
	}
	content, err := r.Registry.ManifestContent(r.ctx, registry.Version{
		PackageID: v.PackageID, ID: v.ID, Digest: v.Digest, MediaType: v.MediaType, Size: v.Size,
	})
	if err != nil {
		return nil, nil, err
	}
	r.left -= int64(len(content))
	m, err := oci.ParseManifest(v.MediaType, content)
	return m, content, err
}

// blob returns the bytes of a blob with up to limit of them; false when they are
// more, are not there, or are others than they should be. A page does without.
func (r *reader) blob(d oci.Descriptor, limit int64) ([]byte, bool) {
	if d.Size > limit || d.Size > r.left {
		return nil, false
	}
	b, err := r.Registry.FindBlob(r.ctx, r.c.Who, r.c.Package.Ref, d.Digest)
	if err != nil || b.Size > limit {
		return nil, false
	}
	object, err := r.Registry.OpenBlob(r.ctx, b)
	if err != nil {
		return nil, false
	}
	defer func() { _ = object.Close() }()
	content, err := io.ReadAll(io.LimitReader(object, limit+1))
	r.left -= int64(len(content))
	if err != nil || d.Digest.Algorithm().FromBytes(content) != d.Digest {
		return nil, false
	}
	return content, true
}

// mayRead reports whether the package holds the blob, whole.
func (r *reader) mayRead(d oci.Digest) bool {
	_, err := r.Registry.FindBlob(r.ctx, r.c.Who, r.c.Package.Ref, d)
	return err == nil
}

// config returns what the config of an image says; false for anything else, and
// for one that cannot be read.
func (r *reader) config(m *oci.Manifest) (imageConfig, bool) {
	if m.Config == nil || !oci.IsImageConfig(m.Config.MediaType) {
		return imageConfig{}, false
	}
	content, ok := r.blob(*m.Config, maxBlob)
	if !ok {
		return imageConfig{}, false
	}
	return parseConfig(content)
}

// named returns the version that a tag or digest in an address names, in the
// form that people write: NotFound for one that names nothing.
func (r *reader) named(ref string) (packages.Version, error) {
	reference, err := oci.ParseReference(ref)
	if err != nil {
		return packages.Version{}, errs.New(errs.NotFound, "the package has no such version")
	}
	return r.Packages.VersionByReference(r.ctx, r.c.Who, r.c.Package.Ref, reference)
}

// absent turns NotFound into nothing found.
func absent(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
