package packagesettings

import (
	"context"
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// movePage asks for a new name or a new owner.
type movePage struct {
	SettingsPage
	To string // what was typed
	// Owners are suggested.
	Owners []string
}

func (r *room) askRename(c *frame.Call) error {
	return r.Show(c, frame.OK, "rename", movePage{SettingsPage: page(c, "package-settings.rename-title"), To: c.Package.ShortName()})
}

func (r *room) rename(c *frame.Call) error {
	return r.move(c, "rename", "package-settings.rename-title", "package-renamed", r.Packages.Rename)
}

func (r *room) askTransfer(c *frame.Call) error {
	owners, err := r.owners(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "transfer", movePage{SettingsPage: page(c, "package-settings.transfer-title"), Owners: owners})
}

func (r *room) transfer(c *frame.Call) error {
	return r.move(c, "transfer", "package-settings.transfer-title", "package-transferred", r.Packages.Transfer)
}

// owners are the accounts that the visitor may give a package to.
func (r *room) owners(c *frame.Call) ([]string, error) {
	logins := []string{c.Who.Login}
	all, err := r.Directory.Memberships(c.R.Context(), c.Who.AccountID)
	for _, m := range all {
		if m.Role == access.Owner {
			logins = append(logins, m.Organization.Login)
		}
	}
	return slices.DeleteFunc(logins, func(login string) bool { return login == c.Package.Owner.Login }), err
}

// mover renames or transfers a package.
type mover func(context.Context, access.Principal, access.Package, string) error

func (r *room) move(c *frame.Call, name, title, done string, do mover) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	to := strings.TrimSpace(form.Get("to"))
	if err = c.Typed(c.Package.ShortName()); err == nil {
		err = do(c.R.Context(), c.Who, c.Package.Ref, to)
		if errs.Is(err, errs.NotFound) {
			err = errs.Wrap(errs.Invalid, err, "there is no account %q", to)
		}
	}
	if err != nil {
		owners, failed := r.owners(c)
		if failed != nil {
			return failed
		}
		data := movePage{SettingsPage: page(c, title), To: to, Owners: owners}
		data.Page = c.Failed(data.Page, err)
		return c.Again(err, r.Room, name, data)
	}
	return r.saved(c, done)
}

// visibilityPage asks for another visibility.
type visibilityPage struct {
	SettingsPage
	// Choices are those that the visitor may give.
	Choices []choice
	Chosen  access.Visibility
}

type choice struct {
	Visibility access.Visibility
	// Now is set for the present one, and Allowed for what may be given.
	Now, Allowed bool
}

func (r *room) visibility(c *frame.Call) (visibilityPage, error) {
	data := visibilityPage{SettingsPage: page(c, "package-settings.visibility-title")}
	f, err := r.Packages.Administer(c.R.Context(), c.Who, c.Package.Ref)
	if err != nil {
		return data, err
	}
	for _, v := range []access.Visibility{access.Public, access.Internal, access.Private} {
		if v == access.Internal && !f.OwnerIsOrganization {
			continue
		}
		allowed := access.Decide(c.Who, c.Package.Ref.Name, f, access.Effects{Action: access.Administer, Visibility: v}).Allowed
		data.Choices = append(data.Choices, choice{v, v == f.Visibility, allowed && v != f.Visibility})
	}
	return data, nil
}

func (r *room) askVisibility(c *frame.Call) error {
	data, err := r.visibility(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "visibility", data)
}

func (r *room) setVisibility(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	v, err := packages.ParseVisibility(form.Get("visibility"))
	if err == nil {
		err = c.Typed(c.Package.ShortName())
	}
	if err == nil {
		err = r.Packages.SetVisibility(c.R.Context(), c.Who, c.Package.Ref, v)
	}
	if err != nil {
		data, failed := r.visibility(c)
		if failed != nil {
			return failed
		}
		data.Page, data.Chosen = c.Failed(data.Page, err), v
		return c.Again(err, r.Room, "visibility", data)
	}
	return r.saved(c, "package-visibility")
}

// deletePage asks whether the package shall be deleted.
type deletePage struct {
	SettingsPage
	Days int64 // for so long it can be restored
}

func (r *room) deletePage(c *frame.Call) deletePage {
	return deletePage{
		SettingsPage: page(c, "package-settings.delete-title"),
		Days:         int64(r.Packages.RestoreWindow.Hours() / 24),
	}
}

func (r *room) askDelete(c *frame.Call) error {
	return r.Show(c, frame.OK, "delete", r.deletePage(c))
}

// delete leads to where the package can be restored, if the visitor may see that
// page, else to the owner's packages.
func (r *room) delete(c *frame.Call) error {
	err := c.Typed(c.Package.ShortName())
	if err == nil {
		err = r.Packages.DeletePackage(c.R.Context(), c.Who, c.Package.Ref)
	}
	if err != nil {
		data := r.deletePage(c)
		data.Page = c.Failed(data.Page, err)
		return c.Again(err, r.Room, "delete", data)
	}
	owner, err := c.FindOwner(c.Package.Owner.Login)
	if err == nil && owner.Admin && (owner.Organization() || owner.ID == c.Who.AccountID) {
		return c.Done(owner.Settings("deleted_packages"), "package-deleted")
	}
	return c.Done(packagesOf(c.Package), "package-deleted")
}
