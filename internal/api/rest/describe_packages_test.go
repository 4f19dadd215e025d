package rest

import (
	"packhouse/internal/lifecycle"
)

// packageDescriptions are GitHub's operations on packages.
func packageDescriptions() map[string]described {
	return map[string]described{
		"GET OWNER/packages":                                 {id: "packages/list-packages", summary: "List the packages of an account", query: []string{"list_type", "visibility", "state", "paged"}, status: 200, answer: "[]package"},
		"GET OWNER/docker/conflicts":                         {id: "packages/list-docker-migration-conflicting-packages", summary: "List packages that cannot move to the Container registry, since it has one of that name", status: 200, answer: "[]package"},
		"GET PACKAGE":                                        {id: "packages/get-package", summary: "Get a package", status: 200, answer: "package"},
		"DELETE PACKAGE":                                     {id: "packages/delete-package", summary: "Delete a package", status: 204},
		"POST PACKAGE/restore":                               {id: "packages/restore-package", summary: "Restore a package", query: []string{"restore_token"}, status: 204},
		"GET PACKAGE/versions":                               {id: "packages/list-versions", summary: "List the versions of a package, the newest first", query: []string{"state", "tagged", "after_version", "paged"}, status: 200, answer: "[]package-version"},
		"GET PACKAGE/versions/{package_version_id}":          {id: "packages/get-version", summary: "Get a version", status: 200, answer: "package-version"},
		"DELETE PACKAGE/versions/{package_version_id}":       {id: "packages/delete-version", summary: "Delete a version", query: []string{"force", "with_package"}, status: 204},
		"POST PACKAGE/versions/{package_version_id}/restore": {id: "packages/restore-version", summary: "Restore a version with its tags", status: 204},
		"GET /search/packages":                               {id: "packages/search", summary: "Search packages that the caller may read", query: []string{"q", "paged"}, status: 200, answer: "package-search"},
	}
}

// reference is the body that names a version by a tag or a digest.
type reference struct {
	Reference string `json:"reference"`
}

