package rest

import (
	"context"
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/packages"
)

// Sizes measures packages and versions, and decides for whom.
type Sizes interface {
	Sizes(ctx context.Context, who access.Principal, p access.Package) (packages.Sizes, error)
	VersionSizes(ctx context.Context, who access.Principal, p access.Package, id int64) (packages.Sizes, error)
}

// sizeRoutes are this server's own operations on what things take.
func (h *Handler) sizeRoutes() []route {
	var routes []route
	for at, owner := range h.owned() {
		one := at + "/packages/{package_type}/{package_name...}"
		add := func(pattern string, do func(*call, access.Package) error) {
			routes = append(routes, route{"GET", pattern, onNamed(owner, do), withToken(access.ReadPackages)})
		}
		add(one+"/sizes", h.getSizes)
		add(one+"/versions/{package_version_id}/sizes", h.getVersionSizes)
	}
	return routes
}

func sizesObject(z packages.Sizes) object {
	return object{"bytes": z.Bytes, "freed_if_deleted": z.FreedIfDeleted, "versions": z.Versions}
}

func (h *Handler) getSizes(c *call, p access.Package) error {
	z, err := h.Sizes.Sizes(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, sizesObject(z))
}

func (h *Handler) getVersionSizes(c *call, p access.Package) error {
	id, err := c.id("package_version_id")
	if err != nil {
		return err
	}
	z, err := h.Sizes.VersionSizes(c.r.Context(), c.who, p, id)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, sizesObject(z))
}
