package packages

import (
	"context"

	"packhouse/internal/access"
)

// Sizes is what a package or a version takes, in bytes.
type Sizes struct {
	// Bytes are all its manifests and blobs, each once; of a package also those
	// that can be restored.
	Bytes int64
	// FreedIfDeleted are those that nothing else in the package needs; to those who
	// administer the package, that no other of the owner needs; and to
	// administrators of the server, that none needs at all: what others hold is
	// not for everybody to find out. They come back when the time for restoring
	// is over.
	FreedIfDeleted int64
	// Versions are how many there are: of a package the present ones; of a
	// version itself and those within it.
	Versions int64
}

// Among says which packages count as those that need something, too.
type Among int

// The package alone, those of its owner, and all.
const (
	AmongItself Among = iota
	AmongOwners
	AmongAll
)

// among says what who may find out about a package that it may read.
func among(who access.Principal, p access.Package, f access.Facts) Among {
	switch {
	case rules(who):
		return AmongAll
	case access.Decide(who, p.Name, f, access.Effects{Action: access.Administer}).Allowed:
		return AmongOwners
	}
	return AmongItself
}

// Sizes measures a package.
func (s *Service) Sizes(ctx context.Context, who access.Principal, p access.Package) (Sizes, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return Sizes{}, err
	}
	return s.Contents.PackageSizes(ctx, f.PackageID, among(who, p, f))
}

// VersionSizes measures a present version with the manifests within it, all the
// way down. FreedIfDeleted goes by what nothing but those needs.
func (s *Service) VersionSizes(ctx context.Context, who access.Principal, p access.Package, id int64) (Sizes, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return Sizes{}, err
	}
	return s.Contents.VersionSizes(ctx, f.PackageID, id, among(who, p, f))
}
