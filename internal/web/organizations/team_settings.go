package organizations

import (
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/web/frame"
)

// teamSettingsPage changes one team.
type teamSettingsPage struct {
	teamHead
	// Parents are the teams below which it can be put.
	Parents []branch
	// Fields are those of the form.
	Name, Description, Parent string
}

func (r *room) teamSettings(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	t, err := r.findTeam(c, o)
	if err != nil {
		return err
	}
	page, err := r.teamSettingsPage(c, o, t)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "team-settings", page)
}

func (r *room) teamSettingsPage(c *frame.Call, o frame.Owner, t account.Team) (teamSettingsPage, error) {
	page := teamSettingsPage{teamHead: r.teamHead(c, o, t, "settings"), Name: t.Name, Description: t.Description, Parent: t.Parent}
	all, err := r.Accounts.Teams(c.R.Context(), o.Login)
	page.Parents = without(tree(all), t.ID)
	return page, err
}

// without leaves a team out of a tree, and those below it.
func without(all []branch, id int64) (list []branch) {
	inside := -1 // the depth of the team while we are below it
	for _, b := range all {
		if inside >= 0 && b.Depth > inside {
			continue
		}
		if inside = -1; b.ID == id {
			inside = b.Depth
			continue
		}
		list = append(list, b)
	}
	return list
}

func (r *room) changeTeam(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	t, err := r.findTeam(c, o)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	name, description, parent := strings.TrimSpace(form.Get("name")), form.Get("description"), form.Get("parent")
	at, err := r.applyTeam(c, o, t, name, description, parent)
	if err == nil {
		return c.Done(orgPath(o.Login, "teams", at, "settings"), "saved")
	}
	page, failure := r.teamSettingsPage(c, o, t)
	if failure != nil {
		return failure
	}
	page.Name, page.Description, page.Parent = name, description, parent
	return r.failed(c, err, "team-settings", &page.Page, func() any { return page })
}

// applyTeam changes what is different, and returns the slug that the team has
// then.
func (r *room) applyTeam(c *frame.Call, o frame.Owner, t account.Team, name, description, parent string) (string, error) {
	ctx, by := c.R.Context(), audit.By(c.Who)
	if parent != t.Parent {
		if err := r.Accounts.MoveTeam(ctx, by, o.Login, t.Slug, parent); err != nil {
			return t.Slug, err
		}
	}
	if name == t.Name && description == t.Description {
		return t.Slug, nil
	}
	change, at := account.TeamChange{Name: &name, Description: &description}, t.Slug
	if name != t.Name {
		at = slug(name)
		change.Slug = &at
	}
	return at, r.Accounts.ChangeTeam(ctx, by, o.Login, t.Slug, change)
}

func (r *room) deleteTeam(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	t, err := r.findTeam(c, o)
	if err != nil {
		return err
	}
	if err = c.Typed(t.Slug); err == nil {
		err = r.Accounts.DeleteTeam(c.R.Context(), audit.By(c.Who), o.Login, t.Slug)
	}
	if err == nil {
		return c.Done(orgPath(o.Login, "teams"), "org-team-deleted")
	}
	page, failure := r.teamSettingsPage(c, o, t)
	if failure != nil {
		return failure
	}
	return r.failed(c, err, "team-settings", &page.Page, func() any { return page })
}
