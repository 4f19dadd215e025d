// Package site is the administration of the whole site.
package site

import (
	"context"
	"embed"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Figures counts what is there. Who asks has been decided before.
type Figures interface {
	Census(ctx context.Context) (users, organizations, packages int64, err error)
	// DamagedBlobs returns how many blobs are marked as damaged.
	DamagedBlobs(ctx context.Context) (int64, error)
	// WaitingJobs counts the waiting jobs by their kinds.
	WaitingJobs(ctx context.Context) (map[string]int64, error)
}

// Members lists the organizations of a user and the members of an organization,
// in the order of their logins.
type Members interface {
	Memberships(ctx context.Context, userID int64) ([]account.MembershipIn, error)
	MemberAccounts(ctx context.Context, organizationID int64) ([]account.MemberAccount, error)
}

// Factors are the second factors of users.
type Factors interface {
	Status(ctx context.Context, accountID int64) (account.FactorStatus, error)
	// Reset takes all from the user, whose sessions end; NotFound for none.
	Reset(ctx context.Context, by audit.Actor, a account.Account) error
}

// Deps is what the room is made of.
type Deps struct {
	Accounts  *account.Service
	Members   Members
	Packages  *packages.Service
	Collector *lifecycle.Collector
	Jobs      *jobs.Queue
	Audit     frame.AuditReader
	Figures   Figures
	Factors   Factors
	// Identities is nil without an outside provider, whose name is ProviderName.
	Identities   *account.Identities
	ProviderName string
	// Version is that of the program.
	Version func() string
	// Health asks the parts of the server how they do, by their names.
	Health func(ctx context.Context) map[string]error
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
	return nil
}

func (r *room) declare() {
	r.Declare("overview", overviewPage{})
	r.Declare("accounts", accountsPage{})
	r.Declare("new-user", newUserPage{})
	r.Declare("account", accountPage{})
	r.Declare("registries", registriesPage{})
	r.Declare("storage", storagePage{})
	r.Declare("collection", collectionPage{})
	r.Declare("explain", explainPage{})
	r.Declare("jobs", jobsPage{})
	r.Declare("job", jobPage{})
	r.Declare("audit-log", auditPage{})
}

func (r *room) routes(f *frame.Frame) {
	f.SiteAdmin("GET /site", r.overview)

	f.SiteAdmin("GET /site/accounts", r.accounts)
	f.SiteAdmin("GET /site/accounts/new", r.newUser)
	f.SiteSudo("POST /site/accounts/new", r.createUser)
	f.SiteAdmin("GET /site/accounts/{login}", r.account)
	f.SiteSudo("POST /site/accounts/{login}/{what}", r.changeAccount)

	f.SiteAdmin("GET /site/registries", r.registries)
	f.SiteSudo("POST /site/registries", r.setRegistries)
	f.SiteSudo("POST /site/registries/migrate", r.migrate)

	f.SiteAdmin("GET /site/storage", r.storage)

	f.SiteAdmin("GET /site/collection", r.collection)
	f.SiteAdmin("GET /site/collection/explain", r.explain)
	f.SiteAdmin("POST /site/collection/run", r.collect)
	f.SiteSudo("POST /site/collection/resume", r.resume)
	f.SiteSudo("POST /site/collection/undelete", r.undelete)

	f.SiteAdmin("GET /site/jobs", r.jobs)
	f.SiteAdmin("GET /site/jobs/{id}", r.job)
	f.SiteAdmin("POST /site/jobs/{id}/retry", r.order((*jobs.Queue).Retry, "site-job-retried"))
	f.SiteAdmin("POST /site/jobs/{id}/cancel", r.order((*jobs.Queue).Cancel, "site-job-cancelled"))

	f.SiteAdmin("GET /site/audit-log", r.auditLog)
	f.SiteAdmin("GET /site/audit-log/export", r.export)
}

// listed is how many things a page of a list shows.
const listed = 50

// sitePage is the frame of the pages of the site's administration.
type sitePage struct {
	frame.Page
	// Settings is which of the pages this is.
	Settings string
}

func page(c *frame.Call, settings, titleKey string, args ...any) sitePage {
	return sitePage{c.Page(titleKey, args...), settings}
}

func errNotThere() error { return errs.New(errs.NotFound, "there is no such page") }

// failed shows a form again with what was wrong with it. Faults of ours have a
// page of their own.
func (r *room) failed(c *frame.Call, cause error, name string, p *frame.Page, data func() any) error {
	if errs.KindOf(cause) == errs.Internal {
		return cause
	}
	*p = c.Failed(*p, cause)
	return c.Again(cause, r.Room, name, data())
}
