package frame

import (
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
)

// Owner is the account that a page is about.
type Owner struct {
	account.Account
	// Admin is set for those who may change it, and Member for those who may see
	// who belongs to it.
	Admin, Member bool
	// SignOn is set for those who would be one of these after they have signed in
	// with the outside provider, which the organization demands.
	SignOn bool
}

// Organization reports whether it is one.
func (o Owner) Organization() bool { return o.Kind == account.Organization }

// Path is the address of the owner's own page, and Settings that of a page of
// settings; "" is the first of them.
func (o Owner) Path() string { return "/" + o.Login }

// Settings is the address of a page of the owner's settings, such as packages.
func (o Owner) Settings(page string) string {
	if o.Organization() {
		return "/organizations/" + o.Login + "/settings/" + page
	}
	return "/settings/" + page
}

// PackagesPath is the address of the list of the owner's packages, as on GitHub.
func (o Owner) PackagesPath() string {
	if o.Organization() {
		return "/orgs/" + o.Login + "/packages"
	}
	return "/" + o.Login + "?tab=packages"
}

// OwnerPage is the frame of the pages of one account.
type OwnerPage struct {
	Page
	Owner Owner
	// Tab is which of the owner's pages this is: packages, repositories, people,
	// teams or settings.
	Tab string
	// Settings is which page of the settings this is, as in Owner.Settings.
	Settings string
}

// OwnerPage returns the frame of a page of an account.
func (c *Call) OwnerPage(o Owner, tab, titleKey string, args ...any) OwnerPage {
	p := OwnerPage{Page: c.Page(titleKey, args...), Owner: o, Tab: tab}
	p.Crumbs = []Crumb{{o.Login, o.Path()}}
	return p
}

// FindOwner returns the account of that login, also a former one, and what the
// visitor is to it; NotFound for none.
func (c *Call) FindOwner(login string) (Owner, error) {
	a, s, err := c.Frame.Accounts.Standing(c.R.Context(), c.Who, login)
	if err != nil {
		return Owner{}, err
	}
	administer, see := access.DecideDirectory(c.Who, s, access.AdministerAccount), access.DecideDirectory(c.Who, s, access.SeeMembers)
	return Owner{
		Account: a, Admin: administer == access.Granted, Member: see == access.Granted,
		SignOn: administer == access.SignOn || see == access.SignOn,
	}, nil
}

// AdministeredOwner is FindOwner for those who may change the account; to others
// it is not there.
func (c *Call) AdministeredOwner(login string) (Owner, error) {
	o, err := c.FindOwner(login)
	switch {
	case err != nil || o.Admin:
		return o, err
	case o.SignOn:
		return o, errSignOn()
	}
	return o, errNoPage()
}

// errSignOn is for members of an organization that demands single sign-on, in a
// session that a password began. Its page leads to the provider.
func errSignOn() error {
	return errs.New(errs.Denied, "this organization requires single sign-on: sign in with the provider").
		WithDetail(map[string]string{"reason": signOnReason})
}

const signOnReason = "single_sign_on"

// wantsSignOn reports whether err is for want of single sign-on, whoever says so.
func wantsSignOn(err error) bool {
	var e *errs.Error
	if !errors.As(err, &e) {
		return false
	}
	detail, ok := e.Detail.(map[string]string)
	return ok && detail["reason"] == signOnReason
}

// RepositoryPage is the frame of the pages of one repository.
type RepositoryPage struct {
	Page
	Repository account.OwnedRepository
	Admin      bool
	// Tab is packages or settings.
	Tab string
}

// Path is the address of the repository.
func (p RepositoryPage) Path() string { return "/" + p.Repository.Name.String() }

// RepositoryPage returns the frame of a page of a repository.
func (c *Call) RepositoryPage(r account.OwnedRepository, tab, titleKey string, args ...any) RepositoryPage {
	p := RepositoryPage{Page: c.Page(titleKey, args...), Repository: r, Tab: tab}
	p.Admin = access.DecideDirectory(c.Who, r.Standing, access.AdministerRepository) == access.Granted
	p.Crumbs = []Crumb{{r.Owner.Login, "/" + r.Owner.Login}, {r.Name.Package(), "/" + r.Name.String()}}
	return p
}

// FindRepository returns the repository that the parts owner and repo of the path
// name, if the visitor may know of it.
func (c *Call) FindRepository() (account.OwnedRepository, error) {
	r, err := c.Frame.Accounts.RepositoryStanding(c.R.Context(), c.Who, c.Param("owner"), c.Param("repo"))
	if err == nil && access.DecideDirectory(c.Who, r.Standing, access.SeeRepository) != access.Granted {
		err = errNoPage()
	}
	return r, err
}

// AdministeredRepository is FindRepository for those who may change it; to others
// it is not there.
func (c *Call) AdministeredRepository() (account.OwnedRepository, error) {
	r, err := c.FindRepository()
	if err != nil {
		return r, err
	}
	switch access.DecideDirectory(c.Who, r.Standing, access.AdministerRepository) {
	case access.Granted:
		return r, nil
	case access.SignOn:
		return r, errSignOn()
	}
	return r, errNoPage()
}

// SiteAdmin serves pattern to the administrators of the site; to others there is
// no such page.
func (f *Frame) SiteAdmin(pattern string, do func(*Call) error) { f.On(pattern, siteAdmin(do)) }

// SiteSudo is SiteAdmin for what is dangerous; see Sudo.
func (f *Frame) SiteSudo(pattern string, do func(*Call) error) {
	f.On(pattern, siteAdmin(f.sudo(do)))
}

func siteAdmin(do func(*Call) error) func(*Call) error {
	return signedIn(func(c *Call) error {
		if !c.Who.SiteAdmin {
			return errs.New(errs.NotFound, "there is no such page")
		}
		return do(c)
	})
}
