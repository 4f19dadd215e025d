package rest

import (
	"context"
	"net/http"

	"packhouse/internal/access"
)

// Readmes keeps what packages say of themselves at length, and decides for whom.
type Readmes interface {
	Readme(ctx context.Context, who access.Principal, p access.Package) (string, error)
	SetReadme(ctx context.Context, who access.Principal, p access.Package, text string) error
}

// readmeRoutes are this server's own operations on readmes of packages.
func (h *Handler) readmeRoutes() []route {
	var routes []route
	for at, owner := range h.owned() {
		one := at + "/packages/{package_type}/{package_name...}/readme"
		routes = append(routes,
			route{"GET", one, of(owner, onPackage(h.getReadme)), withToken(access.ReadPackages)},
			route{"PUT", one, of(owner, onPackage(h.putReadme)), withToken(access.WritePackages)},
		)
	}
	return routes
}

// readmeObject is a readme as it was written, "" for none.
type readmeObject struct {
	Content string `json:"content"`
}

// readmeRequest is the body of a change.
type readmeRequest struct {
	Content *string `json:"content"`
}

func (h *Handler) getReadme(c *call, p access.Package) error {
	text, err := h.Readmes.Readme(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, readmeObject{text})
}

func (h *Handler) putReadme(c *call, p access.Package) error {
	var b readmeRequest
	if err := c.body(&b); err != nil {
		return err
	}
	if b.Content == nil {
		return invalid(`content is missing; "" is for no readme`)
	}
	if err := h.Readmes.SetReadme(c.r.Context(), c.who, p, *b.Content); err != nil {
		return changed(err)
	}
	return h.getReadme(c, p)
}
