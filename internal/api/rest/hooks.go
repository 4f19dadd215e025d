package rest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
)

// hooked are the places below which hooks are, each with what a token needs and
// with what the hooks there are of. Those of repositories and organizations are
// GitHub's.
func (h *Handler) hooked() map[string]struct {
	scopes access.Scopes
	of     func(*call) (hooks.Address, error)
} {
	type place = struct {
		scopes access.Scopes
		of     func(*call) (hooks.Address, error)
	}
	places := map[string]place{
		"/repos/{owner}/{repo}": {access.AdminRepoHook, func(c *call) (hooks.Address, error) {
			return named(hooks.OfRepository, c.param("owner")+"/"+c.param("repo"))
		}},
		"/orgs/{org}": {access.AdminOrgHook, func(c *call) (hooks.Address, error) { return named(hooks.OfOrganization, c.param("org")) }},
		"/user":       {access.User, func(c *call) (hooks.Address, error) { return named(hooks.OfUser, c.who.Login) }},
	}
	for at, owner := range h.owned() {
		places[at+"/packages/{package_type}/{package_name...}"] = place{access.WritePackages, func(c *call) (hooks.Address, error) {
			u, err := owner(c)
			if err != nil {
				return hooks.Address{}, err
			}
			p, err := c.pkg(u.Login)
			return hooks.Address{Kind: hooks.OfPackage, Name: p.Name, Type: p.Type, Also: p.Also}, err
		}}
	}
	return places
}

// named is the address of what has a name; NotFound for what nothing can be
// called.
func named(k hooks.Kind, name string) (hooks.Address, error) {
	n, err := oci.ParseName(strings.ToLower(name))
	if err != nil {
		return hooks.Address{}, errs.New(errs.NotFound, "Not Found")
	}
	return hooks.Address{Kind: k, Name: n}, nil
}

// hookRoutes are GitHub's operations on hooks. The service behind them decides.
func (h *Handler) hookRoutes() []route {
	var routes []route
	for at, place := range h.hooked() {
		add := func(method, below string, do func(*call, hooks.Address) error) {
			routes = append(routes, route{method, at + "/hooks" + below, func(c *call) error {
				a, err := place.of(c)
				if err != nil {
					return err
				}
				return do(c, a)
			}, withToken(place.scopes)})
		}
		const one, delivery = "/{hook_id}", "/{hook_id}/deliveries/{delivery_id}"
		add("GET", "", h.listHooks)
		add("POST", "", h.createHook)
		add("GET", one, h.getHook)
		add("PATCH", one, h.patchHook)
		add("DELETE", one, h.deleteHook)
		add("GET", one+"/config", h.getHookConfig)
		add("PATCH", one+"/config", h.patchHookConfig)
		add("POST", one+"/pings", onHook(h.Hooks.Ping))
		add("POST", one+"/tests", onHook(h.Hooks.Test))
		add("GET", one+"/deliveries", h.listDeliveries)
		add("GET", delivery, h.getDelivery)
		add("POST", delivery+"/attempts", h.redeliver)
	}
	return routes
}

func (h *Handler) listHooks(c *call, a hooks.Address) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	list, err := h.Hooks.List(c.r.Context(), c.who, a)
	if err != nil {
		return err
	}
	objects := []object{}
	for _, one := range list {
		objects = append(objects, h.hookObject(one))
	}
	return c.list(p, len(objects), slice(p, objects))
}

func (h *Handler) createHook(c *call, a hooks.Address) error {
	var b hookRequest
	if err := c.body(&b); err != nil {
		return err
	}
	if b.Name != "" && b.Name != "web" {
		return invalid("The name of a hook is web.")
	}
	change, err := b.change()
	if err != nil {
		return err
	}
	made, err := h.Hooks.Create(c.r.Context(), c.who, a, change)
	if err != nil {
		return err
	}
	o := h.hookObject(made)
	c.w.Header().Set("Location", o["url"].(string))
	return c.json(http.StatusCreated, o)
}

func (h *Handler) getHook(c *call, a hooks.Address) error {
	found, err := c.hook(a)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, h.hookObject(found))
}

func (c *call) hook(a hooks.Address) (hooks.Hook, error) {
	id, err := c.id("hook_id")
	if err != nil {
		return hooks.Hook{}, err
	}
	return c.h.Hooks.Get(c.r.Context(), c.who, a, id)
}

