// Package packagesettings is the settings of a package: where it belongs, who may use it, what everybody
// sees, and its end.
package packagesettings

import (
	"context"
	"embed"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Directory knows what can be suggested in fields.
type Directory interface {
	RepositoriesWith(ctx context.Context, who access.Principal) ([]account.OwnedRepository, error)
	Memberships(ctx context.Context, userID int64) ([]account.MembershipIn, error)
	MemberAccounts(ctx context.Context, organizationID int64) ([]account.MemberAccount, error)
}

// Deps is what the room is made of.
type Deps struct {
	Packages  *packages.Service
	Directory Directory
}

type room struct {
	*frame.Room
	Deps
}

// New puts the room's pages on f. The error is that of a broken build.
func New(f *frame.Frame, d Deps) error {
	opened, err := f.Open(files)
	if err != nil {
		return err
	}
	r := &room{opened, d}
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	r.Declare("general", generalPage{})
	r.Declare("inheritance", inheritancePage{})
	r.Declare("rename", movePage{})
	r.Declare("transfer", movePage{})
	r.Declare("visibility", visibilityPage{})
	r.Declare("delete", deletePage{})

	f.OnPackageSettings("GET /settings", r.general)
	f.OnPackageSettings("POST /settings/repository", r.connect)
	f.OnPackageSettings("POST /settings/repository/disconnect", r.disconnect)
	f.OnPackageSettings("GET /settings/inheritance", r.previewInheritance)
	f.OnPackageSettings("POST /settings/inheritance", r.setInheritance)
	f.OnPackageSettings("POST /settings/access", r.invite)
	f.OnPackageSettings("POST /settings/access/change", r.changeAccess)
	f.OnPackageSettings("POST /settings/actions", r.addActions)
	f.OnPackageSettings("POST /settings/actions/change", r.changeActions)
	f.OnPackageSettings("POST /settings/readme", r.setReadme)
	f.OnPackageSettings("POST /settings/immutable", r.setImmutable)

	f.OnPackageSudo("GET /settings/rename", r.askRename)
	f.OnPackageSudo("POST /settings/rename", r.rename)
	f.OnPackageSudo("GET /settings/transfer", r.askTransfer)
	f.OnPackageSudo("POST /settings/transfer", r.transfer)
	f.OnPackageSudo("GET /settings/visibility", r.askVisibility)
	f.OnPackageSudo("POST /settings/visibility", r.setVisibility)
	f.OnPackageSudo("GET /settings/delete", r.askDelete)
	f.OnPackageSudo("POST /settings/delete", r.delete)
}
