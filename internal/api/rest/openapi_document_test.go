package rest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// document is the whole file.
func (f *openapi) document() object {
	tags := []object{}
	for _, name := range slices.Sorted(maps.Keys(f.tags)) {
		tags = append(tags, object{"name": name})
	}
	return object{
		"openapi": "3.0.3",
		"info": object{
			"title": "Packhouse", "version": "3",
			"description": "GitHub's REST API of packages, accounts and repositories, and what this server has beside it. " +
				"The names of owners, packages and repositories are taken in any case of letters, the slashes in the name of a package as they are or as %2F. " +
				"Every answer has X-GitHub-Request-Id, those to signed-in callers and others with a limit X-RateLimit-Limit, -Remaining, -Used, -Reset and -Resource, " +
				"and those to GET an ETag.",
		},
		"servers":  []object{{"url": ".", "description": "where this file is"}},
		"security": []object{{"token": []string{}}, {"login": []string{}}},
		"tags":     tags,
		"paths":    f.paths,
		"components": object{
			"schemas": f.named, "parameters": parameterObjects(), "responses": failures(),
			"headers": object{"Link": object{"description": "The other pages: prev, next, last and first.", "schema": object{"type": "string"}}},
			"securitySchemes": object{
				"token": object{"type": "http", "scheme": "bearer", "description": "A personal, fine-grained or workflow token, or an identity token that a rule of trust lets in."},
				"login": object{"type": "http", "scheme": "basic", "description": "A login with a token or a password."},
			},
		},
	}
}

// failures are the answers that are no success.
func failures() object {
	all := object{"304": object{"description": "What If-None-Match names is what there is."}}
	failure := func(text string) object {
		return object{"description": text, "content": object{"application/json": object{"schema": ref("basic-error")}}}
	}
	for status, text := range map[int]string{
		400: "A parameter or the body cannot be read, or the last version would go.",
		401: "No credential, or one that does not hold.",
		403: "The credential lacks a scope, or the caller the right.",
		404: "What is not there, or what the caller may not know of.",
		409: "Something is in the way; errors may tell what.",
		413: "The body is longer than 1 MiB.",
		422: "The body breaks a rule.",
		429: "Too many requests.",
	} {
		f := failure(text)
		if status == http.StatusTooManyRequests {
			f["headers"] = object{"Retry-After": object{"description": "In seconds.", "schema": object{"type": "integer"}}}
		}
		all[strconv.Itoa(status)] = f
	}
	all["failure"] = failure("Any other failure.")
	return all
}

type parameter struct {
	name   string // "" is its key
	kind   string // "" is string
	text   string
	values []string
}

func (p parameter) schema() object {
	s := object{"type": "string"}
	if p.kind != "" {
		s["type"] = p.kind
	}
	if len(p.values) > 0 {
		s["enum"] = p.values
	}
	return s
}

func parameterObjects() object {
	all := object{}
	for key, p := range pathParameters() {
		all[key] = object{"name": key, "in": "path", "required": true, "description": p.text, "schema": p.schema()}
	}
	for key, p := range queryParameters() {
		name := p.name
		if name == "" {
			name = key
		}
		all[key] = object{"name": name, "in": "query", "description": p.text, "schema": p.schema()}
	}
	return all
}

func pathParameters() map[string]parameter {
	const integer = "integer"
	return map[string]parameter{
		"account_id":         {kind: integer, text: "The id of a user or an organization."},
		"credential_id":      {kind: integer, text: "The id of a token."},
		"delivery_id":        {kind: integer, text: "The id of a delivery."},
		"digest":             {text: "Such as sha256:…"},
		"grantee":            {text: "A user's login, a team's slug, or a repository's name."},
		"grantee_owner":      {text: "The owner of the repository."},
		"hook_id":            {kind: integer, text: "The id of a hook."},
		"job_id":             {kind: integer, text: "The id of a job."},
		"org":                {text: "The login of an organization."},
		"org_id":             {kind: integer, text: "The id of an organization."},
		"owner":              {text: "The login of the owner of a repository."},
		"package_name":       {text: "The name of a package without its owner."},
		"package_type":       {text: "The registry.", values: []string{"container", "docker"}},
		"package_version_id": {kind: integer, text: "The id of a version."},
		"plan_id":            {kind: integer, text: "The id of a plan."},
		"repo":               {text: "The name of a repository without its owner."},
		"rule_id":            {kind: integer, text: "The id of a rule."},
		"tag":                {text: "A tag."},
		"team_id":            {kind: integer, text: "The id of a team."},
		"team_slug":          {text: "The slug of a team."},
		"token_id":           {kind: integer, text: "The id of a token."},
		"username":           {text: "The login of a user; where packages and repositories are listed, also of an organization."},
	}
}

