package rest_test

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// others drives what the other tests do not: each answer is held against the
// server's description on its way.
func others(t *testing.T, w *world) {
	ann := api{t, w, w.Token(t, "ann", everyScope+",admin:org_hook")}
	admin := api{t, w, w.Token(t, "admin", everyScope)}
	w.pushIndex(t, "acme/described:v1", false)
	digest := w.push(t, "containers", "acme/described:v2", "three")
	const at = "/orgs/acme/packages/container/described"
	ann.contents(at)
	ann.rules(at)
	for _, place := range []string{at, "/orgs/acme", "/user", "/repos/acme/shop"} {
		ann.hooks(place + "/hooks")
	}
	ann.people()
	admin.server(digest)
}

func (a api) contents(at string) {
	var tag struct {
		ID int64 `json:"version_id"`
	}
	a.read(&tag, 200, "GET", at+"/tags/v1", "")
	version := fmt.Sprint(at, "/versions/", tag.ID)
	for _, path := range []string{
		at + "/downloads?days=3", version + "/downloads", at + "/tags/v1/downloads", at + "/latest", version + "/platforms", at + "/downloads/badge.svg?label=pulls",
		at + "/immutable_tags", "/orgs/acme/immutable_tags", at + "/grants", "/orgs/acme/storage?per_page=1", "/user/storage",
	} {
		a.do(200, "GET", path, "")
	}
	a.do(200, "PUT", at+"/immutable_tags", `{"patterns":["stable-*"]}`)
	a.do(200, "PUT", "/user/immutable_tags", `{"patterns":["stable-*"]}`)
	a.do(204, "PUT", at+"/grants/users/ann", `{"role":"read"}`)
	a.do(204, "DELETE", at+"/grants/users/ann", "")
}

func (a api) rules(at string) {
	const policy = `{"rules":{"delete":[{"tags":["v*"]}]},"automatic":false}`
	for _, place := range []string{at + "/retention", "/user/retention"} {
		a.do(200, "PUT", place+"/policy", policy)
		a.do(200, "GET", place+"/policy", "")
		var plan struct{ ID int64 }
		a.read(&plan, 201, "POST", place+"/plans", "")
		one := fmt.Sprint(place, "/plans/", plan.ID)
		a.do(200, "GET", one, "")
		a.do(200, "GET", one+"/items?per_page=1", "")
		a.do(200, "GET", place+"/plans", "")
		if place != "/user/retention" {
			a.do(200, "POST", one+"/apply", "")
			a.do(200, "POST", one+"/undo", "")
		}
		a.do(204, "DELETE", place+"/policy", "")
	}
}

func (a api) hooks(at string) {
	var hook struct{ ID int64 }
	a.read(&hook, 201, "POST", at, `{"config":{"url":"https://hooks.example.test/x","content_type":"json","secret":"s"},"events":["package"],"active":true}`)
	one := fmt.Sprint(at, "/", hook.ID)
	a.do(200, "GET", at, "")
	a.do(200, "GET", one, "")
	a.do(200, "PATCH", one, `{"add_events":["registry_package"]}`)
	a.do(200, "GET", one+"/config", "")
	a.do(200, "PATCH", one+"/config", `{"content_type":"form"}`)
	a.do(204, "POST", one+"/pings", "")
	sent := a.sent(one)
	delivery := fmt.Sprint(one, "/deliveries/", sent[0].ID)
	a.do(200, "GET", delivery, "")
	a.do(202, "POST", delivery+"/attempts", "")
	a.do(204, "DELETE", one, "")
}

// sent are the deliveries of a hook, as soon as there is one.
func (a api) sent(hook string) (list []struct{ ID int64 }) {
	ctx, cancel := context.WithTimeout(a.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); len(list) == 0; {
		select {
		case <-tick.C:
			a.read(&list, 200, "GET", hook+"/deliveries?per_page=5", "")
		case <-ctx.Done():
			a.Fatal("waited in vain for a ping")
		}
	}
	return list
}

func (a api) people() {
	for _, path := range []string{"/", "/meta", "/rate_limit", "/users/ann/orgs", "/orgs/acme/invitations", "/orgs/acme/public_members", "/orgs/acme/credential-authorizations", "/repos/acme/shop/workflow-tokens"} {
		a.do(200, "GET", path, "")
	}
}

func (a api) server(digest string) {
	a.do(202, "POST", "/admin/gc", "")
	for _, path := range []string{
		"/admin/gc", "/admin/gc/receipts", "/admin/storage?per_page=3", "/admin/jobs?per_page=3", "/admin/users/ann/tokens", "/admin/gc/explain/" + digest,
	} {
		a.do(200, "GET", path, "")
	}
	var list []struct{ ID int64 }
	a.read(&list, 200, "GET", "/admin/jobs?per_page=1", "")
	if len(list) != 1 {
		a.Fatal("no job")
	}
	a.do(200, "GET", fmt.Sprint("/admin/jobs/", list[0].ID), "")
	a.do(404, "POST", "/admin/jobs/999999999/retry", "")
	a.do(404, "POST", "/admin/jobs/999999999/cancel", "")
}
