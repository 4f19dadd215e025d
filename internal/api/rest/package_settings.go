package rest

import (
	"context"
	"net/http"
	"strconv"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// PackageSettings changes the settings of packages, and decides for whom.
type PackageSettings interface {
	Document(ctx context.Context, who access.Principal, p access.Package) (packages.Document, error)
	Apply(ctx context.Context, who access.Principal, p access.Package, c packages.DocumentChange) error
	Plan(ctx context.Context, who access.Principal, p access.Package, inherits bool) (packages.Plan, error)
	Revoke(ctx context.Context, who access.Principal, p access.Package, g packages.Grantee) error
	Grant(ctx context.Context, who access.Principal, p access.Package, g packages.Grant) error
	Rename(ctx context.Context, who access.Principal, p access.Package, name string) error
	Transfer(ctx context.Context, who access.Principal, p access.Package, owner string) error
}

// packageSettingRoutes are this server's own operations on the settings of
// packages, below each of GitHub's three places.
func (h *Handler) packageSettingRoutes() []route {
	var routes []route
	for at, owner := range h.owned() {
		one := at + "/packages/{package_type}/{package_name...}"
		add := func(method, pattern string, do func(*call, access.Package) error) {
			routes = append(routes, route{method, pattern, of(owner, onPackage(do)), withToken(access.WritePackages)})
		}
		add("PATCH", one, h.patchPackage)
		add("POST", one+"/transfer", h.transferPackage)
		add("GET", one+"/settings", h.getPackageSettings)
		add("PUT", one+"/settings", h.putPackageSettings)
		add("PUT", one+"/repository", h.linkPackage)
		add("DELETE", one+"/repository", h.unlinkPackage)
		add("GET", one+"/inheritance", h.planInheritance)
		add("PUT", one+"/inheritance", h.putInheritance)
		add("GET", one+"/grants", h.listPackageGrants)
		for place, kind := range map[string]packages.GranteeKind{
			"/grants/users/{grantee}": packages.User, "/grants/teams/{grantee}": packages.Team,
			"/grants/repositories/{grantee_owner}/{grantee}": packages.Repository,
		} {
			add("PUT", one+place, h.putPackageGrant(kind))
			add("DELETE", one+place, h.deletePackageGrant(kind))
		}
	}
	return routes
}

// onPackage makes a route's function of one that is told the package in the path.
func onPackage(do func(*call, access.Package) error) func(*call, packages.Owner) error {
	return func(c *call, owner packages.Owner) error {
		p, err := c.pkg(owner.Login)
		if err != nil {
			return err
		}
		return changed(do(c, p))
	}
}

// settingsObject is the document of a package's settings.
type settingsObject struct {
	Name        string `json:"name"`
	PackageType string `json:"package_type"`
	Visibility  string `json:"visibility"`
	// Repository is OWNER/NAME, or null without a link.
	Repository         any                     `json:"repository"`
	Inherits           bool                    `json:"inherits"`
	Grants             []grantObject           `json:"grants"`
	Repositories       []repositoryGrantObject `json:"repositories"`
	ImmutableTags      []string                `json:"immutable_tags"`
	OwnerImmutableTags []string                `json:"owner_immutable_tags"`
}

// grantObject is the role of a user or a team on a package.
type grantObject struct {
	// Kind is user or team.
	Kind string `json:"kind"`
	// Name is a login, or a team's slug, also after its organization and a slash.
	Name string `json:"name"`
	// Role is read, write or admin.
	Role string `json:"role"`
}

// repositoryGrantObject is what the jobs and codespaces of a repository may do
// with a package.
type repositoryGrantObject struct {
	// Name is OWNER/NAME.
	Name string `json:"name"`
	// Actions is read, write or admin, or null for nothing.
	Actions *string `json:"actions"`
	// Codespaces lets them pull.
	Codespaces bool `json:"codespaces"`
}

func settingsOf(d packages.Document) settingsObject {
	o := settingsObject{
		Name: d.Name.Package(), PackageType: string(d.Type), Visibility: string(d.Visibility), Repository: text(d.Repository.String()),
		Inherits: d.Inherits, Grants: []grantObject{}, Repositories: []repositoryGrantObject{},
		ImmutableTags: patternTexts(d.Immutable), OwnerImmutableTags: patternTexts(d.OwnersImmutable),
	}
	for _, g := range d.Grants {
		o.Grants = append(o.Grants, grantObject{string(g.Kind), g.Name, string(g.Role)})
	}
	for _, g := range d.Repositories {
		one := repositoryGrantObject{Name: g.Name, Codespaces: g.Codespaces}
		if g.Role != "" {
			role := string(g.Role)
			one.Actions = &role
		}
		o.Repositories = append(o.Repositories, one)
	}
	return o
}

func patternTexts(list []oci.TagPattern) []string {
	texts := []string{}
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return texts
}

// settingsRequest is the body of PUT …/settings. Fields that are absent stay;
// those that are there are meant whole.
type settingsRequest struct {
	Visibility    *string                  `json:"visibility"`
	Repository    nullable[string]         `json:"repository"`
	Inherits      *bool                    `json:"inherits"`
	Grants        *[]grantObject           `json:"grants"`
	Repositories  *[]repositoryGrantObject `json:"repositories"`
	ImmutableTags *[]string                `json:"immutable_tags"`
}

// change returns the document that the body asks for.
func (b settingsRequest) change() (c packages.DocumentChange, err error) {
	if b.Visibility != nil {
		v, err := packages.ParseVisibility(*b.Visibility)
		if err != nil {
			return c, err
		}
		c.Visibility = &v
	}
	if b.Repository.Set {
		c.Repository = &b.Repository.Value
	}
	c.Inherits = b.Inherits
	if b.ImmutableTags != nil {
		list, err := packages.ParseTagPatterns(*b.ImmutableTags)
		if err != nil {
			return c, err
		}
		c.Immutable = &list
	}
	if b.Grants != nil {
		if c.Grants, err = readGrants(*b.Grants); err != nil {
			return c, err
		}
	}
	if b.Repositories != nil {
		c.Repositories, err = readRepositoryGrants(*b.Repositories)
	}
	return c, err
}

func readGrants(list []grantObject) (*[]packages.Grant, error) {
	grants := []packages.Grant{}
	seen := map[packages.Grantee]bool{}
	for _, g := range list {
		role, err := packages.ParseRole(g.Role)
		if err != nil {
			return nil, err
		}
		one := packages.Grant{Grantee: packages.Grantee{Kind: packages.GranteeKind(g.Kind), Name: g.Name}, Role: role}
		if one.Kind != packages.User && one.Kind != packages.Team {
			return nil, invalid("The kind of a grant is user or team.")
		}
		if seen[one.Grantee] {
			return nil, invalid("%s %s has two grants.", g.Kind, g.Name)
		}
		seen[one.Grantee] = true
		grants = append(grants, one)
	}
	return &grants, nil
}

func readRepositoryGrants(list []repositoryGrantObject) (*[]packages.Grant, error) {
	grants := []packages.Grant{}
	seen := map[string]bool{}
	for _, g := range list {
		one := packages.Grant{Grantee: packages.Grantee{Kind: packages.Repository, Name: g.Name}, Codespaces: g.Codespaces}
		if g.Actions != nil {
			role, err := packages.ParseRole(*g.Actions)
			if err != nil {
				return nil, err
			}
			one.Role = role
		}
		if seen[g.Name] || one.Role == "" && !one.Codespaces {
			return nil, invalid("%s is there twice, or without anything that it may do.", g.Name)
		}
		seen[g.Name] = true
		grants = append(grants, one)
	}
	return &grants, nil
}

func (h *Handler) getPackageSettings(c *call, p access.Package) error {
	d, err := h.Settings.Document(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, settingsOf(d))
}

func (h *Handler) putPackageSettings(c *call, p access.Package) error {
	var b settingsRequest
	if err := c.body(&b); err != nil {
		return err
	}
	change, err := b.change()
	if err != nil {
		return err
	}
	if err := h.Settings.Apply(c.r.Context(), c.who, p, change); err != nil {
		return err
	}
	d, err := h.Settings.Document(c.r.Context(), c.who, p)
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.NotFound) { // who has just given the package away
		return c.none()
	}
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, settingsOf(d))
}

