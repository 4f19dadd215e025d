package fs

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"packhouse/internal/errs"
)

// retryAfter is what clients are told while the store does not take writes.
const retryAfter = 5 * time.Second

// translate makes an error of the operating system one of ours, whose public
// text names no path. Errors that are ours already pass.
func translate(err error) error {
	var known *errs.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case isFull(err):
		return errs.Wrap(errs.NoSpace, err, "the storage of this registry is full")
	case isAbsent(err):
		return errs.Wrap(errs.NotFound, err, "the bytes are not here")
	case isPassing(err):
		return unavailable(err, "the storage of this registry does not work at the moment")
	}
	return errs.Wrap(errs.Internal, err, "the storage of this registry failed")
}

func unavailable(cause error, text string) *errs.Error {
	e := errs.Wrap(errs.Unavailable, cause, "%s", text)
	e.RetryAfter = retryAfter
	return e
}

// isFull: no blocks, no inodes (both are ENOSPC) or no quota left.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// isPassing names what an operator or time can mend without a change of ours.
func isPassing(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
		syscall.EAGAIN, syscall.EINTR, syscall.ENODEV, syscall.ENXIO, syscall.ETIMEDOUT, syscall.ESTALE,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// sizeError is the private half of a file of the wrong length.
type sizeError struct{ have, want int64 }

func (e sizeError) Error() string {
	return fmt.Sprintf("the file holds %d bytes, %d were recorded", e.have, e.want)
}

func wrongSize(have, want int64) *errs.Error {
	return errs.Wrap(errs.Internal, sizeError{have, want}, "stored bytes are damaged")
}
