package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/hooks"
)

// hookRequest is the body that makes or changes a hook.
type hookRequest struct {
	Name         string        `json:"name"`
	Config       *hookSettings `json:"config"`
	Events       []string      `json:"events"`
	AddEvents    []string      `json:"add_events"`
	RemoveEvents []string      `json:"remove_events"`
	Active       *bool         `json:"active"`
}

func (b hookRequest) change() (hooks.Change, error) {
	var change hooks.Change
	if b.Config != nil {
		var err error
		if change, err = b.Config.change(); err != nil {
			return change, err
		}
	}
	change.Events, change.AddEvents, change.RemoveEvents, change.Active = b.Events, b.AddEvents, b.RemoveEvents, b.Active
	return change, nil
}

// hookSettings is where a hook sends what.
type hookSettings struct {
	URL         *string `json:"url"`
	ContentType *string `json:"content_type"`
	Secret      *string `json:"secret"`
	// InsecureSSL is a string or a number, 0 or 1.
	InsecureSSL json.RawMessage `json:"insecure_ssl"`
}

func (b hookSettings) change() (hooks.Change, error) {
	change := hooks.Change{URL: b.URL, ContentType: b.ContentType, Secret: b.Secret}
	if len(b.InsecureSSL) == 0 {
		return change, nil
	}
	switch strings.Trim(string(b.InsecureSSL), `"`) {
	case "0":
		change.InsecureSSL = new(bool)
	case "1":
		change.InsecureSSL = new(bool)
		*change.InsecureSSL = true
	default:
		return change, invalid("insecure_ssl is 0 or 1.")
	}
	return change, nil
}

// onHook makes the function of an operation that answers with nothing.
func onHook(do func(ctx context.Context, who access.Principal, a hooks.Address, id int64) error) func(*call, hooks.Address) error {
	return func(c *call, a hooks.Address) error {
		id, err := c.id("hook_id")
		if err != nil {
			return err
		}
		if err := do(c.r.Context(), c.who, a, id); err != nil {
			return err
		}
		return c.none()
	}
}

// hookConfig is GitHub's webhook-config. A secret is shown as stars.
func hookConfig(of hooks.Hook) object {
	o := object{"url": of.URL, "content_type": of.ContentType, "insecure_ssl": "0"}
	if of.InsecureSSL {
		o["insecure_ssl"] = "1"
	}
	if of.HasSecret {
		o["secret"] = hooks.Masked
	}
	return o
}

// hookObject is GitHub's hook, and with fewer fields its org-hook.
func (h *Handler) hookObject(of hooks.Hook) object {
	kind := string(of.Kind())
	at := h.Base + hookPath(of.Target) + "/hooks/" + strconv.FormatInt(of.ID, 10)
	o := object{
		"type": strings.ToUpper(kind[:1]) + kind[1:], "id": of.ID, "name": "web", "active": of.Active, "events": of.Events, "config": hookConfig(of),
		"created_at": moment(of.CreatedAt), "updated_at": moment(of.UpdatedAt), "url": at, "test_url": at + "/tests", "ping_url": at + "/pings",
		"deliveries_url": at + "/deliveries", "failing_since": optional(of.FailingSince),
		"last_response": object{"code": nil, "status": "unused", "message": nil},
	}
	if l := of.Last; l != nil {
		response := object{"code": nil, "status": "failed", "message": text(l.Message)}
		if l.Code != 0 {
			response["code"] = l.Code
		}
		if l.Message == "" {
			response["status"], response["message"] = "active", "OK"
		}
		o["last_response"] = response
	}
	return o
}

// hookPath is the path of what a hook is of.
func hookPath(t hooks.Target) string {
	owner := "/users/" + t.Owner
	if t.OwnerIsOrganization {
		owner = "/orgs/" + t.Owner
	}
	switch t.Kind() {
	case hooks.OfRepository:
		return "/repos/" + t.Name.String()
	case hooks.OfPackage:
		return owner + "/packages/" + string(t.Type) + "/" + url.PathEscape(t.Name.Package())
	case hooks.OfUser:
		return "/user"
	case hooks.OfOrganization:
	}
	return owner
}

// deliveryObject is GitHub's hook-delivery-item.
func deliveryObject(d hooks.Delivery) object {
	o := object{
		"id": d.ID, "guid": d.GUID, "delivered_at": moment(d.CreatedAt), "redelivery": d.Redelivery, "duration": d.Duration.Seconds(),
		"status": deliveryStatus(d), "status_code": d.StatusCode, "event": d.Event, "action": text(string(d.Action)),
		"installation_id": nil, "repository_id": nil, "throttled_at": nil, "attempts": d.Attempts, "next_attempt_at": optional(d.NextAt),
	}
	if !d.DeliveredAt.IsZero() {
		o["delivered_at"] = moment(d.DeliveredAt)
	}
	return o
}

// deliveryStatus is a word for people; OK means success.
func deliveryStatus(d hooks.Delivery) string {
	switch {
	case d.State == hooks.Delivered:
		return "OK"
	case d.Error != "":
		return d.Error
	case d.StatusCode != 0:
		return http.StatusText(d.StatusCode)
	}
	return "pending"
}
