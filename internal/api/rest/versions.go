package rest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// Versions reads, deletes and restores the versions of a package, and decides
// for whom.
type Versions interface {
	Versions(ctx context.Context, who access.Principal, p access.Package, q packages.VersionQuery) (packages.VersionPage, error)
	Version(ctx context.Context, who access.Principal, p access.Package, id int64) (packages.Version, error)
	DeleteVersion(ctx context.Context, who access.Principal, p access.Package, id int64, o packages.DeleteVersion) error
	RestoreVersion(ctx context.Context, who access.Principal, p access.Package, id int64) error
}

// deleted reads the parameter state: active, which is meant without it, or deleted.
func (c *call) deleted() (bool, error) {
	switch c.q.Get("state") {
	case "", "active":
		return false, nil
	case "deleted":
		return true, nil
	}
	return false, errs.New(errs.Invalid, "Invalid argument. state is active or deleted.")
}

// versionQuery reads which versions are asked for. After, an id, is where the
// last page that can be asked for by number goes on.
func (c *call) versionQuery(p pageOf) (q packages.VersionQuery, err error) {
	q.Page, q.PerPage = p.page, p.perPage
	if q.Deleted, err = c.deleted(); err != nil {
		return q, err
	}
	if c.q.Has("tagged") {
		tagged, err := c.flag("tagged")
		if err != nil {
			return q, err
		}
		q.Tagged = &tagged
	}
	if c.q.Has("after") {
		q.After, err = strconv.ParseInt(c.q.Get("after"), 10, 64)
		if err != nil || q.After <= 0 {
			return q, errs.New(errs.Invalid, "Invalid argument. after is the id of a version.")
		}
	}
	return q, nil
}

func (h *Handler) listVersions(c *call, owner packages.Owner) error {
	p, err := c.pkg(owner.Login)
	if err != nil {
		return err
	}
	at, err := c.page()
	if err != nil {
		return err
	}
	q, err := c.versionQuery(at)
	if err != nil {
		return err
	}
	page, err := h.Versions.Versions(c.r.Context(), c.who, p, q)
	if err != nil {
		return err
	}
	c.versionLinks(at, q, page)
	place := packages.Listed{Owner: owner, Name: p.Name, Type: p.Type}
	objects := make([]object, len(page.Versions))
	for i, v := range page.Versions {
		objects[i] = h.versionObject(place, v)
	}
	return c.json(http.StatusOK, objects)
}

// versionLinks sets the Link header. Behind the last page that can be asked for
// by number, and from there on, rel="next" leads on by the id of a version, so
// that who follows it sees every version.
func (c *call) versionLinks(at pageOf, q packages.VersionQuery, page packages.VersionPage) {
	if q.After == 0 {
		c.links(at, page.Total)
	}
	if page.Next == 0 || q.After == 0 && (at.page+1)*at.perPage <= maxDeep {
		return
	}
	next := c.at(url.Values{"after": {strconv.FormatInt(page.Next, 10)}, "page": {"1"}})
	link := "<" + next + `>; rel="next"`
	if others := c.w.Header().Get("Link"); others != "" {
		link = others + ", " + link
	}
	c.w.Header().Set("Link", link)
}

func (h *Handler) getVersion(c *call, owner packages.Owner) error {
	p, id, err := c.version(owner)
	if err != nil {
		return err
	}
	v, err := h.Versions.Version(c.r.Context(), c.who, p, id)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, h.versionObject(packages.Listed{Owner: owner, Name: p.Name, Type: p.Type}, v))
}

// deleteVersion takes two parameters of ours: force deletes what something needs
// together with that, and with_package the package with its last version.
func (h *Handler) deleteVersion(c *call, owner packages.Owner) error {
	p, id, err := c.version(owner)
	if err != nil {
		return err
	}
	var o packages.DeleteVersion
	if o.Force, err = c.flag("force"); err != nil {
		return err
	}
	if o.WithPackage, err = c.flag("with_package"); err != nil {
		return err
	}
	if err := h.Versions.DeleteVersion(c.r.Context(), c.who, p, id, o); err != nil {
		return err
	}
	return c.none()
}

func (h *Handler) restoreVersion(c *call, owner packages.Owner) error {
	p, id, err := c.version(owner)
	if err != nil {
		return err
	}
	if err := h.Versions.RestoreVersion(c.r.Context(), c.who, p, id); err != nil {
		return err
	}
	return c.none()
}

// version returns the package and the id of the version that the path names.
func (c *call) version(owner packages.Owner) (access.Package, int64, error) {
	p, err := c.pkg(owner.Login)
	if err != nil {
		return p, 0, err
	}
	id, err := c.id("package_version_id")
	return p, id, err
}
