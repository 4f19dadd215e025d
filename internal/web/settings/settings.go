// Package settings is the person's own settings: profile, sessions, tokens,
// linked identities, organizations, packages, and the record of changes.
package settings

import (
	"context"
	"embed"

	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Directory lists where somebody belongs.
type Directory interface {
	// Memberships returns the user's organizations in the order of their logins.
	Memberships(ctx context.Context, userID int64) ([]account.MembershipIn, error)
}

// TokenLists reads what tokens reach.
type TokenLists interface {
	// LimitNames returns what a limited token reaches.
	LimitNames(ctx context.Context, tokenID int64) ([]token.LimitName, error)
}

// Deps is what the room is made of.
type Deps struct {
	Accounts   *account.Service
	Directory  Directory
	Browsers   *account.Browsers
	Personal   *token.PersonalTokens
	TokenLists TokenLists
	Packages   *packages.Service
	Audit      frame.AuditReader
	// Identities is nil when there is no outside provider; ProviderName is what
	// people call it, and Issuer how it calls itself.
	Identities           *account.Identities
	ProviderName, Issuer string
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
	r.declare()
	r.routes(f)
	r.tokenRoutes(f)
	return nil
}

func (r *room) declare() {
	r.Declare("profile", profilePage{})
	r.Declare("sessions", sessionsPage{})
	r.Declare("tokens", tokensPage{})
	r.Declare("new-token", newTokenPage{})
	r.Declare("new-fine-grained", newFinePage{})
	r.Declare("identities", identitiesPage{})
	r.Declare("organizations", organizationsPage{})
	r.Declare("packages", packagesPage{})
	r.Declare("deleted", deletedPage{})
	r.Declare("audit", auditPage{})
}

func (r *room) routes(f *frame.Frame) {
	f.SignedIn("GET /settings", func(c *frame.Call) error { return c.Redirect("/settings/profile") })
	f.SignedIn("GET /settings/{$}", func(c *frame.Call) error { return c.Redirect("/settings/profile") })
	f.SignedIn("GET /settings/profile", r.profile)
	f.SignedIn("POST /settings/profile", r.setProfile)
	f.SignedIn("POST /settings/preferences", r.setPreferences)

	f.SignedIn("GET /settings/sessions", r.sessions)
	f.SignedIn("POST /settings/sessions/{name}/end", r.endSession)
	f.SignedIn("POST /settings/sessions/end-others", r.endOthers)
	f.SignedIn("POST /settings/sessions/end-all", r.endAll)

	f.SignedIn("GET /settings/identities", r.identities)
	f.Sudo("POST /settings/identities/unlink", r.unlink)

	f.SignedIn("GET /settings/organizations", r.organizations)
	f.SignedIn("POST /settings/organizations/{org}/leave", r.leave)

	f.SignedIn("GET /settings/packages", r.packages)
	f.SignedIn("POST /settings/packages", r.setPackages)
	f.SignedIn("POST /settings/packages/immutable_tags", r.setImmutable)
	f.SignedIn("GET /settings/deleted_packages", r.deleted)
	f.SignedIn("POST /settings/deleted_packages", r.restore)

	f.SignedIn("GET /settings/audit-log", r.audit)
	f.SignedIn("GET /settings/audit-log/mine", r.auditMine)
}

// own is the frame of a page of the visitor's settings.
func (r *room) own(c *frame.Call, page, titleKey string) (frame.OwnerPage, error) {
	o, err := c.FindOwner(c.Who.Login)
	if err != nil {
		return frame.OwnerPage{}, err
	}
	p := c.OwnerPage(o, "settings", titleKey)
	p.Settings = page
	return p, nil
}

// again shows a form once more with what was wrong with it. Faults of ours have a
// page of their own.
func (r *room) again(c *frame.Call, cause error, name string, page *frame.Page, data func() any) error {
	if errs.KindOf(cause) == errs.Internal {
		return cause
	}
	*page = c.Failed(*page, cause)
	return c.Again(cause, r.Room, name, data())
}

func errNotThere() error { return errs.New(errs.NotFound, "there is no such page") }
