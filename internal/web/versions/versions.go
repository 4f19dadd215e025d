// Package versions is the lists of a package's versions and tags, and what is done with them.
package versions

import (
	"embed"

	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Deps is what the room is made of.
type Deps struct {
	Packages *packages.Service
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
	r.Declare("list", listPage{})
	r.Declare("delete", deletePage{})
	r.Declare("tags", tagsPage{})
	r.Declare("tag", tagPage{})

	f.OnPackage("GET /versions", r.list)
	f.OnPackage("GET /versions/chosen", r.chosen)
	f.OnPackageSettings("GET /versions/delete", r.askDelete)
	f.OnPackageSudo("POST /versions/delete", r.delete)
	f.OnPackageSettings("GET /versions/{id}/delete", r.askDelete)
	f.OnPackageSudo("POST /versions/{id}/delete", r.delete)
	f.OnPackageSettings("POST /versions/{id}/restore", r.restore)

	f.OnPackage("GET /tags", r.tags)
	f.OnPackageSettings("POST /tags", r.setTag)
	f.OnPackage("GET /tags/{tag}", r.tag)
	f.OnPackageSettings("POST /tags/{tag}", r.moveTag)
	f.OnPackageSettings("POST /tags/{tag}/delete", r.deleteTag)
	f.OnPackageSettings("POST /tags/{tag}/restore", r.restoreTag)
}
