// Package trust is the rules by which jobs elsewhere publish into a package.
package trust

import (
	"embed"

	"packhouse/internal/packages"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Deps is what the room is made of.
type Deps struct {
	Packages *packages.Service
	Trust    *token.Trust
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
	r.Declare("list", listPage{})
	r.Declare("form", formPage{})
	r.Declare("rule", rulePage{})
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	const all = frame.OfPackages | frame.OfOwners | frame.OfRepositories
	f.OnSettings(all, "GET", "trust", "", r.list)
	f.OnSettings(all, "GET", "trust", "/new", r.blank)
	f.OnSettingsSudo(all, "POST", "trust", "", r.create)
	f.OnSettings(all, "GET", "trust", "/{rule}", r.show)
	f.OnSettingsSudo(all, "POST", "trust", "/{rule}/delete", r.remove)
}

// target is what the rules of the page are about.
func (r *room) target(c *frame.Call, p frame.SettingsPage) (token.TrustTarget, error) {
	switch {
	case p.Package != nil:
		f, err := r.Packages.Administer(c.R.Context(), c.Who, p.Package.Package.Ref)
		return token.TrustTarget{OwnerID: f.OwnerID, Owner: f.Owner, PackageID: f.PackageID, Name: f.Name}, err
	case p.Repository != nil:
		o := p.Repository.Repository
		return token.TrustTarget{OwnerID: o.OwnerID, Owner: o.Owner.Login, RepositoryID: o.ID, Name: o.Name}, nil
	}
	return token.TrustTarget{OwnerID: p.Owner.Owner.ID, Owner: p.Owner.Owner.Login}, nil
}
