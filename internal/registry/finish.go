package registry

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// FinishUpload adds body, which may be empty, to the session and makes the blob
// d of it. When it returns nil the blob is durable and the package holds it.
// When the bytes do not hash to d nothing is stored and the session is over.
// Beside an error there is a session if it goes on and it is known how it
// stands.
func (s *Service) FinishUpload(ctx context.Context, who access.Principal, p access.Package, id string, d oci.Digest, body Body) (*Session, error) {
	o, err := s.open(ctx, who, p, id)
	if err != nil {
		return nil, err
	}
	defer o.release()
	sess := o.Session
	in, err := s.receive(ctx, sess, body)
	if err != nil {
		if in.kept {
			if saveErr := s.save(ctx, sess, in); saveErr != nil {
				return nil, saveErr
			}
		}
		return sess, err
	}
	if err := s.verify(ctx, sess, in, d); err != nil {
		if errs.Is(err, errs.Invalid) {
			_ = s.drop(context.WithoutCancel(ctx), sess) // the sweeper gets what stays
		}
		return nil, err
	}
	return nil, s.commit(ctx, o.target, sess, d)
}

// PushBlob stores body as the blob d without a session.
func (s *Service) PushBlob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest, body Body) error {
	sess, t, err := s.newSession(ctx, who, p, d.Algorithm())
	if err != nil {
		return err
	}
	sess.single = true
	in, err := s.receive(ctx, sess, body)
	if err == nil {
		err = s.verify(ctx, sess, in, d)
	}
	if err != nil {
		_ = s.Blobs.Discard(context.WithoutCancel(ctx), sess.staged())
		return err
	}
	return s.commit(ctx, t, sess, d)
}

// verify compares the hash of the session's bytes with d.
func (s *Service) verify(ctx context.Context, sess *Session, in intake, d oci.Digest) error {
	var got oci.Digest
	switch {
	case in.hash == nil:
		got = d.Algorithm().FromBytes(sess.Content)
	case d.Algorithm() == sess.Algorithm:
		got = sess.Algorithm.Sum(in.hash)
	default:
		h, err := s.hashStaged(ctx, sess, d.Algorithm())
		if err != nil {
			return err
		}
		got = d.Algorithm().Sum(h)
	}
	if got != d {
		return errs.New(errs.Invalid, "the bytes hash to another digest than the one named").
			WithCode("DIGEST_INVALID").WithDetail(map[string]string{"digest": d.String(), "received": got.String()})
	}
	return nil
}

// commit puts verified bytes on record: bytes durable first, then the row. The
// upload is ended even if the client has gone meanwhile.
func (s *Service) commit(ctx context.Context, t target, sess *Session, d oci.Digest) error {
	ctx = context.WithoutCancel(ctx)
	now := s.Now()
	c := &BlobCommit{
		Into: t.creation(), Digest: d, Size: sess.Size, Now: now, LeaseUntil: now.Add(s.Limits.Grace),
	}
	if sess.staged().Size == 0 {
		c.endsWith(sess)
		return s.commitSmall(ctx, sess, c)
	}
	if err := s.own(ctx, sess); err != nil {
		return err
	}
	c.endsWith(sess)
	linked, err := s.linkExisting(ctx, c)
	if linked || err != nil && sess.single {
		_ = s.Blobs.Discard(ctx, sess.staged()) // the sweeper gets what stays
	}
	if linked || err != nil {
		return err
	}
	return s.publish(ctx, sess, c)
}

// endsWith has the commit end sess too, in the state it has now.
func (c *BlobCommit) endsWith(sess *Session) {
	if !sess.single {
		c.Session, c.Epoch = sess.ID, sess.Epoch
	}
}

// commitSmall records bytes that lie in the database. Should they be on record
// in the store and broken there, these take their place.
func (s *Service) commitSmall(ctx context.Context, sess *Session, c *BlobCommit) error {
	c.Content = sess.Content
	used, err := s.Commits.CommitBlob(ctx, c)
	if err != nil || used == "" {
		return err
	}
	whole, err := s.holds(ctx, used, c.Size)
	if whole || err != nil {
		return err
	}
	c.Replaces, c.Session = used, ""
	if left, err := s.Commits.CommitBlob(ctx, c); err != nil || left == used {
		return err
	}
	_ = s.Blobs.Remove(ctx, used) // the sweep gets what stays
	return nil
}

// linkExisting links the blob if its bytes are on record and whole; the bytes
// just uploaded are then not needed.
func (s *Service) linkExisting(ctx context.Context, c *BlobCommit) (bool, error) {
	known, err := s.Lookups.AnyBlob(ctx, c.Digest)
	if err != nil || known == nil {
		return false, err
	}
	whole := known.Size == c.Size
	if whole {
		if whole, err = s.holds(ctx, known.Location, known.Size); err != nil {
			return false, err
		}
	}
	if !whole {
		c.Replaces = known.Location
		return false, nil
	}
	err = s.Commits.MountBlob(ctx, c)
	if blobGone(err) {
		return false, nil
	}
	return err == nil, err
}

// publish makes the staged bytes durable and puts them on record. Bytes are
// removed only when it is certain that no row names them.
func (s *Service) publish(ctx context.Context, sess *Session, c *BlobCommit) error {
	loc, err := s.Blobs.Publish(ctx, sess.staged(), c.Digest)
	if err != nil {
		return lost(err)
	}
	c.Location = loc
	used, err := s.Commits.CommitBlob(ctx, c)
	if errs.Is(err, errs.NoSpace) { // refused: a retry must not fill the disk further
		_ = s.Blobs.Remove(ctx, loc)
	}
	if err != nil {
		return err // else the bytes may be on record or not: they stay for the sweep
	}
	for _, unused := range []blob.Location{loc, c.Replaces} {
		if unused != "" && unused != used {
			_ = s.Blobs.Remove(ctx, unused)
		}
	}
	return nil
}
