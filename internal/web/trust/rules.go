package trust

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/token"
	"packhouse/internal/web/frame"
)

// perPage is how many rules a page has.
const perPage = 50

// claim is one that identity tokens must have.
type claim struct{ Name, Pattern string }

// ruleLine is a rule as the pages show it.
type ruleLine struct {
	token.TrustRule
	// At is its page, Provider one of providers, and Brand what that is called.
	At, Provider, Brand string
	// About is repository, package or owner; Target its name.
	About, Target string
	Pins          []claim
	Allowed       []string
}

func lineOf(p frame.SettingsPage, r token.TrustRule) ruleLine {
	l := ruleLine{
		TrustRule: r, At: p.Base + "/" + strconv.FormatInt(r.ID, 10), Provider: providerOf(r), About: r.Kind(), Target: r.TrustTarget.String(),
		Allowed: strings.Split(token.FormatActions(r.Actions), ","),
	}
	l.Brand = brand(l.Provider)
	for _, name := range slices.Sorted(maps.Keys(r.Claims)) {
		l.Pins = append(l.Pins, claim{name, r.Claims[name]})
	}
	return l
}

type listPage struct {
	frame.SettingsPage
	Rules         []ruleLine
	Newest, Older string
}

func (r *room) list(c *frame.Call, p frame.SettingsPage) error {
	all, err := r.all(c, p)
	if err != nil {
		return err
	}
	page, after := listPage{SettingsPage: p}, c.After()
	if after > 0 {
		page.Newest = p.Base
	}
	for _, rule := range slices.Backward(all) {
		if after > 0 && rule.ID >= after {
			continue
		}
		if len(page.Rules) == perPage {
			page.Older = fmt.Sprintf("%s?after=%d", p.Base, page.Rules[perPage-1].ID)
			break
		}
		page.Rules = append(page.Rules, lineOf(p, rule))
	}
	return r.Show(c, frame.OK, "list", page)
}

// all returns the rules of the page, by id.
func (r *room) all(c *frame.Call, p frame.SettingsPage) ([]token.TrustRule, error) {
	target, err := r.target(c, p)
	if err != nil {
		return nil, err
	}
	return r.Trust.ListIn(c.R.Context(), target)
}

// rulePage shows one rule, and what a job has to do.
type rulePage struct {
	frame.SettingsPage
	Rule     ruleLine
	Snippet  string
	Exchange string
}

func (r *room) show(c *frame.Call, p frame.SettingsPage) error {
	id, err := c.ID("rule")
	if err != nil {
		return err
	}
	all, err := r.all(c, p)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(r token.TrustRule) bool { return r.ID == id })
	if at < 0 {
		return errs.New(errs.NotFound, "no such rule of trust")
	}
	line := lineOf(p, all[at])
	page := rulePage{SettingsPage: p, Rule: line}
	page.Snippet, page.Exchange, err = snippets(c, p, line)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "rule", page)
}

func (r *room) remove(c *frame.Call, p frame.SettingsPage) error {
	id, err := c.ID("rule")
	if err != nil {
		return err
	}
	target, err := r.target(c, p)
	if err != nil {
		return err
	}
	if err := r.Trust.RemoveIn(c.R.Context(), audit.By(c.Who), target, id); err != nil {
		return err
	}
	return c.Done(p.Base, "trust-removed")
}
