package site

import (
	"net/url"
	"strings"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// accountsPage lists users or organizations in the order of their logins.
type accountsPage struct {
	sitePage
	Organizations bool
	List          []account.Account
	// Query is what the logins begin with.
	Query         string
	Newest, Older string
}

// At is the address of an account in the administration.
func (p accountsPage) At(login string) string { return accountPath(login) }

func accountPath(login string, parts ...string) string {
	at := "/site/accounts/" + url.PathEscape(login)
	for _, part := range parts {
		at += "/" + part
	}
	return at
}

func (r *room) accounts(c *frame.Call) error {
	p := accountsPage{sitePage: page(c, "accounts", "site.accounts"), Query: strings.ToLower(strings.TrimSpace(c.Query("query")))}
	kind := account.User
	if p.Organizations = c.Query("kind") == string(account.Organization); p.Organizations {
		kind = account.Organization
	}
	if strings.Trim(p.Query, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" { // no login is like that
		return r.Show(c, frame.OK, "accounts", p)
	}
	after := c.Query("after")
	if before := justBefore(p.Query); after < before {
		after = before
	}
	list, err := r.Accounts.List(c.R.Context(), kind, after, listed+1)
	if err != nil {
		return err
	}
	for _, a := range list {
		if !strings.HasPrefix(a.Login, p.Query) {
			break
		}
		if len(p.List) == listed {
			p.Older = p.pageAfter(p.List[listed-1].Login)
			break
		}
		p.List = append(p.List, a)
	}
	if c.Query("after") != "" {
		p.Newest = p.pageAfter("")
	}
	return r.Show(c, frame.OK, "accounts", p)
}

// justBefore is a text before all logins that begin with prefix, and behind all
// that are before those.
func justBefore(prefix string) string {
	if prefix == "" {
		return ""
	}
	last := len(prefix) - 1
	return prefix[:last] + string(rune(prefix[last]-1)) + "\x7f"
}

func (p accountsPage) pageAfter(login string) string {
	q := url.Values{}
	if p.Organizations {
		q.Set("kind", string(account.Organization))
	}
	if p.Query != "" {
		q.Set("query", p.Query)
	}
	if login != "" {
		q.Set("after", login)
	}
	return "/site/accounts?" + q.Encode()
}

// newUserPage makes a user.
type newUserPage struct {
	sitePage
	Login, Name, Email string
	Administrator      bool
}

func (r *room) newUser(c *frame.Call) error {
	return r.Show(c, frame.OK, "new-user", newUserPage{sitePage: page(c, "accounts", "site.new-user")})
}

func (r *room) createUser(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	p := newUserPage{
		sitePage: page(c, "accounts", "site.new-user"), Login: strings.TrimSpace(form.Get("login")), Name: strings.TrimSpace(form.Get("name")),
		Email: strings.TrimSpace(form.Get("email")), Administrator: form.Get("administrator") != "",
	}
	a, err := r.Accounts.CreateUser(c.R.Context(), audit.By(c.Who), account.NewUser{
		Login: p.Login, Password: form.Get("password"), SiteAdmin: p.Administrator, Name: p.Name, Email: p.Email,
	})
	if err != nil {
		return r.failed(c, err, "new-user", &p.Page, func() any { return p })
	}
	return c.Done(accountPath(a.Login), "site-user-created")
}

// accountPage is one account as those who run the site see it.
type accountPage struct {
	sitePage
	Account account.Account
	// Self is set when it is the visitor's own.
	Self bool
	// In are the organizations of a user, and Members those in an organization.
	In      []account.MembershipIn
	Members []account.MemberAccount
	// Identities are those by which the user signs in at the provider.
	Identities []account.Identity
	Provider   string
	// Factor is the second factor of a user.
	Factor   account.FactorStatus
	NewLogin string
}

// At is the address of what is done to the account.
func (p accountPage) At(what string) string { return accountPath(p.Account.Login, what) }

// IsOrganization reports whether it is one.
func (p accountPage) IsOrganization() bool { return p.Account.Kind == account.Organization }

func (r *room) accountPage(c *frame.Call) (accountPage, error) {
	a, err := r.Accounts.Get(c.R.Context(), c.Param("login"))
	if err != nil {
		return accountPage{}, err
	}
	p := accountPage{sitePage: page(c, "accounts", "site.account", a.DisplayLogin), Account: a, Self: a.ID == c.Who.AccountID, Provider: r.ProviderName}
	p.Crumbs = []frame.Crumb{{Text: c.Page("site.accounts").Title, Path: "/site/accounts"}}
	if p.IsOrganization() {
		p.Members, err = r.Members.MemberAccounts(c.R.Context(), a.ID)
		return p, err
	}
	if p.In, err = r.Members.Memberships(c.R.Context(), a.ID); err != nil {
		return p, err
	}
	if p.Factor, err = r.Factors.Status(c.R.Context(), a.ID); err != nil || r.Identities == nil {
		return p, err
	}
	p.Identities, err = r.Identities.Store.ListIdentities(c.R.Context(), a.ID)
	return p, err
}

func (r *room) account(c *frame.Call) error {
	p, err := r.accountPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "account", p)
}

// changeAccount does what the path says to the account that it names, and shows
// the account again when that fails.
func (r *room) changeAccount(c *frame.Call) error {
	p, err := r.accountPage(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	to, done := accountPath(p.Account.Login), "saved"
	switch c.Param("what") {
	case "rename":
		p.NewLogin = strings.TrimSpace(form.Get("login"))
		to, done = accountPath(strings.ToLower(p.NewLogin)), "site-account-renamed"
	case "delete":
		to, done = "/site/accounts", "site-account-deleted"
	}
	if err := r.change(c, p.Account, form); err != nil {
		return r.failed(c, err, "account", &p.Page, func() any { return p })
	}
	return c.Done(to, done)
}

func (r *room) change(c *frame.Call, a account.Account, form url.Values) error {
	ctx, by, user := c.R.Context(), audit.By(c.Who), a.Kind == account.User
	self := a.ID == c.Who.AccountID
	switch what := c.Param("what"); {
	case what == "suspend" && self:
		return errs.New(errs.Denied, "an account is not suspended by itself")
	case what == "suspend", what == "unsuspend":
		return r.Accounts.Suspend(ctx, by, a.Login, what == "suspend")
	case user && (what == "promote" || what == "demote"):
		return r.Accounts.SetSiteAdmin(ctx, by, a.Login, what == "promote")
	case user && what == "password":
		return r.Accounts.SetPassword(ctx, by, a.Login, form.Get("password"))
	case user && what == "second_factor":
		return r.Factors.Reset(ctx, by, a)
	case user && what == "unlink" && r.Identities != nil:
		return r.Identities.Unlink(ctx, by, a)
	case what == "rename":
		if err := c.Typed(a.Login); err != nil {
			return err
		}
		return r.Accounts.Rename(ctx, by, a.Login, strings.TrimSpace(form.Get("login")))
	case what == "delete" && self:
		return errs.New(errs.Denied, "an account is not deleted by itself")
	case what == "delete":
		if err := c.Typed(a.Login); err != nil {
			return err
		}
		return r.Accounts.Delete(ctx, by, a.Login, a.Kind)
	}
	return errNotThere()
}
