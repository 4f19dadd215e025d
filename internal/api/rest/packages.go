package rest

import (
	"context"
	"net/http"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// Packages reads, deletes and restores packages, and decides for whom.
type Packages interface {
	ListPackages(ctx context.Context, who access.Principal, q packages.ListQuery) (list []packages.Listed, total int, err error)
	Package(ctx context.Context, who access.Principal, p access.Package) (packages.Listed, error)
	// ConflictingPackages are those that a migration leaves in the Docker registry.
	ConflictingPackages(ctx context.Context, who access.Principal, owner string) ([]packages.Listed, error)
	DeletePackage(ctx context.Context, who access.Principal, p access.Package) error
	RestorePackage(ctx context.Context, who access.Principal, p access.Package) error
}

// Owners finds accounts by their logins, also by former ones.
type Owners interface {
	// Get returns NotFound for a login that leads nowhere.
	Get(ctx context.Context, login string) (account.Account, error)
}

// owned are the places below which the operations on packages are, each with
// what finds the account.
func (h *Handler) owned() map[string]func(*call) (packages.Owner, error) {
	return map[string]func(*call) (packages.Owner, error){
		"/orgs/{org}":       (*call).organization,
		"/users/{username}": (*call).anyOwner,
		"/user":             (*call).self,
	}
}

// packageRoutes are GitHub's operations on packages.
func (h *Handler) packageRoutes() []route {
	var routes []route
	for at, owner := range h.owned() {
		one := at + "/packages/{package_type}/{package_name...}"
		versions := one + "/versions"
		version := versions + "/{package_version_id}"
		add := func(method, pattern string, do func(*call, packages.Owner) error, scopes access.Scopes) {
			routes = append(routes, route{method, pattern, of(owner, do), withToken(scopes)})
		}
		const read, remove, restore = access.ReadPackages, access.ReadPackages | access.DeletePackages, access.WritePackages
		add("GET", at+"/packages", h.listPackages, read)
		add("GET", at+"/docker/conflicts", h.listConflicts, read)
		add("GET", one, h.getPackage, read)
		add("DELETE", one, h.deletePackage, remove)
		add("POST", one+"/restore", h.restorePackage, restore)
		add("GET", versions, h.listVersions, read)
		add("GET", version, h.getVersion, read)
		add("DELETE", version, h.deleteVersion, remove)
		add("POST", version+"/restore", h.restoreVersion, restore)
	}
	return routes
}

// of makes a route's function of one that is told the account in the path.
func of(owner func(*call) (packages.Owner, error), do func(*call, packages.Owner) error) func(*call) error {
	return func(c *call) error {
		u, err := owner(c)
		if err == nil {
			err = do(c, u)
		}
		if errs.Is(err, errs.NotFound) && c.param("package_name") != "" {
			return errPackageNotFound() // whatever it is that is not there
		}
		return err
	}
}

// withToken is the policy of GitHub's operations on packages, which take a
// credential with the scopes also where everybody may read. What it may do there
// is decided by the service.
func withToken(scopes access.Scopes) policy {
	return checked(scopes, func(c *call) error {
		switch {
		case c.who.Anonymous():
			return errs.New(errs.Unauthenticated, "Requires authentication")
		case c.who.Restricted:
			return errs.New(errs.Denied, "Resource not accessible by integration")
		case !c.who.Scopes.Has(scopes):
			return errs.New(errs.Denied, "The token does not have the scopes that this needs: %s.", strings.ReplaceAll(scopes.String(), ",", ", "))
		}
		return nil
	})
}

// anyOwner finds the account that {username} names, a user or an organization:
// clients ask for those of organizations too.
func (c *call) anyOwner() (packages.Owner, error) {
	return c.owner(c.param("username"))
}

// organization finds the organization that {org} names.
func (c *call) organization() (packages.Owner, error) {
	u, err := c.owner(c.param("org"))
	if err == nil && !u.Organization {
		err = errs.New(errs.NotFound, "Not Found")
	}
	return u, err
}

// self is the user who calls.
func (c *call) self() (packages.Owner, error) {
	if !c.who.User() {
		return packages.Owner{}, errs.New(errs.Denied, "Resource not accessible by integration")
	}
	return c.owner(c.who.Login)
}

func (c *call) owner(login string) (packages.Owner, error) {
	a, err := c.h.Owners.Get(c.r.Context(), login)
	if errs.Is(err, errs.NotFound) {
		return packages.Owner{}, errs.New(errs.NotFound, "Not Found")
	}
	return packages.Owner{ID: a.ID, Login: a.Login, Organization: a.Kind == account.Organization, SiteAdmin: a.SiteAdmin}, err
}

// wanted reads the visibility that a list is asked for; "" is all.
func (c *call) wanted() (access.Visibility, error) {
	switch v := access.Visibility(c.q.Get("visibility")); v {
	case "", access.Public, access.Private, access.Internal:
		return v, nil
	}
	return "", errs.New(errs.Invalid, "Invalid argument. visibility is public, private or internal.")
}

func (h *Handler) listPackages(c *call, owner packages.Owner) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	deleted, err := c.deleted()
	if err != nil {
		return err
	}
	v, err := c.wanted()
	if err != nil {
		return err
	}
	t, err := packageType(c.q.Get("package_type"))
	if errs.Is(err, errs.NotFound) { // a type that there are no packages of
		return c.list(p, 0, []object{})
	}
	if err != nil {
		return err
	}
	list, total, err := h.Packages.ListPackages(c.r.Context(), c.who, packages.ListQuery{
		Owner: owner.Login, Type: t, Visibility: v, Deleted: deleted, Page: p.page, PerPage: p.perPage,
	})
	if err != nil {
		return err
	}
	return c.list(p, total, h.packageObjects(list, t))
}

func (h *Handler) listConflicts(c *call, owner packages.Owner) error {
	list, err := h.Packages.ConflictingPackages(c.r.Context(), c.who, owner.Login)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, h.packageObjects(list, access.Docker))
}

// packageObjects are the packages in the type that was asked for: one that was
// moved to the Container registry is found in both.
func (h *Handler) packageObjects(list []packages.Listed, asked access.PackageType) []object {
	objects := make([]object, len(list))
	for i, p := range list {
		p.Type = asked
		objects[i] = h.packageObject(p)
	}
	return objects
}

func (h *Handler) getPackage(c *call, owner packages.Owner) error {
	p, err := c.pkg(owner.Login)
	if err != nil {
		return err
	}
	found, err := h.Packages.Package(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	found.Type = p.Type
	return c.json(http.StatusOK, h.packageObject(found))
}

func (h *Handler) deletePackage(c *call, owner packages.Owner) error {
	p, err := c.pkg(owner.Login)
	if err != nil {
		return err
	}
	if err := h.Packages.DeletePackage(c.r.Context(), c.who, p); err != nil {
		return err
	}
	return c.none()
}

// restorePackage takes GitHub's parameter token and needs none.
func (h *Handler) restorePackage(c *call, owner packages.Owner) error {
	p, err := c.pkg(owner.Login)
	if err != nil {
		return err
	}
	if err := h.Packages.RestorePackage(c.r.Context(), c.who, p); err != nil {
		return err
	}
	return c.none()
}
