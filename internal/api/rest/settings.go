package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/jobs"
	"packhouse/internal/packages"
)

// DockerMigrations has packages of the Docker registry moved to the Container
// registry, and decides for whom.
type DockerMigrations interface {
	// StartMigration returns the id of the job that does it.
	StartMigration(ctx context.Context, who access.Principal, owner string) (job int64, err error)
	// DockerOwners returns all who have something to move.
	DockerOwners(ctx context.Context, who access.Principal) ([]string, error)
}

func (h *Handler) settingRoutes() []route {
	return []route{
		{"GET", "/admin/settings", h.getSiteSettings, siteAdmin()},
		{"PATCH", "/admin/settings", h.patchSiteSettings, siteAdmin()},
		{"GET", "/admin/docker-migrations", h.listMigrations, siteAdmin()},
		{"POST", "/admin/docker-migrations", h.startMigrations, siteAdmin()},
	}
}

// siteSettings is what administrators decide for the whole server. In a change,
// fields that are absent stay.
type siteSettings struct {
	// ContainerRegistry and DockerRegistry are enabled, read-only or disabled.
	ContainerRegistry *string `json:"container_registry"`
	DockerRegistry    *string `json:"docker_registry"`
	// SignUp lets people make accounts for themselves.
	SignUp *bool `json:"sign_up"`
	// PublicToPrivate lets admins of a public package make it private again.
	PublicToPrivate *bool `json:"public_to_private"`
	// DownloadGuard is how often what is public may have been pulled before only
	// administrators of the site delete it; 0 is any number.
	DownloadGuard *int64 `json:"download_guard"`
}

func (h *Handler) getSiteSettings(c *call) error {
	s, err := h.Accounts.Site(c.r.Context())
	if err != nil {
		return err
	}
	container, docker, withdraw := string(s.Container), string(s.Docker), !s.KeepPublic
	return c.json(http.StatusOK, siteSettings{&container, &docker, &s.SignUp, &withdraw, &s.DownloadGuard})
}

func (h *Handler) patchSiteSettings(c *call) error {
	var b siteSettings
	if err := c.body(&b); err != nil {
		return err
	}
	for _, m := range []*string{b.ContainerRegistry, b.DockerRegistry} {
		if m != nil && *m != string(access.Enabled) && *m != string(access.ReadOnly) && *m != string(access.Disabled) {
			return invalid("A registry is %s, %s or %s.", access.Enabled, access.ReadOnly, access.Disabled)
		}
	}
	if b.DownloadGuard != nil && *b.DownloadGuard < 0 {
		return invalid("download_guard is a number from 0 on")
	}
	if err := c.setSite(b); err != nil {
		return changed(err)
	}
	return h.getSiteSettings(c)
}

func (c *call) setSite(b siteSettings) error {
	ctx, by, s := c.r.Context(), c.by(), c.h.Accounts
	for registry, m := range map[access.PackageType]*string{access.Container: b.ContainerRegistry, access.Docker: b.DockerRegistry} {
		if m == nil {
			continue
		}
		if err := s.SetRegistry(ctx, by, registry, access.Mode(*m)); err != nil {
			return err
		}
	}
	if b.SignUp != nil {
		if err := s.SetSignUp(ctx, by, *b.SignUp); err != nil {
			return err
		}
	}
	if b.PublicToPrivate != nil {
		if err := s.SetKeepPublic(ctx, by, !*b.PublicToPrivate); err != nil {
			return err
		}
	}
	if b.DownloadGuard != nil {
		return s.SetDownloadGuard(ctx, by, *b.DownloadGuard)
	}
	return nil
}

// migrationRequest is the body of POST /admin/docker-migrations.
type migrationRequest struct {
	// Owners are logins; All means everybody who has Docker packages.
	Owners []string `json:"owners"`
	All    bool     `json:"all"`
}

// migrationObject is one migration: a job for the packages of one owner.
type migrationObject struct {
	JobID int64  `json:"job_id"`
	Owner string `json:"owner"`
	State string `json:"state,omitempty"`
	// Progress is packages.MigrationReport.
	Progress  any `json:"progress,omitempty"`
	CreatedAt any `json:"created_at,omitempty"`
	EndedAt   any `json:"ended_at,omitempty"`
}

// startMigrations has the Docker packages of the owners moved by jobs, one for
// each.
func (h *Handler) startMigrations(c *call) error {
	var b migrationRequest
	if err := c.body(&b); err != nil {
		return err
	}
	owners := b.Owners
	if b.All == (len(owners) > 0) {
		return invalid("Name owners, or say all.")
	}
	var err error
	if b.All {
		if owners, err = h.Migrations.DockerOwners(c.r.Context(), c.who); err != nil {
			return err
		}
	}
	for _, owner := range owners {
		if _, err := h.Accounts.Get(c.r.Context(), owner); err != nil {
			return errNoOwner(owner)
		}
	}
	list := []migrationObject{}
	for _, owner := range owners {
		id, err := h.Migrations.StartMigration(c.r.Context(), c.who, owner)
		if err != nil {
			return err
		}
		list = append(list, migrationObject{JobID: id, Owner: strings.ToLower(owner)})
	}
	return c.json(http.StatusAccepted, list)
}

// listMigrations is GET /admin/docker-migrations: the newest migrations.
func (h *Handler) listMigrations(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := h.Jobs.List(c.r.Context(), c.who, jobs.Filter{Kind: packages.JobMigrate}, p.page*p.perPage+1)
	if err != nil {
		return err
	}
	list := []migrationObject{}
	for _, j := range slice(p, all) {
		var order packages.MigrationOrder
		if err := json.Unmarshal(j.Args, &order); err != nil {
			return err
		}
		one := migrationObject{JobID: j.ID, Owner: order.Owner, State: string(j.State), CreatedAt: moment(j.CreatedAt), EndedAt: optional(j.EndedAt)}
		if j.Progress != nil {
			one.Progress = j.Progress
		}
		list = append(list, one)
	}
	return c.list(p, len(all), list)
}
