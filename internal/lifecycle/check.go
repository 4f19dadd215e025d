package lifecycle

import (
	"context"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// Fault is the code of something that is wrong.
type Fault string

// The faults.
const (
	// BlobMissing: a blob is on record and its bytes are not there.
	BlobMissing Fault = "blob-missing"
	// BlobDamaged: its bytes are there and are others.
	BlobDamaged Fault = "blob-damaged"
	// Stray: bytes that nothing on record leads to, older than any upload.
	Stray Fault = "stray"
	// ManifestMissing: a version whose manifest is not there.
	ManifestMissing Fault = "manifest-missing"
	// ManifestDamaged: a manifest whose bytes are others.
	ManifestDamaged Fault = "manifest-damaged"
	// EdgesWrong: what is on record about a manifest's parts is not what it says.
	EdgesWrong Fault = "edges-wrong"
	// PartMissing: a present version needs a blob that is not on record.
	PartMissing Fault = "part-missing"
	// PartUnlinked: a present version needs a blob that its package does not hold.
	PartUnlinked Fault = "part-unlinked"
	// ChildMissing: a present index has a child that is not a present version.
	ChildMissing Fault = "child-missing"
	// TagDangling: a tag leads to no present version.
	TagDangling Fault = "tag-dangling"
	// SumWrong: a sum is not that of what it is the sum of.
	SumWrong Fault = "sum-wrong"
	// ReviewMissing: nothing needs a blob, and it would never be looked at.
	ReviewMissing Fault = "review-missing"
)

// Finding is one thing that is wrong.
type Finding struct {
	Fault Fault `json:"fault"`
	// Digest is the blob's or the manifest's that is meant.
	Digest   string `json:"digest,omitempty"`
	Location string `json:"location,omitempty"`
	Package  string `json:"package,omitempty"` // OWNER/NAME
	// Detail is for people.
	Detail string `json:"detail"`
	// Done is what the repair did; empty when it did nothing. After some it is
	// still wrong: see Mended.
	Done string `json:"done,omitempty"`
	// Mended is set when all is right now.
	Mended bool `json:"mended"`

	packageID int64
}

// BlobRecord is a blob as it is on record.
type BlobRecord struct {
	Digest   oci.Digest
	Size     int64
	Location blob.Location // empty: the bytes are in the database
	// Suspect is set when the bytes were found to be damaged.
	Suspect bool
	// ContentSize is how many bytes the database has; -1 for no content.
	ContentSize int64
}

// BlobRecords are the rows of blobs, for checks. What changes one does so only
// if it still has the location that was looked at.
type BlobRecords interface {
	// BlobsAfter returns up to n blobs that are on record, by digest, after the
	// text of one.
	BlobsAfter(ctx context.Context, after string, n int) ([]BlobRecord, error)
	// BlobRecord returns the blob as it is now; false when there is none.
	BlobRecord(ctx context.Context, d oci.Digest) (BlobRecord, bool, error)
	// BlobContent returns the bytes that the database has.
	BlobContent(ctx context.Context, d oci.Digest) ([]byte, error)
	// MarkSuspect has the blob served to nobody until it is pushed again; false
	// when it was so before or has changed.
	MarkSuspect(ctx context.Context, b BlobRecord, e audit.Entry) (bool, error)
	// MarkVerified notes that the bytes were hashed and are whole; what was
	// suspect is not any more.
	MarkVerified(ctx context.Context, list []BlobRecord, at time.Time) error
}

// ObjectRecords are what is on record about the bytes in a blob store.
type ObjectRecords interface {
	// RecordedLocations returns those of the locations, 64 at most, that a blob
	// or the trash leads to.
	RecordedLocations(ctx context.Context, list []blob.Location) (map[blob.Location]bool, error)
	// TrashStray puts bytes that nothing leads to into the trash; false when
	// something does by now.
	TrashStray(ctx context.Context, p blob.Published, now, purgeAt time.Time) (bool, error)
	// Adopt makes the bytes at the location those of a blob that is not on
	// record, suspect, or at broken; false when they are somebody's by now.
	Adopt(ctx context.Context, a Adoption) (bool, error)
}

// Adoption is bytes that become those of a blob.
type Adoption struct {
	Digest   oci.Digest
	Size     int64
	Location blob.Location
	// Broken is the location whose bytes are damaged or gone; may be empty.
	Broken     blob.Location
	Now        time.Time
	LeaseUntil time.Time
	Entry      audit.Entry
}

// TrashRecords are what lies in the trash.
type TrashRecords interface {
	// InTrash returns the bytes of the digest that are there, the newest first.
	InTrash(ctx context.Context, d oci.Digest) ([]Trash, error)
	// Undelete makes them those of the blob again, promised until leaseUntil;
	// NotFound when they are there no more. It records did, and returns how many
	// packages hold it.
	Undelete(ctx context.Context, t Trash, leaseUntil time.Time, did audit.Entry) (int, error)
}

// ManifestRecord is a manifest as it is on record.
type ManifestRecord struct {
	Digest  oci.Digest
	Content []byte
	// MediaType is what a version of it has; "" when there is no version.
	MediaType string
	Edges     map[Edge]bool
}

// Edge is what a manifest needs, or speaks of: its kind is 'blob', 'manifest' or
// 'subject'.
type Edge struct{ Child, Kind string }

// ManifestRecords are the rows of manifests, versions and tags, for checks.
type ManifestRecords interface {
	// ManifestsAfter returns up to n manifests by digest, after the text of one,
	// all of one moment.
	ManifestsAfter(ctx context.Context, after string, n int) ([]ManifestRecord, error)
	// Manifest returns one; false when there is none.
	Manifest(ctx context.Context, d oci.Digest) (ManifestRecord, bool, error)
	// RewriteEdges makes the edges of m those; what is needed by it is promised
	// until then.
	RewriteEdges(ctx context.Context, m ManifestRecord, edges map[Edge]bool, now, until time.Time) error
	// LastVersion and LastTag return the highest ids.
	LastVersion(ctx context.Context) (int64, error)
	LastTag(ctx context.Context) (int64, error)
	// VersionFaults returns what is wrong with the versions whose ids are over
	// from and up to to.
	VersionFaults(ctx context.Context, from, to int64) ([]VersionFault, error)
	// LinkPart has the package hold the blob.
	LinkPart(ctx context.Context, packageID int64, d oci.Digest) error
}

// VersionFault is one thing that is wrong with a version, as far as rows tell: a
// part may be a foreign layer, which need not be there.
type VersionFault struct {
	Fault     Fault
	PackageID int64
	Package   string // OWNER/NAME
	Digest    string // of the version
	Child     string // of its part
}

// OtherRecords are rows that stand beside others.
type OtherRecords interface {
	// DanglingTags returns the open tags with ids over from and up to to that
	// lead to no present version, as findings.
	DanglingTags(ctx context.Context, from, to int64) ([]Finding, error)
	// WrongSums returns the sums of the n packages with the next ids over from
	// that are wrong, and the last of those ids; 0 after the last package.
	WrongSums(ctx context.Context, from int64, n int) (list []Finding, last int64, err error)
	// MendSums makes the sums of a package right.
	MendSums(ctx context.Context, packageID int64) error
	// MissingReviews returns those of the digests over from and up to to that
	// nothing needs and nothing will look at.
	MissingReviews(ctx context.Context, from, to string) ([]string, error)
	// SetReview has them looked at now, if that is still so.
	SetReview(ctx context.Context, digests []string, now time.Time) error
}
