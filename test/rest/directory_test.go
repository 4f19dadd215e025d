package rest_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-github/v89/github"
)

const everyScope = "repo,admin:org,user,site_admin,read:packages,write:packages,delete:packages"

// steps runs what a client does, one after the other, and stops at the first
// that fails.
type steps struct {
	*testing.T
	ctx context.Context
}

// ok fails the test unless the call succeeded with that status.
func (s steps) ok(what string, status int, res *github.Response, err error) {
	s.Helper()
	if err != nil || res.StatusCode != status {
		s.Fatalf("%s: %v, %v, want %d", what, res, err, status)
	}
}

// refused fails the test unless the call was refused with that status.
func (s steps) refused(what string, status int, res *github.Response, err error) {
	s.Helper()
	if err == nil || res == nil || res.StatusCode != status {
		s.Fatalf("%s: %v, %v, want %d", what, res, err, status)
	}
}

func (s steps) same(what string, got, want any) {
	s.Helper()
	if got != want {
		s.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// directory sets an organization up as an infrastructure tool does, by GitHub's
// client for Go.
func directory(t *testing.T, w *world) {
	admin, _ := w.gitHub(t, w.Token(t, "admin", everyScope))
	s := steps{t, t.Context()}
	for _, login := range []string{"dora", "emil", "fay"} {
		u, res, err := admin.Admin.CreateUser(s.ctx, github.CreateUserRequest{Login: login, Email: github.Ptr(login + "@example.test")})
		s.ok("create "+login, 201, res, err)
		s.same("login", u.GetLogin(), login)
	}
	org, res, err := admin.Admin.CreateOrg(s.ctx, &github.Organization{Login: github.Ptr("works")}, "dora")
	s.ok("create organization", 201, res, err)
	s.same("organization", org.GetLogin(), "works")
	dora, _ := w.gitHub(t, w.Token(t, "dora", everyScope))
	s.organization(dora)
	s.members(dora)
	s.repositories(dora)
	s.collaborators(dora)
	s.teams(dora, org.GetID())
	s.user(dora)
	s.site(admin)
}

func (s steps) organization(c *github.Client) {
	org, res, err := c.Organizations.Get(s.ctx, "WORKS")
	s.ok("get organization", 200, res, err)
	s.same("default permission", org.GetDefaultRepoPermission(), "read")
	org, res, err = c.Organizations.Edit(s.ctx, "works", &github.Organization{
		Name: github.Ptr("The Works"), Description: github.Ptr("what is made"), DefaultRepoPermission: github.Ptr("none"),
	})
	s.ok("edit organization", 200, res, err)
	s.same("name", org.GetName(), "The Works")
	s.same("description", org.GetDescription(), "what is made")
	s.same("default permission", org.GetDefaultRepoPermission(), "none")
	byID, res, err := c.Organizations.GetByID(s.ctx, org.GetID())
	s.ok("organization by id", 200, res, err)
	s.same("login", byID.GetLogin(), "works")
	list, res, err := c.Organizations.ListAll(s.ctx, &github.OrganizationsListOptions{Since: org.GetID() - 1})
	s.ok("organizations", 200, res, err)
	s.same("first organization", list[0].GetLogin(), "works")
	mine, res, err := c.Organizations.List(s.ctx, "", nil)
	s.ok("own organizations", 200, res, err)
	s.same("number of them", len(mine), 1)
}

func (s steps) members(c *github.Client) {
	for login, role := range map[string]string{"emil": "member", "fay": "admin"} {
		m, res, err := c.Organizations.EditOrgMembership(s.ctx, login, "works", &github.Membership{Role: github.Ptr(role)})
		s.ok("membership of "+login, 200, res, err)
		s.same("role", m.GetRole(), role)
		s.same("state", m.GetState(), "active")
	}
	got, res, err := c.Organizations.GetOrgMembership(s.ctx, "emil", "works")
	s.ok("get membership", 200, res, err)
	s.same("user", got.GetUser().GetLogin(), "emil")
	owners, res, err := c.Organizations.ListMembers(s.ctx, "works", &github.ListMembersOptions{Role: "admin", ListOptions: github.ListOptions{PerPage: 1}})
	s.ok("owners", 200, res, err)
	s.same("first owner", owners[0].GetLogin(), "dora")
	s.same("next page", res.NextPage, 2)
	in, res, err := c.Organizations.IsMember(s.ctx, "works", "emil")
	s.ok("is a member", 204, res, err)
	s.same("member", in, true)
	in, _, _ = c.Organizations.IsMember(s.ctx, "works", "ann")
	s.same("no member", in, false)
	res, err = c.Organizations.RemoveOrgMembership(s.ctx, "fay", "works")
	s.ok("remove fay", 204, res, err)
	res, err = c.Organizations.RemoveMember(s.ctx, "works", "dora")
	s.refused("the last owner", 409, res, err)
	own, res, err := c.Organizations.ListOrgMemberships(s.ctx, nil)
	s.ok("own memberships", 200, res, err)
	s.same("own role", own[0].GetRole(), "admin")
	self, res, err := c.Organizations.GetOrgMembership(s.ctx, "", "works")
	s.ok("own membership", 200, res, err)
	s.same("own login", self.GetUser().GetLogin(), "dora")
}

func (s steps) repositories(c *github.Client) {
	r, res, err := c.Repositories.Create(s.ctx, "works", &github.Repository{Name: github.Ptr("Lathe"), Private: github.Ptr(true), Description: github.Ptr("turns")})
	s.ok("create repository", 201, res, err)
	s.same("full name", r.GetFullName(), "works/lathe")
	s.same("visibility", r.GetVisibility(), "private")
	s.same("admin", r.GetPermissions().GetAdmin(), true)
	_, res, err = c.Repositories.Create(s.ctx, "works", &github.Repository{Name: github.Ptr("lathe")})
	s.refused("create it again", 422, res, err)
	r, res, err = c.Repositories.Create(s.ctx, "", &github.Repository{Name: github.Ptr("notes")})
	s.ok("own repository", 201, res, err)
	s.same("public as on GitHub", r.GetVisibility(), "public")
	r, res, err = c.Repositories.Edit(s.ctx, "dora", "notes", &github.Repository{Name: github.Ptr("journal"), Private: github.Ptr(true)})
	s.ok("edit repository", 200, res, err)
	s.same("new name", r.GetFullName(), "dora/journal")
	s.same("private", r.GetPrivate(), true)
	r, res, err = c.Repositories.Get(s.ctx, "dora", "notes")
	s.ok("by the old name", 200, res, err)
	s.same("new name", r.GetName(), "journal")
	_, res, err = c.Repositories.Transfer(s.ctx, "dora", "journal", github.TransferRequest{NewOwner: "works"})
	if _, accepted := err.(*github.AcceptedError); !accepted || res.StatusCode != 202 {
		s.Fatalf("transfer: %v %v", res, err)
	}
	list, res, err := c.Repositories.ListByOrg(s.ctx, "works", &github.RepositoryListByOrgOptions{Type: "private"})
	s.ok("repositories of the organization", 200, res, err)
	s.same("how many", len(list), 2)
	mine, res, err := c.Repositories.ListByAuthenticatedUser(s.ctx, nil)
	s.ok("own repositories", 200, res, err)
	s.same("how many", len(mine), 2)
	theirs, res, err := c.Repositories.ListByUser(s.ctx, "dora", nil)
	s.ok("dora's repositories", 200, res, err)
	s.same("how many", len(theirs), 0)
	res, err = c.Repositories.Delete(s.ctx, "works", "journal")
	s.ok("delete repository", 204, res, err)
	_, res, err = c.Repositories.Get(s.ctx, "works", "journal")
	s.refused("deleted", 404, res, err)
}

func (s steps) collaborators(c *github.Client) {
	_, res, err := c.Repositories.AddCollaborator(s.ctx, "works", "lathe", "fay", &github.RepositoryAddCollaboratorOptions{Permission: "maintain"})
	s.ok("add collaborator", 204, res, err)
	is, res, err := c.Repositories.IsCollaborator(s.ctx, "works", "lathe", "fay")
	s.ok("is collaborator", 204, res, err)
	s.same("collaborator", is, true)
	level, res, err := c.Repositories.GetPermissionLevel(s.ctx, "works", "lathe", "fay")
	s.ok("permission", 200, res, err)
	s.same("older word", level.GetPermission(), "write")
	s.same("role", level.GetRoleName(), "maintain")
	for affiliation, want := range map[string]int{"all": 2, "direct": 1, "outside": 1} {
		list, res, err := c.Repositories.ListCollaborators(s.ctx, "works", "lathe", &github.ListCollaboratorsOptions{Affiliation: affiliation})
		s.ok("collaborators", 200, res, err)
		s.same(affiliation, len(list), want)
	}
	outside, res, err := c.Organizations.ListOutsideCollaborators(s.ctx, "works", nil)
	s.ok("outside collaborators", 200, res, err)
	s.same("outside", outside[0].GetLogin(), "fay")
	invitations, res, err := c.Repositories.ListInvitations(s.ctx, "works", "lathe", nil)
	s.ok("invitations", 200, res, err)
	s.same("invitations", len(invitations), 0)
	res, err = c.Repositories.RemoveCollaborator(s.ctx, "works", "lathe", "fay")
	s.ok("remove collaborator", 204, res, err)
	is, _, _ = c.Repositories.IsCollaborator(s.ctx, "works", "lathe", "fay")
	s.same("no collaborator", is, false)
}

func (s steps) teams(c *github.Client, org int64) {
	top, res, err := c.Teams.CreateTeam(s.ctx, "works", github.NewTeam{Name: "Tool Makers", Maintainers: []string{"emil"}, RepoNames: []string{"works/lathe"}})
	s.ok("create team", 201, res, err)
	s.same("slug", top.GetSlug(), "tool-makers")
	s.same("members", top.GetMembersCount(), 1)
	s.same("repositories", top.GetReposCount(), 1)
	below, res, err := c.Teams.CreateTeam(s.ctx, "works", github.NewTeam{Name: "apprentices", ParentTeamID: top.ID, Privacy: github.Ptr("closed")})
	s.ok("create team below", 201, res, err)
	s.same("parent", below.GetParent().GetSlug(), "tool-makers")
	_, res, err = c.Teams.CreateTeam(s.ctx, "works", github.NewTeam{Name: "hidden", Privacy: github.Ptr("secret")})
	s.refused("a secret team", 422, res, err)
	s.oneTeam(c, org, top.GetID(), "tool-makers")
	children, res, err := c.Teams.ListChildTeamsByParentSlug(s.ctx, "works", "tool-makers", nil)
	s.ok("child teams", 200, res, err)
	s.same("child", children[0].GetSlug(), "apprentices")
	below, res, err = c.Teams.EditTeamByID(s.ctx, org, below.GetID(), github.NewTeam{Name: "juniors", Description: github.Ptr("new ones")}, true)
	s.ok("edit team", 200, res, err)
	s.same("slug follows the name", below.GetSlug(), "juniors")
	s.same("no parent", below.Parent == nil, true)
	list, res, err := c.Teams.ListTeams(s.ctx, "works", nil)
	s.ok("teams", 200, res, err)
	s.same("how many", len(list), 2)
	res, err = c.Teams.DeleteTeamByID(s.ctx, org, below.GetID())
	s.ok("delete by id", 204, res, err)
	res, err = c.Teams.DeleteTeamBySlug(s.ctx, "works", "tool-makers")
	s.ok("delete by slug", 204, res, err)
}

func (s steps) oneTeam(c *github.Client, org, id int64, slug string) {
	byID, res, err := c.Teams.GetTeamByID(s.ctx, org, id)
	s.ok("team by id", 200, res, err)
	s.same("organization", byID.GetOrganization().GetLogin(), "works")
	bySlug, res, err := c.Teams.GetTeamBySlug(s.ctx, "works", slug)
	s.ok("team by slug", 200, res, err)
	s.same("id", bySlug.GetID(), id)
	m, res, err := c.Teams.AddTeamMembershipByID(s.ctx, org, id, "dora", &github.TeamAddTeamMembershipOptions{Role: "member"})
	s.ok("add to team", 200, res, err)
	s.same("role", m.GetRole(), "member")
	_, res, err = c.Teams.AddTeamMembershipBySlug(s.ctx, "works", slug, "ann", nil)
	s.refused("who is no member", 422, res, err)
	members, res, err := c.Teams.ListTeamMembersBySlug(s.ctx, "works", slug, nil)
	s.ok("members of the team", 200, res, err)
	s.same("how many", len(members), 2)
	mine, res, err := c.Teams.ListUserTeams(s.ctx, nil)
	s.ok("own teams", 200, res, err)
	s.same("team", mine[0].GetOrganization().GetLogin()+"/"+mine[0].GetSlug(), "works/"+slug)
	res, err = c.Teams.RemoveTeamMembershipBySlug(s.ctx, "works", slug, "dora")
	s.ok("remove from team", 204, res, err)
	_, res, err = c.Teams.GetTeamMembershipByID(s.ctx, org, id, "dora")
	s.refused("no membership", 404, res, err)
	res, err = c.Teams.AddTeamRepoBySlug(s.ctx, "works", slug, "works", "lathe", &github.TeamAddTeamRepoOptions{Permission: "push"})
	s.ok("give a role", 204, res, err)
	r, res, err := c.Teams.IsTeamRepoByID(s.ctx, org, id, "works", "lathe")
	s.ok("role of the team", 200, res, err)
	s.same("push", r.GetPermissions().GetPush(), true)
	s.same("admin", r.GetPermissions().GetAdmin(), false)
	repositories, res, err := c.Teams.ListTeamReposBySlug(s.ctx, "works", slug, nil)
	s.ok("repositories of the team", 200, res, err)
	s.same("role name", repositories[0].GetRoleName(), "write")
	teams, res, err := c.Repositories.ListTeams(s.ctx, "works", "lathe", nil)
	s.ok("teams of the repository", 200, res, err)
	s.same("permission", teams[0].GetPermission(), "push")
	res, err = c.Teams.RemoveTeamRepoByID(s.ctx, org, id, "works", "lathe")
	s.ok("take the role away", 204, res, err)
}

func (s steps) user(c *github.Client) {
	u, res, err := c.Users.Edit(s.ctx, &github.User{Name: github.Ptr("Dora D."), Bio: github.Ptr("makes tools")})
	s.ok("edit user", 200, res, err)
	s.same("bio", u.GetBio(), "makes tools")
	u, res, err = c.Users.Get(s.ctx, "")
	s.ok("user", 200, res, err)
	s.same("login", u.GetLogin(), "dora")
	s.same("own mail", u.GetEmail(), "dora@example.test")
	s.same("scopes are told", res.Header.Get("X-OAuth-Scopes") != "", true)
	other, res, err := c.Users.Get(s.ctx, "emil")
	s.ok("another user", 200, res, err)
	s.same("another's mail", other.GetEmail(), "")
	byID, res, err := c.Users.GetByID(s.ctx, other.GetID())
	s.ok("user by id", 200, res, err)
	s.same("login", byID.GetLogin(), "emil")
	list, res, err := c.Users.ListAll(s.ctx, &github.UserListOptions{Since: other.GetID() - 1, PerPage: 1})
	s.ok("users", 200, res, err)
	s.same("since", list[0].GetLogin(), "emil")
}

// site is what administrators of the server do.
func (s steps) site(c *github.Client) {
	res, err := c.Users.Suspend(s.ctx, "emil", &github.UserSuspendOptions{Reason: github.Ptr("away")})
	s.ok("suspend", 204, res, err)
	res, err = c.Users.Unsuspend(s.ctx, "emil")
	s.ok("unsuspend", 204, res, err)
	res, err = c.Users.PromoteSiteAdmin(s.ctx, "emil")
	s.ok("promote", 204, res, err)
	res, err = c.Users.DemoteSiteAdmin(s.ctx, "emil")
	s.ok("demote", 204, res, err)
	renamed, res, err := c.Admin.RenameOrgByName(s.ctx, "works", "foundry")
	if _, accepted := err.(*github.AcceptedError); !accepted && err != nil || res.StatusCode != http.StatusAccepted {
		s.Fatalf("rename organization: %v %v %v", renamed, res, err)
	}
	res, err = c.Admin.DeleteUser(s.ctx, "fay")
	s.ok("delete user", 204, res, err)
	_, res, err = c.Users.Get(s.ctx, "fay")
	s.refused("deleted user", 404, res, err)
	res, err = c.Admin.DeleteUser(s.ctx, "dora")
	s.refused("the last owner of an organization", 409, res, err)
}
