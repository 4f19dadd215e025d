package webhooks

import (
	"net/url"
	"slices"

	"packhouse/internal/hooks"
	"packhouse/internal/web/frame"
)

// hookLine is a hook as lists and heads show it.
type hookLine struct {
	hooks.Hook
	// At is its page.
	At string
	// Good is set when the latest delivery was taken.
	Good bool
}

func lineOf(p frame.SettingsPage, h hooks.Hook) hookLine {
	good := h.Last != nil && h.Last.Code >= 200 && h.Last.Code < 300
	return hookLine{Hook: h, At: below(p, h.ID), Good: good}
}

type listPage struct {
	frame.SettingsPage
	Hooks []hookLine
	// Full is set when there can be no more.
	Full bool
	Max  int64
}

func (r *room) list(c *frame.Call, p frame.SettingsPage) error {
	a, err := address(p)
	if err != nil {
		return err
	}
	all, err := r.Hooks.List(c.R.Context(), c.Who, a)
	if err != nil {
		return err
	}
	page := listPage{SettingsPage: p, Full: len(all) >= hooks.MaxHooks, Max: hooks.MaxHooks}
	for _, h := range all {
		page.Hooks = append(page.Hooks, lineOf(p, h))
	}
	return r.Show(c, frame.OK, "list", page)
}

// formPage makes or changes a hook. Its secret is written only.
type formPage struct {
	frame.SettingsPage
	// Hook is the one that is changed; nil for a new one.
	Hook        *hookLine
	Tab         string
	URL         string
	ContentType string
	Insecure    bool
	Active      bool
	// The events that are chosen.
	All, Packages, Older bool
}

func (p *formPage) choose(events []string) {
	p.All = slices.Contains(events, "*")
	p.Packages = slices.Contains(events, hooks.EventPackage)
	p.Older = slices.Contains(events, hooks.EventRegistryPackage)
}

func (r *room) blank(c *frame.Call, p frame.SettingsPage) error {
	return r.Show(c, frame.OK, "form", formPage{SettingsPage: p, ContentType: "json", Active: true, Packages: true})
}

func (r *room) edit(c *frame.Call, p frame.SettingsPage) error {
	_, h, err := r.hook(c, p)
	if err != nil {
		return err
	}
	line := lineOf(p, h)
	page := formPage{
		SettingsPage: p, Hook: &line, Tab: "settings", URL: h.URL, ContentType: h.ContentType, Insecure: h.InsecureSSL, Active: h.Active,
	}
	page.choose(h.Events)
	return r.Show(c, frame.OK, "form", page)
}

// changeOf reads a form. A secret that was left empty stays as it is.
func changeOf(form url.Values) hooks.Change {
	events := form["event"]
	if slices.Contains(events, "*") {
		events = []string{"*"}
	}
	if events == nil {
		events = []string{} // nil would leave those that there are
	}
	address, kind, secret := form.Get("url"), form.Get("content_type"), form.Get("secret")
	insecure, active := form.Get("insecure") != "", form.Get("active") != ""
	change := hooks.Change{URL: &address, ContentType: &kind, InsecureSSL: &insecure, Active: &active, Events: events}
	if secret != "" || form.Get("no_secret") != "" {
		change.Secret = &secret
	}
	return change
}

// again shows the form with what was typed into it, but for the secret.
func (r *room) again(c *frame.Call, p frame.SettingsPage, h *hookLine, change hooks.Change, cause error) error {
	page := formPage{
		SettingsPage: p, Hook: h, URL: *change.URL, ContentType: *change.ContentType, Insecure: *change.InsecureSSL, Active: *change.Active,
	}
	if h != nil {
		page.Tab = "settings"
	}
	page.choose(change.Events)
	page.Page = c.Failed(p.Page, cause)
	return c.Again(cause, r.Room, "form", page)
}

func (r *room) create(c *frame.Call, p frame.SettingsPage) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	a, err := address(p)
	if err != nil {
		return err
	}
	change := changeOf(form)
	h, err := r.Hooks.Create(c.R.Context(), c.Who, a, change)
	if err != nil {
		return r.again(c, p, nil, change, err)
	}
	return c.Done(below(p, h.ID, "deliveries"), "hook-made")
}

func (r *room) update(c *frame.Call, p frame.SettingsPage) error {
	a, h, err := r.hook(c, p)
	if err != nil {
		return err
	}
	form, err := c.Form()
	if err != nil {
		return err
	}
	change := changeOf(form)
	if _, err := r.Hooks.Update(c.R.Context(), c.Who, a, h.ID, change); err != nil {
		line := lineOf(p, h)
		return r.again(c, p, &line, change, err)
	}
	return c.Done(below(p, h.ID), "saved")
}

func (r *room) remove(c *frame.Call, p frame.SettingsPage) error {
	a, h, err := r.hook(c, p)
	if err != nil {
		return err
	}
	if err := r.Hooks.Delete(c.R.Context(), c.Who, a, h.ID); err != nil {
		return err
	}
	return c.Done(p.Base, "hook-deleted")
}

func (r *room) ping(c *frame.Call, p frame.SettingsPage) error {
	a, h, err := r.hook(c, p)
	if err != nil {
		return err
	}
	if err := r.Hooks.Ping(c.R.Context(), c.Who, a, h.ID); err != nil {
		return err
	}
	return c.Done(below(p, h.ID, "deliveries"), "hook-pinged")
}
