package rest

import (
	"net/http"

	"packhouse/internal/account"
	"packhouse/internal/errs"
)

func (h *Handler) siteRoutes() []route {
	return []route{
		{"POST", "/admin/users", h.adminCreateUser, siteAdmin()},
		{"PATCH", "/admin/users/{username}", h.adminRenameUser, siteAdmin()},
		{"DELETE", "/admin/users/{username}", h.adminDeleteUser, siteAdmin()},
		{"PUT", "/admin/users/{username}/password", h.adminSetPassword, siteAdmin()},
		{"PUT", "/users/{username}/suspended", h.adminSuspend("username", account.User, true), siteAdmin()},
		{"DELETE", "/users/{username}/suspended", h.adminSuspend("username", account.User, false), siteAdmin()},
		{"PUT", "/admin/organizations/{org}/suspended", h.adminSuspend("org", account.Organization, true), siteAdmin()},
		{"DELETE", "/admin/organizations/{org}/suspended", h.adminSuspend("org", account.Organization, false), siteAdmin()},
		{"PUT", "/users/{username}/site_admin", h.adminPromote(true), siteAdmin()},
		{"DELETE", "/users/{username}/site_admin", h.adminPromote(false), siteAdmin()},
		{"POST", "/admin/organizations", h.adminCreateOrganization, siteAdmin()},
		{"PATCH", "/admin/organizations/{org}", h.adminRenameOrganization, siteAdmin()},
	}
}

// newUser is the body of POST /admin/users. Nobody becomes a site administrator
// by it.
type newUser struct {
	Login     string `json:"login"`
	Email     string `json:"email"`
	Suspended bool   `json:"suspended"`
	// Name and Password are this server's own. Without a password the user signs
	// in by token or by the outside provider.
	Name     string `json:"name"`
	Password string `json:"password"`
}

func (h *Handler) adminCreateUser(c *call) error {
	var b newUser
	if err := c.body(&b); err != nil {
		return err
	}
	n := account.NewUser{Login: b.Login, Password: b.Password, Name: b.Name, Email: b.Email}
	a, err := h.Accounts.CreateUser(c.r.Context(), c.by(), n)
	if err != nil {
		return changed(err)
	}
	if b.Suspended {
		if err := h.Accounts.Suspend(c.r.Context(), c.by(), a.Login, true); err != nil {
			return changed(err)
		}
	}
	o := h.userOf(a)
	o["email"] = text(a.Email)
	return c.json(http.StatusCreated, o)
}

// user returns the account that the path names as username, of that kind.
func (c *call) named(parameter string, k account.Kind) (account.Account, error) {
	a, err := c.h.Accounts.Get(c.r.Context(), c.param(parameter))
	if err == nil && a.Kind != k {
		err = errNotThere()
	}
	return a, absent(err)
}

// renameRequest is the body that gives an account another login.
type renameRequest struct {
	Login string `json:"login"`
}

func (h *Handler) adminRename(c *call, parameter string, k account.Kind, at string) error {
	var b renameRequest
	if err := c.body(&b); err != nil {
		return err
	}
	a, err := c.named(parameter, k)
	if err != nil {
		return err
	}
	if err := h.Accounts.Rename(c.r.Context(), c.by(), a.Login, b.Login); err != nil {
		return changed(err)
	}
	renamed, err := h.Accounts.Get(c.r.Context(), b.Login)
	if err != nil {
		return err
	}
	return c.json(http.StatusAccepted, object{
		"message": "The account has its new login.", "url": h.Base + at + renamed.Login,
	})
}

func (h *Handler) adminRenameUser(c *call) error {
	return h.adminRename(c, "username", account.User, "/users/")
}

func (h *Handler) adminRenameOrganization(c *call) error {
	return h.adminRename(c, "org", account.Organization, "/orgs/")
}

func (h *Handler) adminDeleteUser(c *call) error {
	a, err := c.named("username", account.User)
	if err != nil {
		return err
	}
	if a.ID == c.who.AccountID {
		return errs.New(errs.Denied, "An account is not deleted by itself.")
	}
	if err := h.Accounts.Delete(c.r.Context(), c.by(), a.Login, account.User); err != nil {
		return changed(absent(err))
	}
	return c.none()
}

// passwordRequest is the body that sets a password.
type passwordRequest struct {
	Password string `json:"password"`
}

func (h *Handler) adminSetPassword(c *call) error {
	var b passwordRequest
	if err := c.body(&b); err != nil {
		return err
	}
	a, err := c.named("username", account.User)
	if err != nil {
		return err
	}
	if err := h.Accounts.SetPassword(c.r.Context(), c.by(), a.Login, b.Password); err != nil {
		return changed(absent(err))
	}
	return c.none()
}

// adminSuspend shuts an account out, or lets it in again. GitHub's reason is taken
// and not kept.
func (h *Handler) adminSuspend(parameter string, k account.Kind, suspended bool) func(*call) error {
	return func(c *call) error {
		a, err := c.named(parameter, k)
		if err != nil {
			return err
		}
		if a.ID == c.who.AccountID {
			return errs.New(errs.Denied, "An account is not suspended by itself.")
		}
		if err := h.Accounts.Suspend(c.r.Context(), c.by(), a.Login, suspended); err != nil {
			return changed(absent(err))
		}
		return c.none()
	}
}

func (h *Handler) adminPromote(admin bool) func(*call) error {
	return func(c *call) error {
		a, err := c.named("username", account.User)
		if err != nil {
			return err
		}
		if err := h.Accounts.SetSiteAdmin(c.r.Context(), c.by(), a.Login, admin); err != nil {
			return changed(absent(err))
		}
		return c.none()
	}
}

// newOrganization is the body of POST /admin/organizations.
type newOrganization struct {
	Login string `json:"login"`
	// Admin is the login of the user who owns it.
	Admin       string `json:"admin"`
	ProfileName string `json:"profile_name"`
}

func (h *Handler) adminCreateOrganization(c *call) error {
	var b newOrganization
	if err := c.body(&b); err != nil {
		return err
	}
	admin, err := h.Accounts.Get(c.r.Context(), b.Admin)
	if err != nil || admin.Kind != account.User {
		return errNoUser(b.Admin)
	}
	a, err := h.Accounts.CreateOrganization(c.r.Context(), c.by(), b.Login, admin.Login)
	if err != nil {
		return changed(err)
	}
	if b.ProfileName != "" {
		p := account.Profile{Name: &b.ProfileName}
		if err := h.Accounts.SetProfile(c.r.Context(), c.by(), a.Login, p); err != nil {
			return changed(err)
		}
	}
	return c.json(http.StatusCreated, h.organizationSimple(a))
}
