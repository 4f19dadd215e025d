package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
)

// teamRoutes are each there twice, as on GitHub: by the team's slug, and by the
// ids of the organization and the team, which infrastructure tools keep.
func (h *Handler) teamRoutes() []route {
	routes := []route{
		{"GET", "/orgs/{org}/teams", h.listTeams, inTeams(access.ReadOrg, access.SeeMembers)},
		{"POST", "/orgs/{org}/teams", h.createTeam, inTeams(access.AdminOrg, access.AdministerAccount)},
	}
	read, write := onTeam(access.ReadOrg, access.SeeMembers), onTeam(access.AdminOrg, access.AdministerAccount)
	for _, at := range []string{"/orgs/{org}/teams/{team_slug}", "/organizations/{org_id}/team/{team_id}"} {
		routes = append(
			routes,
			route{"GET", at, h.getTeam, read},
			route{"PATCH", at, h.patchTeam, write},
			route{"DELETE", at, h.deleteTeam, write},
			route{"GET", at + "/teams", h.listChildTeams, read},
			route{"GET", at + "/members", h.listTeamMembers, read},
			route{"GET", at + "/invitations", h.listNothing, read},
			route{"GET", at + "/memberships/{username}", h.getTeamMembership, read},
			route{"PUT", at + "/memberships/{username}", h.putTeamMembership, onTeam(access.WriteOrg, access.AdministerAccount)},
			route{"DELETE", at + "/memberships/{username}", h.deleteTeamMembership, onTeam(access.WriteOrg, access.AdministerAccount)},
			route{"GET", at + "/repos", h.listTeamRepositories, read},
			route{"GET", at + "/repos/{owner}/{repo}", h.getTeamRepository, read},
			route{"PUT", at + "/repos/{owner}/{repo}", h.putTeamRepository, teamRepository()},
			route{"DELETE", at + "/repos/{owner}/{repo}", h.deleteTeamRepository, teamRepository()},
		)
	}
	return routes
}

// teamObject is GitHub's team. Every team is seen by all members of its
// organization.
func (h *Handler) teamObject(org account.Account, t account.Team) object {
	at := h.Base + "/organizations/" + strconv.FormatInt(org.ID, 10) + "/team/" + strconv.FormatInt(t.ID, 10)
	o := object{
		"id": t.ID, "node_id": nodeID("Team", t.ID), "name": t.Name, "slug": t.Slug, "description": text(t.Description),
		"privacy": "closed", "notification_setting": "notifications_disabled", "permission": "pull", "type": "organization",
		"url": at, "html_url": h.Site + "/orgs/" + org.Login + "/teams/" + t.Slug, "organization_id": org.ID,
		"members_url": at + "/members{/member}", "repositories_url": at + "/repos", "parent": nil, "group": text(t.Group),
	}
	return o
}

// team is teamObject with the parent.
func (c *call) team(t account.Team) (object, error) {
	o := c.h.teamObject(c.target.account, t)
	if t.ParentID == 0 {
		return o, nil
	}
	parent, err := c.h.Directory.TeamByID(c.r.Context(), c.target.account.ID, t.ParentID)
	if err == nil {
		o["parent"] = c.h.teamObject(c.target.account, parent)
	}
	return o, err
}

// teamFull is GitHub's team-full.
func (c *call) teamFull(t account.Team) (object, error) {
	o, err := c.team(t)
	if err != nil {
		return nil, err
	}
	members, err := c.h.Directory.TeamAccounts(c.r.Context(), t.ID)
	if err != nil {
		return nil, err
	}
	repositories, err := c.h.Directory.TeamRepositories(c.r.Context(), c.who, t.ID)
	if err != nil {
		return nil, err
	}
	org := c.h.organizationSimple(c.target.account)
	org["type"], org["html_url"] = "Organization", c.h.Site+"/"+c.target.account.Login
	o["members_count"], o["repos_count"], o["organization"] = len(members), len(repositories), org
	o["created_at"], o["updated_at"] = moment(t.CreatedAt), moment(t.CreatedAt)
	return o, nil
}

func (c *call) teamList(p pageOf, all []account.Team) error {
	list := []object{}
	for _, t := range slice(p, all) {
		o, err := c.team(t)
		if err != nil {
			return err
		}
		list = append(list, o)
	}
	return c.list(p, len(all), list)
}