// packagePatch is the body of PATCH on a package.
type packagePatch struct {
	Visibility *string `json:"visibility"`
	Name       string  `json:"name"`
}

// patchPackage changes the visibility and the name.
func (h *Handler) patchPackage(c *call, p access.Package) error {
	var b packagePatch
	if err := c.body(&b); err != nil {
		return err
	}
	change, err := settingsRequest{Visibility: b.Visibility}.change()
	if err != nil {
		return err
	}
	if err := h.Settings.Apply(c.r.Context(), c.who, p, change); err != nil {
		return err
	}
	if b.Name != "" {
		if err := h.Settings.Rename(c.r.Context(), c.who, p, b.Name); err != nil {
			return err
		}
	}
	found, err := h.Packages.Package(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, h.packageObject(found))
}

// transferPackage gives the package to another account, at once.
func (h *Handler) transferPackage(c *call, p access.Package) error {
	var b transferRequest
	if err := c.body(&b); err != nil {
		return err
	}
	if _, err := h.Settings.Document(c.r.Context(), c.who, p); err != nil {
		return err
	}
	err := h.Settings.Transfer(c.r.Context(), c.who, p, b.NewOwner)
	if errs.Is(err, errs.NotFound) {
		return errNoOwner(b.NewOwner)
	}
	if err != nil {
		return err
	}
	found, err := h.Packages.Package(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	return c.json(http.StatusAccepted, h.packageObject(found))
}

// linkRequest is the body of PUT …/repository.
type linkRequest struct {
	// Repository is OWNER/NAME of the same owner.
	Repository string `json:"repository"`
	// Inherits lets the roles come from the repository, which ends the grants.
	Inherits bool `json:"inherits"`
}

func (h *Handler) linkPackage(c *call, p access.Package) error {
	var b linkRequest
	if err := c.body(&b); err != nil {
		return err
	}
	if b.Repository == "" {
		return invalid("repository is OWNER/NAME")
	}
	change := packages.DocumentChange{Repository: &b.Repository}
	if b.Inherits {
		change.Inherits = &b.Inherits
	}
	if err := h.Settings.Apply(c.r.Context(), c.who, p, change); err != nil {
		return err
	}
	return c.none()
}

func (h *Handler) unlinkPackage(c *call, p access.Package) error {
	none := ""
	if err := h.Settings.Apply(c.r.Context(), c.who, p, packages.DocumentChange{Repository: &none}); err != nil {
		return err
	}
	return c.none()
}

// planInheritance tells what a change of inheritance would take away:
// GET …/inheritance?inherits=true or false.
func (h *Handler) planInheritance(c *call, p access.Package) error {
	inherits, err := strconv.ParseBool(c.q.Get("inherits"))
	if err != nil {
		return errs.New(errs.Invalid, "inherits is true or false")
	}
	plan, err := h.Settings.Plan(c.r.Context(), c.who, p, inherits)
	if err != nil {
		return err
	}
	lost := append([]packages.Grant{}, plan.Lost...)
	return c.json(http.StatusOK, object{
		"repository": text(plan.Repository.String()), "inherits": plan.Inherits, "change": plan.Change, "lost": lost, "admin": text(plan.Admin),
	})
}

// inheritanceRequest is the body of PUT …/inheritance.
type inheritanceRequest struct {
	Inherits *bool `json:"inherits"`
}

func (h *Handler) putInheritance(c *call, p access.Package) error {
	var b inheritanceRequest
	if err := c.body(&b); err != nil {
		return err
	}
	if b.Inherits == nil {
		return invalid("inherits is true or false")
	}
	if err := h.Settings.Apply(c.r.Context(), c.who, p, packages.DocumentChange{Inherits: b.Inherits}); err != nil {
		return err
	}
	return c.none()
}
