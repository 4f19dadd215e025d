package v2

import (
	"encoding/json"
	"net/http"
	"strconv"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// pageOf reads n and last. Clients that name no size follow the Link header.
func pageOf(c *call) (httpx.Page, error) { return httpx.ParsePage(c.q, httpx.MaxPage) }

// getTags lists tags by key; with order=newest those set last first, and with
// match=PATTERN those that fit.
func (h *Handler) getTags(c *call) error {
	want, err := pageOf(c)
	if err != nil {
		return err
	}
	page, err := h.tags(c, want)
	if err != nil {
		return err
	}
	c.nextPage(page, want)
	return writeJSON(c.w, "application/json", struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{c.pkg.Name.String(), notNil(page.Names)})
}

func (h *Handler) tags(c *call, want httpx.Page) (registry.Page, error) {
	if !c.q.Has("order") && !c.q.Has("match") {
		return h.Registry.Tags(c.r.Context(), c.who, c.pkg, want.Last, want.N)
	}
	order := c.q.Get("order")
	if order != "" && order != "name" && order != "newest" {
		return registry.Page{}, errs.New(errs.Invalid, "order is name or newest")
	}
	return h.Registry.SearchTags(c.r.Context(), c.who, c.pkg, registry.TagSearch{
		Match: c.q.Get("match"), Newest: order == "newest", Last: want.Last, N: want.N,
	})
}

// getCatalog lists the packages that the caller may read.
func (h *Handler) getCatalog(c *call) error {
	if c.strange() {
		return errs.New(errs.Unauthenticated, "authentication required")
	}
	want, err := pageOf(c)
	if err != nil {
		return err
	}
	page, err := h.Registry.Catalog(c.r.Context(), c.who, h.Type, h.Also, want.Last, want.N)
	if err != nil {
		return err
	}
	c.nextPage(page, want)
	return writeJSON(c.w, "application/json", struct {
		Repositories []string `json:"repositories"`
	}{notNil(page.Names)})
}

// getReferrers lists the manifests that have a subject. It is always a list,
// also where nothing is. The place to go on from is a number of ours.
func (h *Handler) getReferrers(c *call) error {
	d, err := oci.ParseDigest(c.addr.arg)
	if err != nil {
		return err
	}
	want, err := pageOf(c)
	if err != nil {
		return err
	}
	var after int64
	if want.Last != "" {
		if after, err = strconv.ParseInt(want.Last, 10, 64); err != nil || after < 0 {
			return errs.New(errs.Invalid, "last must be taken from a Link header").WithCode("PAGINATION_NUMBER_INVALID")
		}
	}
	filter := c.q.Get("artifactType")
	n := max(want.N, 1) // a list of none would have no end
	page, err := h.Registry.Referrers(c.r.Context(), c.who, c.pkg, d, filter, after, n)
	if err != nil {
		return err
	}
	if page.Next > 0 {
		c.w.Header().Set("Link", httpx.NextLink(c.r, n, strconv.FormatInt(page.Next, 10)))
	}
	if filter != "" {
		c.w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	body, err := oci.ReferrersIndex(page.Referrers)
	if err != nil {
		return err
	}
	return write(c.w, oci.MediaTypeImageIndex, body)
}

// nextPage sets the Link header (RFC 8288) when there is more.
func (c *call) nextPage(page registry.Page, want httpx.Page) {
	if page.Next != "" {
		c.w.Header().Set("Link", httpx.NextLink(c.r, want.N, page.Next))
	}
}

func notNil(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

func writeJSON(w http.ResponseWriter, contentType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return write(w, contentType, body)
}

func write(w http.ResponseWriter, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "private, no-cache, no-transform")
	_, _ = w.Write(body) // an error is the client's going
	return nil
}
