package retention

import (
	"encoding/json"

	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/web/frame"
)

// recent is how many plans are shown beside the rules.
const recent = 5

type policyPage struct {
	frame.SettingsPage
	// Policy is what is in force; nil for nothing.
	Policy *lifecycle.Policy
	// Inherited is the address of the rules of the owner that hold for the
	// package, "" when there are none or they are not to be seen.
	Inherited    string
	Delete, Keep []ruleForm
	DeleteLast   bool
	Automatic    bool
	// Unsaved is set when the form shows what was not saved.
	Unsaved bool
	JSON    string
	Plans   []planLine
	More    bool // there are further plans
}

// policy shows the rules in force, or those that it suggests.
func (r *room) policy(c *frame.Call, p frame.SettingsPage) error {
	page, err := r.stand(c, p)
	if err != nil {
		return err
	}
	rules := suggested()
	if page.Policy != nil {
		rules, page.Automatic = page.Policy.Rules, page.Policy.Automatic
	}
	if err := page.fill(rules); err != nil {
		return err
	}
	return r.Show(c, frame.OK, "policy", page)
}

// stand is the page without its form.
func (r *room) stand(c *frame.Call, p frame.SettingsPage) (policyPage, error) {
	page := policyPage{SettingsPage: p}
	found, err := r.Retention.Policy(c.R.Context(), c.Who, place(p))
	switch {
	case err == nil:
		page.Policy = &found
	case !errs.Is(err, errs.NotFound):
		return page, err
	case p.Package != nil:
		owner := p.Package.Package.Owner
		if _, err := r.Retention.Policy(c.R.Context(), c.Who, lifecycle.Place{Owner: owner.Login}); err == nil {
			page.Inherited = "/settings/retention"
			if owner.Organization {
				page.Inherited = "/organizations/" + owner.Login + page.Inherited
			}
		}
	}
	list, err := r.Retention.ListPlans(c.R.Context(), c.Who, place(p), 0, recent+1)
	if err != nil {
		return page, err
	}
	if page.More = len(list) > recent; page.More {
		list = list[:recent]
	}
	page.Plans, err = r.lines(c, p, list)
	return page, err
}

// fill puts rules into the form.
func (p *policyPage) fill(rules lifecycle.Rules) error {
	for i, one := range rules.Delete {
		p.Delete = append(p.Delete, formOf(one, false, i))
	}
	for i, one := range rules.Keep {
		p.Keep = append(p.Keep, formOf(one, true, i))
	}
	p.DeleteLast = rules.DeleteLast
	text, err := json.MarshalIndent(rules, "", "  ")
	p.JSON = string(text)
	return err
}

// again shows the form with what was sent and not saved; cause says why, if there
// is something wrong with it.
func (r *room) again(c *frame.Call, p frame.SettingsPage, rules lifecycle.Rules, cause error) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	page, err := r.stand(c, p)
	if err != nil {
		return err
	}
	page.Unsaved, page.Automatic = true, form.Get("automatic") != ""
	text := form.Get("json")
	if text != "" && len(rules.Delete) == 0 && page.Policy != nil {
		rules = page.Policy.Rules // the text could not be read
	}
	if err := page.fill(rules); err != nil {
		return err
	}
	if text != "" {
		page.JSON = text
	}
	if cause == nil {
		return r.Show(c, frame.OK, "policy", page)
	}
	if text == "" {
		typed(page.Delete, form)
		typed(page.Keep, form)
	}
	page.Page = c.Failed(p.Page, cause)
	return c.Again(cause, r.Room, "policy", page)
}

// edit does what a button of the form says that saves nothing: it adds a rule,
// takes one away, or makes a plan of the rules as they stand there.
func (r *room) edit(c *frame.Call, p frame.SettingsPage) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	if form.Get("do") == "inherited" {
		return r.preview(c, p, nil)
	}
	rules, err := rulesIn(form)
	if text := form.Get("json"); text != "" {
		rules, err = lifecycle.ParseRules([]byte(text))
	}
	if change(&rules, form.Get("do")) {
		return r.again(c, p, rules, nil)
	}
	if err != nil {
		return r.again(c, p, rules, err)
	}
	err = r.preview(c, p, &rules)
	if errs.Is(err, errs.Invalid) {
		return r.again(c, p, rules, err)
	}
	return err
}

// preview makes a plan and shows it; rules nil are those in force.
func (r *room) preview(c *frame.Call, p frame.SettingsPage, rules *lifecycle.Rules) error {
	if rules != nil {
		if err := checked(*rules); err != nil {
			return err
		}
	}
	plan, err := r.Retention.MakePlan(c.R.Context(), c.Who, place(p), rules)
	if err != nil {
		return err
	}
	return c.Redirect(planPath(p, plan.ID))
}

// checked returns why rules cannot be, also of a package that holds nothing.
func checked(rules lifecycle.Rules) error {
	text, err := json.Marshal(rules)
	if err == nil {
		_, err = lifecycle.ParseRules(text)
	}
	return err
}

func (r *room) save(c *frame.Call, p frame.SettingsPage) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	rules, err := rulesIn(form)
	if err != nil {
		return r.again(c, p, rules, err)
	}
	return r.set(c, p, rules)
}

func (r *room) saveJSON(c *frame.Call, p frame.SettingsPage) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	rules, err := lifecycle.ParseRules([]byte(form.Get("json")))
	if err != nil {
		return r.again(c, p, rules, err)
	}
	return r.set(c, p, rules)
}

func (r *room) set(c *frame.Call, p frame.SettingsPage, rules lifecycle.Rules) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	err = r.Retention.SetPolicy(c.R.Context(), c.Who, place(p), rules, form.Get("automatic") != "")
	if errs.Is(err, errs.Invalid) {
		return r.again(c, p, rules, err)
	}
	if err != nil {
		return err
	}
	return c.Done(p.Base, "retention-saved")
}

func (r *room) remove(c *frame.Call, p frame.SettingsPage) error {
	if err := r.Retention.RemovePolicy(c.R.Context(), c.Who, place(p)); err != nil {
		return err
	}
	return c.Done(p.Base, "retention-removed")
}
