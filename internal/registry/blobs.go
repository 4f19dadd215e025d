package registry

import (
	"bytes"
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// FindBlob returns the blob if the package holds it and who may read the
// package. It writes nothing, so it works while nothing can be written. A blob
// whose bytes are damaged is an Internal error that says so.
func (s *Service) FindBlob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) (Blob, error) {
	_, b, err := s.findBlob(ctx, who, p, d)
	if err == nil && b.Damaged {
		return Blob{}, damaged(nil, d)
	}
	return b, err
}

func (s *Service) findBlob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) (Package, Blob, error) {
	pkg, b, err := s.Lookups.Blob(ctx, who, p, d)
	if err != nil {
		return pkg, Blob{}, err
	}
	if err := decide(who, p, pkg, access.Effects{Action: access.Read, Digest: d}); err != nil {
		return pkg, Blob{}, err
	}
	if b == nil {
		return pkg, Blob{}, blobUnknown(d)
	}
	return pkg, *b, nil
}

// StatBlob is FindBlob for one who asks whether the blob has to be sent. To
// those who may push, it promises that the bytes stay for Limits.Grace; damaged
// ones are not there for them, so that they send them again.
func (s *Service) StatBlob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) (Blob, error) {
	pkg, b, err := s.findBlob(ctx, who, p, d)
	if err != nil {
		return Blob{}, err
	}
	now := s.Now()
	if !b.Damaged && b.LeaseUntil.Sub(now) >= s.Limits.Grace/2 {
		return b, nil
	}
	mayPush := access.Decide(who, p.Name, pkg.Facts, access.Effects{Action: access.Write}).Allowed
	switch {
	case b.Damaged && mayPush:
		return Blob{}, blobUnknown(d)
	case b.Damaged:
		return Blob{}, damaged(nil, d)
	case mayPush:
		if err := s.Commits.RenewBlob(ctx, d, now.Add(s.Limits.Grace)); err != nil {
			return Blob{}, err
		}
	}
	return b, nil
}

// OpenBlob opens the bytes of a blob that FindBlob returned.
func (s *Service) OpenBlob(ctx context.Context, b Blob) (blob.Object, error) {
	if b.Location != "" {
		o, err := s.Blobs.Open(ctx, b.Location, b.Size)
		if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Internal) { // on record and not there, or of another size
			s.noteDamaged(ctx, b, err)
			err = damaged(err, b.Digest)
		}
		return o, err
	}
	content, err := cached(ctx, s.small, b.Digest, s.Lookups.BlobContent)
	if err != nil {
		return nil, err
	}
	return memoryObject{bytes.NewReader(content)}, nil
}

// noteDamaged has the next push send the blob again, instead of being told that
// it is there.
func (s *Service) noteDamaged(ctx context.Context, b Blob, why error) {
	if s.Damages != nil {
		// What goes wrong here is found again by the next pull, and by the checks.
		_ = s.Damages.NoteDamaged(context.WithoutCancel(ctx), b, why.Error(), s.Now())
	}
}

// addressLife is how long an address that BlobAddress returns holds: time to
// follow a redirect, not to pass it on.
const addressLife = 5 * time.Minute

// BlobAddress returns an address at which the client reads the bytes of a blob
// from the store itself; ok is false when there is none.
func (s *Service) BlobAddress(ctx context.Context, b Blob) (address string, ok bool, err error) {
	store, can := s.Blobs.(blob.Presigner)
	if !can || b.Location == "" {
		return "", false, nil
	}
	return store.Presign(ctx, b.Location, addressLife)
}

type memoryObject struct{ *bytes.Reader }

func (memoryObject) Close() error { return nil }

// DeleteBlob takes the blob out of the package. A blob that a present version
// needs is refused.
func (s *Service) DeleteBlob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) error {
	pkg, b, err := s.Lookups.Blob(ctx, who, p, d)
	if err != nil {
		return err
	}
	if err := decide(who, p, pkg, access.Effects{Action: access.Delete, Digest: d}); err != nil {
		return err
	}
	if b == nil {
		return blobUnknown(d)
	}
	return s.Commits.UnlinkBlob(ctx, pkg.ID, d)
}

// holds reports whether the store has size bytes at loc; an error says that it
// cannot tell at the moment. Bytes in the database are whole.
func (s *Service) holds(ctx context.Context, loc blob.Location, size int64) (bool, error) {
	if loc == "" {
		return true, nil
	}
	o, err := s.Blobs.Open(ctx, loc, size)
	switch {
	case err == nil:
		return true, o.Close()
	case errs.Is(err, errs.NotFound), errs.Is(err, errs.Internal):
		return false, nil
	}
	return false, err
}

// damaged says that bytes which are on record are not those that were pushed, or
// are gone: our fault, and the one thing about it that a caller can do.
func damaged(cause error, d oci.Digest) error {
	e := errs.Wrap(errs.Internal, cause, "the stored bytes of %s are damaged; push it again to repair it", d)
	return e.WithCode("BLOB_DAMAGED").WithDetail(map[string]string{"digest": d.String()})
}

func blobUnknown(d oci.Digest) error {
	return errs.New(errs.NotFound, "the package does not hold this blob").
		WithCode("BLOB_UNKNOWN").WithDetail(map[string]string{"digest": d.String()})
}
