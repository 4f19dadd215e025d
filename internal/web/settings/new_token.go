package settings

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
)

// newTokenPage makes a classic token.
type newTokenPage struct {
	frame.OwnerPage
	Note    string
	Expiry  expiry
	Chosen  map[string]bool // scopes by name
	MaxNote int
}

// expiry is when a token is to end.
type expiry struct {
	// Choice is a number of days, custom or none.
	Choice string
	// Date is that of custom, as browsers send it; First and Last bound it.
	Date, First, Last string
	// Never is set where a token may last until it is revoked.
	Never bool
}

const (
	custom   = "custom"
	noExpiry = "none"
	// defaultDays is how long a token lasts if nothing else is chosen.
	defaultDays = "30"
	// classicDays is the longest that a classic token with an end lasts.
	classicDays = 3650
)

func expiryOf(c *frame.Call, choice, date string, never bool) expiry {
	now, days := c.Frame.Now().UTC(), classicDays
	if !never {
		days = 365
	}
	return expiry{choice, date, now.AddDate(0, 0, 1).Format(time.DateOnly), now.AddDate(0, 0, days).Format(time.DateOnly), never}
}

// end returns when the token ends; zero for never. A day is over at its end.
func (e expiry) end(now time.Time) (time.Time, error) {
	switch e.Choice {
	case noExpiry:
		return time.Time{}, nil
	case custom:
		day, err := time.Parse(time.DateOnly, e.Date)
		last, bad := time.Parse(time.DateOnly, e.Last)
		if err != nil || bad != nil || day.After(last) {
			return time.Time{}, errs.New(errs.Invalid, "choose a day until %s on which the token ends", e.Last)
		}
		return day, nil
	}
	days, err := strconv.Atoi(e.Choice)
	if err != nil || days < 1 || days > classicDays {
		return time.Time{}, errs.New(errs.Invalid, "a token lasts 1 to 3650 days, or until it is revoked")
	}
	return now.AddDate(0, 0, days), nil
}

// newClassic is the form, filled as links to GitHub's fill it: by description,
// scopes and default_expires_at.
func (r *room) newClassic(c *frame.Call) error {
	page, err := r.newTokenPage(c, url.Values{"note": {c.Query("description")}, "scope": scopeNames(c.Query("scopes")), "expires": {days(c.Query("default_expires_at"))}})
	if err != nil {
		return err
	}
	if len(page.Chosen) == 0 {
		page.Chosen[access.ReadPackages.String()] = true
	}
	return r.Show(c, frame.OK, "new-token", page)
}

// scopeNames splits the names of a link; what is no scope is left out.
func scopeNames(list string) (names []string) {
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		if _, err := access.ParseScopes(name); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// days reads a choice of a link.
func days(text string) string {
	switch text {
	case "7", "30", "60", "90", "365", noExpiry:
		return text
	}
	return defaultDays
}

// newTokenPage is the form with what was filled in.
func (r *room) newTokenPage(c *frame.Call, form url.Values) (newTokenPage, error) {
	own, err := r.own(c, "tokens", "tokens.new-classic")
	if err != nil {
		return newTokenPage{}, err
	}
	chosen := map[string]bool{}
	for _, name := range form["scope"] {
		chosen[name] = true
	}
	return newTokenPage{own, form.Get("note"), expiryOf(c, form.Get("expires"), form.Get("until"), true), chosen, token.MaxNote}, nil
}

func (r *room) createClassic(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	page, err := r.newTokenPage(c, form)
	if err != nil {
		return err
	}
	secret, made, err := r.makeClassic(c, page, form["scope"])
	if err != nil {
		return r.again(c, err, "new-token", &page.Page, func() any { return page })
	}
	return r.made(c, secret, made)
}

func (r *room) makeClassic(c *frame.Call, page newTokenPage, names []string) (token.Secret, token.Token, error) {
	scopes, err := access.ParseScopes(strings.Join(names, ","))
	if err != nil {
		return token.Secret{}, token.Token{}, err
	}
	n := token.NewToken{AccountID: c.Who.AccountID, Target: c.Who.Login, Note: strings.TrimSpace(page.Note), Scopes: scopes}
	if n.ExpiresAt, err = page.Expiry.end(c.Frame.Now()); err != nil {
		return token.Secret{}, token.Token{}, err
	}
	return r.Personal.Create(c.R.Context(), audit.By(c.Who), n)
}
