package rest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/errs"
)

// What a page may be, as on GitHub.
const (
	defaultPerPage = 30
	maxPerPage     = 100
	maxDeep        = 10_000 // page times per_page
)

// pageOf is the part of a list that is wanted, from 1.
type pageOf struct{ page, perPage int }

// page reads page and per_page. More than 100 a page are 100. A page that ends
// behind the 10,000th entry is Invalid, as on GitHub.
func (c *call) page() (pageOf, error) {
	p := pageOf{1, defaultPerPage}
	for name, to := range map[string]*int{"page": &p.page, "per_page": &p.perPage} {
		if !c.q.Has(name) {
			continue
		}
		n, err := strconv.Atoi(c.q.Get(name))
		if err != nil {
			return p, errs.New(errs.Invalid, "Invalid argument. %s must be an integer.", name)
		}
		*to = max(n, 1)
	}
	p.perPage = min(p.perPage, maxPerPage)
	if p.page > maxDeep || p.page*p.perPage > maxDeep {
		return p, errs.New(errs.Invalid, "Invalid argument. Only the first %d entries of a list can be asked for by page.", maxDeep)
	}
	return p, nil
}

// list answers with a page of a list that has total entries in all, and with
// links to the others.
func (c *call) list(p pageOf, total int, entries any) error {
	c.links(p, total)
	return c.json(http.StatusOK, entries)
}

// links sets the Link header. No header is set when there is one page alone.
func (c *call) links(p pageOf, total int) {
	last := max(1, min((total+p.perPage-1)/p.perPage, maxDeep/p.perPage))
	var links []string
	add := func(rel string, page int) {
		links = append(links, "<"+c.at(url.Values{"page": {strconv.Itoa(page)}})+`>; rel="`+rel+`"`)
	}
	if p.page > 1 {
		add("prev", min(p.page-1, last))
	}
	if p.page < last {
		add("next", p.page+1)
		add("last", last)
	}
	if p.page > 1 {
		add("first", 1)
	}
	if len(links) > 0 {
		c.w.Header().Set("Link", strings.Join(links, ", "))
	}
}

// at returns the address of this request with other values in its query.
func (c *call) at(changes url.Values) string {
	q := url.Values{}
	for name, values := range c.q {
		q[name] = values
	}
	for name, values := range changes {
		q[name] = values
	}
	return c.h.Base + c.r.URL.EscapedPath() + "?" + q.Encode()
}

// slice returns the entries of all that p asks for, for lists that are read whole.
func slice[T any](p pageOf, all []T) []T {
	from := min((p.page-1)*p.perPage, len(all))
	return all[from:min(from+p.perPage, len(all))]
}
