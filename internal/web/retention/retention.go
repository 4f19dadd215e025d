// Package retention is the rules by which versions are deleted, their plans and the way back.
package retention

import (
	"context"
	"embed"
	"fmt"

	"packhouse/internal/account"
	"packhouse/internal/lifecycle"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// People tells who accounts are.
type People interface {
	// AccountByID returns NotFound for none, and for one that was deleted.
	AccountByID(ctx context.Context, id int64) (account.Account, error)
}

// Deps is what the room is made of. Retention decides who may do what.
type Deps struct {
	Retention *lifecycle.Retention
	People    People
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
	r.Declare("policy", policyPage{})
	r.Declare("plans", plansPage{})
	r.Declare("plan", planPage{})
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	const of = frame.OfPackages | frame.OfOwners
	on := func(method, rest string, do func(*frame.Call, frame.SettingsPage) error) {
		f.OnSettings(of, method, "retention", rest, do)
	}
	sudo := func(rest string, do func(*frame.Call, frame.SettingsPage) error) {
		f.OnSettingsSudo(of, "POST", "retention", rest, do)
	}
	on("GET", "", r.policy)
	on("POST", "", r.edit)
	sudo("/policy", r.save)
	sudo("/json", r.saveJSON)
	sudo("/remove", r.remove)
	on("GET", "/plans", r.plans)
	on("GET", "/plans/{plan}", r.plan)
	sudo("/plans/{plan}/apply", r.apply)
	on("POST", "/plans/{plan}/undo", r.undo)
}

// place is what the rules of the page are about.
func place(p frame.SettingsPage) lifecycle.Place {
	if p.Package != nil {
		return lifecycle.Place{Package: p.Package.Package.Ref}
	}
	return lifecycle.Place{Owner: p.Name}
}

func planPath(p frame.SettingsPage, id int64) string { return fmt.Sprintf("%s/plans/%d", p.Base, id) }
