package lists

import (
	"net/http"
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// searchPage is what a search found.
type searchPage struct {
	frame.Page
	// Asked is set when there was anything to search for, and Failed when it
	// could not be read.
	Asked, Failed bool
	Filter        filter
	Rows          []row
	Total         int64
	More          bool
	Pages         pages
	// Account is the user or the organization of the very name that was
	// searched for; nil for none.
	Account *frame.Owner
}

// search finds packages of all owners.
func (r *room) search(c *frame.Call) error {
	p := searchPage{Page: c.Page("lists.search"), Filter: readFilter(c)}
	p.Search = p.Filter.Text
	p.Asked = p.Search != "" || p.Filter.Narrow()
	if !p.Asked {
		return r.Show(c, frame.OK, "search", p)
	}
	q, wrong := parseQuery(p.Search)
	if wrong != nil {
		var err error
		p.Failed = true
		if p.Problem, err = c.Locale.Text(wrong.key, wrong.about); err != nil {
			return err
		}
		return r.Show(c, http.StatusBadRequest, "search", p)
	}
	if p.Filter.Visibility != "" && q.Visibility == "" {
		q.Visibility = p.Filter.Visibility
	}
	if p.Filter.Type != "" && q.Type == "" {
		q.Type = p.Filter.Type
	}
	q.Sort, q.Page, q.PerPage, q.Enough = p.Filter.Sort, p.Filter.Page, perPage, countUpTo
	list, total, err := r.Packages.ListPackages(c.R.Context(), c.Who, q)
	if err != nil {
		return err
	}
	p.Rows, p.Total, p.More = rows(list, true), int64(min(total, countUpTo)), total > countUpTo
	p.Pages = pagesOf(c, p.Filter.Page, total)
	if p.Account, err = found(c, q); err != nil {
		return err
	}
	return r.Show(c, frame.OK, "search", p)
}

// found returns the account that a search of a single word names.
func found(c *frame.Call, q packages.ListQuery) (*frame.Owner, error) {
	login := strings.TrimSuffix(q.Text, "/")
	if _, err := account.ParseLogin(login); err != nil || len(q.Words) > 0 || q.Owner != "" || q.Repository != "" {
		return nil, nil //nolint:nilnil // none is no error
	}
	o, err := c.FindOwner(login)
	if errs.Is(err, errs.NotFound) {
		return nil, nil //nolint:nilnil // none is no error
	}
	return &o, err
}
