package packages

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Stored is so many things of so many bytes in all.
type Stored struct{ Count, Bytes int64 }

// PackageStorage is what one package holds.
type PackageStorage struct {
	ID       int64
	Name     oci.Name
	Type     access.PackageType
	Versions int64 // the present ones
	// Bytes are all its manifests and blobs, those that can be restored too, each
	// once. What another package holds as well is counted in both.
	Bytes     int64
	DeletedAt time.Time // zero for a present one
}

// OwnerStorage is what the packages of one account hold.
type OwnerStorage struct {
	Owner string // login
	// Bytes are those of all its packages, also of those that can be restored,
	// each blob once.
	Bytes int64
	// Packages is how many there are; List is a page of them, the largest first.
	Packages int
	List     []PackageStorage
}

// SiteStorage is what the server holds.
type SiteStorage struct {
	// Live, Condemned and Damaged are blobs by their state: those that are
	// served, those that wait for the trash, and those whose bytes are not what
	// they were.
	Live, Condemned, Damaged Stored
	// Trash is what can be taken back until it is removed for good.
	Trash     Stored
	Manifests Stored
	Uploads   Stored // under way
	// Owners are those whose packages hold the most, without their packages.
	Owners []OwnerStorage
}

// Bytes are all, each once.
func (s SiteStorage) Bytes() int64 {
	return s.Live.Bytes + s.Condemned.Bytes + s.Damaged.Bytes + s.Trash.Bytes + s.Manifests.Bytes + s.Uploads.Bytes
}

// Storage measures accounts and the whole server.
type Storage interface {
	// OwnerStorage returns up to limit packages from offset on; Owner is not set.
	OwnerStorage(ctx context.Context, ownerID int64, limit, offset int) (OwnerStorage, error)
	// SiteStorage returns up to n owners. It reads every row of what is stored.
	SiteStorage(ctx context.Context, n int) (SiteStorage, error)
}

// OwnerStorage measures the packages of an account, for those who rule its
// namespace, and lists up to limit of them from offset on.
func (s *Service) OwnerStorage(ctx context.Context, who access.Principal, owner string, limit, offset int) (OwnerStorage, error) {
	f, err := s.Rule(ctx, who, owner, "to see what its packages take")
	if err != nil {
		return OwnerStorage{}, err
	}
	z, err := s.Storage.OwnerStorage(ctx, f.OwnerID, limit, offset)
	z.Owner = f.Owner
	return z, err
}

// SiteStorage measures what the server holds, for its administrators, with the n
// owners who hold the most. It takes a while where there is much.
func (s *Service) SiteStorage(ctx context.Context, who access.Principal, n int) (SiteStorage, error) {
	if !rules(who) {
		return SiteStorage{}, errs.New(errs.Denied, "This is for the administrators of this server.")
	}
	return s.Storage.SiteStorage(ctx, n)
}
