package rest

import (
	"maps"
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/account"
)

func (h *Handler) organizationRoutes() []route {
	return []route{
		{"GET", "/organizations", h.listOrganizations, people()},
		{"GET", "/orgs/{org}", h.getOrganization, onAccount(account.Organization, 0, 0)},
		{"GET", "/organizations/{org_id}", h.getOrganization, checked(0, (*call).findOrganization)},
		{"PATCH", "/orgs/{org}", h.patchOrganization, onAccount(account.Organization, access.AdminOrg, access.AdministerAccount)},
		{"DELETE", "/orgs/{org}", h.deleteOrganization, onAccount(account.Organization, access.AdminOrg, access.AdministerAccount)},
		{"GET", "/orgs/{org}/repos", h.listAccountRepositories, onAccount(account.Organization, 0, 0)},
	}
}

// organizationSimple is GitHub's organization-simple.
func (h *Handler) organizationSimple(a account.Account) object {
	at := h.Base + "/orgs/" + a.Login
	return object{
		"login": a.Login, "id": a.ID, "node_id": nodeID("Organization", a.ID), "url": at, "repos_url": at + "/repos",
		"events_url": at + "/events", "hooks_url": at + "/hooks", "issues_url": at + "/issues",
		"members_url": at + "/members{/member}", "public_members_url": at + "/public_members{/member}",
		"avatar_url": h.Site + "/" + a.Login + ".png", "description": text(a.Description),
	}
}

func (h *Handler) organizations(list []account.Account) []object {
	all := []object{}
	for _, a := range list {
		all = append(all, h.organizationSimple(a))
	}
	return all
}

// organizationFull is GitHub's organization-full, with its settings for those who
// administer it and for no one else.
func (c *call) organizationFull() (object, error) {
	a := c.target.account
	public, others, err := c.h.Directory.RepositoryCounts(c.r.Context(), a.ID)
	if err != nil {
		return nil, err
	}
	o := c.h.organizationSimple(a)
	maps.Copy(o, object{
		"name": text(a.Name), "company": nil, "blog": nil, "location": nil, "email": nil, "twitter_username": nil,
		"is_verified": false, "has_organization_projects": false, "has_repository_projects": false,
		"public_repos": public, "public_gists": 0, "followers": 0, "following": 0, "html_url": c.h.Site + "/" + a.Login,
		"created_at": moment(a.CreatedAt), "updated_at": moment(a.CreatedAt), "archived_at": nil, "type": "Organization",
	})
	if !c.told(c.target.standing) {
		return o, nil
	}
	create := a.Settings.MembersCreate
	maps.Copy(o, object{
		"email": text(a.Email), "total_private_repos": others, "owned_private_repos": others, "suspended": a.Suspended,
		"default_repository_permission": permissionOf(a.Settings.BaseRole), "members_can_create_repositories": false,
		"members_can_create_public_packages": create.Has(access.Public), "members_can_create_private_packages": create.Has(access.Private),
		"members_can_create_internal_packages": create.Has(access.Internal),
		"packages_inherit_access":              a.Settings.InheritDefault,
		"default_package_visibility":           string(a.Settings.DefaultVisibility), "single_sign_on_required": a.Settings.RequireSSO,
	})
	return o, nil
}

func (h *Handler) listOrganizations(c *call) error { return h.accountsSince(c, account.Organization) }

func (h *Handler) getOrganization(c *call) error {
	o, err := c.organizationFull()
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, o)
}

// organizationPatch is the body of PATCH /orgs/{org}: GitHub's fields that mean
// something here, and this server's own for packages.
type organizationPatch struct {
	Name        *string `json:"name"`
	Email       *string `json:"email"`
	Description *string `json:"description"`
	organizationSettings
}

// organizationSettings are what an organization decides for its packages and
// members.
type organizationSettings struct {
	// DefaultRepositoryPermission is read, write, admin or none, and also triage
	// or maintain.
	DefaultRepositoryPermission *string `json:"default_repository_permission"`
	MembersCreatePublic         *bool   `json:"members_can_create_public_packages"`
	MembersCreatePrivate        *bool   `json:"members_can_create_private_packages"`
	MembersCreateInternal       *bool   `json:"members_can_create_internal_packages"`
	InheritDefault              *bool   `json:"packages_inherit_access"`
	// DefaultVisibility is private, internal, public, or repository for that of
	// the repository a new package is linked to.
	DefaultVisibility *string `json:"default_package_visibility"`
	RequireSSO        *bool   `json:"single_sign_on_required"`
}

// change returns the settings as they are changed from those before.
func (s organizationSettings) change(before account.Settings) (c account.SettingsChange, err error) {
	c.InheritDefault, c.RequireSSO = s.InheritDefault, s.RequireSSO
	if s.DefaultRepositoryPermission != nil {
		role, ok := access.RepositoryRoleNamed(*s.DefaultRepositoryPermission)
		if !ok {
			return c, invalid("default_repository_permission is read, triage, write, maintain, admin or none")
		}
		c.BaseRole = &role
	}
	if s.DefaultVisibility != nil {
		v := access.Visibility(*s.DefaultVisibility)
		c.DefaultVisibility = &v
	}
	set := before.MembersCreate
	for _, one := range []struct {
		on *bool
		of access.VisibilitySet
	}{{s.MembersCreatePublic, access.SetPublic}, {s.MembersCreatePrivate, access.SetPrivate}, {s.MembersCreateInternal, access.SetInternal}} {
		if one.on == nil {
			continue
		}
		if set &^= one.of; *one.on {
			set |= one.of
		}
		c.MembersCreate = &set
	}
	return c, nil
}

func (h *Handler) patchOrganization(c *call) error {
	var b organizationPatch
	if err := c.body(&b); err != nil {
		return err
	}
	a := c.target.account
	settings, err := b.change(a.Settings)
	if err != nil {
		return err
	}
	if err := c.changeAccount(account.Profile{Name: b.Name, Email: b.Email, Description: b.Description}, settings); err != nil {
		return err
	}
	if err := c.findAccount(a.Login, account.Organization); err != nil {
		return err
	}
	return h.getOrganization(c)
}

// changeAccount changes what is named of the account that the route is about.
func (c *call) changeAccount(p account.Profile, s account.SettingsChange) error {
	login := c.target.account.Login
	if s != (account.SettingsChange{}) {
		if err := c.h.Accounts.ChangeSettings(c.r.Context(), c.by(), login, s); err != nil {
			return changed(err)
		}
	}
	if p == (account.Profile{}) {
		return nil
	}
	return changed(c.h.Accounts.SetProfile(c.r.Context(), c.by(), login, p))
}

// deleteOrganization deletes the organization and all that it has. GitHub does so
// later and answers at once; here it is done when the answer comes.
func (h *Handler) deleteOrganization(c *call) error {
	if err := h.Accounts.Delete(c.r.Context(), c.by(), c.target.account.Login, account.Organization); err != nil {
		return changed(err)
	}
	return c.json(http.StatusAccepted, object{})
}

// permissionOf is a role in GitHub's older words, as an organization's default
// has it: read, write, admin, none.
func permissionOf(r access.RepositoryRole) string { return r.String() }
