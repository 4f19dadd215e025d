package repositories

import (
	"net/url"
	"strconv"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
)

// tokensPage is the tokens of a repository's jobs.
type tokensPage struct {
	frame.RepositorySettings
	Tokens []tokenRow
	// Secret is that of the token that was just made: it is shown once.
	Secret string
	// Container is what jobs log in to.
	Container string
	// Permission and Minutes are of a form that did not succeed.
	Permission, Minutes string
	Codespace           bool
}

type tokenRow struct {
	token.Token
	// Permission is none, read or write.
	Permission string
	New        bool
}

func (r *room) tokensPage(c *frame.Call) (tokensPage, error) {
	own, err := r.settings(c, "workflow-tokens", "repositories.tokens-title")
	if err != nil {
		return tokensPage{}, err
	}
	page := tokensPage{RepositorySettings: own, Container: c.Frame.ContainerHost, Permission: "write", Minutes: "60"}
	list, err := r.Workflow.List(c.R.Context(), own.Repository.ID)
	for _, t := range list {
		row := tokenRow{Token: t, Permission: "none"}
		switch {
		case t.Scopes.Has(access.WritePackages):
			row.Permission = "write"
		case t.Scopes.Has(access.ReadPackages):
			row.Permission = "read"
		}
		page.Tokens = append(page.Tokens, row)
	}
	return page, err
}

func (r *room) tokens(c *frame.Call) error {
	page, err := r.tokensPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "tokens", page)
}

// createToken shows the token in its answer, and nowhere else.
func (r *room) createToken(c *frame.Call) error {
	page, err := r.tokensPage(c)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	secret, made, err := r.makeToken(c, page, form)
	if err != nil {
		page.Permission, page.Minutes, page.Codespace = form.Get("permission"), form.Get("minutes"), form.Get("codespace") != ""
		return r.again(c, err, "tokens", &page.Page, func() any { return page })
	}
	if page, err = r.tokensPage(c); err != nil {
		return err
	}
	page.Secret = secret.Reveal()
	for i := range page.Tokens {
		page.Tokens[i].New = page.Tokens[i].ID == made.ID
	}
	return r.ShowSecret(c, frame.OK, "tokens", page)
}

func (r *room) makeToken(c *frame.Call, page tokensPage, form url.Values) (token.Secret, token.Token, error) {
	scopes, err := token.PermissionScopes(form.Get("permission"))
	if err != nil {
		return token.Secret{}, token.Token{}, err
	}
	minutes, err := strconv.Atoi(form.Get("minutes"))
	if err != nil || minutes < 1 || time.Duration(minutes)*time.Minute > token.MaxWorkflowLife {
		return token.Secret{}, token.Token{}, errs.New(errs.Invalid, "a workflow token lasts at most 6 hours")
	}
	n := token.NewWorkflowToken{
		RepositoryID: page.Repository.ID, OwnerID: page.Repository.OwnerID, Scopes: scopes, Codespace: form.Get("codespace") != "",
		ExpiresAt: c.Frame.Now().Add(time.Duration(minutes) * time.Minute), Target: page.Repository.Name.String(),
	}
	if n.Codespace {
		n.Scopes = access.ReadPackages
	}
	return r.Workflow.Create(c.R.Context(), audit.By(c.Who), n)
}

func (r *room) revokeToken(c *frame.Call) error {
	own, err := r.settings(c, "workflow-tokens", "repositories.tokens-title")
	if err != nil {
		return err
	}
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := r.Workflow.RevokeIn(c.R.Context(), audit.By(c.Who), own.Repository.ID, id); err != nil {
		return err
	}
	return c.Done(own.Path()+"/settings/workflow-tokens", "workflow-token-revoked")
}
