package registry

import (
	"context"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Mount makes p hold the blob d without its bytes being sent, if p holds it
// already, or if from does and who may read from; with a zero from, if any
// package that who may read does. Otherwise it returns false, and nothing tells
// whether d exists: the caller has to upload it.
//
// What a bearer token was issued for does not narrow the source: the rights of
// its account and the scopes of its credential decide, so that no challenge is
// needed in the middle of a push.
func (s *Service) Mount(ctx context.Context, who access.Principal, p access.Package, d oci.Digest, from access.Package) (bool, error) {
	pkg, held, err := s.Lookups.Blob(ctx, who, p, d)
	if err != nil {
		return false, err
	}
	if err := decide(who, p, pkg, access.Effects{Action: access.Write, Digest: d}); err != nil {
		return false, err
	}
	source := who.Unrestricted()
	if held == nil {
		ok, err := s.mayMount(ctx, source, d, from)
		if err != nil || !ok {
			return false, err
		}
	}
	now := s.Now()
	err = s.Commits.MountBlob(ctx, &BlobCommit{
		Into: target{who, p, pkg}.creation(), Digest: d, Now: now, LeaseUntil: now.Add(s.Limits.Grace),
	})
	if blobGone(err) {
		return false, nil
	}
	return err == nil, err
}

// blobGone reports whether a blob that was on record is no longer.
func blobGone(err error) bool {
	var e *errs.Error
	return errors.As(err, &e) && e.Kind == errs.NotFound && e.Code == "BLOB_UNKNOWN"
}

func (s *Service) mayMount(ctx context.Context, who access.Principal, d oci.Digest, from access.Package) (bool, error) {
	if from.Name.IsZero() {
		holder, ok, err := s.Lookups.Holder(ctx, who, d)
		if err != nil || !ok {
			return false, err
		}
		from = holder
	}
	pkg, b, err := s.Lookups.Blob(ctx, who, from, d)
	if err != nil || b == nil {
		return false, err
	}
	return decide(who, from, pkg, access.Effects{Action: access.Read, Digest: d}) == nil, nil
}
