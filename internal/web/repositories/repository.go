package repositories

import (
	"html/template"
	"net/url"
	"strconv"

	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
	"packhouse/internal/web/readme"
)

// repositoryPage is a repository with its packages.
type repositoryPage struct {
	frame.RepositoryPage
	Packages []listed
	Total    int64
	// Readme is rendered; empty for none.
	Readme        template.HTML
	Newest, Older string
	// Label is the line in a Dockerfile by which pushes link packages.
	Label string
}

type listed struct{ packages.Listed }

// Path is the address of the package.
func (l listed) Path() string { return frame.PackagePath(l.Listed) }

// perPage is how many packages a page shows.
const perPage = 30

// repository is the page of a repository, whole or its packages alone. A former
// name leads to the present one.
func (r *room) repository(c *frame.Call, whole bool) error {
	found, err := c.FindRepository()
	if err != nil {
		return err
	}
	right := "/" + found.Name.String()
	if !whole {
		right += "/packages"
	}
	if c.R.URL.Path != right {
		return c.Redirect(right)
	}
	page := repositoryPage{RepositoryPage: c.RepositoryPage(found, "packages", "repositories.title", found.Name.String())}
	page.Label = "LABEL org.opencontainers.image.source=" + c.Frame.Absolute(page.Path())
	if err := r.list(c, &page, right); err != nil {
		return err
	}
	if whole {
		text, err := r.Accounts.RepositoryReadme(c.R.Context(), found.ID)
		if err != nil {
			return err
		}
		page.Readme = readme.Render([]byte(text))
	}
	return r.Show(c, frame.OK, "repository", page)
}

func (r *room) list(c *frame.Call, page *repositoryPage, at string) error {
	n := 1
	if asked, err := strconv.Atoi(c.Query("page")); err == nil {
		n = min(max(asked, 1), 1000)
	}
	q := packages.ListQuery{Repository: page.Repository.Name.String(), Page: n, PerPage: perPage}
	list, total, err := r.Packages.ListPackages(c.R.Context(), c.Who, q)
	page.Total = int64(total)
	for _, p := range list {
		page.Packages = append(page.Packages, listed{p})
	}
	link := func(n int) string { return at + "?" + url.Values{"page": {strconv.Itoa(n)}}.Encode() }
	if n > 1 {
		page.Newest = link(1)
	}
	if n*perPage < total {
		page.Older = link(n + 1)
	}
	return err
}
