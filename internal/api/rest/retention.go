package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/packages"
)

// RetentionPolicies keeps what is deleted by rules, and decides for whom.
type RetentionPolicies interface {
	Policy(ctx context.Context, who access.Principal, at lifecycle.Place) (lifecycle.Policy, error)
	SetPolicy(ctx context.Context, who access.Principal, at lifecycle.Place, rules lifecycle.Rules, automatic bool) error
	RemovePolicy(ctx context.Context, who access.Principal, at lifecycle.Place) error
}

// RetentionPlans plans, applies and undoes that, and decides for whom.
type RetentionPlans interface {
	MakePlan(ctx context.Context, who access.Principal, at lifecycle.Place, rules *lifecycle.Rules) (lifecycle.Plan, error)
	Plan(ctx context.Context, who access.Principal, at lifecycle.Place, id int64) (lifecycle.Plan, error)
	ListPlans(ctx context.Context, who access.Principal, at lifecycle.Place, before int64, n int) ([]lifecycle.Plan, error)
	Items(ctx context.Context, who access.Principal, at lifecycle.Place, id, after int64, n int) ([]lifecycle.Item, error)
	Apply(ctx context.Context, who access.Principal, at lifecycle.Place, id int64) (lifecycle.Plan, error)
	UndoPlan(ctx context.Context, who access.Principal, at lifecycle.Place, id int64) (lifecycle.Undo, error)
}

// retentionRoutes are this server's own operations on retention: of a package, and
// of an account for all its packages.
func (h *Handler) retentionRoutes() []route {
	var routes []route
	for at, owner := range h.owned() {
		for place, where := range map[string]func(*call, packages.Owner) (lifecycle.Place, error){
			at + "/packages/{package_type}/{package_name...}/retention": (*call).retentionOfPackage,
			at + "/retention": (*call).retentionOfOwner,
		} {
			add := func(method, pattern string, do func(*call, lifecycle.Place) error, scopes access.Scopes) {
				routes = append(routes, route{method, place + pattern, atPlace(owner, where, do), withToken(scopes)})
			}
			const read, write, remove = access.ReadPackages | access.WritePackages, access.WritePackages, access.WritePackages | access.DeletePackages
			add("GET", "/policy", h.getPolicy, read)
			add("PUT", "/policy", h.putPolicy, write)
			add("DELETE", "/policy", h.deletePolicy, write)
			add("GET", "/plans", h.listPlans, read)
			add("POST", "/plans", h.postPlan, write)
			add("GET", "/plans/{plan_id}", h.getPlan, read)
			add("GET", "/plans/{plan_id}/items", h.listPlanItems, read)
			add("POST", "/plans/{plan_id}/apply", h.applyPlan, remove)
			add("POST", "/plans/{plan_id}/undo", h.undoPlan, write)
		}
	}
	return routes
}

func (c *call) retentionOfPackage(owner packages.Owner) (lifecycle.Place, error) {
	p, err := c.pkg(owner.Login)
	return lifecycle.Place{Package: p}, err
}

func (c *call) retentionOfOwner(owner packages.Owner) (lifecycle.Place, error) {
	return lifecycle.Place{Owner: owner.Login}, nil
}

// atPlace makes a route's function of one that is told the place in the path.
func atPlace(owner func(*call) (packages.Owner, error), where func(*call, packages.Owner) (lifecycle.Place, error), do func(*call, lifecycle.Place) error) func(*call) error {
	return func(c *call) error {
		u, err := owner(c)
		if err != nil {
			return err
		}
		at, err := where(c, u)
		if err != nil {
			return err
		}
		return do(c, at)
	}
}

// policyObject is a retention policy.
type policyObject struct {
	Rules     lifecycle.Rules `json:"rules"`
	Automatic bool            `json:"automatic"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

func (h *Handler) getPolicy(c *call, at lifecycle.Place) error {
	p, err := h.RetentionPolicies.Policy(c.r.Context(), c.who, at)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, policyObject{p.Rules, p.Automatic, p.CreatedAt, p.UpdatedAt})
}

// rulesOf reads the rules in a body, which must all be understood.
func rulesOf(text json.RawMessage) (lifecycle.Rules, error) {
	r, err := lifecycle.ParseRules(text)
	return r, changed(err)
}

func (h *Handler) putPolicy(c *call, at lifecycle.Place) error {
	var b struct {
		Rules     json.RawMessage `json:"rules"`
		Automatic bool            `json:"automatic"`
	}
	if err := c.body(&b); err != nil {
		return err
	}
	rules, err := rulesOf(b.Rules)
	if err != nil {
		return err
	}
	if err := h.RetentionPolicies.SetPolicy(c.r.Context(), c.who, at, rules, b.Automatic); err != nil {
		return err
	}
	return h.getPolicy(c, at)
}

func (h *Handler) deletePolicy(c *call, at lifecycle.Place) error {
	if err := h.RetentionPolicies.RemovePolicy(c.r.Context(), c.who, at); err != nil {
		return err
	}
	return c.none()
}

// planObject is a plan.
type planObject struct {
	ID       int64               `json:"id"`
	State    lifecycle.PlanState `json:"state"`
	Rules    lifecycle.Rules     `json:"rules"`
	Versions int                 `json:"versions"`
	// BytesFreed are those of blobs that nothing else needs.
	BytesFreed int64      `json:"bytes_freed"`
	More       bool       `json:"more"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	AppliedAt  *time.Time `json:"applied_at"`
	UndoneAt   *time.Time `json:"undone_at"`
}

