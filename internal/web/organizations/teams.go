package organizations

import (
	"strings"
	"unicode"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/web/frame"
)

// branch is a team in the tree of teams.
type branch struct {
	account.Team
	// Depth is how many teams are above it, and Indent that number for the look,
	// which does not go on for ever.
	Depth, Indent int
}

// deepest is how far teams are indented.
const deepest = 5

// teamsPage is the tree of an organization's teams.
type teamsPage struct {
	frame.OwnerPage
	Teams []branch
	Query string
	// Provider is what people call the outside provider whose groups may fill
	// teams; empty without one.
	Provider string
	// Of a form that did not succeed.
	Name, Description, Parent, Group string
	Open                             bool
}

// At is the address of a team.
func (p teamsPage) At(slug string) string { return orgPath(p.Owner.Login, "teams", slug) }

// List is the address of the list.
func (p teamsPage) List() string { return orgPath(p.Owner.Login, "teams") }

// tree brings teams into the order of a tree, those of one parent as they were.
func tree(list []account.Team) []branch {
	below := map[int64][]account.Team{}
	for _, t := range list {
		below[t.ParentID] = append(below[t.ParentID], t)
	}
	var all []branch
	var add func(parent int64, depth int)
	add = func(parent int64, depth int) {
		for _, t := range below[parent] {
			all = append(all, branch{t, depth, min(depth, deepest)})
			add(t.ID, depth+1)
		}
	}
	add(0, 0)
	return all
}

// slug is the name of a team as it stands in addresses.
func slug(name string) string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(parts, "-")
}

func (r *room) teams(c *frame.Call) error {
	o, err := r.seen(c)
	if err != nil {
		return err
	}
	page, err := r.teamsPage(c, o)
	if err != nil {
		return err
	}
	page.Parent = c.Query("parent")
	page.Open = page.Parent != ""
	return r.Show(c, frame.OK, "teams", page)
}

func (r *room) teamsPage(c *frame.Call, o frame.Owner) (teamsPage, error) {
	page := teamsPage{
		OwnerPage: c.OwnerPage(o, "teams", "orgs.teams", o.DisplayLogin), Provider: r.ProviderName,
		Query: strings.TrimSpace(c.Query("query")),
	}
	list, err := r.Accounts.Teams(c.R.Context(), o.Login)
	if err != nil {
		return page, err
	}
	for _, t := range tree(list) {
		if text := strings.ToLower(page.Query); strings.Contains(t.Slug, text) || strings.Contains(strings.ToLower(t.Name), text) {
			page.Teams = append(page.Teams, t)
		}
	}
	return page, nil
}

func (r *room) createTeam(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	n := account.NewTeam{
		Slug: slug(form.Get("name")), Name: strings.TrimSpace(form.Get("name")), Description: form.Get("description"),
		Parent: form.Get("parent"), Group: form.Get("group"),
	}
	t, err := r.Accounts.CreateTeam(c.R.Context(), audit.By(c.Who), o.Login, n)
	if err == nil {
		return c.Done(orgPath(o.Login, "teams", t.Slug), "org-team-created")
	}
	page, failure := r.teamsPage(c, o)
	if failure != nil {
		return failure
	}
	page.Name, page.Description, page.Parent, page.Group, page.Open = n.Name, n.Description, n.Parent, n.Group, true
	return r.failed(c, err, "teams", &page.Page, func() any { return page })
}
