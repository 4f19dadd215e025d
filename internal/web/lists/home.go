package lists

import (
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// shownFirst is how many packages the first page shows.
const shownFirst = 10

// welcomePage is the first page for those who are not signed in.
type welcomePage struct {
	frame.Page
	Newest []row
	// SignUp is set when people may make accounts for themselves.
	SignUp bool
}

// homePage is the first page for those who are signed in.
type homePage struct {
	frame.Page
	Mine          []row
	Organizations []account.Account
	Newest        []row
	// Steps is nil once there is something to show.
	Steps *steps
	// Fresh is set while the server holds no package at all.
	Fresh bool
	// Owner is who is signed in.
	Owner frame.Owner
}

func (r *room) first(c *frame.Call) error {
	if c.Who.AccountID == 0 {
		return r.welcome(c)
	}
	return r.home(c)
}

func (r *room) welcome(c *frame.Call) error {
	newest, err := r.Packages.NewestPublic(c.R.Context(), shownFirst)
	if err != nil {
		return err
	}
	p := welcomePage{Page: c.Page("lists.welcome"), Newest: rows(newest, true)}
	if p.SignUp, err = r.Accounts.SignUpOpen(c.R.Context()); err != nil {
		return err
	}
	return r.Show(c, frame.OK, "welcome", p)
}

func (r *room) home(c *frame.Call) error {
	ctx := c.R.Context()
	p := homePage{Page: c.Page("lists.home")}
	var err error
	if p.Owner, err = c.FindOwner(c.Who.Login); err != nil {
		return err
	}
	q := packages.ListQuery{Owner: c.Who.Login, Sort: packages.SortUpdated, PerPage: shownFirst}
	mine, _, err := r.Packages.ListPackages(ctx, c.Who, q)
	if err != nil {
		return err
	}
	newest, err := r.Packages.NewestPublic(ctx, shownFirst)
	if err != nil {
		return err
	}
	p.Mine, p.Newest = rows(mine, false), rows(newest, true)
	if p.Organizations, err = r.organizations(c); err != nil || len(mine) > 0 {
		return r.showHome(c, p, err)
	}
	if p.Fresh, err = r.fresh(c); err != nil {
		return err
	}
	p.Steps, err = r.stepsOf(c, p.Owner, p.Fresh)
	return r.showHome(c, p, err)
}

func (r *room) showHome(c *frame.Call, p homePage, err error) error {
	if err != nil {
		return err
	}
	if p.Steps != nil {
		p.Refresh = refreshAfter
	}
	return r.Show(c, frame.OK, "home", p)
}

// fresh reports whether the server holds no package yet, to its administrators.
func (r *room) fresh(c *frame.Call) (bool, error) {
	if !c.Who.SiteAdmin {
		return false, nil
	}
	any, err := r.Packages.Any(c.R.Context())
	return !any, err
}

// organizations returns those that the person belongs to.
func (r *room) organizations(c *frame.Call) ([]account.Account, error) {
	in, err := r.Directory.Memberships(c.R.Context(), c.Who.AccountID)
	if errs.Is(err, errs.NotFound) {
		err = nil
	}
	var list []account.Account
	for _, m := range in {
		list = append(list, m.Organization)
	}
	return list, err
}