// changeHook changes the hook in the path.
func (c *call) changeHook(a hooks.Address, change hooks.Change) (hooks.Hook, error) {
	id, err := c.id("hook_id")
	if err != nil {
		return hooks.Hook{}, err
	}
	return c.h.Hooks.Update(c.r.Context(), c.who, a, id, change)
}

// patchHook changes what the body names. A config without a secret takes the
// secret away, as on GitHub; the stars that are shown for one leave it as it is.
func (h *Handler) patchHook(c *call, a hooks.Address) error {
	var b hookRequest
	if err := c.body(&b); err != nil {
		return err
	}
	change, err := b.change()
	if err != nil {
		return err
	}
	if b.Config != nil && change.Secret == nil {
		change.Secret = new(string)
	}
	changed, err := c.changeHook(a, change)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, h.hookObject(changed))
}

func (h *Handler) deleteHook(c *call, a hooks.Address) error { return onHook(h.Hooks.Delete)(c, a) }

func (h *Handler) getHookConfig(c *call, a hooks.Address) error {
	found, err := c.hook(a)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, hookConfig(found))
}

func (h *Handler) patchHookConfig(c *call, a hooks.Address) error {
	var b hookSettings
	if err := c.body(&b); err != nil {
		return err
	}
	change, err := b.change()
	if err != nil {
		return err
	}
	changed, err := c.changeHook(a, change)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, hookConfig(changed))
}

// listDeliveries answers with a page of the deliveries, which go on at a cursor
// and not by numbers, as on GitHub.
func (h *Handler) listDeliveries(c *call, a hooks.Address) error {
	id, err := c.id("hook_id")
	if err != nil {
		return err
	}
	p, err := c.page()
	if err != nil {
		return err
	}
	q, err := c.deliveryQuery(p.perPage)
	if err != nil {
		return err
	}
	list, err := h.Hooks.Deliveries(c.r.Context(), c.who, a, id, q)
	if err != nil {
		return err
	}
	objects := []object{}
	for _, d := range list {
		objects = append(objects, deliveryObject(d))
	}
	if len(list) == q.Limit {
		next := c.at(url.Values{"cursor": {"v1_" + strconv.FormatInt(list[len(list)-1].ID, 10)}})
		c.w.Header().Set("Link", "<"+next+`>; rel="next"`)
	}
	return c.json(http.StatusOK, objects)
}

func (c *call) deliveryQuery(limit int) (q hooks.DeliveryQuery, err error) {
	q.Limit = limit
	if text := c.q.Get("cursor"); text != "" {
		if q.Before, err = strconv.ParseInt(strings.TrimPrefix(text, "v1_"), 10, 64); err != nil || q.Before <= 0 {
			return q, errs.New(errs.Invalid, "Invalid argument. cursor is one that a page before gave.")
		}
	}
	switch q.Status = c.q.Get("status"); q.Status {
	case "", "success", "failure":
	default:
		return q, errs.New(errs.Invalid, "Invalid argument. status is success or failure.")
	}
	if c.q.Has("redelivery") {
		on, err := c.flag("redelivery")
		if err != nil {
			return q, err
		}
		q.Redelivery = &on
	}
	return q, nil
}

func (h *Handler) getDelivery(c *call, a hooks.Address) error {
	id, delivery, err := c.deliveryIDs()
	if err != nil {
		return err
	}
	of, d, err := h.Hooks.Delivery(c.r.Context(), c.who, a, id, delivery)
	if err != nil {
		return err
	}
	o := deliveryObject(d)
	o["url"] = of.URL
	o["request"] = object{"headers": d.RequestHeaders, "payload": d.Payload}
	o["response"] = object{"headers": d.ResponseHeaders, "payload": d.ResponseBody}
	return c.json(http.StatusOK, o)
}

func (c *call) deliveryIDs() (hook, delivery int64, err error) {
	if hook, err = c.id("hook_id"); err != nil {
		return 0, 0, err
	}
	delivery, err = c.id("delivery_id")
	return hook, delivery, err
}

func (h *Handler) redeliver(c *call, a hooks.Address) error {
	id, delivery, err := c.deliveryIDs()
	if err != nil {
		return err
	}
	if err := h.Hooks.Redeliver(c.r.Context(), c.who, a, id, delivery); err != nil {
		return err
	}
	return c.json(http.StatusAccepted, object{})
}
