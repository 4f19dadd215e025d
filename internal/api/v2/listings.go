package v2

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Page sizes. Clients that name none follow the Link header.
const (
	defaultPage = 1000
	maxPage     = 1000
)

// pageSize reads ?n=: a number over the largest page is taken as that.
func pageSize(q url.Values) (int, error) {
	if !q.Has("n") {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(q.Get("n"))
	if err != nil && allDigits(q.Get("n")) {
		return maxPage, nil // too large for a number
	}
	if err != nil || n < 0 || q.Get("n")[0] == '+' {
		return 0, errs.New(errs.Invalid, "n must be a number of entries, 0 or more").WithCode("PAGINATION_NUMBER_INVALID")
	}
	return min(n, maxPage), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// getTags lists tags by key.
func (h *Handler) getTags(c *call) error {
	q := c.r.URL.Query()
	n, err := pageSize(q)
	if err != nil {
		return err
	}
	page, err := h.Registry.Tags(c.r.Context(), c.who, c.pkg, q.Get("last"), n)
	if err != nil {
		return err
	}
	if page.More {
		c.nextPage(url.Values{"last": {page.Names[len(page.Names)-1]}, "n": {strconv.Itoa(n)}})
	}
	return writeJSON(c.w, "application/json", struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{c.pkg.Name.String(), notNil(page.Names)})
}

// getCatalog lists the packages that the caller may read.
func (h *Handler) getCatalog(c *call) error {
	if c.who.Anonymous() && c.r.Header.Get("Authorization") == "" {
		return errs.New(errs.Unauthenticated, "authentication required")
	}
	q := c.r.URL.Query()
	n, err := pageSize(q)
	if err != nil {
		return err
	}
	page, err := h.Registry.Catalog(c.r.Context(), c.who, h.Type, q.Get("last"), n)
	if err != nil {
		return err
	}
	if page.More {
		c.nextPage(url.Values{"last": {page.Names[len(page.Names)-1]}, "n": {strconv.Itoa(n)}})
	}
	return writeJSON(c.w, "application/json", struct {
		Repositories []string `json:"repositories"`
	}{notNil(page.Names)})
}

// maxAfter bounds the key of a referrers page.
const maxAfter = 1<<63 - 1

// getReferrers lists the manifests that have a subject. It is always a list,
// also where nothing is.
func (h *Handler) getReferrers(c *call) error {
	d, err := oci.ParseDigest(c.addr.arg)
	if err != nil {
		return err
	}
	q := c.r.URL.Query()
	n, err := pageSize(q)
	if err != nil {
		return err
	}
	after := uint64(0)
	if q.Has("after") {
		if after, err = strconv.ParseUint(q.Get("after"), 10, 64); err != nil || after > maxAfter {
			return errs.New(errs.Invalid, "after must be taken from a Link header").WithCode("PAGINATION_NUMBER_INVALID")
		}
	}
	filter := q.Get("artifactType")
	page, err := h.Registry.Referrers(c.r.Context(), c.who, c.pkg, d, filter, int64(after), max(n, 1))
	if err != nil {
		return err
	}
	if page.Next > 0 {
		next := url.Values{"after": {strconv.FormatInt(page.Next, 10)}, "n": {strconv.Itoa(n)}}
		if filter != "" {
			next.Set("artifactType", filter)
		}
		c.nextPage(next)
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

// nextPage sets the Link header (RFC 8288) to this address with the query q.
func (c *call) nextPage(q url.Values) {
	c.w.Header().Set("Link", "<"+c.r.URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
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
