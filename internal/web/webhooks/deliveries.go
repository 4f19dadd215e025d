package webhooks

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"packhouse/internal/hooks"
	"packhouse/internal/web/frame"
)

const (
	// perPage is how many deliveries a page of the log has.
	perPage = 30
	// maxShown is how many bytes of a payload are shown.
	maxShown = 64 << 10
)

// deliveryLine is a delivery as the log shows it.
type deliveryLine struct {
	hooks.Delivery
	// At is its page.
	At string
	// Milliseconds is how long the answer took.
	Milliseconds int64
}

func deliveryOf(p frame.SettingsPage, d hooks.Delivery) deliveryLine {
	return deliveryLine{Delivery: d, At: below(p, d.HookID, "deliveries", d.ID), Milliseconds: d.Duration.Milliseconds()}
}

type deliveriesPage struct {
	frame.SettingsPage
	Hook *hookLine
	Tab  string
	// Status is which are shown: success, failure, or "" for all.
	Status          string
	Deliveries      []deliveryLine
	Newest, Older   string
	Filtered, Plain string // the addresses of those that failed, and of all
}

func (r *room) deliveries(c *frame.Call, p frame.SettingsPage) error {
	a, h, err := r.hook(c, p)
	if err != nil {
		return err
	}
	status := c.Query("status")
	if status != "success" && status != "failure" {
		status = ""
	}
	q := hooks.DeliveryQuery{Before: c.After(), Limit: perPage + 1, Status: status}
	list, err := r.Hooks.Deliveries(c.R.Context(), c.Who, a, h.ID, q)
	if err != nil {
		return err
	}
	line, at := lineOf(p, h), below(p, h.ID, "deliveries")
	page := deliveriesPage{SettingsPage: p, Hook: &line, Tab: "deliveries", Status: status, Plain: at, Filtered: at + "?status=failure"}
	more := url.Values{}
	if status != "" {
		more.Set("status", status)
	}
	if q.Before > 0 {
		page.Newest = at + "?" + more.Encode()
	}
	if len(list) > perPage {
		list = list[:perPage]
		more.Set("after", strconv.FormatInt(list[perPage-1].ID, 10))
		page.Older = at + "?" + more.Encode()
	}
	for _, d := range list {
		page.Deliveries = append(page.Deliveries, deliveryOf(p, d))
	}
	return r.Show(c, frame.OK, "deliveries", page)
}

// header is one of a request or an answer.
type header struct{ Name, Value string }

func headersOf(m map[string]string) (list []header) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, header{name, m[name]})
	}
	return list
}

type deliveryPage struct {
	frame.SettingsPage
	Hook            *hookLine
	Tab             string
	Delivery        deliveryLine
	Request, Answer []header
	Payload         string
	// Cut is set when the payload is longer than what is shown, and Hidden when
	// the visitor may not read the package that it tells of.
	Cut, Hidden bool
}

func (r *room) delivery(c *frame.Call, p frame.SettingsPage) error {
	a, _, err := r.hook(c, p)
	if err != nil {
		return err
	}
	hook, d, err := r.sent(c, a)
	if err != nil {
		return err
	}
	line := lineOf(p, hook)
	page := deliveryPage{
		SettingsPage: p, Hook: &line, Tab: "deliveries", Delivery: deliveryOf(p, d),
		Request: headersOf(d.RequestHeaders), Answer: headersOf(d.ResponseHeaders), Hidden: d.Payload == nil,
	}
	page.Payload, page.Cut = pretty(d.Payload)
	return r.Show(c, frame.OK, "delivery", page)
}

// sent returns the delivery that the path names, and its hook.
func (r *room) sent(c *frame.Call, a hooks.Address) (hooks.Hook, hooks.Delivery, error) {
	hook, err := c.ID("hook")
	if err != nil {
		return hooks.Hook{}, hooks.Delivery{}, err
	}
	id, err := c.ID("delivery")
	if err != nil {
		return hooks.Hook{}, hooks.Delivery{}, err
	}
	return r.Hooks.Delivery(c.R.Context(), c.Who, a, hook, id)
}

// pretty returns JSON with an indented line for each member, as far as it is shown.
func pretty(payload json.RawMessage) (text string, cut bool) {
	var b bytes.Buffer
	if json.Indent(&b, payload, "", "  ") != nil {
		b.Reset()
		b.Write(payload)
	}
	content := b.Bytes()
	if cut = len(content) > maxShown; cut {
		content = bytes.ToValidUTF8(content[:maxShown], nil)
	}
	return string(content), cut
}

func (r *room) redeliver(c *frame.Call, p frame.SettingsPage) error {
	a, h, err := r.hook(c, p)
	if err != nil {
		return err
	}
	id, err := c.ID("delivery")
	if err != nil {
		return err
	}
	if err := r.Hooks.Redeliver(c.R.Context(), c.Who, a, h.ID, id); err != nil {
		return err
	}
	return c.Done(below(p, h.ID, "deliveries"), "hook-redelivered")
}
