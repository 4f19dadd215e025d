package rest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

func (h *Handler) repositoryRoutes() []route {
	return []route{
		{"GET", "/repos/{owner}/{repo}", h.getRepository, seeRepository()},
		{"PATCH", "/repos/{owner}/{repo}", h.patchRepository, administerRepository(access.Repo)},
		{"DELETE", "/repos/{owner}/{repo}", h.deleteRepository, onRepository(access.Repo, access.RemoveRepository)},
		{"POST", "/repos/{owner}/{repo}/transfer", h.transferRepository, onRepository(access.Repo, access.RemoveRepository)},
		{"POST", "/user/repos", h.createRepository, self(access.Repo)},
		{"POST", "/orgs/{org}/repos", h.createRepository, onAccount(account.Organization, access.Repo, access.AdministerAccount)},
	}
}

// listed is a repository as the lists of packages have it.
func listed(r account.OwnedRepository) packages.ListedRepository {
	return packages.ListedRepository{
		ID: r.ID, Name: r.Name, Description: r.Description, Visibility: r.Visibility, Owner: ownerOf(r.Owner), CreatedAt: r.CreatedAt,
	}
}

// repositoryObject is GitHub's repository, for one who may see it. There is no
// source code here: what speaks of it says that there is none.
func (h *Handler) repositoryObject(r account.OwnedRepository, who access.Principal) object {
	o := h.minimalRepository(listed(r))
	maps.Copy(o, object{
		"updated_at": moment(r.CreatedAt), "pushed_at": nil, "homepage": nil, "language": nil, "license": nil, "mirror_url": nil,
		"default_branch": "main", "archived": false, "disabled": false, "is_template": false, "topics": []string{}, "size": 0,
		"has_issues": false, "has_projects": false, "has_wiki": false, "has_pages": false, "has_downloads": false, "has_discussions": false,
		"forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0, "open_issues": 0, "open_issues_count": 0,
		"allow_forking": false, "web_commit_signoff_required": false, "clone_url": h.Site + "/" + r.Name.String() + ".git",
		"git_url": "", "ssh_url": "", "svn_url": h.Site + "/" + r.Name.String(), "permissions": permissions(max(access.DirectoryRole(who, r.Standing), access.RepositoryRead)),
	})
	return o
}

// repositoryFull is repositoryObject with what GitHub tells of one alone.
func (h *Handler) repositoryFull(r account.OwnedRepository, who access.Principal) object {
	o := h.repositoryObject(r, who)
	o["network_count"], o["subscribers_count"] = 0, 0
	if r.Owner.Kind == account.Organization {
		o["organization"] = h.userOf(r.Owner)
	}
	return o
}

// permissions is a role as GitHub shows it with a repository.
func permissions(role access.RepositoryRole) map[string]bool {
	return map[string]bool{
		"pull": role >= access.RepositoryRead, "triage": role >= access.RepositoryTriage, "push": role >= access.RepositoryWrite,
		"maintain": role >= access.RepositoryMaintain, "admin": role >= access.RepositoryAdmin,
	}
}

// roleName is a role on a repository in GitHub's words.
func roleName(role access.RepositoryRole) string { return role.String() }

func (h *Handler) getRepository(c *call) error {
	return c.json(http.StatusOK, h.repositoryFull(c.target.repository, c.who))
}

// repositoryRequest is the body that makes a repository.
type repositoryRequest struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Private     *bool  `json:"private"`
	// Visibility is public, private or internal and goes before Private.
	Visibility string `json:"visibility"`
}

// visibility returns the one that is asked for; without any it is public, as on
// GitHub.
func (b repositoryRequest) visibility() access.Visibility {
	switch {
	case b.Visibility != "":
		return access.Visibility(b.Visibility)
	case b.Private != nil && *b.Private:
		return access.Private
	}
	return access.Public
}

func (h *Handler) createRepository(c *call) error {
	var b repositoryRequest
	if err := c.body(&b); err != nil {
		return err
	}
	if b.Name == "" || strings.Contains(b.Name, "/") {
		return invalid("A repository needs a name without slashes.")
	}
	owner := c.target.account.Login
	r, err := h.Accounts.CreateDescribedRepository(c.r.Context(), c.by(), owner+"/"+b.Name, b.visibility(), b.Description)
	if err != nil {
		return changed(err)
	}
	return c.showRepository(http.StatusCreated, owner, r.Name.Package())
}

// showRepository answers with the repository as it is now. Whoever was let in to
// change it is told, whoever may see it then.
func (c *call) showRepository(status int, owner, name string) error {
	r, err := c.h.Accounts.RepositoryStanding(c.r.Context(), c.who, owner, name)
	if err != nil {
		return absent(err)
	}
	return c.json(status, c.h.repositoryFull(r, c.who))
}

// repositoryPatch is the body of PATCH /repos/{owner}/{repo}.
type repositoryPatch struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Private     *bool   `json:"private"`
	Visibility  string  `json:"visibility"`
}

// visibility returns what the repository is to become, or what it is.
func (b repositoryPatch) visibility(now access.Visibility) access.Visibility {
	switch {
	case b.Visibility != "":
		return access.Visibility(b.Visibility)
	case b.Private == nil, *b.Private == (now != access.Public):
		return now
	case *b.Private:
		return access.Private
	}
	return access.Public
}

