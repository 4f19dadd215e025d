package lists

import (
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// perPage is how many packages a page of a list shows, as on GitHub, and
// countUpTo how many are counted: to know what the visitor may read, each has to
// be looked at.
const perPage, countUpTo = 30, 300

// filter is what the form above a list asks for.
type filter struct {
	Text       string
	Visibility access.Visibility
	Type       access.PackageType
	Sort       packages.ListSort
	// Repository is the name of one, without its owner.
	Repository string
	Page       int
}

// readFilter takes what it knows of the address, and ignores the rest.
func readFilter(c *frame.Call) filter {
	f := filter{Text: strings.TrimSpace(c.Query("q")), Repository: c.Query("repo_name"), Page: 1}
	switch v := access.Visibility(c.Query("visibility")); v {
	case access.Public, access.Private, access.Internal:
		f.Visibility = v
	}
	switch t := access.PackageType(c.Query("type")); t {
	case access.Container, access.Docker:
		f.Type = t
	}
	switch s := packages.ListSort(c.Query("sort")); s {
	case packages.SortUpdated, packages.SortDownloads:
		f.Sort = s
	}
	if n, err := strconv.Atoi(c.Query("page")); err == nil && n > 1 && n <= packages.MaxReach/perPage {
		f.Page = n
	}
	return f
}

// Narrow reports whether the filter leaves anything out.
func (f filter) Narrow() bool {
	return f.Text != "" || f.Visibility != "" || f.Type != "" || f.Repository != ""
}

// query is what the service is asked for.
func (f filter) query(owner string) packages.ListQuery {
	q := packages.ListQuery{
		Owner: owner, Type: f.Type, Visibility: f.Visibility, Sort: f.Sort, Page: f.Page, PerPage: perPage, Enough: countUpTo,
	}
	q.Text, q.Words = firstOf(strings.Fields(f.Text))
	if f.Repository != "" {
		q.Repository = owner + "/" + f.Repository
	}
	return q
}

// pages are the links below a list. Newer and Older are empty at its ends, and
// Last is zero where it is not known.
type pages struct {
	Page, Last   int64
	Newer, Older string
}

// pagesOf returns the links of a list at an address, which is kept but for its
// page.
func pagesOf(c *frame.Call, page, total int) pages {
	last := min((total+perPage-1)/perPage, packages.MaxReach/perPage)
	p := pages{Page: int64(page), Last: int64(last)}
	if total > countUpTo {
		p.Last = 0
	}
	at := func(n int) string {
		q := c.R.URL.Query()
		q.Del("done")
		q.Del("page")
		if n > 1 {
			q.Set("page", strconv.Itoa(n))
		}
		u := url.URL{Path: c.R.URL.Path, RawQuery: q.Encode()}
		return u.RequestURI()
	}
	if page > 1 {
		p.Newer = at(min(page-1, max(last, 1)))
	}
	if page < last {
		p.Older = at(page + 1)
	}
	return p
}
