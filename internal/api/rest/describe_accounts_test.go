package rest

// accountDescriptions are those of users and of oneself.
func accountDescriptions() map[string]described {
	return map[string]described{
		"GET /":             {id: "meta/root", summary: "Get addresses of the API", status: 200, answer: "addresses"},
		"GET /meta":         {id: "meta/get", summary: "Get what the server is", status: 200, answer: "meta"},
		"GET /rate_limit":   {id: "meta/get-rate-limit", summary: "Get how many requests are left", status: 200, answer: "rate-limit"},
		"GET /openapi.json": {id: "meta/get-description", summary: "Get this description", status: 200, answer: map[string]any{}},

		"GET /user":                        {id: "users/get-authenticated", summary: "Get oneself", status: 200, answer: "private-user"},
		"PATCH /user":                      {id: "users/update-authenticated", summary: "Change oneself", body: selfPatch{}, status: 200, answer: "private-user"},
		"GET /users":                       {id: "users/list", summary: "List everybody, by id", query: []string{"since", "per_page"}, status: 200, answer: "[]simple-user"},
		"GET /users/{username}":            {id: "users/get-by-username", summary: "Get a user or an organization", status: 200, answer: "public-user"},
		"GET /user/{account_id}":           {id: "users/get-by-id", summary: "Get a user or an organization by its id", status: 200, answer: "public-user"},
		"GET /user/orgs":                   {id: "orgs/list-for-authenticated-user", summary: "List one's own organizations", query: []string{"paged"}, status: 200, answer: "[]organization-simple"},
		"GET /users/{username}/orgs":       {id: "orgs/list-for-user", summary: "List a user's organizations, as far as the caller is in them", query: []string{"paged"}, status: 200, answer: "[]organization-simple"},
		"GET /user/repos":                  {id: "repos/list-for-authenticated-user", summary: "List the repositories that one has a role on", query: []string{"affiliation", "repository_type", "visibility", "sort", "paged"}, status: 200, answer: "[]repository"},
		"GET /users/{username}/repos":      {id: "repos/list-for-user", summary: "List the repositories of an account", query: []string{"repository_type", "sort", "paged"}, status: 200, answer: "[]repository"},
		"GET /user/teams":                  {id: "teams/list-for-authenticated-user", summary: "List one's own teams", query: []string{"paged"}, status: 200, answer: "[]team"},
		"GET /user/memberships/orgs":       {id: "orgs/list-memberships-for-authenticated-user", summary: "List one's own memberships", query: []string{"membership_state", "paged"}, status: 200, answer: "[]org-membership"},
		"GET /user/memberships/orgs/{org}": {id: "orgs/get-membership-for-authenticated-user", summary: "Get one's own membership", status: 200, answer: "org-membership"},
	}
}

