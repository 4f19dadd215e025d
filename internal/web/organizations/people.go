package organizations

import (
	"net/url"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// listed is how many people a page shows.
const listed = 50

// peoplePage is who belongs to an organization.
type peoplePage struct {
	frame.OwnerPage
	Members []account.MemberAccount
	// Total is how many there are on all pages, Query what was looked for.
	Total         int
	Query         string
	Newest, Older string
	// Outside are those with a role on a repository who are no members; for
	// administrators alone.
	Outside []account.Account
	// Login and AsOwner are of a form that did not succeed.
	Login   string
	AsOwner bool
}

// orgPath is the address of a page below /orgs/ORG.
func orgPath(org string, parts ...string) string {
	at := "/orgs/" + url.PathEscape(org)
	for _, part := range parts {
		at += "/" + url.PathEscape(part)
	}
	return at
}

// At is the address of what is done to a member.
func (p peoplePage) At(login, what string) string {
	return orgPath(p.Owner.Login, "people", login, what)
}

// List is the address of the list.
func (p peoplePage) List() string { return orgPath(p.Owner.Login, "people") }

func (r *room) people(c *frame.Call) error {
	o, err := r.seen(c)
	if err != nil {
		return err
	}
	page, err := r.peoplePage(c, o)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "people", page)
}

func (r *room) peoplePage(c *frame.Call, o frame.Owner) (peoplePage, error) {
	page := peoplePage{OwnerPage: c.OwnerPage(o, "people", "orgs.people", o.DisplayLogin), Query: strings.TrimSpace(c.Query("query"))}
	all, err := r.Directory.MemberAccounts(c.R.Context(), o.ID)
	if err != nil {
		return page, err
	}
	after := c.Query("after")
	for _, m := range all {
		if !matches(m.Account, page.Query) {
			continue
		}
		page.Total++
		if m.Login <= after {
			continue
		}
		if len(page.Members) == listed {
			page.Older = page.pageAfter(page.Members[listed-1].Login)
			continue
		}
		page.Members = append(page.Members, m)
	}
	if after != "" {
		page.Newest = page.pageAfter("")
	}
	if o.Admin {
		page.Outside, err = r.Directory.OutsideCollaborators(c.R.Context(), o.ID)
	}
	return page, err
}

// matches reports whether the login or the name has the text somewhere.
func matches(a account.Account, text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(a.Login, text) || strings.Contains(strings.ToLower(a.Name), text)
}

func (p peoplePage) pageAfter(login string) string {
	q := url.Values{}
	if p.Query != "" {
		q.Set("query", p.Query)
	}
	if login != "" {
		q.Set("after", login)
	}
	return p.List() + "?" + q.Encode()
}

// membership reads the role of a form.
func membership(c *frame.Call) (url.Values, access.Membership, error) {
	form, err := c.Form()
	if err != nil {
		return nil, "", err
	}
	switch role := access.Membership(form.Get("role")); role {
	case access.Member, access.Owner:
		return form, role, nil
	}
	return nil, "", errs.New(errs.Invalid, "a member's role is %s or %s", access.Member, access.Owner)
}

func (r *room) addMember(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	form, role, err := membership(c)
	if err != nil {
		return err
	}
	login := strings.TrimSpace(form.Get("login"))
	if err := r.Accounts.SetMember(c.R.Context(), audit.By(c.Who), o.Login, login, role); err != nil {
		return r.peopleAgain(c, o, err, login, role == access.Owner)
	}
	return c.Done(orgPath(o.Login, "people"), "org-member-added")
}

func (r *room) peopleAgain(c *frame.Call, o frame.Owner, cause error, login string, owner bool) error {
	page, err := r.peoplePage(c, o)
	if err != nil {
		return err
	}
	page.Login, page.AsOwner = login, owner
	return r.failed(c, cause, "people", &page.Page, func() any { return page })
}

func (r *room) setRole(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	_, role, err := membership(c)
	if err != nil {
		return err
	}
	if err := r.isMember(c, o); err != nil {
		return err
	}
	if err := r.Accounts.SetMember(c.R.Context(), audit.By(c.Who), o.Login, c.Param("login"), role); err != nil {
		return r.peopleAgain(c, o, err, "", false)
	}
	return r.afterMyself(c, o, "org-role-changed")
}

// isMember keeps a form about a member from making one of somebody who left.
func (r *room) isMember(c *frame.Call, o frame.Owner) error {
	all, err := r.Directory.MemberAccounts(c.R.Context(), o.ID)
	if err != nil {
		return err
	}
	for _, m := range all {
		if strings.EqualFold(m.Login, c.Param("login")) {
			return nil
		}
	}
	return errNotThere()
}

func (r *room) removeMember(c *frame.Call) error {
	o, err := r.ruled(c)
	if err != nil {
		return err
	}
	if err := r.Accounts.RemoveMember(c.R.Context(), audit.By(c.Who), o.Login, c.Param("login")); err != nil {
		return r.peopleAgain(c, o, err, "", false)
	}
	return r.afterMyself(c, o, "org-member-removed")
}

// afterMyself goes back to the list, or to the organization when who changed it
// may not see the list any more.
func (r *room) afterMyself(c *frame.Call, o frame.Owner, key string) error {
	now, err := c.FindOwner(o.Login)
	if err == nil && !now.Member {
		return c.Done(o.PackagesPath(), key)
	}
	return c.Done(orgPath(o.Login, "people"), key)
}
