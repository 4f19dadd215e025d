package lifecycle

import (
	"context"
	"strconv"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// JobCollect is the kind of the job that does one round.
const JobCollect = "gc"

// Times are the waits of garbage collection. What nothing needs goes the whole
// way: Grace after the last promise it is condemned, Condemn later it lies in
// the trash, Trash later its bytes are removed.
type Times struct {
	// Restore is how long what was deleted can be restored.
	Restore time.Duration
	// Grace is how long a blob stays that somebody was told is there. A push
	// takes half of it at most.
	Grace time.Duration
	// Condemn is how long a push still finds a blob that nothing needs.
	Condemn time.Duration
	// Trash is how long the bytes can be taken back by hand.
	Trash time.Duration
}

// Cleared is what one transaction took off the records.
type Cleared struct {
	Packages, Versions, Manifests int
	// More is set when there may be more to do.
	More bool
}

// Amount is a number of blobs and their bytes.
type Amount struct {
	Blobs int   `json:"blobs"`
	Bytes int64 `json:"bytes"`
}

func (a *Amount) add(b Amount) { a.Blobs += b.Blobs; a.Bytes += b.Bytes }

// Reviewed is what one transaction decided about blobs whose review was due.
type Reviewed struct {
	// Looked is how many were due, up to the number asked for.
	Looked int
	// Kept are needed by a manifest, Postponed are promised to somebody.
	Kept, Postponed    int
	Condemned, Trashed Amount
}

// Records tells of one digest, and takes bytes back.
type Records interface {
	// Needs returns what a digest is on record as, and up to n of those who
	// need it.
	Needs(ctx context.Context, d oci.Digest, n int) (Needs, error)
	// InTrash returns the entries of the trash with the digest, the newest first.
	InTrash(ctx context.Context, d oci.Digest) ([]Trash, error)
	// Receipts returns up to n receipts with an id below before, the newest
	// first; of one digest, unless it is zero.
	Receipts(ctx context.Context, d oci.Digest, before int64, n int) ([]Receipt, error)
	// Undelete puts the bytes on record again, promised until leaseUntil, and
	// returns how many packages hold them by that. NotFound when there is no way
	// back.
	Undelete(ctx context.Context, t Trash, leaseUntil time.Time, did audit.Entry) (int, error)
	// Waiting counts what is condemned and what lies in the trash.
	Waiting(ctx context.Context) (condemned, trash Amount, err error)
}

// Needs is what is on record about one digest.
type Needs struct {
	// Blob is nil when there is no such blob.
	Blob *BlobRow
	// Manifest is set when there is such a manifest.
	Manifest bool
	// Versions are manifests of that digest in packages, Parents those that name
	// it as a part. Each list ends at the number asked for; More is then set.
	Versions, Parents []Need
	More              bool
	// Holders are packages that may read the blob.
	Holders []string
}

// BlobRow is the row of a blob.
type BlobRow struct {
	State       string
	Size        int64
	Location    blob.Location
	CreatedAt   time.Time
	LeaseUntil  time.Time
	ReviewAt    time.Time // zero when a manifest needs it
	CondemnedAt time.Time // zero when it is not condemned
}

// Need is one version of a package. DeletedAt is the earlier of its own and of
// its package's; zero while both are present.
type Need struct {
	Package   string
	Digest    oci.Digest
	Kind      string // of the edge: blob or manifest; empty for the version itself
	Tags      []string
	DeletedAt time.Time
}

// Receipt says that something was removed for good.
type Receipt struct {
	ID          int64         `json:"id"`
	Kind        string        `json:"kind"` // blob, manifest or stray
	Digest      string        `json:"digest"`
	Size        int64         `json:"size"`
	Location    blob.Location `json:"location"`
	Reason      string        `json:"reason"`
	CreatedAt   time.Time     `json:"created_at"`
	CondemnedAt time.Time     `json:"condemned_at,omitzero"`
	TrashedAt   time.Time     `json:"trashed_at,omitzero"`
	PurgedAt    time.Time     `json:"purged_at"`
}

// Trash is bytes on their way out.
type Trash struct {
	ID int64
	// Digest is zero for bytes whose digest is not known.
	Digest oci.Digest
	Size   int64
	// Location is empty when the bytes are in the database.
	Location    blob.Location
	CreatedAt   time.Time
	CondemnedAt time.Time // zero for bytes that never were condemned
	TrashedAt   time.Time
	PurgeAt     time.Time
	// Purging is set once the removal has begun; there is no way back then.
	Purging bool
}

// Garbage takes the steps. Each call is one short transaction, whose conditions
// hold at its commit whatever else goes on: no push waits long for one, and
// several collectors may work at once.
type Garbage interface {
	// ClearVersions removes up to n versions that were deleted before before,
	// and the manifests that are no version of any package any more.
	ClearVersions(ctx context.Context, before, now time.Time, n int) (Cleared, error)
	// ClearPackages begins or goes on with one package that was deleted before
	// before: from the first call on it cannot be restored.
	ClearPackages(ctx context.Context, before, now time.Time, n int) (Cleared, error)
	// Review decides about up to n blobs whose review is due.
	Review(ctx context.Context, now time.Time, t Times, n int) (Reviewed, error)
	// BeginPurge takes up to n entries of the trash that are due, so that
	// nothing takes them back. None while there is a stop or a quarantine.
	BeginPurge(ctx context.Context, now time.Time, n int) ([]Trash, error)
	// EndPurge replaces the entries, whose bytes are gone, by receipts, and
	// returns those that no other had replaced.
	EndPurge(ctx context.Context, list []Trash, now time.Time) ([]Trash, error)
	// DelayPurge has a removal that failed tried again later.
	DelayPurge(ctx context.Context, id int64, until time.Time) error
	// Due counts what a round would do now.
	Due(ctx context.Context, now time.Time, t Times) (Due, error)
}

// Due is what a round would do.
type Due struct {
	Packages int    `json:"packages"` // deleted, past the restore window
	Versions int    `json:"versions"`
	Condemn  Amount `json:"condemn"`
	Trash    Amount `json:"trash"`
	Purge    Amount `json:"purge"`
}

// Ledger keeps what collectors remember, for all nodes.
type Ledger interface {
	// Notes returns all that was noted.
	Notes(ctx context.Context) (Notes, error)
	// Note stores the values, an empty one removes the note, and records what a
	// person did by it.
	Note(ctx context.Context, n Notes, did ...audit.Entry) error
	// RaiseMark adds one to the number noted as MarkNote, or makes it least if
	// that is more, and returns it, with InstanceNote, which is fresh where
	// there was none.
	RaiseMark(ctx context.Context, fresh string, least int64) (instance string, mark int64, err error)
	// EnqueueRound has a node that works jobs do a round now.
	EnqueueRound(ctx context.Context, now time.Time) error
	// Stored returns how many bytes there are in blobs, which takes a while.
	Stored(ctx context.Context) (Amount, error)
}

// The notes. Restoring a database from a backup sets QuarantineNote.
const (
	// QuarantineNote is until when nothing is removed for good, in microseconds
	// since 1970.
	QuarantineNote = "gc.quarantine_until"
	// StopNote is the Stop that holds everything up, as JSON.
	StopNote = "gc.stop"
	// AcceptNote lets the next round condemn any amount.
	AcceptNote = "gc.accept"
	// LastNote is the last Round, as JSON.
	LastNote = "gc.last"
	// MarkNote rises with the one in the blob store; see blob.Marker.
	MarkNote = "gc.mark"
	// InstanceNote is the random name of the database that the mark is of.
	InstanceNote = "gc.instance"
)

// Notes are what was noted, by name.
type Notes map[string]string

// Quarantine is until when nothing is removed for good; the zero time for none.
// A note that cannot be read holds for ever.
func (n Notes) Quarantine() time.Time {
	text := n[QuarantineNote]
	if text == "" {
		return time.Time{}
	}
	us, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	return time.UnixMicro(us).UTC()
}

// QuarantineUntil is the note of a quarantine that ends at t.
func QuarantineUntil(t time.Time) Notes {
	return Notes{QuarantineNote: strconv.FormatInt(t.UnixMicro(), 10)}
}

// Bytes removes published bytes; absent ones are no error.
type Bytes interface {
	Remove(ctx context.Context, loc blob.Location) error
}

// Round is what one round did.
type Round struct {
	At        time.Time     `json:"at"`
	Took      time.Duration `json:"took_ns"`
	Packages  int           `json:"packages"`
	Versions  int           `json:"versions"`
	Manifests int           `json:"manifests"`
	Kept      int           `json:"kept"`
	Postponed int           `json:"postponed"`
	Condemned Amount        `json:"condemned"`
	Trashed   Amount        `json:"trashed"`
	Purged    Amount        `json:"purged"`
	// Stopped says why nothing was done; nil when nothing stood in the way.
	Stopped *Stop `json:"stopped,omitempty"`
	// Quarantine is until when nothing is removed for good; zero for none.
	Quarantine time.Time `json:"quarantine_until,omitzero"`
	// Error is what broke the round off; the next one goes on.
	Error string `json:"error,omitempty"`
}

// Stop holds garbage collection up.
type Stop struct {
	Reason Reason    `json:"reason"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
	// Until is when it ends by itself; zero for a stop that somebody has to end.
	Until time.Time `json:"until,omitzero"`
}

// Reason is why garbage collection was stopped.
type Reason string

// The reasons.
const (
	ClockJumped Reason = "clock"
	TooMuch     Reason = "share"
)
