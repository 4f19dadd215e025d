package settings

import (
	"context"
	"slices"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
)

func (r *room) tokenRoutes(f *frame.Frame) {
	f.SignedIn("GET "+classicPath, r.classicTokens)
	f.Sudo("GET "+classicPath+"/new", r.newClassic)
	f.Sudo("POST "+classicPath, r.createClassic)
	f.SignedIn("GET "+finePath, r.fineTokens)
	f.Sudo("GET "+finePath+"/new", r.newFine)
	f.Sudo("POST "+finePath, r.createFine)
	for _, at := range []string{classicPath, finePath} {
		f.SignedIn("POST "+at+"/{id}/revoke", r.revoke)
		if r.Identities != nil {
			f.SignedIn("POST "+at+"/{id}/authorize", r.authorize)
			f.SignedIn("POST "+at+"/{id}/deauthorize", r.deauthorize)
		}
	}
}

// The lists of tokens are where GitHub has them.
const (
	classicPath = "/settings/tokens"
	finePath    = "/settings/personal-access-tokens"
)

// tokensPage lists the tokens of one kind.
type tokensPage struct {
	frame.OwnerPage
	// Fine is set for fine-grained ones. Path is the address of the list.
	Fine   bool
	Path   string
	Tokens []tokenRow
	// Secret is that of the token that was just made: it is shown once.
	Secret string
	// Container and Docker are what people log in to; Docker is empty where
	// that is the same.
	Container, Docker string
	// Demanding is set when an organization demands single sign-on, and Vouched
	// when this session lately came from it.
	Demanding, Vouched bool
	Provider           string
}

type tokenRow struct {
	token.Token
	// New is set for the one that was just made.
	New, Expired bool
	// Scopes are the names of those of a classic token, Limits what a
	// fine-grained one reaches.
	ScopeNames []string
	Limits     []limitRow
	// Reaches are the organizations with single sign-on that the token was
	// authorized for, Locked those that it was not.
	Reaches, Locked []string
}

// limitRow is one thing that a token reaches.
type limitRow struct {
	// Name is OWNER/NAME or OWNER, or "" for what the visitor may no longer see.
	Name    string
	Actions []string
}

func pathOf(fine bool) string {
	if fine {
		return finePath
	}
	return classicPath
}

func (r *room) tokensPage(c *frame.Call, fine bool) (tokensPage, error) {
	own, err := r.own(c, "tokens", "settings.tokens")
	if err != nil {
		return tokensPage{}, err
	}
	page := tokensPage{OwnerPage: own, Fine: fine, Path: pathOf(fine), Container: c.Frame.ContainerHost, Provider: r.ProviderName}
	if c.Frame.DockerHost != c.Frame.ContainerHost {
		page.Docker = c.Frame.DockerHost
	}
	list, err := r.Personal.List(c.R.Context(), c.Who.AccountID)
	if err != nil {
		return page, err
	}
	var demanding []account.SignOn
	if r.Identities != nil {
		if demanding, err = r.Identities.SignOns(c.R.Context(), c.Who); err != nil {
			return page, err
		}
		page.Demanding, page.Vouched = len(demanding) > 0, vouched(c)
	}
	for _, t := range list {
		if t.Limited != fine {
			continue
		}
		row, err := r.row(c, t, demanding)
		if err != nil {
			return page, err
		}
		page.Tokens = append(page.Tokens, row)
	}
	return page, nil
}

func (r *room) row(c *frame.Call, t token.Token, demanding []account.SignOn) (tokenRow, error) {
	row := tokenRow{Token: t, Expired: !t.ExpiresAt.IsZero() && !c.Frame.Now().Before(t.ExpiresAt)}
	for _, o := range demanding {
		if slices.Contains(o.Tokens, t.ID) {
			row.Reaches = append(row.Reaches, o.Login)
		} else {
			row.Locked = append(row.Locked, o.Login)
		}
	}
	if !t.Limited {
		row.ScopeNames = strings.Split(t.Scopes.String(), ",")
		return row, nil
	}
	limits, err := r.TokenLists.LimitNames(c.R.Context(), t.ID)
	for _, l := range limits {
		one := limitRow{Name: l.Name, Actions: strings.Split(token.FormatActions(l.Actions), ",")}
		if strings.Contains(l.Name, "/") && !r.readable(c.R.Context(), c.Who, l.Name) {
			one.Name = ""
		}
		row.Limits = append(row.Limits, one)
	}
	return row, err
}

