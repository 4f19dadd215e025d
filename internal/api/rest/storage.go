package rest

import (
	"context"
	"net/http"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/packages"
)

// Storage measures accounts and the server, and decides for whom.
type Storage interface {
	OwnerStorage(ctx context.Context, who access.Principal, owner string, limit, offset int) (packages.OwnerStorage, error)
	SiteStorage(ctx context.Context, who access.Principal, n int) (packages.SiteStorage, error)
}

// storageRoutes are this server's own reports on what is stored.
func (h *Handler) storageRoutes() []route {
	routes := []route{{"GET", "/admin/storage", h.getSiteStorage, siteAdmin()}}
	for at, owner := range h.owned() {
		routes = append(routes, route{"GET", at + "/storage", of(owner, h.getOwnerStorage), withToken(access.ReadPackages)})
	}
	return routes
}

// ownerStorage is what the packages of an account hold.
type ownerStorage struct {
	Owner string `json:"owner"`
	// Bytes are those of all packages, also of those that can be restored, each
	// blob once.
	Bytes        int64 `json:"bytes"`
	PackageCount int   `json:"package_count"`
	// Packages are a page of them, the largest first.
	Packages []packageStorage `json:"packages"`
}

// packageStorage is what one package holds.
type packageStorage struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	PackageType string `json:"package_type"`
	Versions    int64  `json:"versions"`
	// Bytes are all its manifests and blobs, each once. What another package
	// holds as well is counted in both.
	Bytes int64 `json:"bytes"`
	// DeletedAt is absent for one that is there.
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

func (h *Handler) getOwnerStorage(c *call, owner packages.Owner) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	z, err := h.Storage.OwnerStorage(c.r.Context(), c.who, owner.Login, p.perPage, (p.page-1)*p.perPage)
	if err != nil {
		return err
	}
	o := ownerStorage{Owner: z.Owner, Bytes: z.Bytes, PackageCount: z.Packages, Packages: []packageStorage{}}
	for _, one := range z.List {
		o.Packages = append(o.Packages, packageStorage{one.ID, one.Name.Package(), string(one.Type), one.Versions, one.Bytes, one.DeletedAt})
	}
	return c.list(p, z.Packages, o)
}

// stored is so many things of so many bytes in all.
type stored struct {
	Count int64 `json:"count"`
	Bytes int64 `json:"bytes"`
}

// siteStorage is what the server holds.
type siteStorage struct {
	// Bytes are all, each once.
	Bytes int64 `json:"bytes"`
	Blobs struct {
		Live      stored `json:"live"`
		Condemned stored `json:"condemned"`
		Damaged   stored `json:"damaged"`
	} `json:"blobs"`
	Trash     stored `json:"trash"`
	Manifests stored `json:"manifests"`
	Uploads   stored `json:"uploads"`
	// Owners are those whose packages hold the most.
	Owners []storageOwner `json:"owners"`
}

// storageOwner is an account in a report on the whole server.
type storageOwner struct {
	Owner        string `json:"owner"`
	Bytes        int64  `json:"bytes"`
	PackageCount int    `json:"package_count"`
}

// getSiteStorage tells of the first per_page owners.
func (h *Handler) getSiteStorage(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	z, err := h.Storage.SiteStorage(c.r.Context(), c.who, p.perPage)
	if err != nil {
		return err
	}
	o := siteStorage{Bytes: z.Bytes(), Trash: stored(z.Trash), Manifests: stored(z.Manifests), Uploads: stored(z.Uploads), Owners: []storageOwner{}}
	o.Blobs.Live, o.Blobs.Condemned, o.Blobs.Damaged = stored(z.Live), stored(z.Condemned), stored(z.Damaged)
	for _, one := range z.Owners {
		o.Owners = append(o.Owners, storageOwner{one.Owner, one.Bytes, one.Packages})
	}
	return c.json(http.StatusOK, o)
}