func (h *Handler) listTeams(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := h.Directory.ListTeams(c.r.Context(), c.target.account.ID)
	if err != nil {
		return err
	}
	return c.teamList(p, all)
}

func (h *Handler) listChildTeams(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := h.Directory.ListTeams(c.r.Context(), c.target.account.ID)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(t account.Team) bool { return t.ParentID != c.target.team.ID })
	return c.teamList(p, all)
}

// teamRequest is the body that makes a team. Groups fill teams by this server's
// own field.
type teamRequest struct {
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	Maintainers  []string `json:"maintainers"`
	Repositories []string `json:"repo_names"`
	Privacy      string   `json:"privacy"`
	Permission   string   `json:"permission"`
	ParentTeamID *int64   `json:"parent_team_id"`
	// Group is a group of the sign-in provider, whose people are the team.
	Group string `json:"group"`
}

// slug is the name of a team as it stands in addresses.
func slug(name string) string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(parts, "-")
}

func (h *Handler) createTeam(c *call) error {
	var b teamRequest
	if err := c.body(&b); err != nil {
		return err
	}
	if slug(b.Name) == "" {
		return invalid("A team needs a name with a letter or a digit.")
	}
	if err := checkTeam(b.Privacy, b.Permission); err != nil {
		return err
	}
	ctx, org := c.r.Context(), c.target.account
	n := account.NewTeam{Slug: slug(b.Name), Name: b.Name, Description: b.Description, Group: b.Group}
	if b.ParentTeamID != nil {
		parent, err := h.Directory.TeamByID(ctx, org.ID, *b.ParentTeamID)
		if err != nil {
			return invalid("There is no team %d in this organization.", *b.ParentTeamID)
		}
		n.Parent = parent.Slug
	}
	if err := c.checkTeamMembers(b.Maintainers); err != nil {
		return err
	}
	grants, err := c.teamGrants(b.Repositories)
	if err != nil {
		return err
	}
	if c.target.team, err = h.Accounts.CreateTeam(ctx, c.by(), org.Login, n); err != nil {
		return changed(err)
	}
	for _, login := range b.Maintainers {
		if err := h.Accounts.AddToTeam(ctx, c.by(), org.Login, n.Slug, login); err != nil {
			return changed(err)
		}
	}
	for _, name := range grants {
		g := account.RepositoryGrant{Team: n.Slug, Role: access.RepositoryRead}
		if err := h.Accounts.GrantRepository(ctx, c.by(), name, g); err != nil {
			return changed(err)
		}
	}
	return c.showTeam(http.StatusCreated)
}

// checkTeam refuses what teams cannot be here.
func checkTeam(privacy, permission string) error {
	switch {
	case privacy == "secret":
		return invalid("Every team is seen by the members of its organization: privacy is closed.")
	case privacy != "" && privacy != "closed":
		return invalid("privacy is closed")
	case permission != "" && permission != "pull" && permission != "push":
		return invalid("permission is pull or push")
	}
	return nil
}

// checkTeamMembers refuses logins that are not in the organization, before the
// team is made.
func (c *call) checkTeamMembers(logins []string) error {
	list, err := c.h.Directory.MemberAccounts(c.r.Context(), c.target.account.ID)
	if err != nil {
		return err
	}
	for _, login := range logins {
		if !slices.ContainsFunc(list, func(m account.MemberAccount) bool { return folded(m.Login, login) }) {
			return invalid("%q is no member of %s: only members are in teams.", login, c.target.account.Login)
		}
	}
	return nil
}

// teamGrants returns the repositories of the organization that are named, in full
// or by the last part.
func (c *call) teamGrants(names []string) (list []string, err error) {
	for _, name := range names {
		_, last, full := strings.Cut(name, "/")
		if !full {
			last = name
		}
		r, err := c.h.Accounts.RepositoryStanding(c.r.Context(), c.who, c.target.account.Login, last)
		if err != nil || full && !folded(name, r.Name.String()) {
			return nil, invalid("There is no repository %q of %s.", name, c.target.account.Login)
		}
		list = append(list, r.Name.String())
	}
	return list, nil
}

func (h *Handler) getTeam(c *call) error { return c.showTeam(http.StatusOK) }

func (c *call) showTeam(status int) error {
	o, err := c.teamFull(c.target.team)
	if err != nil {
		return err
	}
	return c.json(status, o)
}

