package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// TokenLists reads what tokens reach.
type TokenLists interface {
	// LimitNames returns what a limited token reaches.
	LimitNames(ctx context.Context, tokenID int64) ([]token.LimitName, error)
	// Authorizations returns the tokens that may reach an organization that
	// demands single sign-on.
	Authorizations(ctx context.Context, organizationID int64) ([]token.Authorization, error)
}

func (h *Handler) tokenRoutes() []route {
	return []route{
		{"GET", "/user/tokens", h.listTokens, self(access.ReadUser)},
		{"POST", "/user/tokens", h.createToken, self(access.User)},
		{"DELETE", "/user/tokens/{token_id}", h.revokeToken, self(access.User)},
		{"GET", "/admin/users/{username}/tokens", h.adminListTokens, siteAdmin()},
		{"DELETE", "/admin/users/{username}/tokens/{token_id}", h.adminRevokeToken, siteAdmin()},
		{"POST", "/admin/users/{username}/authorizations", h.impersonate, siteAdmin()},
		{"DELETE", "/admin/users/{username}/authorizations", h.endImpersonation, siteAdmin()},
		{"GET", "/orgs/{org}/credential-authorizations", h.listAuthorizations, onAccount(account.Organization, access.AdminOrg, access.AdministerAccount)},
		{"PUT", "/orgs/{org}/credential-authorizations/{credential_id}", h.authorizeToken, siteAdmin()},
		{"DELETE", "/orgs/{org}/credential-authorizations/{credential_id}", h.deauthorizeToken, onAccount(account.Organization, access.AdminOrg, access.AdministerAccount)},
	}
}

// impersonation is the note on tokens that administrators made for others. No
// other token has it.
const impersonation = "made by an administrator of the site"

// tokenObject is a token; its secret is shown once, where it is made.
type tokenObject struct {
	ID   int64  `json:"id"`
	Kind string `json:"kind"` // classic, fine-grained, workflow or codespace
	Note string `json:"note"`
	// Scopes are those of a classic token, Limits what a fine-grained one reaches.
	Scopes     []string      `json:"scopes"`
	Limits     []limitObject `json:"limits"`
	CreatedAt  string        `json:"created_at"`
	ExpiresAt  any           `json:"expires_at"`
	LastUsedAt any           `json:"last_used_at"`
	Token      string        `json:"token,omitempty"`
}

// limitObject is one thing that a fine-grained token reaches.
type limitObject struct {
	// Name is OWNER/NAME for a package, or OWNER for all of an owner. It is ""
	// for what the caller may no longer see.
	Name string `json:"name"`
	// Actions are some of pull, push and delete.
	Actions []string `json:"actions"`
}

func scopeNames(s access.Scopes) []string {
	names := strings.FieldsFunc(s.String(), func(r rune) bool { return r == ',' })
	return append([]string{}, names...)
}

func tokenOf(t token.Token) tokenObject {
	kind := map[token.Kind]string{token.Personal: "classic", token.FineGrained: "fine-grained", token.Workflow: "workflow"}[t.Kind]
	if t.Codespace {
		kind = "codespace"
	}
	return tokenObject{
		ID: t.ID, Kind: kind, Note: t.Note, Scopes: scopeNames(t.Scopes), Limits: []limitObject{},
		CreatedAt: moment(t.CreatedAt), ExpiresAt: optional(t.ExpiresAt), LastUsedAt: optional(t.LastUsedAt),
	}
}

// limits fills in what a fine-grained token reaches, as far as the caller may
// know of it.
func (c *call) limits(o *tokenObject) error {
	list, err := c.h.TokenLists.LimitNames(c.r.Context(), o.ID)
	for _, l := range list {
		one := limitObject{Name: l.Name, Actions: strings.Split(token.FormatActions(l.Actions), ",")}
		if owner, name, isPackage := strings.Cut(l.Name, "/"); isPackage {
			p, ok := address(access.Container, owner, name)
			p.Also = access.Docker
			if _, err := c.h.Packages.Package(c.r.Context(), c.who, p); !ok || err != nil {
				one.Name = ""
			}
		}
		o.Limits = append(o.Limits, one)
	}
	return err
}

func (h *Handler) listTokens(c *call) error { return c.tokensOf(c.who.AccountID) }

