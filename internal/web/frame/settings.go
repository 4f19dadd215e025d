package frame

// Of says what a page of settings may be about.
type Of int

// What pages of settings are about.
const (
	OfPackages Of = 1 << iota
	OfOwners
	OfRepositories
)

// SettingsPage is the frame of a page of settings that packages, accounts and
// repositories have alike. It is about one of the three.
type SettingsPage struct {
	Page
	Package    *PackageSettings
	Owner      *OwnerPage
	Repository *RepositorySettings
	// Base is the address of the first of the pages of these settings; the others
	// lie below it.
	Base string
	// Name is OWNER/NAME or OWNER.
	Name string
}

// PackageSettings is the frame of a page of a package's settings.
type PackageSettings struct {
	PackagePage
	// Settings is which page of the settings this is.
	Settings string
}

// RepositorySettings is the frame of a page of a repository's settings.
type RepositorySettings struct {
	RepositoryPage
	// Settings is which page of the settings this is.
	Settings string
}

// OnSettings serves a page of settings wherever there are some: below packages,
// accounts and repositories as of says, to those who may change them; to others
// there is no such page. The settings are those of the name page, such as hooks,
// and rest is the path below them, "" for their first page.
func (f *Frame) OnSettings(of Of, method, page, rest string, do func(*Call, SettingsPage) error) {
	f.onSettings(of, method, page, rest, do, func(do func(*Call) error) func(*Call) error { return do })
}

// OnSettingsSudo is OnSettings for what is dangerous; see Sudo.
func (f *Frame) OnSettingsSudo(of Of, method, page, rest string, do func(*Call, SettingsPage) error) {
	f.onSettings(of, method, page, rest, do, f.sudo)
}

func (f *Frame) onSettings(of Of, method, page, rest string, do func(*Call, SettingsPage) error, guard func(func(*Call) error) func(*Call) error) {
	place := func(find func(*Call, string) (SettingsPage, error)) func(*Call) error {
		return signedIn(func(c *Call) error {
			p, err := find(c, page)
			if err != nil {
				return err
			}
			p.Title += " · " + p.Name
			return guard(func(c *Call) error { return do(c, p) })(c)
		})
	}
	at := "/settings/" + page + rest
	if of&OfPackages != 0 {
		f.OnPackageSettings(method+" "+at, place(packageSettings))
	}
	if of&OfOwners != 0 {
		f.On(method+" "+at, place(ownSettings))
		f.On(method+" /organizations/{org}"+at, place(organizationSettings))
	}
	if of&OfRepositories != 0 {
		f.On(method+" /{owner}/{repo}"+at, place(repositorySettings))
	}
}

func packageSettings(c *Call, page string) (SettingsPage, error) {
	p := &PackageSettings{c.PackagePage("settings", "settings."+page), page}
	return SettingsPage{Page: p.Page, Package: p, Base: c.Package.Sub("settings", page), Name: c.Package.Name.String()}, nil
}

func ownSettings(c *Call, page string) (SettingsPage, error) {
	return accountSettings(c, c.Who.Login, page, false)
}

func organizationSettings(c *Call, page string) (SettingsPage, error) {
	return accountSettings(c, c.Param("org"), page, true)
}

func accountSettings(c *Call, login, page string, organization bool) (SettingsPage, error) {
	o, err := c.AdministeredOwner(login)
	if err == nil && o.Organization() != organization {
		err = errNoPage()
	}
	if err != nil {
		return SettingsPage{}, err
	}
	p := c.OwnerPage(o, "settings", "settings."+page)
	p.Settings = page
	return SettingsPage{Page: p.Page, Owner: &p, Base: o.Settings(page), Name: o.Login}, nil
}

func repositorySettings(c *Call, page string) (SettingsPage, error) {
	r, err := c.AdministeredRepository()
	if err != nil {
		return SettingsPage{}, err
	}
	p := &RepositorySettings{c.RepositoryPage(r, "settings", "settings."+page), page}
	return SettingsPage{Page: p.Page, Repository: p, Base: p.Path() + "/settings/" + page, Name: r.Name.String()}, nil
}
