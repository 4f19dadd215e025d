package settings

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// packagesPage is what somebody decides for their packages.
type packagesPage struct {
	frame.OwnerPage
	DefaultVisibility string
	InheritDefault    bool
	// Patterns are those of immutable tags, one a line.
	Patterns string
}

func (r *room) packagesPage(c *frame.Call) (packagesPage, error) {
	own, err := r.own(c, "packages", "settings.packages")
	if err != nil {
		return packagesPage{}, err
	}
	s := own.Owner.Account.Settings
	list, err := r.Packages.OwnerImmutableTags(c.R.Context(), c.Who, own.Owner.Login)
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.String()
	}
	return packagesPage{own, string(s.DefaultVisibility), s.InheritDefault, strings.Join(texts, "\n")}, err
}

func (r *room) packages(c *frame.Call) error {
	page, err := r.packagesPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "packages", page)
}

func (r *room) setPackages(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	inherit, visibility := form.Get("inherit") != "", access.Visibility(form.Get("visibility"))
	err = r.Accounts.ChangeSettings(c.R.Context(), audit.By(c.Who), c.Who.Login, account.SettingsChange{InheritDefault: &inherit, DefaultVisibility: &visibility})
	return r.settled(c, err, nil)
}

func (r *room) setImmutable(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	list, err := packages.ParseTagPatterns(strings.Fields(form.Get("patterns")))
	if err == nil {
		err = r.Packages.SetOwnerImmutableTags(c.R.Context(), c.Who, c.Who.Login, list)
	}
	return r.settled(c, err, form["patterns"])
}

// settled ends a form of the page; patterns are what was typed, nil for nothing.
func (r *room) settled(c *frame.Call, cause error, patterns []string) error {
	if cause == nil {
		return c.Done("/settings/packages", "saved")
	}
	page, err := r.packagesPage(c)
	if err != nil {
		return err
	}
	if patterns != nil {
		page.Patterns = patterns[0]
	}
	return r.again(c, cause, "packages", &page.Page, func() any { return page })
}

// deletedPage is the packages that somebody may restore.
type deletedPage struct {
	frame.OwnerPage
	Packages      []deletedPackage
	Newest, Older string
}

// deletedPackage is one that can be restored until then.
type deletedPackage struct {
	packages.Listed
	Until time.Time
}

// perPage is how many deleted packages a page shows.
const perPage = 50

func (r *room) deletedPage(c *frame.Call) (deletedPage, error) {
	own, err := r.own(c, "deleted_packages", "settings.deleted-packages")
	if err != nil {
		return deletedPage{}, err
	}
	n := 1
	if asked, err := strconv.Atoi(c.Query("page")); err == nil {
		n = min(max(asked, 1), 1000)
	}
	list, total, err := r.Packages.ListPackages(c.R.Context(), c.Who, packages.ListQuery{Owner: c.Who.Login, Deleted: true, Page: n, PerPage: perPage})
	page := deletedPage{OwnerPage: own}
	for _, p := range list {
		page.Packages = append(page.Packages, deletedPackage{p, p.DeletedAt.Add(r.Packages.RestoreWindow)})
	}
	at := func(n int) string {
		return "/settings/deleted_packages?" + url.Values{"page": {strconv.Itoa(n)}}.Encode()
	}
	if n > 1 {
		page.Newest = at(1)
	}
	if n*perPage < total {
		page.Older = at(n + 1)
	}
	return page, err
}

func (r *room) deleted(c *frame.Call) error {
	page, err := r.deletedPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "deleted", page)
}

func (r *room) restore(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	name, err := oci.ParseName(c.Who.Login + "/" + form.Get("name"))
	if err != nil {
		return errNotThere()
	}
	err = r.Packages.RestorePackage(c.R.Context(), c.Who, access.Package{Type: access.PackageType(form.Get("type")), Name: name})
	if err == nil {
		return c.Done("/settings/deleted_packages", "package-restored")
	}
	page, failure := r.deletedPage(c)
	if failure != nil {
		return failure
	}
	return r.again(c, err, "deleted", &page.Page, func() any { return page })
}
