package repositories

import (
	"net/url"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// generalPage is what a repository says of itself, and what ends it.
type generalPage struct {
	frame.RepositorySettings
	Description, Readme string
	// MayRemove is set for those who may delete it or give it away.
	MayRemove bool
	// Organization is set where there is an internal visibility.
	Organization bool
	// Owners are those that it may be given to.
	Owners []owner
	// Name and To are of a form that did not succeed.
	Name, To string
}

func (r *room) generalPage(c *frame.Call) (generalPage, error) {
	own, err := r.settings(c, "general", "repositories.settings-title")
	if err != nil {
		return generalPage{}, err
	}
	page := generalPage{RepositorySettings: own, Description: own.Repository.Description, Name: own.Repository.Name.Package()}
	page.Organization = own.Repository.Owner.Kind == account.Organization
	page.MayRemove = access.DecideDirectory(c.Who, own.Repository.Standing, access.RemoveRepository) == access.Granted
	if page.Readme, err = r.Accounts.RepositoryReadme(c.R.Context(), own.Repository.ID); err != nil {
		return page, err
	}
	all, err := r.owners(c)
	page.Owners = others(all, own.Repository.Owner.Login)
	return page, err
}

func (r *room) general(c *frame.Call) error {
	page, err := r.generalPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "general", page)
}

// change runs a form of the page: do makes the change and returns where to go on,
// with the key of what is said there. What fails is shown with what was typed.
func (r *room) change(c *frame.Call, do func(page generalPage, form url.Values) (to, done string, err error)) error {
	page, err := r.generalPage(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	to, done, err := do(page, form)
	if err == nil {
		return c.Done(to, done)
	}
	for name, field := range map[string]*string{"description": &page.Description, "readme": &page.Readme, "name": &page.Name, "to": &page.To} {
		if form.Has(name) {
			*field = form.Get(name)
		}
	}
	return r.again(c, err, "general", &page.Page, func() any { return page })
}

func (r *room) describe(c *frame.Call) error {
	return r.change(c, func(page generalPage, form url.Values) (string, string, error) {
		err := r.Accounts.DescribeRepository(c.R.Context(), audit.By(c.Who), page.Repository.Name.String(), strings.TrimSpace(form.Get("description")))
		return page.Path() + "/settings", "saved", err
	})
}

func (r *room) setReadme(c *frame.Call) error {
	return r.change(c, func(page generalPage, form url.Values) (string, string, error) {
		err := r.Accounts.SetRepositoryReadme(c.R.Context(), audit.By(c.Who), page.Repository.Name.String(), form.Get("readme"))
		return page.Path() + "/settings", "saved", err
	})
}

// setVisibility also changes who may pull the Docker packages in the repository.
func (r *room) setVisibility(c *frame.Call) error {
	return r.change(c, func(page generalPage, form url.Values) (string, string, error) {
		to := access.Visibility(form.Get("visibility"))
		err := c.Typed(page.Repository.Name.String())
		if err == nil {
			err = r.mayHide(c, page.Repository.Visibility, to)
		}
		if err == nil {
			err = r.Accounts.SetRepositoryVisibility(c.R.Context(), audit.By(c.Who), page.Repository.Name.String(), to)
		}
		return page.Path() + "/settings", "repository-visibility", err
	})
}

// mayHide refuses to withdraw what is public where the site forbids that.
func (r *room) mayHide(c *frame.Call, from, to access.Visibility) error {
	if from != access.Public || to == access.Public || c.Who.SiteAdmin {
		return nil
	}
	site, err := r.Accounts.Site(c.R.Context())
	if err == nil && site.KeepPublic {
		err = errs.New(errs.Denied, "on this server what is public stays public: only its administrators can change that")
	}
	return err
}

func (r *room) rename(c *frame.Call) error {
	return r.change(c, func(page generalPage, form url.Values) (string, string, error) {
		name := strings.TrimSpace(form.Get("name"))
		if name == "" || strings.Contains(name, "/") {
			return "", "", errs.New(errs.Invalid, "a repository needs a name without slashes")
		}
		moved, err := r.Accounts.RenameRepository(c.R.Context(), audit.By(c.Who), page.Repository.Name.String(), name)
		return "/" + moved.Name.String() + "/settings", "repository-renamed", err
	})
}

// transfer gives the repository to an account that is the visitor's to change, at
// once: nobody has to accept it.
func (r *room) transfer(c *frame.Call) error {
	return r.change(c, func(page generalPage, form url.Values) (string, string, error) {
		if !page.MayRemove {
			return "", "", errMayNotRemove()
		}
		if err := c.Typed(page.Repository.Name.String()); err != nil {
			return "", "", err
		}
		o, err := r.mayOwn(c, strings.TrimSpace(form.Get("to")))
		if err != nil {
			return "", "", err
		}
		moved, err := r.Accounts.TransferRepository(c.R.Context(), audit.By(c.Who), page.Repository.Name.String(), o.Login)
		return "/" + moved.Name.String(), "repository-transferred", err
	})
}

func errMayNotRemove() error {
	return errs.New(errs.Denied, "members of the organization delete its repositories and give them away")
}

func (r *room) remove(c *frame.Call) error {
	return r.change(c, func(page generalPage, _ url.Values) (string, string, error) {
		err := c.Typed(page.Repository.Name.String())
		if err == nil && !page.MayRemove {
			err = errMayNotRemove()
		}
		if err == nil {
			err = r.Accounts.DeleteRepository(c.R.Context(), audit.By(c.Who), page.Repository.Name.String())
		}
		return "/" + page.Repository.Owner.Login + "?tab=repositories", "repository-deleted", err
	})
}
