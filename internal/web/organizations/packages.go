package organizations

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// packagesPage is what an organization decides for its packages and members.
type packagesPage struct {
	frame.OwnerPage
	// Public, Internal and Private are what members may make.
	Public, Internal, Private bool
	InheritDefault            bool
	DefaultVisibility         string
	BaseRole                  string
	// Patterns are those of immutable tags, one a line.
	Patterns string
	SignOn   bool
	// Provider is what people call the outside provider; empty without one.
	Provider string
	// Vouched is set when the provider vouched for the visitor in this session:
	// others would shut themselves out.
	Vouched bool
}

func (r *room) packagesPage(c *frame.Call, o frame.Owner) (packagesPage, error) {
	s := o.Account.Settings
	page := packagesPage{
		OwnerPage: r.settingsPage(c, o, "packages", "orgs.packages"),
		Public:    s.MembersCreate.Has(access.Public), Internal: s.MembersCreate.Has(access.Internal), Private: s.MembersCreate.Has(access.Private),
		InheritDefault: s.InheritDefault, DefaultVisibility: string(s.DefaultVisibility), BaseRole: s.BaseRole.String(),
		SignOn: s.RequireSSO, Provider: r.ProviderName, Vouched: c.Vouched(),
	}
	list, err := r.Packages.OwnerImmutableTags(c.R.Context(), c.Who, o.Login)
	page.Patterns = lines(list)
	return page, err
}

func lines(list []oci.TagPattern) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.String()
	}
	return strings.Join(texts, "\n")
}

func (r *room) packages(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	page, err := r.packagesPage(c, o)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "packages", page)
}

func (r *room) setPackages(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	var may access.VisibilitySet
	for name, set := range map[string]access.VisibilitySet{"public": access.SetPublic, "internal": access.SetInternal, "private": access.SetPrivate} {
		if form.Get(name) != "" {
			may |= set
		}
	}
	inherit, visibility := form.Get("inherit") != "", access.Visibility(form.Get("visibility"))
	role, known := access.RepositoryRoleNamed(form.Get("base_role"))
	if !known {
		return errs.New(errs.Invalid, "a base role is none, read, triage, write, maintain or admin")
	}
	change := account.SettingsChange{MembersCreate: &may, InheritDefault: &inherit, DefaultVisibility: &visibility, BaseRole: &role}
	return r.settle(c, o, r.Accounts.ChangeSettings(c.R.Context(), audit.By(c.Who), o.Login, change), nil)
}

// settle ends a form of the page of settings. When it failed, keep puts what was
// typed back.
func (r *room) settle(c *frame.Call, o frame.Owner, cause error, keep func(*packagesPage)) error {
	if cause == nil {
		return c.Done(o.Settings("packages"), "saved")
	}
	page, err := r.packagesPage(c, o)
	if err != nil {
		return err
	}
	if keep != nil {
		keep(&page)
	}
	return r.failed(c, cause, "packages", &page.Page, func() any { return page })
}

func (r *room) setImmutable(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	list, err := packages.ParseTagPatterns(strings.Fields(form.Get("patterns")))
	if err == nil {
		err = r.Packages.SetOwnerImmutableTags(c.R.Context(), c.Who, o.Login, list)
	}
	return r.settle(c, o, err, func(p *packagesPage) { p.Patterns = form.Get("patterns") })
}

// setSignOn has the organization require single sign-on, or not. It is required
// by those alone who came through it, so that nobody shuts themselves out.
func (r *room) setSignOn(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	on := form.Get("required") != ""
	if on && !c.Vouched() {
		return r.settle(c, o, errs.New(errs.Precondition, "sign in through the provider first, or you shut yourself out"), nil)
	}
	change := account.SettingsChange{RequireSSO: &on}
	return r.settle(c, o, r.Accounts.ChangeSettings(c.R.Context(), audit.By(c.Who), o.Login, change), nil)
}

// deletedPage is the deleted packages that can be restored.
type deletedPage struct {
	frame.OwnerPage
	List          []deletedPackage
	Total         int
	Query         string
	Newest, Older string
}

// deletedPackage is one that can be restored until then.
type deletedPackage struct {
	packages.Listed
	Until time.Time
}

func (r *room) deletedPage(c *frame.Call, o frame.Owner) (deletedPage, error) {
	page := deletedPage{OwnerPage: r.settingsPage(c, o, "deleted_packages", "orgs.deleted"), Query: strings.TrimSpace(c.Query("query"))}
	n, err := strconv.Atoi(c.Query("page"))
	if err != nil || n < 1 || n > 1000 {
		n = 1
	}
	list, total, err := r.Packages.ListPackages(c.R.Context(), c.Who, packages.ListQuery{
		Owner: o.Login, Deleted: true, Text: page.Query, Page: n, PerPage: listed,
	})
	for _, p := range list {
		page.List = append(page.List, deletedPackage{p, p.DeletedAt.Add(r.Packages.RestoreWindow)})
	}
	page.Total = total
	if n > 1 {
		page.Newest = page.at(0)
	}
	if n*listed < total {
		page.Older = page.at(n + 1)
	}
	return page, err
}

// at is the address of a page of the list.
func (p deletedPage) at(n int) string {
	q := url.Values{}
	if p.Query != "" {
		q.Set("query", p.Query)
	}
	if n > 1 {
		q.Set("page", strconv.Itoa(n))
	}
	return p.Owner.Settings("deleted_packages") + "?" + q.Encode()
}

func (r *room) deleted(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	page, err := r.deletedPage(c, o)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "deleted", page)
}

func (r *room) restore(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	name, err := oci.ParseName(o.Login + "/" + form.Get("name"))
	if err != nil {
		return errNotThere()
	}
	err = r.Packages.RestorePackage(c.R.Context(), c.Who, access.Package{Type: access.PackageType(form.Get("type")), Name: name})
	if err == nil {
		return c.Done(o.Settings("deleted_packages"), "org-package-restored")
	}
	page, failure := r.deletedPage(c, o)
	if failure != nil {
		return failure
	}
	return r.failed(c, err, "deleted", &page.Page, func() any { return page })
}
