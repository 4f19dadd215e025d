package registry

import (
	"context"
	"encoding"
	"errors"
	"hash"
	"io"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// SmallBlob is the size in bytes up to which a blob lies in the database: its
// file would cost two flushes and a rename, its row rides a commit that is made
// anyway.
const SmallBlob = 16 << 10

// Body is the bytes that one request brings.
type Body struct {
	io.Reader
	// Length is the number of bytes announced; -1 when it is not known.
	Length int64
	// Start is the offset that the client named; -1 when it named none.
	Start int64
	// RangeLength is the length that the client's range spans; -1 without one.
	RangeLength int64
}

// NoBody is a request without bytes.
func NoBody() Body { return Body{Length: 0, Start: -1, RangeLength: -1} }

// check compares what the client announced with the session.
func (b Body) check(sess *Session) error {
	if b.RangeLength >= 0 && b.Length >= 0 && b.RangeLength != b.Length {
		return errs.New(errs.Invalid, "Content-Range spans %d bytes and Content-Length is %d", b.RangeLength, b.Length).
			WithCode("SIZE_INVALID")
	}
	if b.Start >= 0 && b.Start != sess.Size {
		return errs.New(errs.BadRange, "the upload stands at byte %d, and the chunk starts at %d", sess.Size, b.Start).
			WithCode("RANGE_INVALID")
	}
	return nil
}

// intake is the outcome of adding bytes to a session.
type intake struct {
	hash hash.Hash // over all bytes; nil while they are in the session's Content
	kept bool      // the session's fields describe more bytes than before
}

func (in intake) hashState() ([]byte, error) {
	if in.hash == nil {
		return nil, nil
	}
	m, ok := in.hash.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errs.New(errs.Internal, "hash state cannot be saved")
	}
	return m.MarshalBinary()
}

// receive adds body to the session's bytes and updates its Size, Content and
// Staged; nothing is put on record.
func (s *Service) receive(ctx context.Context, sess *Session, body Body) (intake, error) {
	if err := body.check(sess); err != nil {
		return intake{}, err
	}
	if body.Reader == nil {
		h, err := s.resumeHash(ctx, sess)
		return intake{hash: h}, err
	}
	limit := s.Limits.maxBlob(sess.Package.Type)
	if body.Length > limit-sess.Size {
		return intake{}, tooLarge(limit)
	}
	r := io.Reader(&boundedReader{r: s.keepAlive(ctx, sess, body.Reader), left: limit - sess.Size, over: tooLarge(limit)})
	if len(sess.Staged) == 0 && sess.Size == int64(len(sess.Content)) && body.Length+sess.Size <= SmallBlob {
		head, done, err := readSmall(r, SmallBlob-len(sess.Content))
		if done || err != nil {
			return s.keepSmall(sess, body, head, err)
		}
		return s.stream(ctx, sess, body, io.MultiReader(bytesReader(sess.Content, head), r))
	}
	if len(sess.Content) > 0 {
		r = io.MultiReader(bytesReader(sess.Content), r)
	}
	return s.stream(ctx, sess, body, r)
}

// keepSmall appends head to the session's bytes in memory.
func (s *Service) keepSmall(sess *Session, body Body, head []byte, err error) (intake, error) {
	if err == nil && body.RangeLength >= 0 && int64(len(head)) != body.RangeLength {
		return intake{}, shortChunk(int64(len(head)), body.RangeLength)
	}
	if errs.Is(err, errs.TooLarge) {
		return intake{}, err // over a limit: nothing of it is kept
	}
	sess.Content = append(sess.Content, head...)
	sess.Size = int64(len(sess.Content))
	if err != nil {
		err = brokenOff(err)
	}
	return intake{kept: true}, err
}