func (h *Handler) patchRepository(c *call) error {
	var b repositoryPatch
	if err := c.body(&b); err != nil {
		return err
	}
	ctx, r := c.r.Context(), c.target.repository
	name := r.Name.String()
	if b.Description != nil && *b.Description != r.Description {
		if err := h.Accounts.DescribeRepository(ctx, c.by(), name, *b.Description); err != nil {
			return changed(err)
		}
	}
	if v := b.visibility(r.Visibility); v != r.Visibility {
		if err := c.mayHide(r.Visibility, v); err != nil {
			return err
		}
		if err := h.Accounts.SetRepositoryVisibility(ctx, c.by(), name, v); err != nil {
			return changed(err)
		}
	}
	if b.Name != "" && !folded(b.Name, r.Name.Package()) {
		if strings.Contains(b.Name, "/") {
			return invalid("A repository's name has no slashes; a transfer gives it another owner.")
		}
		moved, err := h.Accounts.RenameRepository(ctx, c.by(), name, b.Name)
		if err != nil {
			return changed(err)
		}
		return c.showRepository(http.StatusOK, moved.Name.Owner(), moved.Name.Package())
	}
	return c.showRepository(http.StatusOK, r.Name.Owner(), r.Name.Package())
}

// mayHide refuses to withdraw what is public where the site forbids that, since
// the repository's visibility is that of its Docker packages.
func (c *call) mayHide(from, to access.Visibility) error {
	if from != access.Public || to == access.Public || c.who.SiteAdmin {
		return nil
	}
	site, err := c.h.Accounts.Site(c.r.Context())
	if err == nil && site.KeepPublic {
		err = errs.New(errs.Denied, "On this server only its administrators make private what was public.")
	}
	return err
}

func (h *Handler) deleteRepository(c *call) error {
	if err := h.Accounts.DeleteRepository(c.r.Context(), c.by(), c.target.repository.Name.String()); err != nil {
		return absent(err)
	}
	return c.none()
}

// transferRequest is the body of POST /repos/{owner}/{repo}/transfer.
type transferRequest struct {
	NewOwner string  `json:"new_owner"`
	NewName  string  `json:"new_name"`
	TeamIDs  []int64 `json:"team_ids"`
}

// transferRepository gives the repository to an account that is the caller's to
// administer, at once: nobody has to accept it.
func (h *Handler) transferRepository(c *call) error {
	var b transferRequest
	if err := c.body(&b); err != nil {
		return err
	}
	ctx, r := c.r.Context(), c.target.repository
	to, standing, err := h.Accounts.Standing(ctx, c.who, b.NewOwner)
	if err != nil {
		return errNoOwner(b.NewOwner)
	}
	c.target.account = to
	if err := c.refusal(access.DecideDirectory(c.who, standing, access.AdministerAccount)); err != nil {
		return err
	}
	if len(b.TeamIDs) > 0 {
		return invalid("Give roles to teams after the transfer.")
	}
	moved, err := h.Accounts.TransferRepository(ctx, c.by(), r.Name.String(), to.Login)
	if err != nil {
		return changed(err)
	}
	if b.NewName != "" && !folded(b.NewName, moved.Name.Package()) {
		if moved, err = h.Accounts.RenameRepository(ctx, c.by(), moved.Name.String(), b.NewName); err != nil {
			return changed(err)
		}
	}
	return c.showRepository(http.StatusAccepted, moved.Name.Owner(), moved.Name.Package())
}

func errNoOwner(login string) error {
	return invalid("There is no account %q.", login)
}

// listAccountRepositories is GET /users/{username}/repos and /orgs/{org}/repos.
func (h *Handler) listAccountRepositories(c *call) error {
	all, err := h.Directory.RepositoriesOf(c.r.Context(), c.who, c.target.account.ID)
	if err != nil {
		return err
	}
	return c.repositoryList(all)
}

// listOwnRepositories is GET /user/repos: those that the caller owns, was given a
// role on, or reaches through an organization; affiliation chooses among them.
func (h *Handler) listOwnRepositories(c *call) error {
	all, err := h.Directory.RepositoriesWith(c.r.Context(), c.who)
	if err != nil {
		return err
	}
	wanted := strings.Split(c.q.Get("affiliation"), ",")
	if c.q.Get("affiliation") == "" {
		wanted = []string{"owner", "collaborator", "organization_member"}
	}
	chosen := slices.DeleteFunc(all, func(r account.OwnedRepository) bool {
		kind := "collaborator"
		switch {
		case r.Owner.ID == c.who.AccountID:
			kind = "owner"
		case r.Standing.Membership != "":
			kind = "organization_member"
		}
		return !slices.Contains(wanted, kind)
	})
	return c.repositoryList(chosen)
}

// repositoryList answers with a page of those that the caller may see and the
// query chooses: type or visibility, in the order that it asks for.
func (c *call) repositoryList(all []account.OwnedRepository) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	only := c.q.Get("visibility")
	if only == "" {
		only = c.q.Get("type")
	}
	seen := slices.DeleteFunc(all, func(r account.OwnedRepository) bool {
		if access.DecideDirectory(c.who, r.Standing, access.SeeRepository) != access.Granted {
			return true
		}
		switch only {
		case "public":
			return r.Visibility != access.Public
		case "private":
			return r.Visibility == access.Public
		case "internal":
			return r.Visibility != access.Internal
		}
		return false
	})
	if s := c.q.Get("sort"); s == "created" || s == "updated" || s == "pushed" {
		slices.SortStableFunc(seen, func(a, b account.OwnedRepository) int { return b.CreatedAt.Compare(a.CreatedAt) })
	}
	list := []object{}
	for _, r := range slice(p, seen) {
		list = append(list, c.h.repositoryObject(r, c.who))
	}
	return c.list(p, len(seen), list)
}
