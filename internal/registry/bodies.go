package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"packhouse/internal/errs"
)

// boundedReader fails with over once more than left bytes have come.
type boundedReader struct {
	r    io.Reader
	left int64
	over error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		return 0, b.over
	}
	b.left -= int64(n)
	return n, err
}

// readSmall reads up to limit bytes. done is true when r ended within them;
// otherwise head holds one byte more than limit and r has the rest.
func readSmall(r io.Reader, limit int) (head []byte, done bool, err error) {
	head = make([]byte, 0, min(limit+1, 4096))
	for len(head) <= limit {
		if len(head) == cap(head) {
			head = append(head, 0)[:len(head)]
		}
		n, err := r.Read(head[len(head):min(cap(head), limit+1)])
		head = head[:len(head)+n]
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return head, len(head) <= limit, nil
		}
		if err != nil {
			return head, false, err
		}
	}
	return head, false, nil
}

// aliveReader calls renew from time to time while bytes come.
type aliveReader struct {
	io.Reader
	now   func() time.Time
	every time.Duration
	next  time.Time
	renew func() error
}

func (a *aliveReader) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if now := a.now(); err == nil && !now.Before(a.next) {
		a.next = now.Add(a.every)
		err = a.renew()
	}
	return n, err
}

// keepAlive puts off the end of sess while r brings bytes, so that no other node
// sweeps it. r ends when another request has taken or ended the session.
func (s *Service) keepAlive(ctx context.Context, sess *Session, r io.Reader) io.Reader {
	if sess.single {
		return r
	}
	every := s.Limits.SessionIdle / 4
	return &aliveReader{Reader: r, now: s.Now, every: every, next: s.Now().Add(every), renew: func() error {
		err := s.renew(ctx, sess)
		if errs.Is(err, errs.Conflict) || errs.Is(err, errs.NotFound) {
			return err
		}
		return nil // it is tried again, and at the end decides the save
	}}
}

func bytesReader(parts ...[]byte) io.Reader {
	return bytes.NewReader(bytes.Join(parts, nil))
}
