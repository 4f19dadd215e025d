package rest

import (
	"net/http"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
)

func (h *Handler) memberRoutes() []route {
	admin := onAccount(account.Organization, access.AdminOrg, access.AdministerAccount)
	seen := onAccount(account.Organization, access.ReadOrg, access.SeeMembers)
	return []route{
		{"GET", "/orgs/{org}/members", h.listMembers, onAccount(account.Organization, access.ReadOrg, 0)},
		{"GET", "/orgs/{org}/public_members", h.listPublicMembers, onAccount(account.Organization, 0, 0)},
		{"GET", "/orgs/{org}/members/{username}", h.checkMember, seen},
		{"DELETE", "/orgs/{org}/members/{username}", h.removeMember, admin},
		{"GET", "/orgs/{org}/memberships/{username}", h.getMembership, seen},
		{"PUT", "/orgs/{org}/memberships/{username}", h.putMembership, admin},
		{"DELETE", "/orgs/{org}/memberships/{username}", h.removeMember, admin},
		{"GET", "/user/memberships/orgs", h.listOwnMemberships, self(access.ReadOrg)},
		{"GET", "/user/memberships/orgs/{org}", h.getOwnMembership, onAccount(account.Organization, access.ReadOrg, access.SeeMembers)},
		{"GET", "/orgs/{org}/outside_collaborators", h.listOutside, admin},
		{"GET", "/orgs/{org}/invitations", h.listNothing, admin},
	}
}

// membershipRole is a role in an organization in GitHub's words.
func membershipRole(m access.Membership) string {
	if m == access.Owner {
		return "admin"
	}
	return "member"
}

// orgMembership is GitHub's org-membership. Nobody is invited here: whoever is a
// member is an active one.
func (h *Handler) orgMembership(org, user account.Account, role access.Membership) object {
	return object{
		"url":   h.Base + "/orgs/" + org.Login + "/memberships/" + user.Login,
		"state": "active", "role": membershipRole(role), "direct_membership": true, "enterprise_teams_providing_indirect_membership": []string{},
		"organization_url": h.Base + "/orgs/" + org.Login, "organization": h.organizationSimple(org), "user": h.userOf(user),
	}
}

// listMembers is GET /orgs/{org}/members. Memberships are private here, so that
// those who are not in the organization see none.
func (h *Handler) listMembers(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	switch v := access.DecideDirectory(c.who, c.target.standing, access.SeeMembers); v {
	case access.Granted:
	case access.Unseen:
		return c.list(p, 0, []object{})
	default:
		return c.refusal(v)
	}
	role := c.q.Get("role")
	if role != "" && role != "all" && role != "admin" && role != "member" {
		return invalid("role is all, admin or member")
	}
	list, err := h.Directory.MemberAccounts(c.r.Context(), c.target.account.ID)
	if err != nil {
		return err
	}
	var chosen []account.Account
	for _, m := range list {
		if role == "" || role == "all" || role == membershipRole(m.Role) {
			chosen = append(chosen, m.Account)
		}
	}
	return c.list(p, len(chosen), h.users(slice(p, chosen)))
}

// listPublicMembers is GET /orgs/{org}/public_members: there are none.
func (h *Handler) listPublicMembers(c *call) error { return h.listNothing(c) }

// listNothing answers for what GitHub has and this server never does.
func (h *Handler) listNothing(c *call) error { return c.json(http.StatusOK, []object{}) }

// membership returns the user that the path names and its role in the
// organization; NotFound for none.
func (c *call) membership() (user account.Account, role access.Membership, err error) {
	login := c.param("username")
	if login == "" {
		login = c.who.Login
	}
	user, err = c.h.Accounts.Get(c.r.Context(), login)
	if err != nil {
		return user, "", absent(err)
	}
	list, err := c.h.Directory.Memberships(c.r.Context(), user.ID)
	if err != nil {
		return user, "", err
	}
	for _, m := range list {
		if m.Organization.ID == c.target.account.ID {
			return user, m.Role, nil
		}
	}
	return user, "", errNotThere()
}

func (h *Handler) checkMember(c *call) error {
	if _, _, err := c.membership(); err != nil {
		return err
	}
	return c.none()
}

func (h *Handler) getMembership(c *call) error {
	user, role, err := c.membership()
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, h.orgMembership(c.target.account, user, role))
}

func (h *Handler) getOwnMembership(c *call) error { return h.getMembership(c) }

// membershipRequest is the body of PUT /orgs/{org}/memberships/{username}.
type membershipRequest struct {
	// Role is member or admin; member if it is absent.
	Role string `json:"role"`
}

// putMembership makes the user a member at once: no invitation is sent.
func (h *Handler) putMembership(c *call) error {
	b := membershipRequest{Role: "member"}
	if err := c.body(&b); err != nil {
		return err
	}
	role := access.Member
	switch b.Role {
	case "member":
	case "admin":
		role = access.Owner
	default:
		return invalid("role is member or admin")
	}
	if err := h.Accounts.SetMember(c.r.Context(), c.by(), c.target.account.Login, c.param("username"), role); err != nil {
		return changed(absent(err))
	}
	return h.getMembership(c)
}

func (h *Handler) removeMember(c *call) error {
	if err := h.Accounts.RemoveMember(c.r.Context(), c.by(), c.target.account.Login, c.param("username")); err != nil {
		return changed(absent(err))
	}
	return c.none()
}

// listOwnMemberships is GET /user/memberships/orgs; state=pending lists none.
func (h *Handler) listOwnMemberships(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := h.Directory.Memberships(c.r.Context(), c.target.account.ID)
	if err != nil {
		return err
	}
	switch c.q.Get("state") {
	case "", "active":
	case "pending":
		all = nil
	default:
		return invalid("state is active or pending")
	}
	list := []object{}
	for _, m := range slice(p, all) {
		list = append(list, h.orgMembership(m.Organization, c.target.account, m.Role))
	}
	return c.list(p, len(all), list)
}

// listOutside is GET /orgs/{org}/outside_collaborators: those who have a role of
// their own on a repository of the organization and are no members.
func (h *Handler) listOutside(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	list, err := h.Directory.OutsideCollaborators(c.r.Context(), c.target.account.ID)
	if err != nil {
		return err
	}
	return c.list(p, len(list), h.users(slice(p, list)))
}

// folded compares logins.
func folded(a, b string) bool { return strings.EqualFold(a, b) }

// errNoUser is 422 for a login in a body that leads to no user.
func errNoUser(login string) error {
	return errs.New(errs.Invalid, "There is no user %q.", login).WithCode(unprocessable)
}
