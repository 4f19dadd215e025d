package registry

import (
	"context"
	"errors"

	"packhouse/internal/errs"
)

const sweepBatch = 100

// SweepUploads ends expired sessions and drops their bytes. It returns how many
// it ended. Safe to run on several nodes at once, and again after a failure.
func (s *Service) SweepUploads(ctx context.Context) (int, error) {
	total := 0
	for {
		sessions, err := s.Sessions.ExpiredSessions(ctx, s.Now(), sweepBatch)
		if err != nil {
			return total, err
		}
		ended, err := s.sweep(ctx, sessions)
		total += ended
		if err != nil || ended == 0 {
			return total, err
		}
	}
}

// sweep ends the sessions that no request uses any more. One that cannot be
// dropped does not keep the others.
func (s *Service) sweep(ctx context.Context, sessions []*Session) (int, error) {
	ended := 0
	var failed error
	for _, sess := range sessions {
		release, err := s.claim(sess.ID)
		if err != nil {
			continue // a request still writes to it and will extend its life
		}
		err = s.drop(ctx, sess)
		release()
		switch {
		case err == nil:
			ended++
		case !errs.Is(err, errs.Conflict) && !errs.Is(err, errs.NotFound): // else it was used or ended meanwhile
			failed = errors.Join(failed, err)
		}
	}
	return ended, failed
}
