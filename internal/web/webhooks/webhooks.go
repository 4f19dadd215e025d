// Package webhooks is the hooks of packages, repositories and accounts, with their deliveries.
package webhooks

import (
	"embed"
	"fmt"

	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Deps is what the room is made of. Hooks decides who may see and change which.
type Deps struct {
	Hooks *hooks.Service
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
	r.Declare("deliveries", deliveriesPage{})
	r.Declare("delivery", deliveryPage{})
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	const all = frame.OfPackages | frame.OfOwners | frame.OfRepositories
	on := func(method, rest string, do func(*frame.Call, frame.SettingsPage) error) {
		f.OnSettings(all, method, "hooks", rest, do)
	}
	sudo := func(rest string, do func(*frame.Call, frame.SettingsPage) error) {
		f.OnSettingsSudo(all, "POST", "hooks", rest, do)
	}
	on("GET", "", r.list)
	on("GET", "/new", r.blank)
	sudo("", r.create)
	on("GET", "/{hook}", r.edit)
	sudo("/{hook}", r.update)
	sudo("/{hook}/delete", r.remove)
	on("POST", "/{hook}/ping", r.ping)
	on("GET", "/{hook}/deliveries", r.deliveries)
	on("GET", "/{hook}/deliveries/{delivery}", r.delivery)
	on("POST", "/{hook}/deliveries/{delivery}/redeliver", r.redeliver)
}

// address is what the hooks of the page are of.
func address(p frame.SettingsPage) (hooks.Address, error) {
	switch {
	case p.Package != nil:
		ref := p.Package.Package.Ref
		return hooks.Address{Kind: hooks.OfPackage, Name: ref.Name, Type: ref.Type, Also: ref.Also}, nil
	case p.Repository != nil:
		return hooks.Address{Kind: hooks.OfRepository, Name: p.Repository.Repository.Name}, nil
	}
	kind := hooks.OfUser
	if p.Owner.Owner.Organization() {
		kind = hooks.OfOrganization
	}
	name, err := oci.ParseName(p.Name)
	return hooks.Address{Kind: kind, Name: name}, err
}

// hook returns the hook that the path names, and whose it is.
func (r *room) hook(c *frame.Call, p frame.SettingsPage) (hooks.Address, hooks.Hook, error) {
	a, err := address(p)
	if err != nil {
		return a, hooks.Hook{}, err
	}
	id, err := c.ID("hook")
	if err != nil {
		return a, hooks.Hook{}, err
	}
	h, err := r.Hooks.Get(c.R.Context(), c.Who, a, id)
	return a, h, err
}

// below returns the address of a page below that of the hooks.
func below(p frame.SettingsPage, parts ...any) string {
	at := p.Base
	for _, part := range parts {
		at += "/" + fmt.Sprint(part)
	}
	return at
}