// readable reports whether the visitor may still know of a package.
func (r *room) readable(ctx context.Context, who access.Principal, name string) bool {
	n, err := oci.ParseName(name)
	if err != nil {
		return false
	}
	_, err = r.Packages.Package(ctx, who, access.Package{Type: access.Container, Also: access.Docker, Name: n})
	return err == nil
}

// freshSignIn is how long a sign-in at the provider is word enough for a token: a
// browser that was left open says little of who sits at it.
const freshSignIn = time.Hour

// vouched reports whether the provider vouched for the visitor in this session,
// lately.
func vouched(c *frame.Call) bool {
	return c.Vouched() && c.Frame.Now().Sub(c.Session.CreatedAt) < freshSignIn
}

func (r *room) classicTokens(c *frame.Call) error { return r.listTokens(c, false) }

func (r *room) fineTokens(c *frame.Call) error { return r.listTokens(c, true) }

func (r *room) listTokens(c *frame.Call, fine bool) error {
	page, err := r.tokensPage(c, fine)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "tokens", page)
}

// made shows the secret of a token in its answer, and nowhere else.
func (r *room) made(c *frame.Call, secret token.Secret, made token.Token) error {
	page, err := r.tokensPage(c, made.Limited)
	if err != nil {
		return err
	}
	page.Secret = secret.Reveal()
	for i := range page.Tokens {
		page.Tokens[i].New = page.Tokens[i].ID == made.ID
	}
	return r.ShowSecret(c, frame.OK, "tokens", page)
}

// mine returns the visitor's token that the path names.
func (r *room) mine(c *frame.Call) (token.Token, error) {
	id, err := c.ID("id")
	if err != nil {
		return token.Token{}, err
	}
	list, err := r.Personal.List(c.R.Context(), c.Who.AccountID)
	if err != nil {
		return token.Token{}, err
	}
	for _, t := range list {
		if t.ID == id {
			return t, nil
		}
	}
	return token.Token{}, errNotThere()
}

func (r *room) revoke(c *frame.Call) error {
	t, err := r.mine(c)
	if err != nil {
		return err
	}
	if err := r.Personal.Revoke(c.R.Context(), audit.By(c.Who), c.Who.AccountID, t.ID); err != nil {
		return err
	}
	return c.Done(pathOf(t.Limited), "token-deleted")
}

// demanding returns the organization of the form, which demands single sign-on of
// the visitor, and the visitor's token.
func (r *room) demanding(c *frame.Call) (token.Token, account.SignOn, error) {
	form, err := c.Form()
	if err != nil {
		return token.Token{}, account.SignOn{}, err
	}
	t, err := r.mine(c)
	if err != nil {
		return token.Token{}, account.SignOn{}, err
	}
	list, err := r.Identities.SignOns(c.R.Context(), c.Who)
	if err != nil {
		return token.Token{}, account.SignOn{}, err
	}
	for _, o := range list {
		if o.Login == form.Get("organization") {
			return t, o, nil
		}
	}
	return token.Token{}, account.SignOn{}, errNotThere()
}

// authorize lets a token of the visitor reach an organization that demands single
// sign-on. A password is not enough for that.
func (r *room) authorize(c *frame.Call) error {
	if !vouched(c) {
		return errs.New(errs.Denied, "single sign-on is needed: sign in with %s, not with a password, and within the hour", r.ProviderName)
	}
	t, o, err := r.demanding(c)
	if err != nil {
		return err
	}
	if err := r.Personal.Authorize(c.R.Context(), audit.By(c.Who), t.ID, o.OrganizationID, o.Login); err != nil {
		return err
	}
	return c.Done(pathOf(t.Limited), "token-authorized")
}

// deauthorize takes that back, which takes no proof.
func (r *room) deauthorize(c *frame.Call) error {
	t, o, err := r.demanding(c)
	if err != nil {
		return err
	}
	if err := r.Personal.Deauthorize(c.R.Context(), audit.By(c.Who), t.ID, o.OrganizationID, o.Login); err != nil {
		return err
	}
	return c.Done(pathOf(t.Limited), "token-deauthorized")
}
