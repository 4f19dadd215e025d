package registry

import (
	"context"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"packhouse/internal/access"
	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// Lookups reads what decisions and answers need. Each method is one query where
// it can be, so that one state of the database decides one request.
type Lookups interface {
	// Package looks up p for who.
	Package(ctx context.Context, who access.Principal, p access.Package) (Package, error)
	// Version also looks up the version that ref names; nil when there is none.
	Version(ctx context.Context, who access.Principal, p access.Package, ref oci.Reference) (Package, *Version, error)
	// Blob also looks up a blob that the package holds; nil when it does not.
	// One whose bytes are damaged is found too.
	Blob(ctx context.Context, who access.Principal, p access.Package, d oci.Digest) (Package, *Blob, error)
	// BlobContent returns the bytes of a blob that has no location.
	BlobContent(ctx context.Context, d oci.Digest) ([]byte, error)
	// ManifestContent returns the exact bytes of a manifest.
	ManifestContent(ctx context.Context, d oci.Digest) ([]byte, error)
	// Holder returns a package that holds d and that who may read; ok is false
	// when none was found, and not all are looked at. It serves a mount that
	// names no source.
	Holder(ctx context.Context, who access.Principal, d oci.Digest) (p access.Package, ok bool, err error)
	// AnyBlob returns the blob row of d whoever holds it; nil when there is none,
	// or one whose bytes are damaged.
	AnyBlob(ctx context.Context, d oci.Digest) (*Blob, error)
}

// Listings reads pages in the order of a key.
type Listings interface {
	// Tags returns up to n present tags after last, in ASCII order.
	Tags(ctx context.Context, packageID int64, last string, n int) ([]string, error)
	// NewestTags returns up to n present tags at places below before, the
	// highest first.
	NewestTags(ctx context.Context, packageID, before int64, n int) ([]PlacedTag, error)
	// Catalog returns up to n names after last, by owner and then by name, of
	// the published packages of type t that who may read. It looks at a bounded
	// number of packages: a page may be short, and even empty, and not the last.
	Catalog(ctx context.Context, who access.Principal, t access.PackageType, last string, n int) (Page, error)
	// Referrers returns a page of the referrers of a subject.
	Referrers(ctx context.Context, q ReferrersQuery) (list []Referrer, more bool, err error)
	// Versions returns those of the digests that are versions of the package
	// and have no subject.
	Versions(ctx context.Context, packageID int64, digests []oci.Digest) (map[oci.Digest]bool, error)
}

// Sources finds the repositories that manifests name.
type Sources interface {
	// Source returns the repository that the name leads to, with who's role on
	// it; ok is false when there is none.
	Source(ctx context.Context, who access.Principal, name oci.Name) (src Source, ok bool, err error)
}

// Sessions keeps upload sessions. A session is found only by the principal and
// under the package address that it was made for. What changes or ends one does
// so only if it still stands at s.Epoch: else it is Conflict when another
// request has changed it, NotFound when it has ended.
type Sessions interface {
	// CreateSession refuses with RateLimited when the principal has max open.
	CreateSession(ctx context.Context, s *Session, max int) error
	// Session returns NotFound unless id, owner, package and principal agree.
	Session(ctx context.Context, id string, who access.Principal, p access.Package) (*Session, error)
	// TakeSession raises s.Epoch and stores s.ExpiresAt. Whoever read the
	// session before can from then on neither change nor end it.
	TakeSession(ctx context.Context, s *Session) error
	// SaveSession stores what has changed and raises s.Epoch.
	SaveSession(ctx context.Context, s *Session) error
	// EndSession removes the session.
	EndSession(ctx context.Context, s *Session) error
	// ExpiredSessions returns up to n sessions that ended before now.
	ExpiredSessions(ctx context.Context, now time.Time, n int) ([]*Session, error)
}

// Commits changes packages. Each method is one durable transaction: when it
// returns nil, a loss of power cannot undo it.
type Commits interface {
	// CommitBlob creates the package if need be, links the blob to it and ends
	// the session, with the errors of EndSession. It returns the location that
	// is on record afterwards, which is another's when the same blob was
	// committed meanwhile; then c.Location is not used.
	CommitBlob(ctx context.Context, c *BlobCommit) (blob.Location, error)
	// MountBlob does the same with a blob that is on record and live; NotFound
	// with the code BLOB_UNKNOWN when it is not.
	MountBlob(ctx context.Context, c *BlobCommit) error
	// RenewBlob extends the promise that the bytes stay; NotFound when it can
	// no longer be given.
	RenewBlob(ctx context.Context, d oci.Digest, until time.Time) error
	// UnlinkBlob takes the blob out of the package; Unsupported when a present
	// version needs it.
	UnlinkBlob(ctx context.Context, packageID int64, d oci.Digest) error
	// CommitManifest checks that the package holds every part with its size
	// and stores the version and its tags; *MissingParts when it does not.
	CommitManifest(ctx context.Context, c *ManifestCommit) error
	// DeleteTag ends the present tag; NotFound when there is none, Conflict when
	// it may not go.
	DeleteTag(ctx context.Context, packageID int64, tag oci.Tag, c Removal) error
	// DeleteVersion deletes the version and ends its tags; NotFound when there
	// is none, Conflict when it may not go or a present index holds it.
	DeleteVersion(ctx context.Context, packageID int64, d oci.Digest, c Removal) error
}

// Damages keeps what was found out about stored bytes.
type Damages interface {
	// NoteDamaged has the blob served to nobody until it is pushed again, if its
	// bytes still lie where b says.
	NoteDamaged(ctx context.Context, b Blob, why string, now time.Time) error
}

// Limits bounds what one caller can ask of the registry.
type Limits struct {
	// MaxBlob is the largest blob in bytes of a container package, and
	// MaxDockerBlob that of a Docker package, as MaxBlob when zero.
	MaxBlob, MaxDockerBlob int64
	// MaxSessions is how many upload sessions one principal may have open.
	MaxSessions int
	// SessionIdle is how long a session lives after its last byte, and
	// SessionLife how long at all.
	SessionIdle, SessionLife time.Duration
	// Grace is how long a promise about a blob's bytes holds.
	Grace time.Duration
}

// maxBlob returns the size in bytes of the largest blob in packages of type t.
func (l Limits) maxBlob(t access.PackageType) int64 {
	if t == access.Docker && l.MaxDockerBlob > 0 {
		return l.MaxDockerBlob
	}
	return l.MaxBlob
}

// Deps is what a Service is built from.
type Deps struct {
	Lookups  Lookups
	Listings Listings
	Sources  Sources
	Sessions Sessions
	Commits  Commits
	Blobs    blob.Store
	// Damages may be nil.
	Damages Damages
	Limits  Limits
	// SourceName returns the name of the repository of this server that the
	// org.opencontainers.image.source of an image leads to; ok is false when it
	// leads to none of this server's. nil takes none.
	SourceName func(source string) (name oci.Name, ok bool)
	// TagsOnly refuses to push or pull Docker packages by digest.
	TagsOnly bool
	Now      func() time.Time
	// NewID returns an unguessable lower-case UUID.
	NewID func() string
	// PlaceKey, of 32 bytes, seals places in the catalog; processes that share a
	// database share it. nil takes one of this process.
	PlaceKey []byte
}

// Service is the registry. Safe for concurrent use; several processes may work
// on one database and one blob store.
type Service struct {
	Deps
	manifests *otter.Cache[oci.Digest, []byte]
	small     *otter.Cache[oci.Digest, []byte]
	places    places

	mu   sync.Mutex
	busy map[string]bool // upload sessions that a request of this process writes
}

// Bytes kept in memory: manifests and small blobs by digest, which never change.
const (
	manifestCacheBytes = 12 << 20
	smallCacheBytes    = 4 << 20
)

// New returns a Service on d.
func New(d Deps) (*Service, error) {
	manifests, err := contentCache(manifestCacheBytes)
	if err != nil {
		return nil, err
	}
	small, err := contentCache(smallCacheBytes)
	if err != nil {
		return nil, err
	}
	at, err := newPlaces(d.PlaceKey)
	if err != nil {
		return nil, err
	}
	if d.SourceName == nil {
		d.SourceName = func(string) (oci.Name, bool) { return oci.Name{}, false }
	}
	return &Service{Deps: d, manifests: manifests, small: small, places: at, busy: map[string]bool{}}, nil
}

func contentCache(weight uint64) (*otter.Cache[oci.Digest, []byte], error) {
	return otter.New(&otter.Options[oci.Digest, []byte]{
		MaximumWeight: weight,
		Weigher:       func(_ oci.Digest, b []byte) uint32 { return uint32(len(b)) + 128 },
	})
}
