package retention

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/web/frame"
)

// perPage is how many plans, or versions of a plan, a page has.
const perPage = 50

// planLine is a plan as lists show it.
type planLine struct {
	lifecycle.Plan
	// At is its page. By made it and Applier applied it; "" is the server itself.
	At, By, Applier string
	Count           int64
	// Stage is the state, but planned for no longer than a plan can be applied:
	// then it is expired.
	Stage string
	// Until is when an applied plan can no longer be undone, a planned one no
	// longer be applied; CanUndo and CanApply say whether it is before that.
	Until             time.Time
	CanUndo, CanApply bool
}

// lines returns plans as lists show them.
func (r *room) lines(c *frame.Call, p frame.SettingsPage, list []lifecycle.Plan) ([]planLine, error) {
	names := map[int64]string{0: ""}
	var lines []planLine
	for _, plan := range list {
		for _, id := range []int64{plan.CreatedBy, plan.AppliedBy} {
			if _, ok := names[id]; ok {
				continue
			}
			name, err := r.login(c.R.Context(), id)
			if err != nil {
				return nil, err
			}
			names[id] = name
		}
		lines = append(lines, r.line(c, p, plan, names))
	}
	return lines, nil
}

func (r *room) line(c *frame.Call, p frame.SettingsPage, plan lifecycle.Plan, names map[int64]string) planLine {
	l := planLine{
		Plan: plan, At: planPath(p, plan.ID), By: names[plan.CreatedBy], Applier: names[plan.AppliedBy],
		Count: int64(plan.Versions), Stage: string(plan.State),
	}
	now := c.Frame.Now()
	switch plan.State {
	case lifecycle.Planned:
		l.Until = plan.CreatedAt.Add(lifecycle.PlanLife)
		if l.CanApply = plan.Versions > 0 && now.Before(l.Until); !now.Before(l.Until) {
			l.Stage = "expired"
		}
	case lifecycle.Applied:
		l.Until = plan.AppliedAt.Add(r.Retention.RestoreWindow)
		l.CanUndo = now.Before(l.Until)
	case lifecycle.Undone, lifecycle.Refused:
	}
	return l
}

// login is what an account is called; a dash for one that is gone.
func (r *room) login(ctx context.Context, id int64) (string, error) {
	a, err := r.People.AccountByID(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return "–", nil
	}
	return a.Login, err
}

type plansPage struct {
	frame.SettingsPage
	Plans         []planLine
	Newest, Older string
}

func (r *room) plans(c *frame.Call, p frame.SettingsPage) error {
	list, err := r.Retention.ListPlans(c.R.Context(), c.Who, place(p), c.After(), perPage+1)
	if err != nil {
		return err
	}
	page := plansPage{SettingsPage: p}
	at := p.Base + "/plans"
	if c.After() > 0 {
		page.Newest = at
	}
	if len(list) > perPage {
		list = list[:perPage]
		page.Older = fmt.Sprintf("%s?after=%d", at, list[perPage-1].ID)
	}
	if page.Plans, err = r.lines(c, p, list); err != nil {
		return err
	}
	return r.Show(c, frame.OK, "plans", page)
}

// itemLine is a version that a plan deletes.
type itemLine struct {
	lifecycle.Item
	// At is its page, "" where it has none to show.
	At string
	// Why is rule, part or about; Digest12 is of what it is a part of or about.
	Why, Whose string
	Rule       []string // what the rule says
}

type keptLine struct {
	lifecycle.Kept
	Count int64
	Why   string
	Rule  []string // what the rule that keeps them says
	More  int64    // how many are not named
}

type planPage struct {
	frame.SettingsPage
	Plan          planLine
	Delete, Keep  [][]string // what the rules say
	Items         []itemLine
	Kept          []keptLine
	Newest, Older string
}

func (r *room) plan(c *frame.Call, p frame.SettingsPage) error {
	plan, err := r.found(c, p)
	if err != nil {
		return err
	}
	return r.showPlan(c, p, plan, nil)
}

