package packagesettings

import (
	"net/url"
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// invite gives a role to a user, or to a team that is named ORGANIZATION/TEAM.
func (r *room) invite(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	name := strings.TrimPrefix(strings.TrimSpace(form.Get("who")), "@")
	g := packages.Grant{Grantee: packages.Grantee{Kind: packages.User, Name: name}}
	if strings.Contains(name, "/") {
		g.Kind = packages.Team
	}
	if g.Role, err = packages.ParseRole(form.Get("role")); err == nil {
		err = r.Packages.Grant(c.R.Context(), c.Who, c.Package.Ref, g)
	}
	if err != nil {
		if errs.Is(err, errs.NotFound) && g.Kind == packages.Team {
			err = errs.Wrap(errs.Invalid, err, "there is no team %q", name)
		} else if errs.Is(err, errs.NotFound) {
			err = errs.Wrap(errs.Invalid, err, "there is no account %q", name)
		}
		return r.again(c, err, func(p *generalPage) { p.Typed.Who, p.Typed.Role = name, form.Get("role") })
	}
	return r.saved(c, "package-granted")
}

// changeAccess changes the role of one that has one, or takes it away.
func (r *room) changeAccess(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	g := packages.Grant{Grantee: packages.Grantee{Kind: packages.GranteeKind(form.Get("kind")), Name: form.Get("name")}}
	key := "saved"
	if form.Get("do") == "remove" {
		key, err = "package-revoked", r.Packages.Revoke(c.R.Context(), c.Who, c.Package.Ref, g.Grantee)
	} else if g.Role, err = packages.ParseRole(form.Get("role")); err == nil {
		err = r.Packages.Grant(c.R.Context(), c.Who, c.Package.Ref, g)
	}
	if err != nil {
		return r.again(c, err, nothingTyped)
	}
	return r.saved(c, key)
}

// addActions lets the jobs of a repository use the package, or its codespaces.
func (r *room) addActions(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	g, err := actionsGrant(form)
	if err == nil {
		err = r.Packages.Grant(c.R.Context(), c.Who, c.Package.Ref, g)
	}
	if err != nil {
		if errs.Is(err, errs.NotFound) {
			err = errs.Wrap(errs.Invalid, err, "no repository %q", g.Name)
		}
		return r.again(c, err, func(p *generalPage) {
			p.Typed.Actions, p.Typed.ActionsRole, p.Typed.Codespaces = g.Name, form.Get("role"), g.Codespaces
		})
	}
	return r.saved(c, "package-granted")
}

func actionsGrant(form url.Values) (g packages.Grant, err error) {
	g.Kind, g.Name, g.Codespaces = packages.Repository, strings.TrimSpace(form.Get("repository")), form.Get("codespaces") != ""
	if role := form.Get("role"); role != "" {
		g.Role, err = packages.ParseRole(role)
	}
	return g, err
}

// changeActions replaces what a repository was given. With nothing at all it is
// taken out.
func (r *room) changeActions(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	g, err := actionsGrant(form)
	if err != nil {
		return r.again(c, err, nothingTyped)
	}
	now, err := r.Packages.Document(c.R.Context(), c.Who, c.Package.Ref)
	if err != nil {
		return err
	}
	same := func(o packages.Grant) bool { return o.Name == g.Name }
	list, key := slices.Clone(now.Repositories), "saved"
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = g
	}
	if form.Get("do") == "remove" || g.Role == access.Role("") && !g.Codespaces {
		list, key = slices.DeleteFunc(list, same), "package-revoked"
	}
	if err := r.Packages.Apply(c.R.Context(), c.Who, c.Package.Ref, packages.DocumentChange{Repositories: &list}); err != nil {
		return r.again(c, err, nothingTyped)
	}
	return r.saved(c, key)
}