// ownDescriptions are this server's operations on packages.
func ownDescriptions() map[string]described {
	type newTag struct {
		Tag       string `json:"tag"`
		Reference string `json:"reference"`
	}
	type digest struct {
		Digest string `json:"digest"`
	}
	type patterns struct {
		Patterns []string `json:"patterns"`
	}
	type platforms struct {
		Platforms    []platformObject `json:"platforms"`
		Attestations []string         `json:"attestations"`
	}
	return map[string]described{
		"GET PACKAGE/tags":                {id: "tags/list", summary: "List the tags of a package", query: []string{"match", "tag_sort", "paged"}, status: 200, answer: "[]tag"},
		"POST PACKAGE/tags":               {id: "tags/create", summary: "Set a tag", body: newTag{}, needed: []string{"tag", "reference"}, status: 201, answer: "tag"},
		"GET PACKAGE/tags/{tag}":          {id: "tags/get", summary: "Get a tag", status: 200, answer: "tag"},
		"PUT PACKAGE/tags/{tag}":          {id: "tags/set", summary: "Set a tag", body: reference{}, needed: []string{"reference"}, status: 200, answer: "tag"},
		"DELETE PACKAGE/tags/{tag}":       {id: "tags/delete", summary: "Delete a tag; its version stays", status: 204},
		"GET PACKAGE/tags/{tag}/history":  {id: "tags/list-history", summary: "List where a tag led, the latest first", query: []string{"paged"}, status: 200, answer: "[]tag-interval"},
		"POST PACKAGE/tags/{tag}/restore": {id: "tags/restore", summary: "Set a tag back to a version that it led to", body: digest{}, needed: []string{"digest"}, status: 200, answer: "tag"},

		"GET PACKAGE/sizes": {id: "sizes/get", summary: "Get what a package takes, in bytes", status: 200, answer: "sizes"},
		"GET PACKAGE/versions/{package_version_id}/sizes": {id: "sizes/get-of-version", summary: "Get what a version takes, in bytes", status: 200, answer: "sizes"},

		"GET PACKAGE/downloads":                               {id: "downloads/get", summary: "Get how often a package was pulled", query: []string{"days"}, status: 200, answer: downloadsObject{}},
		"GET PACKAGE/versions/{package_version_id}/downloads": {id: "downloads/get-of-version", summary: "Get how often a version was pulled", query: []string{"days"}, status: 200, answer: downloadsObject{}},
		"GET PACKAGE/tags/{tag}/downloads":                    {id: "downloads/get-of-tag", summary: "Get how often something was pulled under a tag", query: []string{"days"}, status: 200, answer: downloadsObject{}},
		"GET PACKAGE/downloads/badge.svg":                     {id: "downloads/get-badge", summary: "Get a picture of how often a package was pulled", query: []string{"label", "badge_tag"}, status: 200, media: "image/svg+xml"},
		"GET PACKAGE/latest":                                  {id: "packages/get-latest", summary: "Get the tag set last that leads to what people pull", status: 200, answer: latestObject{}},
		"GET PACKAGE/versions/{package_version_id}/platforms": {id: "packages/get-platforms", summary: "Get the platforms of an index, and its attestations", status: 200, answer: platforms{}},

		"GET PACKAGE/immutable_tags": {id: "immutable-tags/get", summary: "Get the patterns of tags that never move", status: 200, answer: patternsObject{}},
		"PUT PACKAGE/immutable_tags": {id: "immutable-tags/replace", summary: "Replace the patterns of tags that never move", body: patterns{}, needed: []string{"patterns"}, status: 200, answer: patternsObject{}},
		"GET OWNER/immutable_tags":   {id: "immutable-tags/get-of-account", summary: "Get the patterns for all packages of an account", status: 200, answer: patternsObject{}},
		"PUT OWNER/immutable_tags":   {id: "immutable-tags/replace-of-account", summary: "Replace the patterns for all packages of an account", body: patterns{}, needed: []string{"patterns"}, status: 200, answer: patternsObject{}},

		"GET PACKAGE/readme": {id: "readmes/get", summary: "Get the readme of a package", status: 200, answer: readmeObject{}},
		"PUT PACKAGE/readme": {id: "readmes/replace", summary: "Replace the readme of a package", body: readmeRequest{}, needed: []string{"content"}, status: 200, answer: readmeObject{}},

		"PATCH PACKAGE":             {id: "package-settings/update", summary: "Change the visibility or the name of a package", body: packagePatch{}, status: 200, answer: "package"},
		"POST PACKAGE/transfer":     {id: "package-settings/transfer", summary: "Give a package to another account", body: transferRequest{}, needed: []string{"new_owner"}, status: 202, answer: "package"},
		"GET PACKAGE/settings":      {id: "package-settings/get", summary: "Get all settings of a package as one document", status: 200, answer: settingsObject{}},
		"PUT PACKAGE/settings":      {id: "package-settings/set", summary: "Set what the document names; the rest stays. 204 to who has just given the package away", body: settingsRequest{}, status: 204, also: settingsObject{}},
		"PUT PACKAGE/repository":    {id: "package-settings/link", summary: "Link a package to a repository", body: linkRequest{}, needed: []string{"repository"}, status: 204},
		"DELETE PACKAGE/repository": {id: "package-settings/unlink", summary: "Unlink a package", status: 204},
		"GET PACKAGE/inheritance":   {id: "package-settings/plan-inheritance", summary: "Get what a change of inheritance would take away", query: []string{"inherits"}, status: 200, answer: "inheritance-plan"},
		"PUT PACKAGE/inheritance":   {id: "package-settings/set-inheritance", summary: "Let the roles on a package come from its repository, or end that", body: inheritanceRequest{}, needed: []string{"inherits"}, status: 204},
		"GET PACKAGE/grants":        {id: "grants/list", summary: "List the roles that were given on a package", status: 200, answer: "package-grants"},

		"PUT PACKAGE/grants/users/{grantee}":                           {id: "grants/set-user", summary: "Give a user a role on a package", body: packageGrantRequest{}, needed: []string{"role"}, status: 204},
		"DELETE PACKAGE/grants/users/{grantee}":                        {id: "grants/remove-user", summary: "Take a user's role on a package", status: 204},
		"PUT PACKAGE/grants/teams/{grantee}":                           {id: "grants/set-team", summary: "Give a team a role on a package", body: packageGrantRequest{}, needed: []string{"role"}, status: 204},
		"DELETE PACKAGE/grants/teams/{grantee}":                        {id: "grants/remove-team", summary: "Take a team's role on a package", status: 204},
		"PUT PACKAGE/grants/repositories/{grantee_owner}/{grantee}":    {id: "grants/set-repository", summary: "Say what the jobs and codespaces of a repository may do with a package", body: packageGrantRequest{}, status: 204},
		"DELETE PACKAGE/grants/repositories/{grantee_owner}/{grantee}": {id: "grants/remove-repository", summary: "Take what the jobs and codespaces of a repository may do with a package", status: 204},
	}
}

