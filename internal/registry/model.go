package registry

import (
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// Package is what one lookup tells about an address: what a decision needs to
// know and, when the package exists, its id.
type Package struct {
	// ID is zero when no such package exists.
	ID int64
	// OwnerID is zero when no such account exists.
	OwnerID int64
	// Address is the package's present one; when there is no package, the one
	// that a push would make it at.
	Address access.Package
	// Published reports whether a manifest was ever stored.
	Published bool
	LinkedBy  LinkedBy
	Facts     access.Facts
}

// LinkedBy says how a package came to be linked to its repository.
type LinkedBy string

// The ways; "" is a package that never was.
const (
	ByWorkflow LinkedBy = "workflow"
	ByLabel    LinkedBy = "label"
	ByHand     LinkedBy = "hand"
	// Unlinked is a package whose link was taken away by hand. No label brings
	// it back.
	Unlinked LinkedBy = "unlinked"
)

// Source is a repository that a manifest may name as where it was made.
type Source struct {
	ID         int64
	OwnerID    int64
	Visibility access.Visibility
	// Role is the caller's: its own, a team's, or what members have.
	Role access.RepositoryRole
}

// Version is one manifest of a package.
type Version struct {
	PackageID, ID int64

	Digest    oci.Digest
	MediaType string
	Size      int64
}

// Blob is one blob that a package holds.
type Blob struct {
	// PackageID is the package that was asked for it.
	PackageID int64

	Digest oci.Digest
	Size   int64
	// Location is empty when the bytes lie in the database.
	Location blob.Location
	// Damaged is set when the bytes were found to be others or gone. They are
	// not served; a push of the blob replaces them.
	Damaged bool
	// LeaseUntil is how long the bytes are promised to stay without a
	// manifest that needs them.
	LeaseUntil time.Time
}

// Session is an upload under way. It belongs to one package address and one
// principal; to all others it does not exist.
type Session struct {
	ID          string
	OwnerID     int64
	Package     access.Package
	PrincipalID int64
	Algorithm   oci.Algorithm
	// Epoch counts the saves; a save with an outdated one is refused.
	Epoch int64
	// Size is how many bytes have been taken.
	Size int64
	// HashState is the saved state of Algorithm's hash over them; empty while
	// they are in Content.
	HashState []byte
	// Staged is the store's description of them; Content holds them as long
	// as they are few.
	Staged    []byte
	Content   []byte
	CreatedAt time.Time
	ExpiresAt time.Time

	// single is set for an upload of one request, which is not on record.
	single bool
	// owned is set once this request may change the staged bytes; see own.
	owned bool
}

func (s *Session) staged() blob.Staged {
	size := s.Size
	if len(s.Content) > 0 {
		size = 0
	}
	return blob.Staged{ID: s.ID, Size: size, State: s.Staged}
}

// Creation is the package that a commit goes to, and how it is made where there
// is none.
type Creation struct {
	// PackageID is zero when there was none at Address. The package is then
	// made, unless Actor has made it meanwhile.
	PackageID  int64
	Address    access.Package
	OwnerID    int64
	Actor      int64 // Principal.ID
	By         audit.Actor
	Visibility access.Visibility
	// Admin is the account that becomes admin of it; zero for none.
	Admin int64
	// RepositoryID is what it is linked to; zero for nothing.
	RepositoryID int64
	LinkedBy     LinkedBy
	Inherits     bool
	// ByJob gives the jobs of the repository the admin role.
	ByJob bool
}

// BlobCommit records that a package holds a blob, whose bytes are durable at
// Location or are Content.
type BlobCommit struct {
	Into     Creation
	Digest   oci.Digest
	Size     int64
	Location blob.Location
	Content  []byte
	// Replaces is a location whose bytes were found broken or gone.
	Replaces blob.Location
	// Session is the upload session that ends with this, as it stood at Epoch;
	// may be empty.
	Session    string
	Epoch      int64
	Now        time.Time
	LeaseUntil time.Time
}

// ManifestCommit records a manifest as a version of a package, with its tags.
type ManifestCommit struct {
	Into     Creation
	Digest   oci.Digest
	Content  []byte
	Manifest *oci.Manifest
	Labels   oci.Labels
	Publish  Publication
	Parts    []oci.Part
	Tags     []oci.Tag
	Now      time.Time
	// LeaseUntil is promised for the blobs whose lease has run down by half.
	LeaseUntil time.Time
}

// Publication is what a manifest does to its package beside becoming a version
// of it.
type Publication struct {
	// Link is the repository to link a package to that never was linked; zero
	// for none. If the package is not published yet it inherits by Inherit.
	Link    int64
	Inherit bool
	// Visibility is given to a package that is not published yet; "" for none.
	Visibility access.Visibility
	// Claim is the source that the manifest names, kept while the package is
	// linked to nothing.
	Claim string
}

// Referrer is one manifest whose subject is another.
type Referrer struct {
	ID int64
	oci.Descriptor
}

// ReferrersQuery asks for the referrers of Subject in one package with an id
// over After, in the order of ids: up to N, and fewer when their annotations
// come to more than Bytes, but at least one.
type ReferrersQuery struct {
	PackageID    int64
	Subject      oci.Digest
	ArtifactType string // "" means all
	After        int64
	N            int
	Bytes        int
}

// Removal is the record of a deletion and who makes it.
type Removal struct {
	By    int64 // Principal.ID
	Entry audit.Entry
}
