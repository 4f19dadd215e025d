package s3

import (
	"errors"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/errs"
)

// retryAfter is what clients are told while the service does not answer.
const retryAfter = 5 * time.Second

// translate makes an error of the client library one of ours. Errors that are
// ours already pass. What is not an answer of the service, such as a refused
// connection or our own time limit, means that it cannot be reached.
func translate(err error) error {
	var known *errs.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return unavailable(err)
	}
	switch answer.Code {
	case minio.NoSuchKey, minio.NoSuchUpload:
		return errs.Wrap(errs.NotFound, err, "the bytes are not here")
	case "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "EntityTooLarge":
		return errs.Wrap(errs.NoSpace, err, "the storage of this registry is full")
	case "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch":
		return unavailable(err) // damaged on its way
	case minio.NoSuchBucket:
		return unavailable(err)
	}
	switch status := answer.StatusCode; {
	case status == http.StatusNotFound:
		return errs.Wrap(errs.NotFound, err, "the bytes are not here")
	case status == http.StatusNotImplemented:
		return errs.Wrap(errs.Unsupported, err, "the storage of this registry cannot do that")
	case status == http.StatusInsufficientStorage:
		return errs.Wrap(errs.NoSpace, err, "the storage of this registry is full")
	case status == http.StatusPreconditionFailed:
		return errs.Wrap(errs.Precondition, err, "the object exists")
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusConflict, status == http.StatusRequestTimeout,
		status == http.StatusForbidden, status == http.StatusUnauthorized:
		return unavailable(err)
	}
	return errs.Wrap(errs.Internal, err, "the storage of this registry failed")
}

func unavailable(cause error) *errs.Error {
	e := errs.Wrap(errs.Unavailable, cause, "the storage of this registry does not answer at the moment")
	e.RetryAfter = retryAfter
	return e
}
