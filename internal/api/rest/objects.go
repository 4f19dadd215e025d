package rest

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/packages"
)

// object is one of GitHub's objects. Those that make one may add fields to it.
type object = map[string]any

// nodeID is the id of a thing in GitHub's form for things of every kind.
func nodeID(kind string, id int64) string {
	text := strconv.Itoa(len(kind)) + ":" + kind + strconv.FormatInt(id, 10)
	return base64.StdEncoding.EncodeToString([]byte("0" + text))
}

// moment is a time in GitHub's form: UTC, to the second.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// optional is the moment, or null for the zero time.
func optional(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return moment(t)
}

// text is s, or null for an empty one.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// simpleUser is GitHub's simple-user: a user or an organization. Addresses of
// what this server does not have are there, since the form has them.
func (h *Handler) simpleUser(u packages.Owner) object {
	at, kind := h.Base+"/users/"+u.Login, "User"
	if u.Organization {
		kind = "Organization"
	}
	return object{
		"login": u.Login, "id": u.ID, "node_id": nodeID(kind, u.ID), "name": text(u.Name), "email": nil,
		"type": kind, "site_admin": u.SiteAdmin, "user_view_type": "public",
		"avatar_url": h.Site + "/" + u.Login + ".png", "gravatar_id": "", "url": at, "html_url": h.Site + "/" + u.Login,
		"followers_url": at + "/followers", "following_url": at + "/following{/other_user}",
		"gists_url": at + "/gists{/gist_id}", "starred_url": at + "/starred{/owner}{/repo}",
		"subscriptions_url": at + "/subscriptions", "organizations_url": at + "/orgs", "repos_url": at + "/repos",
		"events_url": at + "/events{/privacy}", "received_events_url": at + "/received_events",
	}
}

// below are the addresses of GitHub's minimal-repository below that of the
// repository itself.
var below = [...][2]string{
	{"archive_url", "/{archive_format}{/ref}"}, {"assignees_url", "/assignees{/user}"}, {"blobs_url", "/git/blobs{/sha}"},
	{"branches_url", "/branches{/branch}"}, {"collaborators_url", "/collaborators{/collaborator}"},
	{"comments_url", "/comments{/number}"}, {"commits_url", "/commits{/sha}"}, {"compare_url", "/compare/{base}...{head}"},
	{"contents_url", "/contents/{+path}"}, {"contributors_url", "/contributors"}, {"deployments_url", "/deployments"},
	{"downloads_url", "/downloads"}, {"events_url", "/events"}, {"forks_url", "/forks"},
	{"git_commits_url", "/git/commits{/sha}"}, {"git_refs_url", "/git/refs{/sha}"}, {"git_tags_url", "/git/tags{/sha}"},
	{"hooks_url", "/hooks"}, {"issue_comment_url", "/issues/comments{/number}"}, {"issue_events_url", "/issues/events{/number}"},
	{"issues_url", "/issues{/number}"}, {"keys_url", "/keys{/key_id}"}, {"labels_url", "/labels{/name}"},
	{"languages_url", "/languages"}, {"merges_url", "/merges"}, {"milestones_url", "/milestones{/number}"},
	{"notifications_url", "/notifications{?since,all,participating}"}, {"pulls_url", "/pulls{/number}"},
	{"releases_url", "/releases{/id}"}, {"stargazers_url", "/stargazers"}, {"statuses_url", "/statuses/{sha}"},
	{"subscribers_url", "/subscribers"}, {"subscription_url", "/subscription"}, {"tags_url", "/tags"},
	{"teams_url", "/teams"}, {"trees_url", "/git/trees{/sha}"},
}

// minimalRepository is GitHub's minimal-repository, of a repository that whoever
// reads it may know of.
func (h *Handler) minimalRepository(r packages.ListedRepository) object {
	full := r.Owner.Login + "/" + r.Name.Package()
	at := h.Base + "/repos/" + full
	o := object{
		"id": r.ID, "node_id": nodeID("Repository", r.ID), "name": r.Name.Package(), "full_name": full,
		"owner": h.simpleUser(r.Owner), "private": r.Visibility != access.Public, "visibility": string(r.Visibility),
		"description": text(r.Description), "fork": false, "url": at, "html_url": h.Site + "/" + full,
		"created_at": optional(r.CreatedAt),
	}
	for _, b := range below {
		o[b[0]] = at + b[1]
	}
	return o
}

// packageObject is GitHub's package, with how often it was downloaded.
func (h *Handler) packageObject(p packages.Listed) object {
	base, name := accountPath(p.Owner)+"/packages/"+string(p.Type), url.PathEscape(p.Name.Package())
	o := object{
		"id": p.ID, "name": p.Name.Package(), "package_type": string(p.Type), "visibility": string(p.Visibility),
		"version_count": p.VersionCount, "downloads": p.Downloads,
		"url": h.Base + base + "/" + name, "html_url": h.Site + base + "/package/" + name,
		"owner": h.simpleUser(p.Owner), "repository": nil,
		"created_at": moment(p.CreatedAt), "updated_at": moment(p.UpdatedAt),
	}
	if p.Repository != nil {
		o["repository"] = h.minimalRepository(*p.Repository)
	}
	if !p.DeletedAt.IsZero() {
		o["deleted_at"] = moment(p.DeletedAt)
	}
	return o
}

// versionObject is GitHub's package-version of a package, with its size, kind and
// how often it was downloaded.
func (h *Handler) versionObject(p packages.Listed, v packages.Version) object {
	base, name := accountPath(p.Owner)+"/packages/"+string(p.Type), url.PathEscape(p.Name.Package())
	id := strconv.FormatInt(v.ID, 10)
	tags := v.Tags
	if tags == nil {
		tags = []string{} // clients rely on the list
	}
	metadata := object{"package_type": string(p.Type)}
	if p.Type == access.Docker {
		metadata["docker"] = object{"tag": tags, "tags": tags}
	} else {
		metadata["container"] = object{"tags": tags}
	}
	o := object{
		"id": v.ID, "name": v.Digest.String(), "url": h.Base + base + "/" + name + "/versions/" + id,
		"package_html_url": h.Site + base + "/package/" + name, "html_url": h.Site + base + "/" + name + "/" + id,
		"created_at": moment(v.CreatedAt), "updated_at": moment(v.UpdatedAt), "metadata": metadata,
		"downloads": v.Downloads, "size": v.TotalSize, "kind": v.Kind,
	}
	for field, value := range map[string]string{"description": v.Description, "license": v.Licenses} {
		if value != "" {
			o[field] = value
		}
	}
	if !v.DeletedAt.IsZero() {
		o["deleted_at"] = moment(v.DeletedAt)
	}
	return o
}

// accountPath is the path of an account below the API and below the pages.
func accountPath(u packages.Owner) string {
	if u.Organization {
		return "/orgs/" + u.Login
	}
	return "/users/" + u.Login
}
