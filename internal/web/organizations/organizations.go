// Package organizations is the pages of an organization: its people, teams and settings.
package organizations

import (
	"context"
	"embed"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Directory lists who belongs to an organization and its teams. Who asks has been
// decided before.
type Directory interface {
	// MemberAccounts returns the members in the order of their logins.
	MemberAccounts(ctx context.Context, organizationID int64) ([]account.MemberAccount, error)
	// OutsideCollaborators returns those who have a role on a repository and are no
	// members, in the order of their logins.
	OutsideCollaborators(ctx context.Context, organizationID int64) ([]account.Account, error)
	// TeamAccounts returns those in the team itself, in the order of their logins.
	TeamAccounts(ctx context.Context, teamID int64) ([]account.Account, error)
	// TeamRepositories returns those on which the team itself was given a role, in
	// the order of their names, with what who is to them.
	TeamRepositories(ctx context.Context, who access.Principal, teamID int64) ([]account.TeamRepository, error)
}

// Deps is what the room is made of.
type Deps struct {
	Accounts  *account.Service
	Directory Directory
	Packages  *packages.Service
	Audit     frame.AuditReader
	// ProviderName is what people call the outside provider; empty without one.
	ProviderName string
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
	r.settingRoutes(f)
	return nil
}

func (r *room) declare() {
	r.Declare("new", newPage{})
	r.Declare("people", peoplePage{})
	r.Declare("teams", teamsPage{})
	r.Declare("team", teamPage{})
	r.Declare("team-settings", teamSettingsPage{})
	r.Declare("profile", profilePage{})
	r.Declare("packages", packagesPage{})
	r.Declare("deleted", deletedPage{})
	r.Declare("audit", auditPage{})
}

func (r *room) routes(f *frame.Frame) {
	f.SignedIn("GET /organizations/new", r.newForm)
	f.SignedIn("POST /organizations/new", r.create)

	f.SignedIn("GET /orgs/{org}/people", r.people)
	f.On("GET /orgs/{org}/outside-collaborators", func(c *frame.Call) error {
		return c.Redirect(orgPath(c.Param("org"), "people") + "#outside")
	})
	f.Sudo("POST /orgs/{org}/people", r.addMember)
	f.Sudo("POST /orgs/{org}/people/{login}/role", r.setRole)
	f.Sudo("POST /orgs/{org}/people/{login}/remove", r.removeMember)

	f.SignedIn("GET /orgs/{org}/teams", r.teams)
	f.SignedIn("POST /orgs/{org}/teams", r.createTeam)
	f.SignedIn("GET /orgs/{org}/teams/{slug}", r.team)
	f.SignedIn("POST /orgs/{org}/teams/{slug}/members", r.addToTeam)
	f.SignedIn("POST /orgs/{org}/teams/{slug}/members/remove", r.removeFromTeam)
	f.SignedIn("POST /orgs/{org}/teams/{slug}/repositories", r.grantRepository)
	f.SignedIn("POST /orgs/{org}/teams/{slug}/repositories/remove", r.revokeRepository)
	f.SignedIn("GET /orgs/{org}/teams/{slug}/settings", r.teamSettings)
	f.SignedIn("POST /orgs/{org}/teams/{slug}/settings", r.changeTeam)
	f.Sudo("POST /orgs/{org}/teams/{slug}/delete", r.deleteTeam)
}

// seen returns the organization that the path names to those who may see who
// belongs to it; to others it is not there.
func (r *room) seen(c *frame.Call) (frame.Owner, error) {
	o, err := c.FindOwner(c.Param("org"))
	if err == nil && (!o.Organization() || !o.Member) {
		err = errNotThere()
	}
	return o, err
}

// ruled returns the organization that the path names to those who may change it.
func (r *room) ruled(c *frame.Call) (frame.Owner, error) {
	o, err := c.AdministeredOwner(c.Param("org"))
	if err == nil && !o.Organization() {
		err = errNotThere()
	}
	return o, err
}

func errNotThere() error { return errs.New(errs.NotFound, "there is no such page") }

// failed shows a form again with what was wrong with it. Faults of ours have a
// page of their own.
func (r *room) failed(c *frame.Call, cause error, name string, page *frame.Page, data func() any) error {
	if errs.KindOf(cause) == errs.Internal {
		return cause
	}
	*page = c.Failed(*page, cause)
	return c.Again(cause, r.Room, name, data())
}