func (h *Handler) adminListTokens(c *call) error {
	user, err := c.named("username", account.User)
	if err != nil {
		return err
	}
	return c.tokensOf(user.ID)
}

// tokensOf answers with a page of a user's tokens.
func (c *call) tokensOf(accountID int64) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := c.h.Personal.List(c.r.Context(), accountID)
	if err != nil {
		return err
	}
	list := []tokenObject{}
	for _, t := range slice(p, all) {
		o := tokenOf(t)
		if t.Limited {
			if err := c.limits(&o); err != nil {
				return err
			}
		}
		list = append(list, o)
	}
	return c.list(p, len(all), list)
}

// tokenRequest is the body of POST /user/tokens: a classic token by scopes, or a
// fine-grained one by limits.
type tokenRequest struct {
	Note   string        `json:"note"`
	Scopes []string      `json:"scopes"`
	Limits []limitObject `json:"limits"`
	// ExpiresAt is a time such as 2030-01-02T03:04:05Z. Without it the token
	// lasts as long as the credential that makes it.
	ExpiresAt *time.Time `json:"expires_at"`
}

// createToken makes a token that may do no more than the credential by which it
// is made, and lasts no longer.
func (h *Handler) createToken(c *call) error {
	var b tokenRequest
	if err := c.body(&b); err != nil {
		return err
	}
	n := token.NewToken{AccountID: c.who.AccountID, Target: c.who.Login, Note: b.Note}
	if b.Note == impersonation {
		return invalid("This note is for tokens that administrators of the site make.")
	}
	if b.ExpiresAt != nil {
		if n.ExpiresAt = *b.ExpiresAt; n.ExpiresAt.IsZero() { // which is no end at all to all else
			return invalid("expires_at lies in the past")
		}
	}
	if len(b.Scopes) > 0 || len(b.Limits) == 0 {
		scopes, err := access.ParseScopes(strings.Join(b.Scopes, ","))
		if err != nil {
			return changed(err)
		}
		n.Scopes = scopes
	}
	var err error
	if n.Limits, err = c.readLimits(b.Limits); err != nil {
		return err
	}
	secret, t, err := h.Personal.CreateBelow(c.r.Context(), c.by(), c.who, n)
	if err != nil {
		return changed(err)
	}
	o := tokenOf(t)
	o.Token, o.Limits = secret.Reveal(), append(o.Limits, b.Limits...)
	return c.json(http.StatusCreated, o)
}

// readLimits finds what a token is to reach among what the caller may know of.
func (c *call) readLimits(list []limitObject) (limits []access.Limit, err error) {
	for _, l := range list {
		one := access.Limit{}
		if one.Actions, err = token.ParseActionSet(strings.Join(l.Actions, ",")); err != nil {
			return nil, changed(err)
		}
		owner, name, isPackage := strings.Cut(l.Name, "/")
		if isPackage {
			p, ok := address(access.Container, owner, name)
			p.Also = access.Docker
			found, err := c.h.Packages.Package(c.r.Context(), c.who, p)
			if !ok || errs.Is(err, errs.NotFound) || errs.Is(err, errs.Denied) {
				return nil, invalid("There is no package %q; a namespace takes also packages to come.", l.Name)
			}
			if err != nil {
				return nil, err
			}
			one.OwnerID, one.PackageID = found.Owner.ID, found.ID
		} else {
			a, err := c.h.Accounts.Get(c.r.Context(), owner)
			if err != nil {
				return nil, errNoOwner(owner)
			}
			one.OwnerID = a.ID
		}
		limits = append(limits, one)
	}
	return limits, nil
}

func (h *Handler) revokeToken(c *call) error { return c.revokeOf(c.who.AccountID) }

func (h *Handler) adminRevokeToken(c *call) error {
	user, err := c.named("username", account.User)
	if err != nil {
		return err
	}
	return c.revokeOf(user.ID)
}

// revokeOf ends the token of a user that the path names.
func (c *call) revokeOf(accountID int64) error {
	id, err := c.id("token_id")
	if err != nil {
		return errNotThere()
	}
	if err := c.h.Personal.Revoke(c.r.Context(), c.by(), accountID, id); err != nil {
		return absent(err)
	}
	return c.none()
}

