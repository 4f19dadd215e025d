package settings

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
)

// newFinePage makes a fine-grained token.
type newFinePage struct {
	frame.OwnerPage
	Note    string
	Expiry  expiry
	Rows    []reachRow
	MaxNote int
	// Known are names to choose from: owners and packages that the visitor knows.
	Known []string
}

// reachRow is one line of the form: what the token reaches.
type reachRow struct {
	Number             int
	Kind, Name         string
	Pull, Push, Delete bool
}

// The kinds of things that a token reaches.
const (
	ofPackage    = "package"
	ofRepository = "repository"
	ofOwner      = "owner"
)

// moreRows is how many lines the form begins with, and how many it grows by.
const moreRows = 3

// newFine is the form, filled as links to GitHub's fill it: by name or
// description, target_name and expires_in.
func (r *room) newFine(c *frame.Call) error {
	note := c.Query("name")
	if note == "" {
		note = c.Query("description")
	}
	form := url.Values{"note": {note}, "expires": {days(c.Query("expires_in"))}}
	if target := c.Query("target_name"); target != "" {
		kind := ofOwner
		if strings.Contains(target, "/") {
			kind = ofPackage
		}
		form["kind"], form["name"], form["pull"] = []string{kind}, []string{target}, []string{"1"}
	}
	page, err := r.newFinePage(c, form)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "new-fine-grained", page)
}

// newFinePage is the form with what was filled in. The fields of a line are told
// from those of others by its number, from 1.
func (r *room) newFinePage(c *frame.Call, form url.Values) (newFinePage, error) {
	own, err := r.own(c, "tokens", "tokens.new-fine-grained")
	if err != nil {
		return newFinePage{}, err
	}
	choice := form.Get("expires")
	if choice == noExpiry || choice == "" {
		choice = defaultDays
	}
	page := newFinePage{OwnerPage: own, Note: form.Get("note"), Expiry: expiryOf(c, choice, form.Get("until"), false), MaxNote: token.MaxNote}
	page.Rows = reachRows(form)
	page.Known, err = r.known(c)
	return page, err
}

func reachRows(form url.Values) []reachRow {
	set := map[string]map[string]bool{}
	for _, action := range []string{"pull", "push", "delete"} {
		set[action] = map[string]bool{}
		for _, number := range form[action] {
			set[action][number] = true
		}
	}
	var rows []reachRow
	for i, name := range form["name"] {
		if len(rows) == token.MaxLimits {
			break
		}
		row := reachRow{Number: i + 1, Name: strings.TrimSpace(name), Kind: ofPackage}
		if i < len(form["kind"]) {
			row.Kind = form["kind"][i]
		}
		number := strconv.Itoa(row.Number)
		row.Pull, row.Push, row.Delete = set["pull"][number], set["push"][number], set["delete"][number]
		rows = append(rows, row)
	}
	for len(rows) < moreRows || form.Get("more") != "" && len(rows) < min(len(form["name"])+moreRows, token.MaxLimits) {
		rows = append(rows, reachRow{Number: len(rows) + 1, Kind: ofPackage, Pull: true})
	}
	return rows
}

// known returns what the form offers: the visitor's own namespace, those of its
// organizations, and the first packages in them.
func (r *room) known(c *frame.Call) ([]string, error) {
	owners := []string{c.Who.Login}
	list, err := r.Directory.Memberships(c.R.Context(), c.Who.AccountID)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		owners = append(owners, m.Organization.Login)
	}
	names := owners
	for _, owner := range owners[:min(len(owners), 10)] {
		found, _, err := r.Packages.ListPackages(c.R.Context(), c.Who, packages.ListQuery{Owner: owner, PerPage: 50})
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			names = append(names, p.Name.String())
		}
	}
	return names, nil
}

func (r *room) createFine(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	page, err := r.newFinePage(c, form)
	if err != nil {
		return err
	}
	if form.Get("more") != "" {
		return r.Show(c, frame.OK, "new-fine-grained", page)
	}
	secret, made, err := r.makeFine(c, page)
	if err != nil {
		return r.again(c, err, "new-fine-grained", &page.Page, func() any { return page })
	}
	return r.made(c, secret, made)
}

func (r *room) makeFine(c *frame.Call, page newFinePage) (token.Secret, token.Token, error) {
	n := token.NewToken{AccountID: c.Who.AccountID, Target: c.Who.Login, Note: strings.TrimSpace(page.Note)}
	for _, row := range page.Rows {
		if row.Name == "" {
			continue
		}
		limits, err := r.limits(c.R.Context(), c.Who, row)
		if err != nil {
			return token.Secret{}, token.Token{}, err
		}
		n.Limits = append(n.Limits, limits...)
	}
	if len(n.Limits) == 0 {
		return token.Secret{}, token.Token{}, errs.New(errs.Invalid, "a fine-grained token names a package, a repository with packages, or an owner")
	}
	var err error
	if n.ExpiresAt, err = page.Expiry.end(c.Frame.Now()); err != nil {
		return token.Secret{}, token.Token{}, err
	}
	return r.Personal.Create(c.R.Context(), audit.By(c.Who), n)
}

// limits finds what a line names, among what the visitor may know of.
func (r *room) limits(ctx context.Context, who access.Principal, row reachRow) ([]access.Limit, error) {
	var words []string
	for word, set := range map[string]bool{"pull": row.Pull, "push": row.Push, "delete": row.Delete} {
		if set {
			words = append(words, word)
		}
	}
	actions, err := token.ParseActionSet(strings.Join(words, ","))
	if err != nil {
		return nil, errs.New(errs.Invalid, "choose what the token may do with %q", row.Name)
	}
	switch row.Kind {
	case ofOwner:
		a, err := r.Accounts.Get(ctx, row.Name)
		if err != nil {
			return nil, errs.New(errs.Invalid, "there is no account %q", row.Name)
		}
		return []access.Limit{{OwnerID: a.ID, Actions: actions}}, nil
	case ofRepository:
		return r.linked(ctx, who, row.Name, actions)
	}
	name, err := oci.ParseName(strings.ToLower(row.Name))
	if err != nil {
		return nil, errNoPackage(row.Name)
	}
	p, err := r.Packages.Package(ctx, who, access.Package{Type: access.Container, Also: access.Docker, Name: name})
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Denied) || errs.Is(err, errs.Unauthenticated) {
		return nil, errNoPackage(row.Name)
	}
	return []access.Limit{{OwnerID: p.Owner.ID, PackageID: p.ID, Actions: actions}}, err
}

func errNoPackage(name string) error {
	return errs.New(errs.Invalid, "there is no package %q; everything of an owner takes also packages to come", name)
}

// linked names the packages of a repository, as they are now.
func (r *room) linked(ctx context.Context, who access.Principal, name string, actions access.Actions) ([]access.Limit, error) {
	list, _, err := r.Packages.ListPackages(ctx, who, packages.ListQuery{Repository: name, PerPage: token.MaxLimits + 1})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errs.New(errs.Invalid, "there is no repository %q with packages", name)
	}
	limits := make([]access.Limit, 0, len(list))
	for _, p := range list {
		limits = append(limits, access.Limit{OwnerID: p.Owner.ID, PackageID: p.ID, Actions: actions})
	}
	return limits, nil
}
