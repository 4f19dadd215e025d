package repositories

import (
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// newPage makes a repository.
type newPage struct {
	frame.Page
	Owners []owner
	// What was filled in.
	Owner, Name, Description, Visibility string
}

// owner is an account under which the visitor may make repositories.
type owner struct {
	Login        string
	Organization bool
}

func (r *room) newPage(c *frame.Call) (newPage, error) {
	page := newPage{Page: c.Page("repositories.new"), Owner: c.Who.Login, Visibility: string(access.Private)}
	var err error
	page.Owners, err = r.owners(c)
	return page, err
}

// owners are the visitor and the organizations that are its to change.
func (r *room) owners(c *frame.Call) ([]owner, error) {
	list := []owner{{Login: c.Who.Login}}
	all, err := r.Directory.Memberships(c.R.Context(), c.Who.AccountID)
	for _, m := range all {
		if m.Role == access.Owner {
			list = append(list, owner{m.Organization.Login, true})
		}
	}
	return list, err
}

// newForm is filled as links to GitHub's fill it.
func (r *room) newForm(c *frame.Call) error {
	page, err := r.newPage(c)
	if err != nil {
		return err
	}
	page.Name, page.Description = c.Query("name"), c.Query("description")
	if login := c.Query("owner"); login != "" {
		page.Owner = strings.ToLower(login)
	}
	return r.Show(c, frame.OK, "new", page)
}

func (r *room) create(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	page, err := r.newPage(c)
	if err != nil {
		return err
	}
	page.Owner, page.Name = form.Get("owner"), strings.TrimSpace(form.Get("name"))
	page.Description, page.Visibility = form.Get("description"), form.Get("visibility")
	made, err := r.make(c, page)
	if err != nil {
		return r.again(c, err, "new", &page.Page, func() any { return page })
	}
	return c.Redirect("/" + made.Name.String())
}

func (r *room) make(c *frame.Call, page newPage) (account.Repository, error) {
	o, err := r.mayOwn(c, page.Owner)
	switch {
	case err != nil:
		return account.Repository{}, err
	case page.Name == "" || strings.Contains(page.Name, "/"):
		return account.Repository{}, errs.New(errs.Invalid, "a repository needs a name without slashes")
	}
	return r.Accounts.CreateDescribedRepository(c.R.Context(), audit.By(c.Who), o.Login+"/"+page.Name, access.Visibility(page.Visibility), page.Description)
}

// mayOwn returns the account if it is the visitor's to change.
func (r *room) mayOwn(c *frame.Call, login string) (frame.Owner, error) {
	o, err := c.AdministeredOwner(login)
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.Denied, "choose yourself or an organization that you own")
	}
	return o, err
}

// others are the owners without the one.
func others(list []owner, login string) []owner {
	return slices.DeleteFunc(list, func(o owner) bool { return o.Login == login })
}
