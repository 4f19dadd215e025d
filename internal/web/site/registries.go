package site

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/jobs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// registriesPage is the switches of the whole site, and the way out of the Docker
// registry.
type registriesPage struct {
	sitePage
	Container, Docker  string
	SignUp, KeepPublic bool
	Guard              string
	// Hosts are what people log docker in to.
	ContainerHost, DockerHost string
	// Owners are those with packages in the Docker registry, the first of Total.
	Owners     []string
	Total      int64
	Migrations []migration
}

// migration is a job that moves the packages of one owner.
type migration struct {
	Job                int64
	State, Owner       string
	Moved, Total       int64
	Conflicts          int
	Staying            []string
	CreatedAt, EndedAt time.Time
}

// Under reports whether it waits or runs.
func (m migration) Under() bool {
	return m.State == string(jobs.Available) || m.State == string(jobs.Running)
}

const (
	shownOwners     = 100
	shownMigrations = 20
	// refresh is after how many seconds a browser looks again at what runs.
	refresh = 5
)

func (r *room) registriesPage(c *frame.Call) (registriesPage, error) {
	ctx := c.R.Context()
	p := registriesPage{sitePage: page(c, "registries", "site.registries"), ContainerHost: c.Frame.ContainerHost, DockerHost: c.Frame.DockerHost}
	s, err := r.Accounts.Site(ctx)
	if err != nil {
		return p, err
	}
	p.Container, p.Docker, p.SignUp, p.KeepPublic = string(s.Container), string(s.Docker), s.SignUp, s.KeepPublic
	p.Guard = strconv.FormatInt(s.DownloadGuard, 10)
	owners, err := r.Packages.DockerOwners(ctx, c.Who)
	if err != nil {
		return p, err
	}
	p.Total, p.Owners = int64(len(owners)), owners[:min(len(owners), shownOwners)]
	list, err := r.Jobs.List(ctx, c.Who, jobs.Filter{Kind: packages.JobMigrate}, shownMigrations)
	for _, j := range list {
		m := migrationOf(j)
		if p.Migrations = append(p.Migrations, m); m.Under() {
			p.Refresh = refresh
		}
	}
	return p, err
}

// migrationOf reads what the job was told and what it says of itself; what cannot
// be read is left out.
func migrationOf(j jobs.Job) migration {
	var order packages.MigrationOrder
	var report packages.MigrationReport
	_ = json.Unmarshal(j.Args, &order)
	_ = json.Unmarshal(j.Progress, &report)
	return migration{
		Job: j.ID, State: string(j.State), Owner: order.Owner, Moved: report.Moved, Total: report.Total, Conflicts: report.Conflicts,
		Staying: report.Staying, CreatedAt: j.CreatedAt, EndedAt: j.EndedAt,
	}
}

func (r *room) registries(c *frame.Call) error {
	p, err := r.registriesPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "registries", p)
}

// setRegistries changes what is different.
func (r *room) setRegistries(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	before, err := r.Accounts.Site(c.R.Context())
	if err != nil {
		return err
	}
	if err = r.setSite(c.R.Context(), audit.By(c.Who), before, form); err == nil {
		return c.Done("/site/registries", "saved")
	}
	return r.registriesAgain(c, err, func(p *registriesPage) { p.Guard = form.Get("guard") })
}

func (r *room) registriesAgain(c *frame.Call, cause error, keep func(*registriesPage)) error {
	p, err := r.registriesPage(c)
	if err != nil {
		return err
	}
	keep(&p)
	return r.failed(c, cause, "registries", &p.Page, func() any { return p })
}

func (r *room) setSite(ctx context.Context, by audit.Actor, before account.Site, form url.Values) error {
	guard, err := strconv.ParseInt(strings.TrimSpace(form.Get("guard")), 10, 64)
	if err != nil {
		return errs.New(errs.Invalid, "the guard of downloads is a number from 0 on")
	}
	for _, one := range []struct {
		registry access.PackageType
		before   access.Mode
	}{{access.Container, before.Container}, {access.Docker, before.Docker}} {
		if m := access.Mode(form.Get(string(one.registry))); m != one.before {
			if err := r.Accounts.SetRegistry(ctx, by, one.registry, m); err != nil {
				return err
			}
		}
	}
	if open := form.Get("sign_up") != ""; open != before.SignUp {
		if err := r.Accounts.SetSignUp(ctx, by, open); err != nil {
			return err
		}
	}
	if keep := form.Get("keep_public") != ""; keep != before.KeepPublic {
		if err := r.Accounts.SetKeepPublic(ctx, by, keep); err != nil {
			return err
		}
	}
	if guard == before.DownloadGuard {
		return nil
	}
	return r.Accounts.SetDownloadGuard(ctx, by, guard)
}

// migrate has the Docker packages of one owner, or of all, moved by jobs.
func (r *room) migrate(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	owners := []string{strings.TrimSpace(form.Get("owner"))}
	if form.Get("all") != "" {
		owners, err = r.Packages.DockerOwners(c.R.Context(), c.Who)
	}
	for _, owner := range owners {
		if err == nil {
			_, err = r.Packages.StartMigration(c.R.Context(), c.Who, owner)
		}
	}
	if err != nil {
		return r.registriesAgain(c, err, func(*registriesPage) {})
	}
	return c.Done("/site/registries", "site-migration-started")
}
