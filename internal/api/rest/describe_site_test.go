package rest

import "packhouse/internal/lifecycle"

// credentialDescriptions are those of tokens and of rules of trust.
func credentialDescriptions() map[string]described {
	return map[string]described{
		"GET /user/tokens":                       {id: "tokens/list", summary: "List one's own tokens, without secrets", query: []string{"paged"}, status: 200, answer: []tokenObject{}},
		"POST /user/tokens":                      {id: "tokens/create", summary: "Make a token that may do no more than the credential, and lasts no longer", body: tokenRequest{}, status: 201, answer: tokenObject{}},
		"DELETE /user/tokens/{token_id}":         {id: "tokens/revoke", summary: "Revoke a token", status: 204},
		"GET REPO/workflow-tokens":               {id: "tokens/list-workflow", summary: "List the tokens of a repository's jobs", query: []string{"paged"}, status: 200, answer: []tokenObject{}},
		"POST REPO/workflow-tokens":              {id: "tokens/create-workflow", summary: "Make a token for a job of a repository", body: workflowTokenRequest{}, status: 201, answer: tokenObject{}},
		"DELETE REPO/workflow-tokens/{token_id}": {id: "tokens/revoke-workflow", summary: "Revoke a job's token", status: 204},

		"GET /orgs/{org}/credential-authorizations":                    {id: "orgs/list-credential-authorizations", summary: "List tokens that single sign-on was authorized for", query: []string{"paged"}, status: 200, answer: "[]credential-authorization"},
		"PUT /orgs/{org}/credential-authorizations/{credential_id}":    {id: "orgs/set-credential-authorization", summary: "Let a member's token reach the organization; for site administrators", status: 204},
		"DELETE /orgs/{org}/credential-authorizations/{credential_id}": {id: "orgs/remove-credential-authorization", summary: "End what a token was authorized for", status: 204},

		"GET TRUST":              {id: "trust/list", summary: "List rules of trust", query: []string{"paged"}, status: 200, answer: []trustRule{}},
		"POST TRUST":             {id: "trust/create", summary: "Make a rule of trust", body: trustRequest{}, needed: []string{"actions"}, status: 201, answer: trustRule{}},
		"DELETE TRUST/{rule_id}": {id: "trust/delete", summary: "End a rule of trust", status: 204},
	}
}