// impersonationRequest is the body of POST /admin/users/{username}/authorizations.
type impersonationRequest struct {
	Scopes []string `json:"scopes"`
}

// impersonate makes a token of another user, in the place of one that was made
// so before. It lasts no longer than the credential that makes it.
func (h *Handler) impersonate(c *call) error {
	var b impersonationRequest
	if err := c.body(&b); err != nil {
		return err
	}
	scopes, err := access.ParseScopes(strings.Join(b.Scopes, ","))
	if err != nil {
		return changed(err)
	}
	user, err := c.named("username", account.User)
	if err != nil {
		return err
	}
	ctx := c.r.Context()
	end, err := token.Below(ctx, h.Personal.Store, c.who, 0, time.Time{})
	if err != nil {
		return err
	}
	if err := c.revokeImpersonation(user); err != nil {
		return err
	}
	secret, t, err := h.Personal.Create(ctx, c.by(), token.NewToken{
		AccountID: user.ID, Target: user.Login, Note: impersonation, Scopes: scopes, ExpiresAt: end,
	})
	if err != nil {
		return changed(err)
	}
	return c.json(http.StatusCreated, h.authorization(t, secret.Reveal()))
}

// authorization is GitHub's authorization.
func (h *Handler) authorization(t token.Token, secret string) object {
	return object{
		"id": t.ID, "url": h.Base + "/authorizations/" + strconv.FormatInt(t.ID, 10), "token": secret, "hashed_token": t.SecretHash,
		"token_last_eight": secret[max(0, len(secret)-8):], "note": t.Note, "note_url": nil, "fingerprint": nil,
		"app":    object{"name": "Packhouse", "url": h.Site, "client_id": "00000000000000000000"},
		"scopes": scopeNames(t.Scopes), "created_at": moment(t.CreatedAt), "updated_at": moment(t.CreatedAt), "expires_at": optional(t.ExpiresAt),
	}
}

func (c *call) revokeImpersonation(user account.Account) error {
	list, err := c.h.Personal.List(c.r.Context(), user.ID)
	if err != nil {
		return err
	}
	for _, t := range slices.DeleteFunc(list, func(t token.Token) bool { return t.Note != impersonation }) {
		if err := c.h.Personal.Revoke(c.r.Context(), c.by(), user.ID, t.ID); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
	}
	return nil
}

func (h *Handler) endImpersonation(c *call) error {
	user, err := c.named("username", account.User)
	if err == nil {
		err = c.revokeImpersonation(user)
	}
	if err != nil {
		return err
	}
	return c.none()
}

// listAuthorizations is GitHub's list of credentials that were authorized for an
// organization that demands single sign-on.
func (h *Handler) listAuthorizations(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := h.TokenLists.Authorizations(c.r.Context(), c.target.account.ID)
	if err != nil {
		return err
	}
	list := []object{}
	for _, a := range slice(p, all) {
		list = append(list, object{
			"login": a.Login, "credential_id": a.ID, "authorized_credential_id": a.ID, "credential_type": "personal access token",
			"credential_authorized_at": moment(a.At), "credential_accessed_at": optional(a.LastUsedAt),
			"authorized_credential_note": a.Note, "authorized_credential_expires_at": optional(a.ExpiresAt), "scopes": scopeNames(a.Scopes),
		})
	}
	return c.list(p, len(all), list)
}

// authorizeToken lets a member's token reach the organization, which only
// administrators of the site do by this API: people do it on a page, after they
// signed on.
func (h *Handler) authorizeToken(c *call) error {
	org, err := c.named("org", account.Organization)
	if err != nil {
		return err
	}
	id, err := c.id("credential_id")
	if err != nil {
		return errNotThere()
	}
	if err := h.Personal.Authorize(c.r.Context(), c.by(), id, org.ID, org.Login); err != nil {
		return absent(err)
	}
	return c.none()
}

func (h *Handler) deauthorizeToken(c *call) error {
	id, err := c.id("credential_id")
	if err != nil {
		return errNotThere()
	}
	org := c.target.account
	if err := h.Personal.Deauthorize(c.r.Context(), c.by(), id, org.ID, org.Login); err != nil {
		return absent(err)
	}
	return c.none()
}