// queryParameters by the name that the tables use, which is another where one
// name means several things.
func queryParameters() map[string]parameter {
	const integer, boolean = "integer", "boolean"
	return map[string]parameter{
		"page":             {kind: integer, text: "The page, from 1; up to the 10,000th entry."},
		"per_page":         {kind: integer, text: "How many a page has: 30, at most 100."},
		"state":            {text: "Those that are there, or those that can be restored.", values: []string{"active", "deleted"}},
		"membership_state": {name: "state", text: "Nobody is pending here.", values: []string{"active", "pending"}},
		"job_state":        {name: "state", text: "The state.", values: []string{"available", "running", "completed", "failed", "cancelled"}},
		"kind":             {text: "The kind of jobs."},
		"list_type":        {name: "package_type", text: "The registry, which has to be named.", values: []string{"container", "docker", "npm", "maven", "rubygems", "nuget"}},
		"visibility":       {text: "Those of that visibility.", values: []string{"public", "private", "internal"}},
		"repository_type":  {name: "type", text: "Which repositories: public, private or internal; others choose all."},
		"sort":             {name: "sort", text: "created, updated and pushed are the newest first; otherwise by name."},
		"affiliation":      {text: "Some of owner, collaborator and organization_member, with commas."},
		"collaborators":    {name: "affiliation", text: "Whom to list.", values: []string{"outside", "direct", "all"}},
		"permission":       {text: "Those with that permission.", values: []string{"pull", "triage", "push", "maintain", "admin"}},
		"member_role":      {name: "role", text: "Those in that role.", values: []string{"all", "admin", "member"}},
		"team_role":        {name: "role", text: "Nobody is a maintainer here.", values: []string{"member", "maintainer", "all"}},
		"since":            {kind: integer, text: "The id behind which the page begins."},
		"tagged":           {kind: boolean, text: "Those with a tag, or those that have none and that nothing needs."},
		"after_version":    {name: "after", kind: integer, text: "The id of a version behind which the page begins, as a Link says it."},
		"force":            {kind: boolean, text: "Deletes what needs the version with it."},
		"with_package":     {kind: boolean, text: "Deletes the package with its last version."},
		"restore_token":    {name: "token", text: "Taken and not needed."},
		"match":            {text: "A pattern of tags with * and ?."},
		"tag_sort":         {name: "sort", text: "The order.", values: []string{"name", "newest"}},
		"days":             {kind: integer, text: "How many days are told: 30, at most 366."},
		"label":            {text: "The text before the number, of 40 characters at most."},
		"badge_tag":        {name: "tag", text: "Counts what was pulled under this tag."},
		"q":                {text: "A piece of a name, user:, org:, repo:, is:, type:."},
		"inherits":         {kind: boolean, text: "What the change would make of it."},
		"before":           {kind: integer, text: "The id before which the page begins, as a Link says it."},
		"after":            {kind: integer, text: "The id behind which the page begins, as a Link says it."},
		"cursor":           {text: "Where the page begins, as a Link says it."},
		"delivery_status":  {name: "status", text: "Those that ended so.", values: []string{"success", "failure"}},
		"redelivery":       {kind: boolean, text: "Those that were sent again, or those that were not."},
		"phrase":           {text: "action:NAME and actor:NAME."},
	}
}
