package rest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
)

func (h *Handler) userRoutes() []route {
	return []route{
		{"GET", "/user", h.getSelf, people()},
		{"PATCH", "/user", h.patchSelf, self(access.User)},
		{"GET", "/users", h.listUsers, people()},
		{"GET", "/users/{username}", h.getUser, anyAccount()},
		{"GET", "/user/orgs", h.listOwnOrganizations, self(access.ReadOrg)},
		{"GET", "/users/{username}/orgs", h.listUserOrganizations, onAccount(account.User, 0, 0)},
		{"GET", "/user/repos", h.listOwnRepositories, self(0)},
		{"GET", "/users/{username}/repos", h.listAccountRepositories, anyAccount()},
		{"GET", "/user/teams", h.listOwnTeams, self(access.ReadOrg)},
		{"GET", "/user/{account_id}", h.getAccountByID, people()},
	}
}

// people is the policy of what everybody may do who signed in as a person, by
// any credential but a bearer token of the registries.
func people() policy {
	return checked(0, func(c *call) error {
		switch {
		case c.who.Anonymous():
			return errs.New(errs.Unauthenticated, "Requires authentication")
		case !c.who.User() || c.who.Restricted:
			return errs.New(errs.Denied, "Resource not accessible by integration")
		}
		return nil
	})
}

// told reports whether the caller is told of an account what is for those who
// administer it, which takes a credential that is for accounts.
func (c *call) told(s access.Standing) bool {
	needed := access.ReadUser
	if s.Organization {
		needed = access.ReadOrg
	}
	return (c.who.Scopes.Has(needed) || c.who.Scopes.Has(access.SiteAdministration)) &&
		access.DecideDirectory(c.who, s, access.AdministerAccount) == access.Granted
}

// publicUser is GitHub's public-user, also of an organization. The address of
// mail is shown to the account itself and to those who administer it.
func (c *call) publicUser(a account.Account, s access.Standing) (object, error) {
	public, _, err := c.h.Directory.RepositoryCounts(c.r.Context(), a.ID)
	if err != nil {
		return nil, err
	}
	o := c.h.userOf(a)
	maps.Copy(o, object{
		"name": text(a.Name), "company": nil, "blog": "", "location": nil, "hireable": nil, "bio": text(a.Description),
		"twitter_username": nil, "public_repos": public, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": moment(a.CreatedAt), "updated_at": moment(a.CreatedAt),
	})
	if c.told(s) {
		o["email"], o["suspended"] = text(a.Email), a.Suspended
	}
	return o, nil
}

// privateUser is GitHub's private-user: what people are told of themselves.
func (c *call) privateUser(a account.Account, s access.Standing) (object, error) {
	o, err := c.publicUser(a, s)
	if err != nil {
		return nil, err
	}
	_, others, err := c.h.Directory.RepositoryCounts(c.r.Context(), a.ID)
	maps.Copy(o, object{
		"private_gists": 0, "total_private_repos": others, "owned_private_repos": others, "disk_usage": 0, "collaborators": 0,
		"two_factor_authentication": false, "packages_inherit_access": a.Settings.InheritDefault,
		"default_package_visibility": string(a.Settings.DefaultVisibility),
	})
	return o, err
}

func (h *Handler) getSelf(c *call) error {
	if err := c.findAccount(c.who.Login, account.User); err != nil {
		return err
	}
	o, err := c.privateUser(c.target.account, c.target.standing)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, o)
}

// selfPatch is the body of PATCH /user. What else GitHub has there is ignored.
type selfPatch struct {
	Name  *string `json:"name"`
	Email *string `json:"email"`
	Bio   *string `json:"bio"`
	// InheritDefault and DefaultVisibility are this server's own, for new packages
	// in the user's namespace: see organizationSettings.
	InheritDefault    *bool   `json:"packages_inherit_access"`
	DefaultVisibility *string `json:"default_package_visibility"`
}

