package packagesettings

import (
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// connect links the package to a repository; what it gives stays as it is.
func (r *room) connect(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	name := strings.TrimSpace(form.Get("repository"))
	if err := r.Packages.Link(c.R.Context(), c.Who, c.Package.Ref, name, false); err != nil {
		return r.again(c, err, func(p *generalPage) { p.Typed.Repository = name })
	}
	return r.saved(c, "package-connected")
}

// disconnect takes the link away.
func (r *room) disconnect(c *frame.Call) error {
	if err := r.Packages.Unlink(c.R.Context(), c.Who, c.Package.Ref); err != nil {
		return r.again(c, err, nothingTyped)
	}
	return r.saved(c, "package-disconnected")
}

// inheritancePage shows what a change of the inheritance does.
type inheritancePage struct {
	SettingsPage
	Plan packages.Plan
	// Changes are those whose role changes.
	Changes []roleChange
}

// roleChange is a role before and after; "" for none.
type roleChange struct {
	packages.Grantee
	Before, After access.Role
}

func (r *room) previewInheritance(c *frame.Call) error {
	data := inheritancePage{SettingsPage: page(c, "package-settings.inheritance-title")}
	var err error
	if data.Plan, err = r.Packages.Plan(c.R.Context(), c.Who, c.Package.Ref, c.Query("inherits") != ""); err != nil {
		return err
	}
	if !data.Plan.Change {
		return c.Redirect(c.Package.Sub("settings"))
	}
	gained := []packages.Grant{{Grantee: packages.Grantee{Kind: packages.User, Name: data.Plan.Admin}, Role: access.RoleAdmin}}
	if data.Plan.Inherits {
		gained, err = r.Packages.InheritedRoles(c.R.Context(), c.Who, c.Package.Ref)
		if err != nil && !errs.Is(err, errs.Denied) && !errs.Is(err, errs.NotFound) { // then what is lost is shown alone
			return err
		}
	}
	data.Changes = changes(data.Plan.Lost, gained)
	return r.Show(c, frame.OK, "inheritance", data)
}

// changes compares roles before with those after.
func changes(before, after []packages.Grant) (list []roleChange) {
	for _, g := range before {
		list = append(list, roleChange{Grantee: g.Grantee, Before: g.Role})
	}
	for _, g := range after {
		i := slices.IndexFunc(list, func(o roleChange) bool { return o.Kind == g.Kind && o.Name == g.Name })
		if i < 0 {
			list = append(list, roleChange{Grantee: g.Grantee, After: g.Role})
			continue
		}
		list[i].After = g.Role
	}
	return slices.DeleteFunc(list, func(o roleChange) bool { return o.Before == o.After || o.Name == "" && o.Kind == packages.User })
}

func (r *room) setInheritance(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	if err := r.Packages.SetInherits(c.R.Context(), c.Who, c.Package.Ref, form.Get("inherits") != ""); err != nil {
		return r.again(c, err, nothingTyped)
	}
	return r.saved(c, "saved")
}
