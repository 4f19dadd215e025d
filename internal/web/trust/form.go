package trust

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"packhouse/internal/audit"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
)

// formPage makes a rule.
type formPage struct {
	frame.SettingsPage
	Providers []provider
	Provider  string
	// The fields, as they were sent.
	Project, Ref, Environment, Issuer, Claims, Audience string
	Pull, Push, Delete                                  bool
	// URL is the audience when none is named.
	URL string
}

type provider struct {
	Brand, At string
	On        bool
}

func (r *room) blank(c *frame.Call, p frame.SettingsPage) error {
	name := c.Query("provider")
	if !slices.Contains(providers(), name) {
		name = providers()[0]
	}
	page := r.form(c, p, url.Values{"provider": {name}})
	page.Push = true
	return r.Show(c, frame.OK, "form", page)
}

// form is the page with what was sent.
func (r *room) form(c *frame.Call, p frame.SettingsPage, sent url.Values) formPage {
	page := formPage{
		SettingsPage: p, Provider: sent.Get("provider"), Project: sent.Get("project"), Ref: sent.Get("ref"), Environment: sent.Get("environment"),
		Issuer: sent.Get("issuer"), Claims: sent.Get("claims"), Audience: sent.Get("audience"), URL: c.Frame.Absolute(""),
		Pull: slices.Contains(sent["action"], "pull"), Push: slices.Contains(sent["action"], "push"), Delete: slices.Contains(sent["action"], "delete"),
	}
	for _, name := range providers() {
		page.Providers = append(page.Providers, provider{brand(name), p.Base + "/new?provider=" + name, name == page.Provider})
	}
	return page
}

func (r *room) create(c *frame.Call, p frame.SettingsPage) error {
	sent, err := c.Form()
	if err != nil {
		return err
	}
	id, err := r.add(c, p, sent)
	if err != nil {
		page := r.form(c, p, sent)
		page.Page = c.Failed(p.Page, err)
		return c.Again(err, r.Room, "form", page)
	}
	return c.Done(p.Base+"/"+strconv.FormatInt(id, 10), "trust-added")
}

func (r *room) add(c *frame.Call, p frame.SettingsPage, sent url.Values) (int64, error) {
	target, err := r.target(c, p)
	if err != nil {
		return 0, err
	}
	rule := token.TrustRule{TrustTarget: target, Audience: strings.TrimSpace(sent.Get("audience"))}
	if rule.Audience == "" {
		rule.Audience = c.Frame.Absolute("")
	}
	if rule.Actions, err = token.ParseActionSet(strings.Join(sent["action"], ",")); err != nil {
		return 0, err
	}
	if rule.Issuer, rule.Claims, err = pinned(sent); err != nil {
		return 0, err
	}
	return r.Trust.Add(c.R.Context(), audit.By(c.Who), c.Who, rule)
}
