package lifecycle

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

const (
	// MaxPlanItems is how many versions one plan deletes at most.
	MaxPlanItems = 10_000
	// PlanLife is how long a plan can be applied.
	PlanLife = 7 * 24 * time.Hour
	// planRecord is how long it is known what was planned and applied.
	planRecord = 400 * 24 * time.Hour
)

// RetentionOptions is what a Retention is built from.
type RetentionOptions struct {
	Policies Policies
	Stocks   Stocks
	Plans    Plans
	Ends     PlanEnds
	Rights   Rights
	// RestoreWindow is how long what was deleted can be restored.
	RestoreWindow time.Duration
	Now           func() time.Time
}

// Retention deletes what rules say is no longer wanted: it plans, applies exactly
// what was planned, and undoes that. Who calls must administer the package, or all
// of the account; to delete also takes the right to delete. Safe for concurrent
// use.
type Retention struct{ RetentionOptions }

// NewRetention returns a Retention.
func NewRetention(o RetentionOptions) *Retention { return &Retention{o} }

// Place is what a policy or a plan belongs to: a package, or all packages of an
// account.
type Place struct {
	// Owner is a login; empty for a package.
	Owner   string
	Package access.Package
}

// site is a place that who may do something with.
type site struct {
	ownerID, packageID int64
	name               string // OWNER or OWNER/NAME
}

func (r *Retention) administer(ctx context.Context, who access.Principal, at Place) (site, error) {
	if at.Owner != "" {
		return r.rule(ctx, who, at.Owner)
	}
	f, err := r.Rights.Administer(ctx, who, at.Package)
	return siteOf(f), err
}

// remove also takes the right to delete.
func (r *Retention) remove(ctx context.Context, who access.Principal, at Place) (site, error) {
	s, err := r.administer(ctx, who, at)
	switch {
	case err != nil:
		return s, err
	case at.Owner == "":
		_, err = r.Rights.Remove(ctx, who, at.Package)
	case !who.Operator && !who.Scopes.Has(access.DeletePackages):
		err = errs.New(errs.Denied, "this takes a token with the scope %s", access.DeletePackages)
	}
	return s, err
}

func (r *Retention) rule(ctx context.Context, who access.Principal, owner string) (site, error) {
	f, err := r.Rights.Rule(ctx, who, owner, "to decide how long they are kept")
	return site{ownerID: f.OwnerID, name: f.Owner}, err
}

func siteOf(f access.Facts) site {
	return site{ownerID: f.OwnerID, packageID: f.PackageID, name: f.Name.String()}
}

func (r *Retention) change(who access.Principal, s site, action string, detail map[string]any) Change {
	return Change{By: who.ID(), Entry: audit.Entry{At: r.Now(), Actor: audit.By(who), Action: action, Target: s.name, Detail: detail}}
}

// Policy returns the policy of the place; NotFound when it has none.
func (r *Retention) Policy(ctx context.Context, who access.Principal, at Place) (Policy, error) {
	s, err := r.administer(ctx, who, at)
	if err != nil {
		return Policy{}, err
	}
	return r.Policies.RetentionPolicy(ctx, s.ownerID, s.packageID)
}

// SetPolicy gives the place a policy in the stead of the one it has. One that is
// applied by itself takes the right to delete.
func (r *Retention) SetPolicy(ctx context.Context, who access.Principal, at Place, rules Rules, automatic bool) error {
	if _, err := rules.compile(); err != nil {
		return err
	}
	may := r.administer
	if automatic {
		may = r.remove
	}
	s, err := may(ctx, who, at)
	if err != nil {
		return err
	}
	now := r.Now()
	p := Policy{OwnerID: s.ownerID, PackageID: s.packageID, Rules: rules, Automatic: automatic, CreatedAt: now, UpdatedAt: now}
	return r.Policies.SetRetentionPolicy(ctx, p, r.change(who, s, "retention.set", map[string]any{"rules": rules, "automatic": automatic}))
}

// RemovePolicy ends the policy of the place; NotFound when it has none. A package
// then has that of its owner.
func (r *Retention) RemovePolicy(ctx context.Context, who access.Principal, at Place) error {
	s, err := r.administer(ctx, who, at)
	if err != nil {
		return err
	}
	return r.Policies.RemoveRetentionPolicy(ctx, s.ownerID, s.packageID, r.change(who, s, "retention.remove", nil))
}

