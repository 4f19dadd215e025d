package lists

import (
	"net/url"

	"packhouse/internal/web/frame"
)

// packagesPage is the list of the packages of an account.
type packagesPage struct {
	frame.OwnerPage
	Filter filter
	Rows   []row
	// Total is how many there are on all pages; More is set when there may be
	// more than were counted.
	Total int64
	More  bool
	Pages pages
	// Steps is nil unless the account has no package and the visitor may push.
	Steps *steps
	// Action is where the form leads.
	Action string
	// Users is set where the address has a tab.
	Users bool
}

// owner is the page of an account: of a user the list of packages, or with
// tab=repositories of repositories.
func (r *room) owner(c *frame.Call) error {
	o, err := c.FindOwner(c.Param("owner"))
	if err != nil {
		return err
	}
	switch {
	case c.Query("tab") == "repositories" && c.Param("owner") == o.Login:
		return r.repositories(c, o)
	case c.Query("tab") == "repositories":
		return c.Redirect(withQuery(o.Path(), c))
	case o.Organization():
		return c.Redirect(withQuery(o.PackagesPath(), c, "tab"))
	case c.Param("owner") != o.Login:
		return c.Redirect(withQuery(o.Path(), c))
	}
	return r.packages(c, o)
}

// organization is the list of packages of an organization.
func (r *room) organization(c *frame.Call) error {
	o, err := c.FindOwner(c.Param("owner"))
	if err != nil {
		return err
	}
	if !o.Organization() || c.R.URL.Path != o.PackagesPath() {
		return c.Redirect(r.packagesAt(c, o))
	}
	return r.packages(c, o)
}

// user leads from an address by which GitHub's users may look for a list.
func (r *room) user(c *frame.Call) error {
	o, err := c.FindOwner(c.Param("owner"))
	if err != nil {
		return err
	}
	return c.Redirect(r.packagesAt(c, o))
}

// packagesAt is the address of the list of packages, with the query of the call.
func (r *room) packagesAt(c *frame.Call, o frame.Owner) string {
	if o.Organization() {
		return withQuery(o.PackagesPath(), c, "tab")
	}
	q := c.R.URL.Query()
	q.Set("tab", "packages")
	return o.Path() + "?" + q.Encode()
}

// withQuery returns path with the query of the call, without some of its fields.
func withQuery(path string, c *frame.Call, without ...string) string {
	q := c.R.URL.Query()
	for _, name := range without {
		q.Del(name)
	}
	u := url.URL{Path: path, RawQuery: q.Encode()}
	return u.RequestURI()
}

func (r *room) packages(c *frame.Call, o frame.Owner) error {
	p := packagesPage{OwnerPage: c.OwnerPage(o, "packages", "lists.packages-of", o.DisplayLogin), Filter: readFilter(c), Action: o.Path(), Users: true}
	if o.Organization() {
		p.Action, p.Users = o.PackagesPath(), false
	}
	list, total, err := r.Packages.ListPackages(c.R.Context(), c.Who, p.Filter.query(o.Login))
	if err != nil {
		return err
	}
	p.Rows, p.Total, p.More = rows(list, false), int64(min(total, countUpTo)), total > countUpTo
	p.Pages = pagesOf(c, p.Filter.Page, total)
	if total == 0 && !p.Filter.Narrow() {
		if p.Steps, err = r.stepsOf(c, o, false); err != nil {
			return err
		}
	}
	if p.Steps != nil {
		p.Refresh = refreshAfter
	}
	return r.Show(c, frame.OK, "packages", p)
}
