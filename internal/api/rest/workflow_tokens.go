package rest

import (
	"net/http"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/token"
)

func (h *Handler) workflowTokenRoutes() []route {
	const at = "/repos/{owner}/{repo}/workflow-tokens"
	return []route{
		{"GET", at, h.listWorkflowTokens, administerRepository(access.Repo)},
		{"POST", at, h.createWorkflowToken, administerRepository(access.Repo)},
		{"DELETE", at + "/{token_id}", h.revokeWorkflowToken, administerRepository(access.Repo)},
	}
}

func (h *Handler) listWorkflowTokens(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := h.Workflow.List(c.r.Context(), c.target.repository.ID)
	if err != nil {
		return err
	}
	list := []tokenObject{}
	for _, t := range slice(p, all) {
		list = append(list, tokenOf(t))
	}
	return c.list(p, len(all), list)
}

// workflowTokenRequest is the body of POST …/workflow-tokens.
type workflowTokenRequest struct {
	// Permissions are as a workflow file has them: packages none, read or write.
	Permissions map[string]string `json:"permissions"`
	// ExpiresIn is in seconds, an hour if it is absent, six hours at most.
	ExpiresIn *int64 `json:"expires_in"`
	// Codespace makes a token that only pulls.
	Codespace bool `json:"codespace"`
}

// createWorkflowToken makes a token for a job of the repository, which may do no
// more than the credential by which it is made and lasts no longer.
func (h *Handler) createWorkflowToken(c *call) error {
	var b workflowTokenRequest
	if err := c.body(&b); err != nil {
		return err
	}
	scopes, err := token.PermissionScopes(b.Permissions["packages"])
	if b.Permissions["packages"] == "" {
		scopes, err = 0, nil
	}
	if err != nil {
		return changed(err)
	}
	if b.Codespace {
		scopes = access.ReadPackages
	}
	life := token.WorkflowLife
	if b.ExpiresIn != nil {
		if *b.ExpiresIn < 1 || *b.ExpiresIn > int64(token.MaxWorkflowLife/time.Second) {
			return invalid("expires_in is 1 to %d seconds", int64(token.MaxWorkflowLife/time.Second))
		}
		life = time.Duration(*b.ExpiresIn) * time.Second
	}
	r := c.target.repository
	secret, t, err := h.Workflow.CreateBelow(c.r.Context(), c.by(), c.who, token.NewWorkflowToken{
		RepositoryID: r.ID, OwnerID: r.OwnerID, Scopes: scopes, Codespace: b.Codespace,
		ExpiresAt: h.Now().Add(life), Target: r.Name.String(),
	})
	if err != nil {
		return changed(err)
	}
	o := tokenOf(t)
	o.Token = secret.Reveal()
	return c.json(http.StatusCreated, o)
}

func (h *Handler) revokeWorkflowToken(c *call) error {
	id, err := c.id("token_id")
	if err != nil {
		return errNotThere()
	}
	if err := h.Workflow.RevokeIn(c.r.Context(), c.by(), c.target.repository.ID, id); err != nil {
		return absent(err)
	}
	return c.none()
}