// organizationDescriptions are those of organizations, members and teams.
func organizationDescriptions() map[string]described {
	return map[string]described{
		"GET /organizations":          {id: "orgs/list", summary: "List all organizations, by id", query: []string{"since", "per_page"}, status: 200, answer: "[]organization-simple"},
		"GET /orgs/{org}":             {id: "orgs/get", summary: "Get an organization", status: 200, answer: "organization-full"},
		"GET /organizations/{org_id}": {id: "orgs/get-by-id", summary: "Get an organization by its id", status: 200, answer: "organization-full"},
		"PATCH /orgs/{org}":           {id: "orgs/update", summary: "Change an organization and its settings", body: organizationPatch{}, status: 200, answer: "organization-full"},
		"DELETE /orgs/{org}":          {id: "orgs/delete", summary: "Delete an organization", status: 202, answer: "nothing"},
		"GET /orgs/{org}/repos":       {id: "repos/list-for-org", summary: "List the repositories of an organization", query: []string{"repository_type", "sort", "paged"}, status: 200, answer: "[]repository"},

		"GET /orgs/{org}/members":                   {id: "orgs/list-members", summary: "List members; others than members see none", query: []string{"member_role", "paged"}, status: 200, answer: "[]simple-user"},
		"GET /orgs/{org}/public_members":            {id: "orgs/list-public-members", summary: "List nobody: memberships are private", status: 200, answer: "anything"},
		"GET /orgs/{org}/members/{username}":        {id: "orgs/check-member", summary: "Tell whether a user is a member", status: 204},
		"DELETE /orgs/{org}/members/{username}":     {id: "orgs/remove-member", summary: "Remove a member", status: 204},
		"GET /orgs/{org}/memberships/{username}":    {id: "orgs/get-membership", summary: "Get a user's membership", status: 200, answer: "org-membership"},
		"PUT /orgs/{org}/memberships/{username}":    {id: "orgs/set-membership", summary: "Make a user a member or an owner, at once", body: membershipRequest{}, status: 200, answer: "org-membership"},
		"DELETE /orgs/{org}/memberships/{username}": {id: "orgs/remove-membership", summary: "Remove a member", status: 204},
		"GET /orgs/{org}/outside_collaborators":     {id: "orgs/list-outside-collaborators", summary: "List those who have a role on a repository and are no members", query: []string{"paged"}, status: 200, answer: "[]simple-user"},
		"GET /orgs/{org}/invitations":               {id: "orgs/list-invitations", summary: "List nobody: members are not invited", status: 200, answer: "anything"},

		"GET /orgs/{org}/teams":              {id: "teams/list", summary: "List teams", query: []string{"paged"}, status: 200, answer: "[]team"},
		"POST /orgs/{org}/teams":             {id: "teams/create", summary: "Make a team", body: teamRequest{}, needed: []string{"name"}, status: 201, answer: "team-full"},
		"GET TEAM":                           {id: "teams/get", summary: "Get a team", status: 200, answer: "team-full"},
		"PATCH TEAM":                         {id: "teams/update", summary: "Change a team", body: teamPatch{}, status: 200, answer: "team-full"},
		"DELETE TEAM":                        {id: "teams/delete", summary: "Delete a team", status: 204},
		"GET TEAM/teams":                     {id: "teams/list-child", summary: "List the teams below a team", query: []string{"paged"}, status: 200, answer: "[]team"},
		"GET TEAM/members":                   {id: "teams/list-members", summary: "List who is in a team", query: []string{"team_role", "paged"}, status: 200, answer: "[]simple-user"},
		"GET TEAM/invitations":               {id: "teams/list-invitations", summary: "List nobody: nobody is invited to teams", status: 200, answer: "anything"},
		"GET TEAM/memberships/{username}":    {id: "teams/get-membership", summary: "Get a user's membership in a team", status: 200, answer: "team-membership"},
		"PUT TEAM/memberships/{username}":    {id: "teams/set-membership", summary: "Add a user to a team", body: teamMembershipRequest{}, status: 200, answer: "team-membership"},
		"DELETE TEAM/memberships/{username}": {id: "teams/remove-membership", summary: "Remove a user from a team", status: 204},
		"GET TEAM/repos":                     {id: "teams/list-repos", summary: "List the repositories that a team has a role on", query: []string{"paged"}, status: 200, answer: "[]repository"},
		"GET TEAM/repos/{owner}/{repo}":      {id: "teams/check-repo", summary: "Tell whether a team has a role on a repository; with GitHub's media type for it, 200 and the repository", status: 204, also: "repository"},
		"PUT TEAM/repos/{owner}/{repo}":      {id: "teams/set-repo", summary: "Give a team a role on a repository", body: permissionRequest{}, status: 204},
		"DELETE TEAM/repos/{owner}/{repo}":   {id: "teams/remove-repo", summary: "Take a team's role on a repository", status: 204},
	}
}

// repositoryDescriptions are those of repositories.
func repositoryDescriptions() map[string]described {
	return map[string]described{
		"GET /repos/{owner}/{repo}":    {id: "repos/get", summary: "Get a repository", status: 200, answer: "full-repository"},
		"PATCH /repos/{owner}/{repo}":  {id: "repos/update", summary: "Change a repository", body: repositoryPatch{}, status: 200, answer: "full-repository"},
		"DELETE /repos/{owner}/{repo}": {id: "repos/delete", summary: "Delete a repository", status: 204},
		"GET REPO/readme":              {id: "repos/get-readme", summary: "Get a repository README", status: 200, answer: contentFile{}},
		"PUT REPO/readme":              {id: "repos/replace-readme", summary: "Replace the README of a repository", body: repositoryReadmeRequest{}, needed: []string{"content"}, status: 200, answer: contentFile{}},
		"POST REPO/transfer":           {id: "repos/transfer", summary: "Give a repository to another account, at once", body: transferRequest{}, needed: []string{"new_owner"}, status: 202, answer: "full-repository"},
		"POST /user/repos":             {id: "repos/create-for-authenticated-user", summary: "Make a repository of one's own", body: repositoryRequest{}, needed: []string{"name"}, status: 201, answer: "full-repository"},
		"POST /orgs/{org}/repos":       {id: "repos/create-in-org", summary: "Make a repository of an organization", body: repositoryRequest{}, needed: []string{"name"}, status: 201, answer: "full-repository"},

		"GET REPO/collaborators":                       {id: "repos/list-collaborators", summary: "List who has a role on a repository", query: []string{"collaborators", "permission", "paged"}, status: 200, answer: "[]collaborator"},
		"GET REPO/collaborators/{username}":            {id: "repos/check-collaborator", summary: "Tell whether a user has a role on a repository", status: 204},
		"PUT REPO/collaborators/{username}":            {id: "repos/set-collaborator", summary: "Give a user a role on a repository, at once", body: permissionRequest{}, status: 204},
		"DELETE REPO/collaborators/{username}":         {id: "repos/remove-collaborator", summary: "Take a user's role on a repository", status: 204},
		"GET REPO/collaborators/{username}/permission": {id: "repos/get-collaborator-permission", summary: "Get a user's role on a repository", status: 200, answer: "permission"},
		"GET REPO/invitations":                         {id: "repos/list-invitations", summary: "List nobody: collaborators are not invited", status: 200, answer: "anything"},
		"GET REPO/teams":                               {id: "repos/list-teams", summary: "List the teams with a role on a repository", query: []string{"paged"}, status: 200, answer: "[]team"},
	}
}