func (h *Handler) patchSelf(c *call) error {
	var b selfPatch
	if err := c.body(&b); err != nil {
		return err
	}
	profile := account.Profile{Name: b.Name, Email: b.Email, Description: b.Bio}
	settings, err := organizationSettings{InheritDefault: b.InheritDefault, DefaultVisibility: b.DefaultVisibility}.change(c.target.account.Settings)
	if err != nil {
		return err
	}
	if err := c.changeAccount(profile, settings); err != nil {
		return err
	}
	return h.getSelf(c)
}

func (h *Handler) getUser(c *call) error {
	o, err := c.publicUser(c.target.account, c.target.standing)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, o)
}

// getAccountByID is GET /user/{account_id}, a user or an organization.
func (h *Handler) getAccountByID(c *call) error {
	id, err := c.id("account_id")
	if err != nil {
		return errNotThere()
	}
	a, err := h.Directory.AccountByID(c.r.Context(), id)
	if err != nil {
		return absent(err)
	}
	if err := c.findAccount(a.Login, ""); err != nil {
		return err
	}
	return h.getUser(c)
}

// listUsers is GET /users: everybody, by id, from since on.
func (h *Handler) listUsers(c *call) error { return h.accountsSince(c, "") }

func (h *Handler) accountsSince(c *call, k account.Kind) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	since := int64(0)
	if c.q.Has("since") {
		if since, err = strconv.ParseInt(c.q.Get("since"), 10, 64); err != nil {
			return errs.New(errs.Invalid, "Invalid argument. since must be an integer.")
		}
	}
	list, err := h.Directory.AccountsAfter(c.r.Context(), k, since, p.perPage+1)
	if err != nil {
		return err
	}
	if len(list) > p.perPage {
		list = list[:p.perPage]
		next := c.at(url.Values{"since": {strconv.FormatInt(list[len(list)-1].ID, 10)}})
		c.w.Header().Set("Link", "<"+next+`>; rel="next"`)
	}
	if k == account.Organization {
		return c.json(http.StatusOK, h.organizations(list))
	}
	return c.json(http.StatusOK, h.users(list))
}

func (h *Handler) listOwnOrganizations(c *call) error {
	return h.listOrganizationsOf(c, c.target.account, func(account.MembershipIn) bool { return true })
}

// listUserOrganizations is GET /users/{username}/orgs. Memberships are private
// here: they are shown to those in the same organization.
func (h *Handler) listUserOrganizations(c *call) error {
	of := c.target.account
	return h.listOrganizationsOf(c, of, func(m account.MembershipIn) bool {
		_, s, err := h.Accounts.Standing(c.r.Context(), c.who, m.Organization.Login)
		own := c.who.AccountID == of.ID && c.who.Scopes.Has(access.ReadOrg) && access.DecideDirectory(c.who, c.target.standing, access.AdministerAccount) == access.Granted
		return err == nil && (own || access.DecideDirectory(c.who, s, access.SeeMembers) == access.Granted)
	})
}

func (h *Handler) listOrganizationsOf(c *call, user account.Account, shown func(account.MembershipIn) bool) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := h.Directory.Memberships(c.r.Context(), user.ID)
	if err != nil {
		return err
	}
	var seen []account.Account
	for _, m := range all {
		if shown(m) {
			seen = append(seen, m.Organization)
		}
	}
	return c.list(p, len(seen), h.organizations(slice(p, seen)))
}

func (h *Handler) listOwnTeams(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := h.Directory.TeamsOf(c.r.Context(), c.target.account.ID)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(t account.TeamIn) bool {
		_, s, err := h.Accounts.Standing(c.r.Context(), c.who, t.Organization.Login)
		return err != nil || access.DecideDirectory(c.who, s, access.SeeMembers) != access.Granted // without its single sign-on
	})
	teams := []object{}
	for _, t := range slice(p, all) {
		o := h.teamObject(t.Organization, t.Team)
		o["organization"] = h.organizationSimple(t.Organization)
		teams = append(teams, o)
	}
	return c.list(p, len(all), teams)
}
