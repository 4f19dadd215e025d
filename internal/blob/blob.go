// Package blob stores the bytes of blobs: a directory (fs), an S3-compatible
// bucket (s3) or memory (mem), behind one interface and one behaviour suite
// (blobtest).
//
// It knows nothing of packages, rights or references. Which digests exist, who
// may read them and where their bytes lie is recorded in the database; a store
// never needs to list what it holds.
package blob

import (
	"context"
	"io"
	"time"

	"packhouse/internal/oci"
)

// Location names published bytes. The store that returned it from Publish is
// the only one that can read it; to everyone else it is opaque. Every Publish
// returns a new one, so bytes that are being removed and bytes that arrive
// again under the same digest never meet. It holds only [a-z0-9./-].
type Location string

// Staged describes an upload that has not been published: what a store needs to
// go on with it, in another request or on another node.
type Staged struct {
	// ID is the upload session's id, a lower-case UUID; the caller never uses
	// one id for two uploads.
	ID string
	// Size is how many bytes the upload holds.
	Size int64
	// State belongs to the store and is empty before the first byte. At most
	// 64 KiB for every 10 GiB staged.
	State []byte
}

// Writer appends to one staged upload. It is used by one goroutine.
type Writer interface {
	// Write appends p. It does not keep p. An error is final for this Writer.
	io.Writer
	// Close ends this stretch of writing and describes all bytes that are
	// kept, which after an error may be fewer than were written, and never
	// fewer than before Resume. It must be called once, also after an error.
	Close() (Staged, error)
}

// Object reads published bytes. An *os.File behind it lets net/http use
// sendfile, so wrappers must not hide one.
type Object interface {
	io.ReadSeeker
	io.Closer
}

// Store keeps bytes. Safe for concurrent use, also by several processes, except
// that one Staged upload is written by one Writer at a time (the caller sees to
// that).
//
// Errors are errs errors: NotFound when the bytes are not there, NoSpace when
// the disk or its inodes are used up, Unavailable when the store does not
// answer or refuses writes since a failed fsync.
type Store interface {
	// Resume opens the upload for writing at up.Size. Bytes beyond up.Size
	// that a crashed Writer left behind are dropped. Staged bytes survive a
	// crash of the process, not a loss of power.
	Resume(ctx context.Context, up Staged) (Writer, error)
	// ReadStaged reads the staged bytes from the start.
	ReadStaged(ctx context.Context, up Staged) (io.ReadCloser, error)
	// Publish makes the upload's bytes durable and readable. When it returns
	// without error a loss of power cannot take them. The caller has compared
	// their hash with d. The upload is used up, whatever the outcome.
	Publish(ctx context.Context, up Staged, d oci.Digest) (Location, error)
	// Discard drops an upload; one that is unknown is no error.
	Discard(ctx context.Context, up Staged) error
	// Open reads published bytes; size is what was recorded at Publish. Bytes
	// of another length are never returned: that is an Internal error.
	Open(ctx context.Context, loc Location, size int64) (Object, error)
	// Remove deletes published bytes; absent ones are no error.
	Remove(ctx context.Context, loc Location) error
	// Probe reports whether a write would be taken at this moment.
	Probe(ctx context.Context) error
}

// Presigner is the optional ability of a store to hand out an address at which
// a client reads published bytes without passing through Packhouse.
type Presigner interface {
	// Presign returns an address for a GET of loc that holds for ttl. ok is
	// false when no address is configured that clients could reach.
	Presign(ctx context.Context, loc Location, ttl time.Duration) (address string, ok bool, err error)
}

// Published is what a store tells of bytes that it holds.
type Published struct {
	Location Location
	// Digest is the one they were published under; zero where the store does
	// not know it.
	Digest oci.Digest
	Size   int64
	// ModifiedAt is about when their writing began or ended, by the clock of the
	// store.
	ModifiedAt time.Time
}

// Walker is the optional ability of a store to tell what it holds, for the
// checks that compare bytes with rows. Nothing that a request waits for may use
// it.
type Walker interface {
	// Walk calls visit for all bytes that Open would read, in no order, and
	// ends with the first error of visit. What is published or removed
	// meanwhile may be among them or not. On some stores the first bytes of an
	// upload that goes on are too. Memory does not grow with their number.
	Walk(ctx context.Context, visit func(Published) error) error
}

// MaxMark is how long in bytes a mark may be.
const MaxMark = 256

// Marker is the optional ability of a store to keep one short text beside the
// bytes, by which it is noticed that they and the database are not of one time.
type Marker interface {
	// Mark returns the text that was set last, "" when there is none.
	Mark(ctx context.Context) (string, error)
	// SetMark replaces the text. When it returns nil a loss of power cannot
	// undo it.
	SetMark(ctx context.Context, text string) error
}