// MakePlan stores what the rules delete of the place, and deletes nothing. Rules
// nil are those of its policy, or for a package without one of its owner's;
// NotFound when there are none.
func (r *Retention) MakePlan(ctx context.Context, who access.Principal, at Place, rules *Rules) (Plan, error) {
	s, err := r.administer(ctx, who, at)
	if err != nil {
		return Plan{}, err
	}
	if rules == nil {
		p, err := r.Policies.RetentionPolicy(ctx, s.ownerID, s.packageID)
		if errs.Is(err, errs.NotFound) && s.packageID != 0 {
			p, err = r.Policies.RetentionPolicy(ctx, s.ownerID, 0)
		}
		if err != nil {
			return Plan{}, err
		}
		rules = &p.Rules
	}
	return r.plan(ctx, who.ID(), s, *rules)
}

func (r *Retention) plan(ctx context.Context, by int64, s site, rules Rules) (Plan, error) {
	for n := batch; n == batch; {
		var err error
		if n, err = r.Stocks.ClassifyVersions(ctx, batch); err != nil {
			return Plan{}, err
		}
	}
	p := Plan{OwnerID: s.ownerID, PackageID: s.packageID, Rules: rules, State: Planned, CreatedAt: r.Now(), CreatedBy: by}
	var items []Item
	err := r.eachPackage(ctx, s, func(id int64) (bool, error) {
		stock, err := r.Stocks.Stock(ctx, id)
		if errs.Is(err, errs.NotFound) { // it went meanwhile
			return true, nil
		}
		if err != nil {
			return false, err
		}
		list, more, err := rules.Evaluate(stock, p.CreatedAt, MaxPlanItems-len(items))
		if err != nil {
			return false, err
		}
		items = append(items, list...)
		p.More = more
		spared, err := rules.Spared(stock, list, more, p.CreatedAt)
		p.Kept = joinKept(p.Kept, spared)
		return !more, err
	})
	if err != nil {
		return Plan{}, err
	}
	p.Versions = len(items)
	return p, r.Plans.CreatePlan(ctx, &p, items)
}

// batch is how many rows are read at a time.
const batch = 200

// eachPackage calls do for the package of the place, or for all that have no
// policy of their own, until it returns false.
func (r *Retention) eachPackage(ctx context.Context, s site, do func(id int64) (bool, error)) error {
	if s.packageID != 0 {
		_, err := do(s.packageID)
		return err
	}
	for after := int64(0); ; {
		ids, err := r.Stocks.StocksOf(ctx, s.ownerID, after, batch)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, after = range ids {
			if on, err := do(after); err != nil || !on {
				return err
			}
		}
	}
}

// Plan returns a plan of the place; NotFound without it.
func (r *Retention) Plan(ctx context.Context, who access.Principal, at Place, id int64) (Plan, error) {
	s, err := r.administer(ctx, who, at)
	if err != nil {
		return Plan{}, err
	}
	return r.Plans.Plan(ctx, s.ownerID, s.packageID, id)
}

// maxPage is the longest page of plans and items.
const maxPage = 100