// teamPatch is the body of PATCH on a team.
type teamPatch struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
	Privacy     string  `json:"privacy"`
	Permission  string  `json:"permission"`
	// ParentTeamID is null for a team on top; absent, it stays.
	ParentTeamID nullable[int64] `json:"parent_team_id"`
}

func (h *Handler) patchTeam(c *call) error {
	var b teamPatch
	if err := c.body(&b); err != nil {
		return err
	}
	if err := checkTeam(b.Privacy, b.Permission); err != nil {
		return err
	}
	ctx, org, t := c.r.Context(), c.target.account, c.target.team
	if b.ParentTeamID.Set && b.ParentTeamID.Value != t.ParentID {
		parent := account.Team{}
		if id := b.ParentTeamID.Value; id != 0 {
			var err error
			if parent, err = h.Directory.TeamByID(ctx, org.ID, id); err != nil {
				return invalid("There is no team %d in this organization.", id)
			}
		}
		if err := h.Accounts.MoveTeam(ctx, c.by(), org.Login, t.Slug, parent.Slug); err != nil {
			return changed(err)
		}
	}
	change := account.TeamChange{Name: b.Name, Description: b.Description}
	if b.Name != nil && *b.Name != t.Name {
		s := slug(*b.Name)
		change.Slug = &s
	}
	if change != (account.TeamChange{}) {
		if err := h.Accounts.ChangeTeam(ctx, c.by(), org.Login, t.Slug, change); err != nil {
			return changed(err)
		}
	}
	var err error
	if c.target.team, err = h.Directory.TeamByID(ctx, org.ID, t.ID); err != nil {
		return absent(err)
	}
	return c.showTeam(http.StatusOK)
}

func (h *Handler) deleteTeam(c *call) error {
	if err := h.Accounts.DeleteTeam(c.r.Context(), c.by(), c.target.account.Login, c.target.team.Slug); err != nil {
		return absent(err)
	}
	return c.none()
}

func (h *Handler) listTeamMembers(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	list, err := h.Directory.TeamAccounts(c.r.Context(), c.target.team.ID)
	if err != nil {
		return err
	}
	switch c.q.Get("role") {
	case "", "all", "member":
	case "maintainer":
		list = nil
	default:
		return invalid("role is member, maintainer or all")
	}
	return c.list(p, len(list), h.users(slice(p, list)))
}

// teamMembership is GitHub's team-membership.
func (c *call) teamMembership() error {
	list, err := c.h.Directory.TeamAccounts(c.r.Context(), c.target.team.ID)
	if err != nil {
		return err
	}
	user, err := c.h.Accounts.Get(c.r.Context(), c.param("username"))
	if err != nil || !slices.ContainsFunc(list, func(a account.Account) bool { return a.ID == user.ID }) {
		return errNotThere()
	}
	at := c.h.Base + "/organizations/" + strconv.FormatInt(c.target.account.ID, 10) + "/team/" + strconv.FormatInt(c.target.team.ID, 10)
	return c.json(http.StatusOK, object{"url": at + "/memberships/" + user.Login, "role": "member", "state": "active"})
}

func (h *Handler) getTeamMembership(c *call) error { return c.teamMembership() }

// teamMembershipRequest is the body of PUT on a membership of a team.
type teamMembershipRequest struct {
	// Role is member: teams are administered by the owners of the organization.
	Role string `json:"role"`
}

func (h *Handler) putTeamMembership(c *call) error {
	b := teamMembershipRequest{Role: "member"}
	if err := c.body(&b); err != nil {
		return err
	}
	switch b.Role {
	case "member":
	case "maintainer":
		return invalid("Teams have no maintainers here: the owners of the organization administer them. role is member.")
	default:
		return invalid("role is member")
	}
	err := h.Accounts.AddToTeam(c.r.Context(), c.by(), c.target.account.Login, c.target.team.Slug, c.param("username"))
	if errs.Is(err, errs.Conflict) {
		return errs.New(errs.Invalid, "%s", publicText(err)).WithCode(unprocessable)
	}
	if err != nil {
		return changed(absent(err))
	}
	return c.teamMembership()
}

func (h *Handler) deleteTeamMembership(c *call) error {
	err := h.Accounts.RemoveFromTeam(c.r.Context(), c.by(), c.target.account.Login, c.target.team.Slug, c.param("username"))
	if err != nil {
		return changed(absent(err))
	}
	return c.none()
}