// stream moves bytes to the store, hashing beside. Bytes that the session held
// in Content come first in r.
func (s *Service) stream(ctx context.Context, sess *Session, body Body, r io.Reader) (intake, error) {
	if err := s.own(ctx, sess); err != nil {
		return intake{}, err
	}
	from := sess.staged()
	h, err := s.resumeHash(ctx, sess)
	if err != nil {
		return intake{}, err
	}
	if h == nil {
		h = sess.Algorithm.New()
	}
	w, err := s.Blobs.Resume(ctx, from)
	if err != nil {
		return intake{}, lost(err)
	}
	n, err := blob.Receive(w, h, r)
	staged, closeErr := w.Close()
	var cut *blob.ReadError
	got := from.Size + n - sess.Size
	switch {
	case err != nil && !errors.As(err, &cut):
	case closeErr != nil:
		err = closeErr
	case cut != nil && errs.Is(cut.Err, errs.TooLarge):
		err = cut.Err
	case cut == nil && body.RangeLength >= 0 && got != body.RangeLength:
		err = shortChunk(got, body.RangeLength)
	case staged.Size != from.Size+n:
		err = errs.New(errs.Internal, "store kept %d bytes of %d", staged.Size, from.Size+n)
	default:
		err = nil
	}
	if err != nil {
		if from.Size == 0 { // nothing of the session lies there
			_ = s.Blobs.Discard(context.WithoutCancel(ctx), staged)
		}
		return intake{}, err
	}
	sess.Size, sess.Staged, sess.Content = staged.Size, staged.State, nil
	if cut != nil {
		return intake{hash: h, kept: true}, brokenOff(cut.Err)
	}
	return intake{hash: h, kept: true}, nil
}

// resumeHash returns the hash over the session's staged bytes, nil when it has
// none. A state that this build cannot read is made again from the bytes.
func (s *Service) resumeHash(ctx context.Context, sess *Session) (hash.Hash, error) {
	if sess.staged().Size == 0 && len(sess.HashState) == 0 {
		return nil, nil
	}
	h := sess.Algorithm.New()
	if m, ok := h.(encoding.BinaryUnmarshaler); ok && m.UnmarshalBinary(sess.HashState) == nil {
		return h, nil
	}
	return s.hashStaged(ctx, sess, sess.Algorithm)
}

// hashStaged reads the staged bytes again. Some stores change how they lie.
func (s *Service) hashStaged(ctx context.Context, sess *Session, alg oci.Algorithm) (hash.Hash, error) {
	if err := s.own(ctx, sess); err != nil {
		return nil, err
	}
	h := alg.New()
	r, err := s.Blobs.ReadStaged(ctx, sess.staged())
	if err != nil {
		return nil, lost(err)
	}
	defer r.Close()
	if _, err := io.Copy(h, r); err != nil {
		return nil, errs.Wrap(errs.Unavailable, err, "the bytes of the upload cannot be read at the moment")
	}
	return h, nil
}

func tooLarge(limit int64) error {
	return errs.New(errs.TooLarge, "a blob may have %d bytes at most", limit).WithCode("SIZE_INVALID")
}

func shortChunk(got, want int64) error {
	return errs.New(errs.Invalid, "the chunk has %d bytes and its Content-Range spans %d", got, want).
		WithCode("SIZE_INVALID")
}

// lost turns staged bytes that are not there any more, as after a power cut,
// into a session that is not known: the client then begins again.
func lost(err error) error {
	if errs.Is(err, errs.NotFound) {
		return errs.Wrap(errs.NotFound, err, "the bytes of this upload are lost; begin again").
			WithCode("BLOB_UPLOAD_UNKNOWN")
	}
	return err
}

// brokenOff says that the client's bytes ended early, unless the transport has
// said why.
func brokenOff(cause error) error {
	var told *errs.Error
	if errors.As(cause, &told) {
		return told.WithCode("BLOB_UPLOAD_INVALID")
	}
	return errs.Wrap(errs.Invalid, cause, "the request body broke off; ask for the upload's status and go on from there").
		WithCode("BLOB_UPLOAD_INVALID")
}
