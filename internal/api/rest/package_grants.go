package rest

import (
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// listPackageGrants is GET …/grants: all that was given on the package itself.
func (h *Handler) listPackageGrants(c *call, p access.Package) error {
	d, err := h.Settings.Document(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	o := settingsOf(d)
	return c.json(http.StatusOK, object{"inherits": o.Inherits, "grants": o.Grants, "repositories": o.Repositories})
}

// grantee is the one that the path names.
func (c *call) grantee(k packages.GranteeKind) packages.Grantee {
	g := packages.Grantee{Kind: k, Name: c.param("grantee")}
	if k == packages.Repository {
		g.Name = c.param("grantee_owner") + "/" + g.Name
	}
	return g
}

// packageGrantRequest is the body of PUT …/grants/…: for users and teams a role,
// for repositories what their jobs and their codespaces may do.
type packageGrantRequest struct {
	Role       string  `json:"role"`
	Actions    *string `json:"actions"`
	Codespaces bool    `json:"codespaces"`
}

// putPackageGrant gives exactly what the body says, in the place of what was
// given before.
func (h *Handler) putPackageGrant(k packages.GranteeKind) func(*call, access.Package) error {
	return func(c *call, p access.Package) error {
		var b packageGrantRequest
		if err := c.body(&b); err != nil {
			return err
		}
		if k == packages.Repository {
			b.Role = ""
			if b.Actions != nil {
				b.Role = *b.Actions
			}
		} else if b.Actions != nil || b.Codespaces {
			return invalid("actions and codespaces are for repositories")
		}
		if k == packages.Repository && b.Role == "" && !b.Codespaces {
			return invalid("Say what the repository may do: actions is a role, or codespaces is true.")
		}
		g := packages.Grant{Grantee: c.grantee(k), Codespaces: b.Codespaces}
		if b.Role != "" || k != packages.Repository {
			var err error
			if g.Role, err = packages.ParseRole(b.Role); err != nil {
				return err
			}
		}
		if _, err := h.Settings.Document(c.r.Context(), c.who, p); err != nil {
			return err
		}
		if k == packages.Repository { // a grant adds to what a repository has
			if err := h.Settings.Revoke(c.r.Context(), c.who, p, g.Grantee); err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
		}
		if err := h.Settings.Grant(c.r.Context(), c.who, p, g); err != nil {
			return notThere(err)
		}
		return c.none()
	}
}

// notThere is err of a change to a package that is there: what is not there is
// what the path names behind it.
func notThere(err error) error {
	if errs.Is(err, errs.NotFound) {
		return errs.Wrap(errs.Invalid, err, "There is nobody of that name to give a role to, or to take it from.").WithCode(unprocessable)
	}
	return err
}

func (h *Handler) deletePackageGrant(k packages.GranteeKind) func(*call, access.Package) error {
	return func(c *call, p access.Package) error {
		if _, err := h.Settings.Document(c.r.Context(), c.who, p); err != nil {
			return err
		}
		if err := h.Settings.Revoke(c.r.Context(), c.who, p, c.grantee(k)); err != nil {
			return err
		}
		return c.none()
	}
}
