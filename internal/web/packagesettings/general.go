package packagesettings

import (
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// SettingsPage is the frame of all pages here.
type SettingsPage struct {
	frame.PackagePage
	// Settings is which page of the settings this is.
	Settings string
}

func page(c *frame.Call, titleKey string) SettingsPage {
	return SettingsPage{PackagePage: c.PackagePage("settings", titleKey, c.Package.ShortName()), Settings: "general"}
}

// generalPage is all settings of a package.
type generalPage struct {
	SettingsPage
	Document packages.Document
	// Docker is set for a package that follows its repository.
	Docker bool
	// People are those with roles of their own, or inherited ones.
	People []packages.Grant
	// Users, Teams and Repositories are suggested in fields; Linkable are the
	// repositories that the package may belong to.
	Users, Teams, Repositories, Linkable []string
	// Immutable and OwnersImmutable are patterns, one a line.
	Immutable       string
	OwnersImmutable []string
	Readme          string
	// Names are the addresses that the package had.
	Names []string
	// File is the settings as one document, Address where the API takes it.
	File, Address string
	// Typed is what was typed in a form that failed.
	Typed typed
}

type typed struct {
	Repository, Who, Role, Actions, ActionsRole string
	Codespaces                                  bool
}

func (r *room) general(c *frame.Call) error {
	data, err := r.generalPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "general", data)
}

func (r *room) generalPage(c *frame.Call) (data generalPage, err error) {
	ctx, ref := c.R.Context(), c.Package.Ref
	data.SettingsPage = page(c, "package-settings.title")
	if data.Document, err = r.Packages.Document(ctx, c.Who, ref); err != nil {
		return data, err
	}
	data.Docker = ref.Type == access.Docker
	data.Typed.ActionsRole = string(access.RoleRead) // of a form in which nothing was typed yet
	if data.People = data.Document.Grants; data.Document.Inherits || data.Docker {
		if data.People, err = r.Packages.InheritedRoles(ctx, c.Who, ref); err != nil {
			return data, err
		}
	}
	if data.Readme, err = r.Packages.Readme(ctx, c.Who, ref); err != nil {
		return data, err
	}
	names, err := r.Packages.OtherNames(ctx, c.Who, ref)
	if err != nil {
		return data, err
	}
	for _, n := range names {
		data.Names = append(data.Names, n.Name.String())
	}
	data.Immutable, data.OwnersImmutable = strings.Join(texts(data.Document.Immutable), "\n"), texts(data.Document.OwnersImmutable)
	data.File, data.Address = file(data.Document), c.Frame.Absolute(apiPath(c.Package))
	return data, r.suggest(c, &data)
}

func texts(list []oci.TagPattern) (texts []string) {
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return texts
}

// maxSuggested is how many names a field suggests.
const maxSuggested = 200

// suggest fills in what fields suggest: what the visitor may know of.
func (r *room) suggest(c *frame.Call, data *generalPage) error {
	all, err := r.Directory.RepositoriesWith(c.R.Context(), c.Who)
	if err != nil {
		return err
	}
	for _, one := range all {
		if access.DecideDirectory(c.Who, one.Standing, access.SeeRepository) != access.Granted {
			continue
		}
		name := one.Name.String()
		if data.Repositories = append(data.Repositories, name); one.Name.Owner() == c.Package.Owner.Login && mayLink(c.Who, one) {
			data.Linkable = append(data.Linkable, name)
		}
	}
	data.Repositories = data.Repositories[:min(len(data.Repositories), maxSuggested)]
	data.Linkable = data.Linkable[:min(len(data.Linkable), maxSuggested)]
	if !c.Package.Owner.Organization {
		return nil
	}
	owner, err := c.FindOwner(c.Package.Owner.Login)
	if err != nil || !owner.Member {
		return err
	}
	members, err := r.Directory.MemberAccounts(c.R.Context(), owner.ID)
	if err != nil {
		return err
	}
	for _, m := range members[:min(len(members), maxSuggested)] {
		data.Users = append(data.Users, m.Login)
	}
	teams, err := c.Frame.Accounts.Teams(c.R.Context(), owner.Login)
	for _, t := range teams[:min(len(teams), maxSuggested)] {
		data.Teams = append(data.Teams, owner.Login+"/"+t.Slug)
	}
	return err
}

func mayLink(who access.Principal, r account.OwnedRepository) bool {
	return r.Standing.RepositoryRole >= access.RepositoryWrite ||
		access.DecideDirectory(who, r.Standing, access.AdministerRepository) == access.Granted
}

// saved leads on after a change: back to the settings, or as far as the visitor
// may still go.
func (r *room) saved(c *frame.Call, key string) error {
	found, err := r.Packages.Package(c.R.Context(), c.Who, c.Package.Ref)
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Denied) {
		return c.Done(packagesOf(c.Package), key)
	}
	if err != nil {
		return err
	}
	p := frame.Package{Listed: found}
	if _, err := r.Packages.Administer(c.R.Context(), c.Who, access.Package{Type: found.Type, Name: found.Name}); err != nil {
		return c.Done(p.Path(), key)
	}
	return c.Done(p.Sub("settings"), key)
}

// packagesOf is the list of the packages of the owner.
func packagesOf(p frame.Package) string {
	if p.Owner.Organization {
		return "/orgs/" + p.Owner.Login + "/packages"
	}
	return "/" + p.Owner.Login + "?tab=packages"
}

// again shows the settings with the failure of a form and what was typed there.
// What is not there is what the form names: the package is.
func (r *room) again(c *frame.Call, cause error, put func(*generalPage)) error {
	data, err := r.generalPage(c)
	if err != nil {
		return err
	}
	if errs.Is(cause, errs.NotFound) {
		cause = errs.Wrap(errs.Invalid, cause, "the settings name a user, a team or a repository that is not there")
	}
	data.Page = c.Failed(data.Page, cause)
	put(&data)
	return c.Again(cause, r.Room, "general", data)
}

// nothingTyped is for forms without fields to fill in.
func nothingTyped(*generalPage) {}

// setReadme saves what the package says of itself.
func (r *room) setReadme(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	if err := r.Packages.SetReadme(c.R.Context(), c.Who, c.Package.Ref, form.Get("readme")); err != nil {
		return r.again(c, err, func(p *generalPage) { p.Readme = form.Get("readme") })
	}
	return r.saved(c, "saved")
}

// setImmutable saves the patterns of tags that never move.
func (r *room) setImmutable(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	lines := strings.FieldsFunc(form.Get("patterns"), func(c rune) bool { return c == '\n' || c == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	lines = slices.DeleteFunc(lines, func(s string) bool { return s == "" })
	list, err := packages.ParseTagPatterns(lines)
	if err == nil {
		err = r.Packages.SetImmutableTags(c.R.Context(), c.Who, c.Package.Ref, list)
	}
	if err != nil {
		return r.again(c, err, func(p *generalPage) { p.Immutable = form.Get("patterns") })
	}
	return r.saved(c, "saved")
}
