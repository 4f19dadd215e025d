// Package packagepage is the page of a package, of one version of it, and of two versions compared.
package packagepage

import (
	"embed"
	"html/template"

	"github.com/maypok86/otter/v2"

	"packhouse/internal/account"
	"packhouse/internal/evidence"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Deps is what the room is made of.
type Deps struct {
	Packages *packages.Service
	Registry *registry.Service
	Accounts *account.Service
}

type room struct {
	*frame.Room
	Deps
	// What was read of documents and rendered of readmes, by the digests of what
	// never changes. Who may see it is decided before.
	facts    *otter.Cache[documentKey, evidence.Facts]
	rendered *otter.Cache[oci.Digest, template.HTML]
	charts   *otter.Cache[oci.Digest, string]
}

// Limits of the caches, in bytes: of what documents say, and of readmes.
const maxFacts, maxRendered, maxCharts = 8 << 20, 16 << 20, 8 << 20

// weight is about how many bytes the facts take.
func weight(f evidence.Facts) uint32 {
	n := 4 << 10
	if f.SBOM != nil {
		for _, c := range f.SBOM.Components {
			n += len(c.Name) + len(c.Version) + len(c.Licenses) + 64
		}
	}
	return uint32(n) //nolint:gosec // there are few, of short texts
}

// New puts the room's pages on f. The error is that of a broken build.
func New(f *frame.Frame, d Deps) error {
	opened, err := f.Open(files)
	if err != nil {
		return err
	}
	r := &room{Room: opened, Deps: d}
	r.facts, err = otter.New(&otter.Options[documentKey, evidence.Facts]{
		MaximumWeight: maxFacts, Weigher: func(_ documentKey, f evidence.Facts) uint32 { return weight(f) },
	})
	if err != nil {
		return err
	}
	r.rendered, err = otter.New(&otter.Options[oci.Digest, template.HTML]{
		MaximumWeight: maxRendered, Weigher: func(_ oci.Digest, h template.HTML) uint32 { return uint32(len(h)) + 128 },
	})
	if err != nil {
		return err
	}
	r.charts, err = otter.New(&otter.Options[oci.Digest, string]{
		MaximumWeight: maxCharts, Weigher: func(_ oci.Digest, s string) uint32 { return uint32(len(s)) + 128 },
	})
	if err != nil {
		return err
	}
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	r.Declare("package", packagePage{})
	r.Declare("version", versionPage{})
	r.Declare("compare", comparePage{})

	f.OnPackage("GET /{$}", r.show)
	f.OnPackage("GET /{id}", r.version)
	f.OnPackage("GET /compare", r.compare)
}