// found returns the plan that the path names.
func (r *room) found(c *frame.Call, p frame.SettingsPage) (lifecycle.Plan, error) {
	id, err := c.ID("plan")
	if err != nil {
		return lifecycle.Plan{}, err
	}
	return r.Retention.Plan(c.R.Context(), c.Who, place(p), id)
}

// showPlan shows a plan, with what went wrong unless that is nil.
func (r *room) showPlan(c *frame.Call, p frame.SettingsPage, plan lifecycle.Plan, cause error) error {
	list, err := r.lines(c, p, []lifecycle.Plan{plan})
	if err != nil {
		return err
	}
	page := planPage{SettingsPage: p, Plan: list[0]}
	for _, one := range plan.Rules.Delete {
		page.Delete = append(page.Delete, said(c.Locale, one))
	}
	for _, one := range plan.Rules.Keep {
		page.Keep = append(page.Keep, said(c.Locale, one))
	}
	items, err := r.Retention.Items(c.R.Context(), c.Who, place(p), plan.ID, c.After(), perPage+1)
	if err != nil {
		return err
	}
	if c.After() > 0 {
		page.Newest = page.Plan.At
	}
	if len(items) > perPage {
		items = items[:perPage]
		page.Older = page.Plan.At + "?after=" + strconv.FormatInt(items[perPage-1].VersionID, 10)
	}
	for _, item := range items {
		page.Items = append(page.Items, lineOf(c, p, plan, item))
	}
	for _, k := range plan.Kept {
		line := keptLine{Kept: k, Count: int64(k.Versions), Why: string(k.Reason), More: int64(k.Versions - len(k.Examples))}
		if k.Reason == lifecycle.KeptByRule && k.Rule < len(plan.Rules.Keep) {
			line.Rule = said(c.Locale, plan.Rules.Keep[k.Rule])
		}
		page.Kept = append(page.Kept, line)
	}
	if cause != nil {
		page.Page = c.Failed(p.Page, cause)
		return c.Again(cause, r.Room, "plan", page)
	}
	return r.Show(c, frame.OK, "plan", page)
}

func lineOf(c *frame.Call, p frame.SettingsPage, plan lifecycle.Plan, item lifecycle.Item) itemLine {
	l := itemLine{Item: item, Why: "rule"}
	if whose, ok := strings.CutPrefix(item.Reason, "part of "); ok {
		l.Why, l.Whose = "part", whose
	} else if whose, ok := strings.CutPrefix(item.Reason, "belongs to "); ok {
		l.Why, l.Whose = "about", whose
	}
	for _, rule := range plan.Rules.Delete {
		if l.Why == "rule" && rule.String() == item.Reason {
			l.Rule = said(c.Locale, rule)
		}
	}
	if p.Package != nil && plan.State != lifecycle.Applied {
		l.At = p.Package.Package.Sub(strconv.FormatInt(item.VersionID, 10))
	}
	return l
}

// apply deletes what the plan says, when the name was typed.
func (r *room) apply(c *frame.Call, p frame.SettingsPage) error {
	plan, err := r.found(c, p)
	if err != nil {
		return err
	}
	err = c.Typed(p.Name)
	if err == nil {
		_, err = r.Retention.Apply(c.R.Context(), c.Who, place(p), plan.ID)
	}
	if err == nil {
		return c.Done(planPath(p, plan.ID), "retention-applied")
	}
	if errs.Is(err, errs.Conflict) { // which marked the plan as one that does not fit
		if plan, failed := r.found(c, p); failed == nil {
			return r.showPlan(c, p, plan, err)
		}
	}
	return r.showPlan(c, p, plan, err)
}

// undo brings back what the plan deleted.
func (r *room) undo(c *frame.Call, p frame.SettingsPage) error {
	plan, err := r.found(c, p)
	if err != nil {
		return err
	}
	undone, err := r.Retention.UndoPlan(c.R.Context(), c.Who, place(p), plan.ID)
	if err != nil {
		return r.showPlan(c, p, plan, err)
	}
	key := "retention-undone"
	if len(undone.Taken) > 0 {
		key = "retention-undone-taken"
	}
	return c.Done(planPath(p, plan.ID), key)
}
