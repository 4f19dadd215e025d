package rest

import (
	"context"
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// Tags reads and changes the tags of a package, and decides for whom.
type Tags interface {
	Tags(ctx context.Context, who access.Principal, p access.Package, q packages.TagQuery) (list []packages.Tag, total int, err error)
	SetTag(ctx context.Context, who access.Principal, p access.Package, tag oci.Tag, ref oci.Reference) error
	DeleteTag(ctx context.Context, who access.Principal, p access.Package, tag oci.Tag) error
	TagHistory(ctx context.Context, who access.Principal, p access.Package, tag oci.Tag) ([]packages.TagInterval, error)
	RestoreTag(ctx context.Context, who access.Principal, p access.Package, tag oci.Tag, to oci.Digest) error
}

// tagRoutes are this server's own operations on tags.
func (h *Handler) tagRoutes() []route {
	var routes []route
	for at, owner := range h.owned() {
		tags := at + "/packages/{package_type}/{package_name...}/tags"
		add := func(method, pattern string, do func(*call, access.Package) error, scopes access.Scopes) {
			routes = append(routes, route{method, pattern, onNamed(owner, do), withToken(scopes)})
		}
		const read, write, remove = access.ReadPackages, access.WritePackages, access.ReadPackages | access.DeletePackages
		add("GET", tags, h.listTags, read)
		add("POST", tags, h.addTag, write)
		add("GET", tags+"/{tag}", h.getTag, read)
		add("PUT", tags+"/{tag}", h.putTag, write)
		add("DELETE", tags+"/{tag}", h.deleteTag, remove)
		add("GET", tags+"/{tag}/history", h.listTagHistory, read)
		add("POST", tags+"/{tag}/restore", h.restoreTag, write)
	}
	return routes
}

// onNamed makes a route's function of one that is told the package in the path.
// What is not there in the package is named; the package itself is not.
func onNamed(owner func(*call) (packages.Owner, error), do func(*call, access.Package) error) func(*call) error {
	return func(c *call) error {
		u, err := owner(c)
		if errs.Is(err, errs.NotFound) {
			return errPackageNotFound()
		}
		if err != nil {
			return err
		}
		p, err := c.pkg(u.Login)
		if err != nil {
			return err
		}
		return do(c, p)
	}
}

func tagObject(t packages.Tag) object {
	return object{
		"name": t.Name, "digest": t.Digest.String(), "version_id": t.VersionID, "kind": t.Kind,
		"size": t.Size, "total_size": t.TotalSize, "since": moment(t.Since), "set_by": text(t.SetBy),
	}
}

func (h *Handler) listTags(c *call, p access.Package) error {
	at, err := c.page()
	if err != nil {
		return err
	}
	q := packages.TagQuery{Match: c.q.Get("match"), Sort: packages.TagSort(c.q.Get("sort")), Page: at.page, PerPage: at.perPage}
	list, total, err := h.Tags.Tags(c.r.Context(), c.who, p, q)
	if err != nil {
		return err
	}
	objects := make([]object, len(list))
	for i, t := range list {
		objects[i] = tagObject(t)
	}
	return c.list(at, total, objects)
}

// tag returns the tag in the path.
func (c *call) tag() (oci.Tag, error) {
	tag, err := oci.ParseTag(c.param("tag"))
	if err != nil {
		return tag, errs.New(errs.NotFound, "Tag not found.")
	}
	return tag, nil
}

func (h *Handler) getTag(c *call, p access.Package) error {
	tag, err := c.tag()
	if err != nil {
		return err
	}
	return h.answerTag(c, p, http.StatusOK, tag)
}

// answerTag answers with one tag. Its name is a pattern that fits itself alone.
func (h *Handler) answerTag(c *call, p access.Package, status int, tag oci.Tag) error {
	list, _, err := h.Tags.Tags(c.r.Context(), c.who, p, packages.TagQuery{Match: tag.String()})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errs.New(errs.NotFound, "Tag not found.")
	}
	return c.json(status, tagObject(list[0]))
}

// addTag takes {"tag","reference"}; the reference is a tag or a digest.
func (h *Handler) addTag(c *call, p access.Package) error {
	var body struct{ Tag, Reference string }
	if err := c.body(&body); err != nil {
		return err
	}
	tag, err := oci.ParseTag(body.Tag)
	if err != nil {
		return invalid("tag must be a tag: %q is none", body.Tag)
	}
	return h.setTag(c, p, http.StatusCreated, tag, body.Reference)
}

// putTag takes {"reference"}.
func (h *Handler) putTag(c *call, p access.Package) error {
	var body struct{ Reference string }
	if err := c.body(&body); err != nil {
		return err
	}
	tag, err := oci.ParseTag(c.param("tag"))
	if err != nil {
		return invalid("%q is no tag", c.param("tag"))
	}
	return h.setTag(c, p, http.StatusOK, tag, body.Reference)
}

func (h *Handler) setTag(c *call, p access.Package, status int, tag oci.Tag, reference string) error {
	ref, err := oci.ParseReference(reference)
	if err != nil {
		return invalid("reference must be a tag or a digest of the package: %q is neither", reference)
	}
	if err := h.Tags.SetTag(c.r.Context(), c.who, p, tag, ref); err != nil {
		return err
	}
	return h.answerTag(c, p, status, tag)
}

func (h *Handler) deleteTag(c *call, p access.Package) error {
	tag, err := c.tag()
	if err != nil {
		return err
	}
	if err := h.Tags.DeleteTag(c.r.Context(), c.who, p, tag); err != nil {
		return err
	}
	return c.none()
}

func (h *Handler) listTagHistory(c *call, p access.Package) error {
	tag, err := c.tag()
	if err != nil {
		return err
	}
	at, err := c.page()
	if err != nil {
		return err
	}
	list, err := h.Tags.TagHistory(c.r.Context(), c.who, p, tag)
	if err != nil {
		return err
	}
	objects := []object{}
	for _, t := range slice(at, list) {
		o := object{
			"digest": t.Digest.String(), "version_id": nil, "since": moment(t.Since), "until": optional(t.Until),
			"set_by": text(t.SetBy), "present": t.Present,
		}
		if t.VersionID != 0 {
			o["version_id"] = t.VersionID
		}
		objects = append(objects, o)
	}
	return c.list(at, len(list), objects)
}

// restoreTag takes {"digest"}: one that the tag led to.
func (h *Handler) restoreTag(c *call, p access.Package) error {
	tag, err := c.tag()
	if err != nil {
		return err
	}
	var body struct{ Digest string }
	if err := c.body(&body); err != nil {
		return err
	}
	d, err := oci.ParseDigest(body.Digest)
	if err != nil {
		return invalid("digest must be one that the tag led to: %q is none", body.Digest)
	}
	if err := h.Tags.RestoreTag(c.r.Context(), c.who, p, tag, d); err != nil {
		return err
	}
	return h.answerTag(c, p, http.StatusOK, tag)
}
