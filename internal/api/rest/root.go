package rest

import (
	"net/http"
)

// rootRoutes tell what there is.
func (h *Handler) rootRoutes() []route {
	return []route{
		{"GET", "/", h.getRoot, open()},
		{"GET", "/meta", h.getMeta, open()},
	}
}

// getRoot is GitHub's index of addresses, of those that are here.
func (h *Handler) getRoot(c *call) error {
	return c.json(http.StatusOK, object{
		"current_user_url":              h.Base + "/user",
		"current_user_repositories_url": h.Base + "/user/repos{?type,page,per_page,sort}",
		"organization_url":              h.Base + "/orgs/{org}",
		"organization_repositories_url": h.Base + "/orgs/{org}/repos{?type,page,per_page,sort}",
		"organization_teams_url":        h.Base + "/orgs/{org}/teams",
		"rate_limit_url":                h.Base + "/rate_limit",
		"repository_url":                h.Base + "/repos/{owner}/{repo}",
		"user_url":                      h.Base + "/users/{user}",
		"user_organizations_url":        h.Base + "/user/orgs",
		"user_repositories_url":         h.Base + "/users/{user}/repos{?type,page,per_page,sort}",
	})
}

// getMeta says that passwords can be used here. The version is what clients take
// for GitHub Enterprise Server's, by which they choose their calls.
func (h *Handler) getMeta(c *call) error {
	return c.json(http.StatusOK, object{"verifiable_password_authentication": true, "installed_version": "3.17.0"})
}