func planOf(p lifecycle.Plan) planObject {
	o := planObject{
		ID: p.ID, State: p.State, Rules: p.Rules, Versions: p.Versions, BytesFreed: p.Bytes, More: p.More,
		CreatedAt: p.CreatedAt, ExpiresAt: p.CreatedAt.Add(lifecycle.PlanLife),
	}
	if !p.AppliedAt.IsZero() {
		o.AppliedAt = &p.AppliedAt
	}
	if !p.UndoneAt.IsZero() {
		o.UndoneAt = &p.UndoneAt
	}
	return o
}

// postPlan plans by the rules in the body, or without them by the policy.
func (h *Handler) postPlan(c *call, at lifecycle.Place) error {
	var b struct {
		Rules json.RawMessage `json:"rules"`
	}
	if err := c.body(&b); err != nil {
		return err
	}
	var rules *lifecycle.Rules
	if len(b.Rules) > 0 {
		r, err := rulesOf(b.Rules)
		if err != nil {
			return err
		}
		rules = &r
	}
	p, err := h.RetentionPlans.MakePlan(c.r.Context(), c.who, at, rules)
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, planOf(p))
}

func (h *Handler) getPlan(c *call, at lifecycle.Place) error {
	id, err := c.id("plan_id")
	if err != nil {
		return err
	}
	p, err := h.RetentionPlans.Plan(c.r.Context(), c.who, at, id)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, planOf(p))
}

// number reads a query parameter that is a number; absent is zero.
func (c *call) number(name string) (int64, error) {
	if !c.q.Has(name) {
		return 0, nil
	}
	n, err := strconv.ParseInt(c.q.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, errs.New(errs.Invalid, "Invalid argument. %s must be an integer.", name)
	}
	return n, nil
}

// goOn sets the Link to the entries behind the one of that id.
func (c *call) goOn(name string, id int64) {
	c.w.Header().Set("Link", "<"+c.at(url.Values{name: {strconv.FormatInt(id, 10)}})+`>; rel="next"`)
}

func (h *Handler) listPlans(c *call, at lifecycle.Place) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	before, err := c.number("before")
	if err != nil {
		return err
	}
	list, err := h.RetentionPlans.ListPlans(c.r.Context(), c.who, at, before, page.perPage)
	if err != nil {
		return err
	}
	objects := make([]planObject, len(list))
	for i, p := range list {
		objects[i] = planOf(p)
	}
	if len(list) == page.perPage {
		c.goOn("before", list[len(list)-1].ID)
	}
	return c.json(http.StatusOK, objects)
}

// itemObject is one version of a plan.
type itemObject struct {
	VersionID  int64    `json:"version_id"`
	Package    string   `json:"package"`
	Digest     string   `json:"digest"`
	Tags       []string `json:"tags"`
	Reason     string   `json:"reason"`
	BytesFreed int64    `json:"bytes_freed"`
}

func (h *Handler) listPlanItems(c *call, at lifecycle.Place) error {
	id, err := c.id("plan_id")
	if err != nil {
		return err
	}
	page, err := c.page()
	if err != nil {
		return err
	}
	after, err := c.number("after")
	if err != nil {
		return err
	}
	list, err := h.RetentionPlans.Items(c.r.Context(), c.who, at, id, after, page.perPage)
	if err != nil {
		return err
	}
	objects := make([]itemObject, len(list))
	for i, item := range list {
		objects[i] = itemObject{item.VersionID, item.Package, item.Digest, item.Tags, item.Reason, item.Bytes}
	}
	if len(list) == page.perPage {
		c.goOn("after", list[len(list)-1].VersionID)
	}
	return c.json(http.StatusOK, objects)
}

func (h *Handler) applyPlan(c *call, at lifecycle.Place) error {
	id, err := c.id("plan_id")
	if err != nil {
		return err
	}
	p, err := h.RetentionPlans.Apply(c.r.Context(), c.who, at, id)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, planOf(p))
}

func (h *Handler) undoPlan(c *call, at lifecycle.Place) error {
	id, err := c.id("plan_id")
	if err != nil {
		return err
	}
	undo, err := h.RetentionPlans.UndoPlan(c.r.Context(), c.who, at, id)
	if err != nil {
		return err
	}
	taken := undo.Taken
	if taken == nil {
		taken = []string{}
	}
	return c.json(http.StatusOK, struct {
		Versions int      `json:"versions"`
		Tags     int      `json:"tags"`
		Taken    []string `json:"taken"`
	}{undo.Versions, undo.Tags, taken})
}