// retentionDescriptions are those of rules of deletion.
func retentionDescriptions() map[string]described {
	type policy struct {
		Rules     lifecycle.Rules `json:"rules"`
		Automatic bool            `json:"automatic"`
	}
	type plan struct {
		Rules lifecycle.Rules `json:"rules"`
	}
	type undone struct {
		Versions int      `json:"versions"`
		Tags     int      `json:"tags"`
		Taken    []string `json:"taken"`
	}
	return map[string]described{
		"GET RETENTION/policy":                 {id: "retention/get-policy", summary: "Get the rules of deletion", status: 200, answer: policyObject{}},
		"PUT RETENTION/policy":                 {id: "retention/set-policy", summary: "Set the rules of deletion", body: policy{}, needed: []string{"rules"}, status: 200, answer: policyObject{}},
		"DELETE RETENTION/policy":              {id: "retention/remove-policy", summary: "Remove the rules of deletion", status: 204},
		"GET RETENTION/plans":                  {id: "retention/list-plans", summary: "List plans, the newest first", query: []string{"before", "per_page"}, status: 200, answer: []planObject{}},
		"POST RETENTION/plans":                 {id: "retention/create-plan", summary: "Plan a deletion by the rules of the body, or by those that are set", body: plan{}, status: 201, answer: planObject{}},
		"GET RETENTION/plans/{plan_id}":        {id: "retention/get-plan", summary: "Get a plan", status: 200, answer: planObject{}},
		"GET RETENTION/plans/{plan_id}/items":  {id: "retention/list-plan-items", summary: "List the versions of a plan", query: []string{"after", "per_page"}, status: 200, answer: []itemObject{}},
		"POST RETENTION/plans/{plan_id}/apply": {id: "retention/apply-plan", summary: "Carry out a plan, if it still fits", status: 200, answer: planObject{}},
		"POST RETENTION/plans/{plan_id}/undo":  {id: "retention/undo-plan", summary: "Bring back what a plan deleted", status: 200, answer: undone{}},
	}
}

// hookDescriptions are those of hooks.
func hookDescriptions() map[string]described {
	const one, delivery = "HOOKS/{hook_id}", "HOOKS/{hook_id}/deliveries/{delivery_id}"
	return map[string]described{
		"GET HOOKS":                      {id: "hooks/list", summary: "List hooks", query: []string{"paged"}, status: 200, answer: "[]hook"},
		"POST HOOKS":                     {id: "hooks/create", summary: "Make a hook", body: hookRequest{}, needed: []string{"config"}, status: 201, answer: "hook"},
		"GET " + one:                     {id: "hooks/get", summary: "Get a hook", status: 200, answer: "hook"},
		"PATCH " + one:                   {id: "hooks/update", summary: "Change a hook", body: hookRequest{}, status: 200, answer: "hook"},
		"DELETE " + one:                  {id: "hooks/delete", summary: "Delete a hook", status: 204},
		"GET " + one + "/config":         {id: "hooks/get-config", summary: "Get where a hook sends what", status: 200, answer: "webhook-config"},
		"PATCH " + one + "/config":       {id: "hooks/update-config", summary: "Change where a hook sends what", body: hookSettings{}, status: 200, answer: "webhook-config"},
		"POST " + one + "/pings":         {id: "hooks/ping", summary: "Send a ping", status: 204},
		"POST " + one + "/tests":         {id: "hooks/test", summary: "Tell the newest version once more", status: 204},
		"GET " + one + "/deliveries":     {id: "hooks/list-deliveries", summary: "List deliveries, the newest first", query: []string{"per_page", "cursor", "delivery_status", "redelivery"}, status: 200, answer: "[]hook-delivery-item"},
		"GET " + delivery:                {id: "hooks/get-delivery", summary: "Get a delivery with its request and its response", status: 200, answer: "hook-delivery"},
		"POST " + delivery + "/attempts": {id: "hooks/redeliver", summary: "Send a delivery again", status: 202, answer: "nothing"},
	}
}
