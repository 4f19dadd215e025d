package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// tokensPage lists tokens; Secret is that of one that was just made.
type tokensPage struct {
	oldFrame
	Registry string
	Tokens   []tokenRow
	Secret   string
	// Demanding is set when an organization demands single sign-on, and Vouched
	// when this session came from it.
	Demanding bool
	Vouched   bool
	Provider  string
}

type tokenRow struct {
	ID                     int64
	Note, Scopes           string
	Created, Expires, Used string
	// Reaches are the organizations with single sign-on that the token was
	// authorized for, Locked those that it was not.
	Reaches, Locked []string
}

func (p *pages) tokensPage(r *http.Request, v visitor, problem error) (tokensPage, error) {
	page := tokensPage{oldFrame: p.oldPage("Personal access tokens", v.Principal, problem), Registry: p.RegistryHost}
	list, err := p.Tokens.List(r.Context(), v.AccountID)
	if err != nil {
		return page, err
	}
	var demanding []account.SignOn
	if p.Provider != nil {
		if demanding, err = p.Identities.SignOns(r.Context(), v.Principal); err != nil {
			return page, err
		}
		page.Demanding, page.Vouched, page.Provider = len(demanding) > 0, p.vouched(v), p.ProviderName
	}
	for _, t := range list {
		row := tokenRow{
			ID: t.ID, Note: t.Note, Scopes: t.Scopes.String(),
			Created: day(t.CreatedAt), Expires: day(t.ExpiresAt), Used: day(t.LastUsedAt),
		}
		for _, o := range demanding {
			if slices.Contains(o.Tokens, t.ID) {
				row.Reaches = append(row.Reaches, o.Login)
			} else {
				row.Locked = append(row.Locked, o.Login)
			}
		}
		page.Tokens = append(page.Tokens, row)
	}
	return page, nil
}

// freshSignIn is how long a sign-in at the provider is word enough for a token: a
// browser that was left open says little of who sits at it.
const freshSignIn = time.Hour

// vouched reports whether the provider vouched for v in this session, lately.
func (p *pages) vouched(v visitor) bool {
	return v.issuer != "" && v.issuer == p.Provider.Issuer && p.Now().Sub(v.since) < freshSignIn
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.DateOnly)
}

func (p *pages) listTokens(w http.ResponseWriter, r *http.Request, v visitor) error {
	page, err := p.tokensPage(r, v, nil)
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "tokens", page)
}

// createToken shows the token in its answer, and nowhere else.
func (p *pages) createToken(w http.ResponseWriter, r *http.Request, v visitor) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	secret, err := p.makeToken(r, v, form.Get("note"), form["scope"], form.Get("days"))
	page, failure := p.tokensPage(r, v, err)
	switch {
	case failure != nil:
		return failure
	case errs.Is(err, errs.Invalid):
		return p.again(w, err, "tokens", page)
	case err != nil:
		return err
	}
	page.Secret = secret.Reveal()
	return p.show(w, http.StatusOK, "tokens", page)
}

func (p *pages) makeToken(r *http.Request, v visitor, note string, names []string, days string) (token.Secret, error) {
	scopes, err := access.ParseScopes(strings.Join(names, ","))
	if err != nil {
		return token.Secret{}, err
	}
	n := token.NewToken{AccountID: v.AccountID, Target: v.Login, Note: note, Scopes: scopes}
	if days != "" {
		life, err := strconv.Atoi(days)
		if err != nil || life < 1 || life > 3650 {
			return token.Secret{}, errs.New(errs.Invalid, "a token lasts 1 to 3650 days, or until it is revoked")
		}
		n.ExpiresAt = p.Now().AddDate(0, 0, life)
	}
	secret, _, err := p.Tokens.Create(r.Context(), audit.By(v.Principal), n)
	return secret, err
}

func (p *pages) revokeToken(w http.ResponseWriter, r *http.Request, v visitor) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return errs.New(errs.NotFound, "no such token")
	}
	if err := p.Tokens.Revoke(r.Context(), audit.By(v.Principal), v.AccountID, id); err != nil {
		return err
	}
	return redirect(w, "/settings/tokens")
}

// authorizeToken lets a token of the visitor reach an organization that demands
// single sign-on. A password is not enough for that.
func (p *pages) authorizeToken(w http.ResponseWriter, r *http.Request, v visitor) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	if !p.vouched(v) {
		return errs.New(errs.Denied, "single sign-on is needed: sign in with %s, not with a password, and within the hour", p.ProviderName)
	}
	list, err := p.Tokens.List(r.Context(), v.AccountID)
	if err != nil {
		return err
	}
	demanding, err := p.Identities.SignOns(r.Context(), v.Principal)
	if err != nil {
		return err
	}
	mine := slices.IndexFunc(list, func(t token.Token) bool { return strconv.FormatInt(t.ID, 10) == r.PathValue("id") })
	to := slices.IndexFunc(demanding, func(o account.SignOn) bool { return o.Login == form.Get("organization") })
	if mine < 0 || to < 0 {
		return errs.New(errs.NotFound, "no such token, or no such organization of yours that demands single sign-on")
	}
	o := demanding[to]
	if err := p.Tokens.Authorize(r.Context(), audit.By(v.Principal), list[mine].ID, o.OrganizationID, o.Login); err != nil {
		return err
	}
	return redirect(w, "/settings/tokens")
}
