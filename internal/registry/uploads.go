package registry

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// StartUpload opens an upload session for a blob of p. alg is the algorithm
// that the digest will have; another one works too, at the cost of reading the
// bytes again.
func (s *Service) StartUpload(ctx context.Context, who access.Principal, p access.Package, alg oci.Algorithm) (*Session, error) {
	sess, _, err := s.newSession(ctx, who, p, alg)
	if err != nil {
		return nil, err
	}
	return sess, s.Sessions.CreateSession(ctx, sess, s.Limits.MaxSessions)
}

// newSession checks the right to push and describes a session that is not on
// record yet. It belongs to the package's present address.
func (s *Service) newSession(ctx context.Context, who access.Principal, p access.Package, alg oci.Algorithm) (*Session, target, error) {
	t, err := s.mayPush(ctx, who, p)
	if err != nil {
		return nil, t, err
	}
	now := s.Now()
	sess := &Session{
		ID: s.NewID(), OwnerID: t.pkg.OwnerID, Package: t.pkg.Address, PrincipalID: who.ID(),
		Algorithm: alg, CreatedAt: now,
	}
	sess.ExpiresAt = s.expiry(sess, now)
	return sess, t, nil
}

func (s *Service) expiry(sess *Session, now time.Time) time.Time {
	idle, end := now.Add(s.Limits.SessionIdle), sess.CreatedAt.Add(s.Limits.SessionLife)
	if end.Before(idle) {
		return end
	}
	return idle
}

// mayPush returns p as something that who may push to.
func (s *Service) mayPush(ctx context.Context, who access.Principal, p access.Package) (target, error) {
	return s.target(ctx, who, p, access.Effects{Action: access.Write})
}

// session returns the session id of the target.
func (s *Service) session(ctx context.Context, t target, id string) (*Session, error) {
	sess, err := s.Sessions.Session(ctx, id, t.who, t.pkg.Address)
	if err != nil {
		return nil, err
	}
	if !sess.ExpiresAt.After(s.Now()) {
		return nil, uploadUnknown()
	}
	return sess, nil
}

// UploadStatus returns the session as it stands.
func (s *Service) UploadStatus(ctx context.Context, who access.Principal, p access.Package, id string) (*Session, error) {
	t, err := s.mayPush(ctx, who, p)
	if err != nil {
		return nil, err
	}
	return s.session(ctx, t, id)
}

// opened is a session for one request that changes it, until it is released.
type opened struct {
	*Session
	target  target
	release func()
}

// open returns who's session id of p for one request that changes it. It is read
// after the claim: what stood in it before another request ended is stale.
func (s *Service) open(ctx context.Context, who access.Principal, p access.Package, id string) (o opened, err error) {
	if o.target, err = s.mayPush(ctx, who, p); err != nil {
		return o, err
	}
	if o.release, err = s.claim(id); err != nil {
		return o, err
	}
	if o.Session, err = s.session(ctx, o.target, id); err != nil {
		o.release()
	}
	return o, err
}

// CancelUpload ends the session and drops its bytes.
func (s *Service) CancelUpload(ctx context.Context, who access.Principal, p access.Package, id string) error {
	o, err := s.open(ctx, who, p, id)
	if err != nil {
		return err
	}
	defer o.release()
	return s.drop(ctx, o.Session)
}

// drop ends a session: its row first, so that nobody writes to bytes that go.
// Bytes of a session that another request has changed or ended are not touched:
// they may be a published blob by now.
func (s *Service) drop(ctx context.Context, sess *Session) error {
	if err := s.Sessions.EndSession(ctx, sess); err != nil {
		return err
	}
	return s.Blobs.Discard(ctx, sess.staged())
}

// own makes this request the only one, on any node, that may change the staged
// bytes of sess, or use them up: one that read the session before is refused
// when it tries. It also puts off the session's end.
func (s *Service) own(ctx context.Context, sess *Session) error {
	if sess.single || sess.owned {
		return nil
	}
	if err := s.renew(ctx, sess); err != nil {
		return err
	}
	sess.owned = true
	return nil
}

func (s *Service) renew(ctx context.Context, sess *Session) error {
	sess.ExpiresAt = s.expiry(sess, s.Now())
	return s.Sessions.TakeSession(ctx, sess)
}

// AppendUpload adds body to the session and returns it as it then stands. When
// the body breaks off, what arrived is kept and the error returned, so that a
// client may ask for the status and go on. When the store fails, the session
// stands as before. Beside an error there is a session if it is known how it
// stands.
func (s *Service) AppendUpload(ctx context.Context, who access.Principal, p access.Package, id string, body Body) (*Session, error) {
	o, err := s.open(ctx, who, p, id)
	if err != nil {
		return nil, err
	}
	defer o.release()
	sess := o.Session
	in, err := s.receive(ctx, sess, body)
	if err != nil && !in.kept {
		return sess, err
	}
	if saveErr := s.save(ctx, sess, in); saveErr != nil {
		return nil, saveErr
	}
	return sess, err
}

// save records the state of a session after an intake. It is done even when the
// client has gone, since the bytes that arrived are to be resumed.
func (s *Service) save(ctx context.Context, sess *Session, in intake) error {
	state, err := in.hashState()
	if err != nil {
		return err
	}
	sess.HashState = state
	sess.ExpiresAt = s.expiry(sess, s.Now())
	return s.Sessions.SaveSession(context.WithoutCancel(ctx), sess)
}

// claim lets one request of this process write a session at a time. Between
// processes the session's epoch decides.
func (s *Service) claim(id string) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] {
		return nil, errs.New(errs.Conflict, "another request is writing to this upload session").
			WithCode("BLOB_UPLOAD_INVALID")
	}
	s.busy[id] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.busy, id)
	}, nil
}

func uploadUnknown() error {
	return errs.New(errs.NotFound, "no such upload session; it may have ended or expired").
		WithCode("BLOB_UPLOAD_UNKNOWN")
}
