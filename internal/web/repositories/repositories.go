// Package repositories is the pages of repositories: making one, what it is, its
// packages, and its settings.
package repositories

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

// Deps is what the room is made of.
type Deps struct {
	Accounts  *account.Service
	Directory Directory
	Packages  *packages.Service
	Workflow  *token.WorkflowTokens
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
	r.Declare("new", newPage{})
	r.Declare("repository", repositoryPage{})
	r.Declare("general", generalPage{})
	r.Declare("access", accessPage{})
	r.Declare("tokens", tokensPage{})
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	f.SignedIn("GET /new", r.newForm)
	f.SignedIn("POST /new", r.create)

	const at = "/{owner}/{repo}"
	f.On("GET "+at, func(c *frame.Call) error { return r.repository(c, true) })
	f.On("GET "+at+"/packages", func(c *frame.Call) error { return r.repository(c, false) })

	f.SignedIn("GET "+at+"/settings", r.general)
	f.SignedIn("POST "+at+"/settings/description", r.describe)
	f.SignedIn("POST "+at+"/settings/readme", r.setReadme)
	f.Sudo("POST "+at+"/settings/visibility", r.setVisibility)
	f.SignedIn("POST "+at+"/settings/rename", r.rename)
	f.Sudo("POST "+at+"/settings/transfer", r.transfer)
	f.Sudo("POST "+at+"/settings/delete", r.remove)

	f.SignedIn("GET "+at+"/settings/access", r.access)
	f.SignedIn("POST "+at+"/settings/access", r.grant)
	f.SignedIn("POST "+at+"/settings/access/remove", r.revoke)

	f.SignedIn("GET "+at+"/settings/workflow-tokens", r.tokens)
	f.Sudo("POST "+at+"/settings/workflow-tokens", r.createToken)
	f.SignedIn("POST "+at+"/settings/workflow-tokens/{id}/revoke", r.revokeToken)
}

// settings is the frame of a page of the settings of the repository that the path
// names, for those who administer it.
func (r *room) settings(c *frame.Call, page, titleKey string) (frame.RepositorySettings, error) {
	found, err := c.AdministeredRepository()
	if err != nil {
		return frame.RepositorySettings{}, err
	}
	return frame.RepositorySettings{RepositoryPage: c.RepositoryPage(found, "settings", titleKey, found.Name.String()), Settings: page}, nil
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