// ListPlans returns up to n plans of the place before an id, 0 for the newest.
func (r *Retention) ListPlans(ctx context.Context, who access.Principal, at Place, before int64, n int) ([]Plan, error) {
	s, err := r.administer(ctx, who, at)
	if err != nil {
		return nil, err
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	return r.Plans.Plans(ctx, s.ownerID, s.packageID, before, min(max(n, 1), maxPage))
}

// Items returns up to n versions of a plan of the place after a version's id.
func (r *Retention) Items(ctx context.Context, who access.Principal, at Place, id, after int64, n int) ([]Item, error) {
	if _, err := r.Plan(ctx, who, at, id); err != nil {
		return nil, err
	}
	return r.Plans.PlanItems(ctx, id, after, min(max(n, 1), maxPage))
}

// Apply deletes exactly what the plan says, all of it at once, or refuses with
// Conflict and the reason: then the plan is of no use any more. It can be undone
// until the time for restoring is over.
func (r *Retention) Apply(ctx context.Context, who access.Principal, at Place, id int64) (Plan, error) {
	s, err := r.remove(ctx, who, at)
	if err != nil {
		return Plan{}, err
	}
	p, err := r.Plans.Plan(ctx, s.ownerID, s.packageID, id)
	if err != nil {
		return Plan{}, err
	}
	return r.apply(ctx, p, r.change(who, s, "retention.apply", nil))
}

func (r *Retention) apply(ctx context.Context, p Plan, c Change) (Plan, error) {
	switch {
	case p.State != Planned:
		return p, errs.New(errs.Conflict, "the plan is %s: make a new one", p.State)
	case !p.CreatedAt.After(c.Entry.At.Add(-PlanLife)):
		return p, errs.New(errs.Conflict, "the plan is older than %d days: make a new one", int(PlanLife.Hours()/24))
	}
	err := r.still(ctx, p, c.Entry.At)
	if err == nil {
		err = r.Plans.ApplyPlan(ctx, p, c)
	}
	if errs.Is(err, errs.Conflict) {
		if failed := r.Ends.RefusePlan(ctx, p.ID); failed != nil {
			return p, failed
		}
		return p, err
	}
	if err == nil {
		p.State, p.AppliedAt, p.AppliedBy = Applied, c.Entry.At, c.By
	}
	return p, err
}

// still refuses a plan of which the rules would not delete everything now.
func (r *Retention) still(ctx context.Context, p Plan, now time.Time) error {
	planned := map[int64][]Item{}
	for after := int64(0); ; {
		items, err := r.Plans.PlanItems(ctx, p.ID, after, MaxPlanItems)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			break
		}
		for _, item := range items {
			planned[item.PackageID] = append(planned[item.PackageID], item)
			after = item.VersionID
		}
	}
	for id, items := range planned {
		stock, err := r.Stocks.Stock(ctx, id)
		if errs.Is(err, errs.NotFound) {
			return errs.New(errs.Conflict, "the package %s is gone", items[0].Package)
		}
		if err != nil {
			return err
		}
		if err := p.Rules.still(stock, items, now); err != nil {
			return err
		}
	}
	return nil
}

// still compares items of one package with what the rules delete now.
func (r Rules) still(s Stock, items []Item, now time.Time) error {
	list, _, err := r.Evaluate(s, now, math.MaxInt)
	if err != nil {
		return err
	}
	chosen, present := map[int64]Item{}, map[int64]bool{}
	for _, item := range list {
		chosen[item.VersionID] = item
	}
	for _, v := range s.Versions {
		present[v.ID] = true
	}
	for _, item := range items {
		if !present[item.VersionID] {
			return stale(item, "is gone")
		}
	}
	for _, item := range items {
		is, ok := chosen[item.VersionID]
		switch {
		case !ok:
			return stale(item, "is to be kept by now")
		case !slices.Equal(is.Tags, item.Tags):
			return stale(item, fmt.Sprintf("has the tags %q by now and had %q", is.Tags, item.Tags))
		}
	}
	return nil
}

func stale(item Item, what string) error {
	return errs.New(errs.Conflict, "the plan no longer fits: %s@%s %s", item.Package, item.Digest, what)
}

// UndoPlan brings back what the plan deleted, with its tags, unless they lead
// elsewhere by now. Conflict after the time for restoring, or when some of it is
// gone for good.
func (r *Retention) UndoPlan(ctx context.Context, who access.Principal, at Place, id int64) (Undo, error) {
	s, err := r.administer(ctx, who, at)
	if err != nil {
		return Undo{}, err
	}
	p, err := r.Plans.Plan(ctx, s.ownerID, s.packageID, id)
	if err != nil {
		return Undo{}, err
	}
	since := r.Now().Add(-r.RestoreWindow)
	switch {
	case p.State != Applied:
		return Undo{}, errs.New(errs.Conflict, "the plan is %s, and there is nothing to undo", p.State)
	case !p.AppliedAt.After(since):
		return Undo{}, errs.New(errs.Conflict, "the time for restoring what the plan deleted is over")
	}
	return r.Plans.UndoPlan(ctx, p, since, r.change(who, s, "retention.undo", nil))
}
