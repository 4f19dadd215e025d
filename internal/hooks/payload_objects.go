package hooks

import (
	"encoding/base64"
	"strconv"
	"strings"

	"packhouse/internal/access"
)

// nodeID is what GitHub calls things in its other API; here it is only told.
func nodeID(kind string, id int64) string {
	return base64.StdEncoding.EncodeToString([]byte("0" + strconv.Itoa(len(kind)) + ":" + kind + strconv.FormatInt(id, 10)))
}

// addAll sets a member of o for each pair of a name and the rest of an address
// that begins with base.
func (o object) addAll(base string, pairs ...string) object {
	for i := 0; i+1 < len(pairs); i += 2 {
		o[pairs[i]] = base + pairs[i+1]
	}
	return o
}

// account is a simple user in GitHub's shape.
func (l Links) account(a Account) object {
	kind := "User"
	if a.Organization {
		kind = "Organization"
	}
	o := object{
		"login": a.Login, "id": a.ID, "node_id": nodeID(kind, a.ID), "gravatar_id": "", "type": kind,
		"site_admin": a.SiteAdmin, "user_view_type": "public",
		"html_url": l.Site + "/" + a.Login, "avatar_url": l.Site + "/" + a.Login + ".png", "url": l.API + "/users/" + a.Login,
	}
	return o.addAll(
		l.API+"/users/"+a.Login, "followers_url", "/followers", "following_url", "/following{/other_user}", "gists_url", "/gists{/gist_id}",
		"starred_url", "/starred{/owner}{/repo}", "subscriptions_url", "/subscriptions", "organizations_url", "/orgs",
		"repos_url", "/repos", "events_url", "/events{/privacy}", "received_events_url", "/received_events")
}

// sender is who made the event: an account, or a job, the operator or the server
// itself, which are bots of that name.
func (l Links) sender(a Account) object {
	o := l.account(a)
	if a.ID == 0 {
		o["type"] = "Bot"
	}
	return o
}

func (l Links) organization(a Account) object {
	base := l.API + "/orgs/" + a.Login
	o := object{
		"login": a.Login, "id": a.ID, "node_id": nodeID("Organization", a.ID), "url": base,
		"avatar_url": l.Site + "/" + a.Login + ".png", "description": a.Description,
	}
	return o.addAll(base, "repos_url", "/repos", "events_url", "/events", "hooks_url", "/hooks", "issues_url", "/issues",
		"members_url", "/members{/member}", "public_members_url", "/public_members{/member}")
}

// repository is a repository in GitHub's shape, with what this server knows of it.
func (l Links) repository(r Repository) object {
	page, api := l.Site+"/"+r.Name.String(), l.API+"/repos/"+r.Name.String()
	created := stamp(r.CreatedAt)
	_, host, _ := strings.Cut(l.Site, "://")
	o := object{
		"id": r.ID, "node_id": nodeID("Repository", r.ID), "name": r.Name.Package(), "full_name": r.Name.String(),
		"owner": l.account(r.Owner), "private": r.Visibility != access.Public, "visibility": r.Visibility,
		"html_url": page, "url": api, "description": nil, "fork": false,
		"created_at": created, "updated_at": created, "pushed_at": created,
		"git_url": "git://" + host + "/" + r.Name.String() + ".git", "ssh_url": "git@" + host + ":" + r.Name.String() + ".git",
		"clone_url": page + ".git", "svn_url": page, "mirror_url": nil, "homepage": nil, "language": nil, "license": nil,
		"default_branch": "main", "topics": []any{}, "archived": false, "disabled": false, "is_template": false, "allow_forking": false,
		"has_issues": false, "has_projects": false, "has_wiki": false, "has_pages": false, "has_downloads": false, "has_discussions": false,
		"web_commit_signoff_required": false,
	}
	if r.Description != "" {
		o["description"] = r.Description
	}
	for _, count := range []string{
		"size", "forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "open_issues", "open_issues_count",
	} {
		o[count] = 0
	}
	return o.addAll(api, repositoryLinks()...)
}

// repositoryLinks are the members of a repository that are addresses of the API,
// most of which are there for clients that want them all.
func repositoryLinks() []string {
	return []string{
		"archive_url", "/{archive_format}{/ref}", "assignees_url", "/assignees{/user}", "blobs_url", "/git/blobs{/sha}",
		"branches_url", "/branches{/branch}", "collaborators_url", "/collaborators{/collaborator}", "comments_url", "/comments{/number}",
		"commits_url", "/commits{/sha}", "compare_url", "/compare/{base}...{head}", "contents_url", "/contents/{+path}",
		"contributors_url", "/contributors", "deployments_url", "/deployments", "downloads_url", "/downloads", "events_url", "/events",
		"forks_url", "/forks", "git_commits_url", "/git/commits{/sha}", "git_refs_url", "/git/refs{/sha}", "git_tags_url", "/git/tags{/sha}",
		"hooks_url", "/hooks", "issue_comment_url", "/issues/comments{/number}", "issue_events_url", "/issues/events{/number}",
		"issues_url", "/issues{/number}", "keys_url", "/keys{/key_id}", "labels_url", "/labels{/name}", "languages_url", "/languages",
		"merges_url", "/merges", "milestones_url", "/milestones{/number}", "notifications_url", "/notifications{?since,all,participating}",
		"pulls_url", "/pulls{/number}", "releases_url", "/releases{/id}", "stargazers_url", "/stargazers", "statuses_url", "/statuses/{sha}",
		"subscribers_url", "/subscribers", "subscription_url", "/subscription", "tags_url", "/tags", "teams_url", "/teams",
		"trees_url", "/git/trees{/sha}",
	}
}
