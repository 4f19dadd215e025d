package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// verifier compares the bytes of blobs with their rows.
type verifier struct {
	rows  BlobRecords
	blobs blob.Store
	pace  *Pace
}

// verdict is what a look at bytes came to; the zero value is that they are right.
type verdict struct {
	fault  Fault
	detail string
}

// check looks whether the bytes are there and are as many as the row says, and
// with read whether they hash to the digest. Bytes that seem wrong are looked at
// a second time, in a row that is read anew: it may have changed. An error says
// nothing about the bytes. It returns the row that was judged; ok is false when
// there is none any more.
func (v *verifier) check(ctx context.Context, b BlobRecord, read bool) (judged BlobRecord, found verdict, ok bool, err error) {
	if found, err = v.look(ctx, b, read); err != nil || found.fault == "" {
		return b, found, true, err
	}
	if b, ok, err = v.rows.BlobRecord(ctx, b.Digest); err != nil || !ok {
		return b, verdict{}, false, err
	}
	found, err = v.look(ctx, b, read)
	return b, found, true, err
}

func (v *verifier) look(ctx context.Context, b BlobRecord, read bool) (verdict, error) {
	if b.Location == "" {
		return v.lookInside(ctx, b, read)
	}
	if err := v.pace.Spend(ctx, lookCost); err != nil {
		return verdict{}, err
	}
	o, err := v.blobs.Open(ctx, b.Location, b.Size)
	switch {
	case errs.Is(err, errs.NotFound):
		return verdict{BlobMissing, "there are no bytes at " + string(b.Location)}, nil
	case errs.Is(err, errs.Internal):
		return verdict{BlobDamaged, cause(err)}, nil
	case err != nil:
		return verdict{}, err
	}
	defer o.Close()
	if !read {
		return verdict{}, nil
	}
	got, err := v.hash(ctx, o, b.Digest.Algorithm())
	switch {
	case ctx.Err() != nil || errs.Is(err, errs.Unavailable):
		return verdict{}, err
	case err != nil: // the disk says so
		return verdict{BlobDamaged, "the bytes cannot be read: " + err.Error()}, nil
	case got != b.Digest:
		return verdict{BlobDamaged, "the bytes hash to " + got.String()}, nil
	}
	return verdict{}, nil
}

// lookInside is look for bytes in the database.
func (v *verifier) lookInside(ctx context.Context, b BlobRecord, read bool) (verdict, error) {
	switch {
	case b.ContentSize < 0:
		return verdict{BlobMissing, "there are no bytes in the database"}, nil
	case b.ContentSize != b.Size:
		return verdict{BlobDamaged, fmt.Sprintf("the database has %d bytes, %d were recorded", b.ContentSize, b.Size)}, nil
	case !read:
		return verdict{}, nil
	}
	content, err := v.rows.BlobContent(ctx, b.Digest)
	if err != nil {
		return verdict{}, err
	}
	if err := v.pace.Spend(ctx, int64(len(content))); err != nil {
		return verdict{}, err
	}
	if got := b.Digest.Algorithm().FromBytes(content); got != b.Digest {
		return verdict{BlobDamaged, "the bytes hash to " + got.String()}, nil
	}
	return verdict{}, nil
}

// hash reads r to its end at the pace.
func (v *verifier) hash(ctx context.Context, r io.Reader, alg oci.Algorithm) (oci.Digest, error) {
	h := alg.New()
	buf := make([]byte, 256<<10)
	for {
		n, err := r.Read(buf)
		h.Write(buf[:n])
		if err := v.pace.Spend(ctx, int64(n)); err != nil {
			return oci.Digest{}, err
		}
		if err == io.EOF {
			return alg.Sum(h), nil
		}
		if err != nil {
			return oci.Digest{}, err
		}
	}
}

// cause returns the private half of an error, for those who own the machine.
func cause(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Cause != nil {
		return e.Cause.Error()
	}
	return err.Error()
}