// siteDescriptions are those for administrators of the site, and of records.
func siteDescriptions() map[string]described {
	return map[string]described{
		"GET /orgs/{org}/audit-log": {id: "audit/list-for-org", summary: "List the changes in an organization, the newest first", query: []string{"phrase", "after", "before", "per_page"}, status: 200, answer: []auditEntry{}},
		"GET /admin/audit-log":      {id: "audit/list", summary: "List every change, the newest first", query: []string{"phrase", "after", "before", "per_page"}, status: 200, answer: []auditEntry{}},

		"POST /admin/users":                             {id: "admin/create-user", summary: "Make a user", body: newUser{}, needed: []string{"login"}, status: 201, answer: "simple-user"},
		"PATCH /admin/users/{username}":                 {id: "admin/rename-user", summary: "Rename a user", body: renameRequest{}, needed: []string{"login"}, status: 202, answer: "renamed"},
		"DELETE /admin/users/{username}":                {id: "admin/delete-user", summary: "Delete a user", status: 204},
		"PUT /admin/users/{username}/password":          {id: "admin/set-password", summary: "Set a user's password", body: passwordRequest{}, needed: []string{"password"}, status: 204},
		"POST /admin/users/{username}/authorizations":   {id: "admin/impersonate", summary: "Make a token of another user, in the place of one made so before", body: impersonationRequest{}, needed: []string{"scopes"}, status: 201, answer: "authorization"},
		"DELETE /admin/users/{username}/authorizations": {id: "admin/end-impersonation", summary: "End the token made so", status: 204},
		"PUT /users/{username}/suspended":               {id: "admin/suspend-user", summary: "Suspend a user", status: 204},
		"DELETE /users/{username}/suspended":            {id: "admin/unsuspend-user", summary: "Let a suspended user in again", status: 204},
		"PUT /users/{username}/site_admin":              {id: "admin/promote-user", summary: "Make a user an administrator of the site", status: 204},
		"DELETE /users/{username}/site_admin":           {id: "admin/demote-user", summary: "End that", status: 204},
		"POST /admin/organizations":                     {id: "admin/create-organization", summary: "Make an organization", body: newOrganization{}, needed: []string{"login", "admin"}, status: 201, answer: "organization-simple"},
		"PATCH /admin/organizations/{org}":              {id: "admin/rename-organization", summary: "Rename an organization", body: renameRequest{}, needed: []string{"login"}, status: 202, answer: "renamed"},

		"PUT /admin/organizations/{org}/suspended":         {id: "admin/suspend-organization", summary: "Suspend an organization", status: 204},
		"DELETE /admin/organizations/{org}/suspended":      {id: "admin/unsuspend-organization", summary: "End the suspension of an organization", status: 204},
		"GET /admin/users/{username}/tokens":               {id: "admin/list-tokens", summary: "List a user's tokens, without secrets", query: []string{"paged"}, status: 200, answer: []tokenObject{}},
		"DELETE /admin/users/{username}/tokens/{token_id}": {id: "admin/revoke-token", summary: "Revoke a user's token", status: 204},

		"GET /admin/settings":           {id: "admin/get-settings", summary: "Get the settings of the site", status: 200, answer: siteSettings{}},
		"PATCH /admin/settings":         {id: "admin/update-settings", summary: "Change settings of the site", body: siteSettings{}, status: 200, answer: siteSettings{}},
		"GET /admin/docker-migrations":  {id: "admin/list-docker-migrations", summary: "List moves to the Container registry, the newest first", query: []string{"paged"}, status: 200, answer: []migrationObject{}},
		"POST /admin/docker-migrations": {id: "admin/start-docker-migrations", summary: "Move Docker packages of owners, or of all, to the Container registry", body: migrationRequest{}, status: 202, answer: []migrationObject{}},

		"GET OWNER/storage":                {id: "storage/get", summary: "Get what the packages of an account hold, the largest first", query: []string{"paged"}, status: 200, answer: ownerStorage{}},
		"GET /admin/storage":               {id: "storage/get-of-site", summary: "Get what the server holds, and who holds the most", query: []string{"per_page"}, status: 200, answer: siteStorage{}},
		"GET /admin/jobs":                  {id: "jobs/list", summary: "List jobs, the newest first", query: []string{"job_state", "kind", "before", "per_page"}, status: 200, answer: []jobObject{}},
		"GET /admin/jobs/{job_id}":         {id: "jobs/get", summary: "Get a job", status: 200, answer: jobObject{}},
		"POST /admin/jobs/{job_id}/retry":  {id: "jobs/retry", summary: "Have a job that failed, was cancelled or waits begin at once, with all its attempts", status: 200, answer: jobObject{}},
		"POST /admin/jobs/{job_id}/cancel": {id: "jobs/cancel", summary: "End a job that waits or runs", status: 200, answer: jobObject{}},

		"GET /admin/gc":                    {id: "gc/get", summary: "Get how garbage collection stands", status: 200, answer: lifecycle.Status{}},
		"POST /admin/gc":                   {id: "gc/start", summary: "Have a round done soon", status: 202, answer: map[string]string{}},
		"POST /admin/gc/resume":            {id: "gc/resume", summary: "End what holds garbage collection up", status: 200, answer: resumed{}},
		"GET /admin/gc/explain/{digest}":   {id: "gc/explain", summary: "Get who keeps a blob, or since when nobody does", status: 200, answer: explanation{}},
		"GET /admin/gc/receipts":           {id: "gc/list-receipts", summary: "List what was removed for good, the newest first", query: []string{"before", "per_page"}, status: 200, answer: []lifecycle.Receipt{}},
		"POST /admin/gc/undelete/{digest}": {id: "gc/undelete", summary: "Bring a blob back from the trash", status: 200, answer: "undeleted"},
	}
}
