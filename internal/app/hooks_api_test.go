package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-github/v89/github"

	"packhouse/internal/access"
	"packhouse/internal/audit"
)

// hookWorld is a server that works its jobs, with an organization and a
// repository, and a receiver of GitHub's official client.
type hookWorld struct {
	*running
	url    string
	events chan any
}

const hookSecret = "shared by the two"

func newHookWorld(t *testing.T) *hookWorld {
	t.Helper()
	w := &hookWorld{events: make(chan any, 100)}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		payload, err := github.ValidatePayload(r, []byte(hookSecret))
		if err != nil {
			t.Error(err)
			return
		}
		e, err := github.ParseWebHook(github.WebHookType(r), payload)
		if err != nil {
			t.Error(err)
		}
		w.events <- e
	}))
	t.Cleanup(receiver.Close)
	w.url = receiver.URL
	cfg := testConfig(t)
	cfg.Hooks.AllowPrivate = true
	w.running = composed(t, cfg)
	if _, err := w.app.Accounts.CreateOrganization(t.Context(), audit.Operator, "acme", "admin"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.app.Accounts.CreateRepository(t.Context(), audit.Operator, "acme/src", access.Private); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.app.RunJobs(ctx, NewMetrics("test")) }()
	t.Cleanup(func() { stop(); <-done })
	return w
}

func (w *hookWorld) client(t *testing.T) *github.Client {
	t.Helper()
	base := "http://" + w.addr + "/api/v3/"
	basic := &github.BasicAuthTransport{Username: "admin", Password: "a long password"}
	c, err := github.NewClient(github.WithHTTPClient(basic.Client()), github.WithEnterpriseURLs(base, base))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *hookWorld) config() *github.HookConfig {
	contentType, secret := "json", hookSecret
	return &github.HookConfig{URL: &w.url, ContentType: &contentType, Secret: &secret}
}

// hookCalls are the calls of the official client, which it has twice.
type hookCalls struct {
	create    func(*github.Hook) (*github.Hook, *github.Response, error)
	list      func() ([]*github.Hook, *github.Response, error)
	get       func(id int64) (*github.Hook, *github.Response, error)
	edit      func(id int64, h *github.Hook) (*github.Hook, *github.Response, error)
	config    func(id int64) (*github.HookConfig, *github.Response, error)
	setConfig func(id int64, c github.HookConfig) (*github.HookConfig, *github.Response, error)
	ping      func(id int64) (*github.Response, error)
	log       func(id int64, o *github.ListCursorOptions) ([]*github.HookDelivery, *github.Response, error)
	delivery  func(id, delivery int64) (*github.HookDelivery, *github.Response, error)
	redeliver func(id, delivery int64) (*github.HookDelivery, *github.Response, error)
	remove    func(id int64) (*github.Response, error)
}

func (w *hookWorld) calls(t *testing.T) map[string]hookCalls {
	c, ctx := w.client(t), t.Context()
	o, r := c.Organizations, c.Repositories
	return map[string]hookCalls{
		"organization": {
			create: func(h *github.Hook) (*github.Hook, *github.Response, error) { return o.CreateHook(ctx, "acme", h) },
			list:   func() ([]*github.Hook, *github.Response, error) { return o.ListHooks(ctx, "acme", nil) },
			get:    func(id int64) (*github.Hook, *github.Response, error) { return o.GetHook(ctx, "acme", id) },
			edit: func(id int64, h *github.Hook) (*github.Hook, *github.Response, error) {
				return o.EditHook(ctx, "acme", id, h)
			},
			config: func(id int64) (*github.HookConfig, *github.Response, error) {
				return o.GetHookConfiguration(ctx, "acme", id)
			},
			setConfig: func(id int64, c github.HookConfig) (*github.HookConfig, *github.Response, error) {
				return o.UpdateHookConfiguration(ctx, "acme", id, c)
			},
			ping: func(id int64) (*github.Response, error) { return o.PingHook(ctx, "acme", id) },
			log: func(id int64, l *github.ListCursorOptions) ([]*github.HookDelivery, *github.Response, error) {
				return o.ListHookDeliveries(ctx, "acme", id, l)
			},
			delivery: func(id, d int64) (*github.HookDelivery, *github.Response, error) {
				return o.GetHookDelivery(ctx, "acme", id, d)
			},
			redeliver: func(id, d int64) (*github.HookDelivery, *github.Response, error) {
				return o.RedeliverHookDelivery(ctx, "acme", id, d)
			},
			remove: func(id int64) (*github.Response, error) { return o.DeleteHook(ctx, "acme", id) },
		},
		"repository": {
			create: func(h *github.Hook) (*github.Hook, *github.Response, error) {
				return r.CreateHook(ctx, "acme", "src", h)
			},
			list: func() ([]*github.Hook, *github.Response, error) { return r.ListHooks(ctx, "acme", "src", nil) },
			get:  func(id int64) (*github.Hook, *github.Response, error) { return r.GetHook(ctx, "acme", "src", id) },
			edit: func(id int64, h *github.Hook) (*github.Hook, *github.Response, error) {
				return r.EditHook(ctx, "acme", "src", id, h)
			},
			config: func(id int64) (*github.HookConfig, *github.Response, error) {
				return r.GetHookConfiguration(ctx, "acme", "src", id)
			},
			setConfig: func(id int64, c github.HookConfig) (*github.HookConfig, *github.Response, error) {
				return r.UpdateHookConfiguration(ctx, "acme", "src", id, c)
			},
			ping: func(id int64) (*github.Response, error) { return r.PingHook(ctx, "acme", "src", id) },
			log: func(id int64, l *github.ListCursorOptions) ([]*github.HookDelivery, *github.Response, error) {
				return r.ListHookDeliveries(ctx, "acme", "src", id, l)
			},
			delivery: func(id, d int64) (*github.HookDelivery, *github.Response, error) {
				return r.GetHookDelivery(ctx, "acme", "src", id, d)
			},
			redeliver: func(id, d int64) (*github.HookDelivery, *github.Response, error) {
				return r.RedeliverHookDelivery(ctx, "acme", "src", id, d)
			},
			remove: func(id int64) (*github.Response, error) { return r.DeleteHook(ctx, "acme", "src", id) },
		},
	}
}

// Every call that GitHub's official client has for hooks, and its own code on
// the other side.
func TestHooksByTheOfficialClient(t *testing.T) {
	t.Parallel()
	w := newHookWorld(t)
	for kind, c := range w.calls(t) {
		made, res, err := c.create(&github.Hook{Config: w.config(), Events: []string{"package"}})
		if err != nil || res.StatusCode != http.StatusCreated {
			t.Fatal(kind, res, err)
		}
		id := made.GetID()
		ping, ok := (<-w.events).(*github.PingEvent)
		if !ok || ping.GetHookID() != id || ping.GetHook().GetConfig().GetSecret() != "********" || ping.GetOrg().GetLogin() != "acme" {
			t.Errorf("%s: the ping is %+v", kind, ping)
		}
		if list, _, err := c.list(); err != nil || len(list) != 1 || list[0].GetID() != id || list[0].GetConfig().GetSecret() != "********" {
			t.Errorf("%s: listed %v, %v", kind, list, err)
		}
		if got, _, err := c.get(id); err != nil || got.GetName() != "web" || !strings.EqualFold(got.GetType(), kind) || !got.GetActive() || !strings.HasSuffix(got.GetPingURL(), "/pings") {
			t.Errorf("%s: %v, %v", kind, got, err)
		}
		off := false
		if got, _, err := c.edit(id, &github.Hook{Active: &off, Events: []string{"*"}, Config: w.config()}); err != nil || got.GetActive() || got.Events[0] != "*" {
			t.Errorf("%s: changed to %v, %v", kind, got, err)
		}
		form := "form"
		if got, _, err := c.setConfig(id, github.HookConfig{ContentType: &form}); err != nil || got.GetContentType() != form || got.GetSecret() != "********" {
			t.Errorf("%s: configured as %v, %v", kind, got, err)
		}
		if got, _, err := c.config(id); err != nil || got.GetContentType() != form || got.GetURL() != w.url || got.GetInsecureSSL() != "0" {
			t.Errorf("%s: the configuration is %v, %v", kind, got, err)
		}
		if res, err := c.ping(id); err != nil || res.StatusCode != http.StatusNoContent {
			t.Errorf("%s: a ping: %v", kind, err)
		}
		if _, ok := (<-w.events).(*github.PingEvent); !ok {
			t.Errorf("%s: no ping came", kind)
		}
		w.deliveries(t, kind, c, id)
		if res, err := c.remove(id); err != nil || res.StatusCode != http.StatusNoContent {
			t.Errorf("%s: a deletion: %v", kind, err)
		}
		if _, res, err := c.get(id); err == nil || res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: of a deleted hook: %v", kind, res)
		}
	}
}

// deliveries looks at the two pings that were sent.
func (w *hookWorld) deliveries(t *testing.T, kind string, c hookCalls, id int64) {
	t.Helper()
	list, res, err := c.log(id, &github.ListCursorOptions{PerPage: 1})
	if err != nil || len(list) != 1 || res.Cursor == "" {
		t.Fatalf("%s: deliveries %v, cursor %q, %v", kind, list, res.Cursor, err)
	}
	older, _, err := c.log(id, &github.ListCursorOptions{PerPage: 1, Cursor: res.Cursor})
	if err != nil || len(older) != 1 || older[0].GetID() >= list[0].GetID() {
		t.Fatalf("%s: the next page is %v, %v", kind, older, err)
	}
	one, _, err := c.delivery(id, older[0].GetID())
	if err != nil || one.Request.GetHeader("X-GitHub-Delivery") != one.GetGUID() || one.GetEvent() != "ping" || strings.Contains(string(*one.Request.RawPayload), hookSecret) {
		t.Errorf("%s: a delivery: %v, %v", kind, one, err)
	}
	if _, err := one.ParseRequestPayload(); err != nil {
		t.Errorf("%s: its payload: %v", kind, err)
	}
	_, _, err = c.redeliver(id, one.GetID())
	if _, accepted := errors.AsType[*github.AcceptedError](err); err != nil && !accepted {
		t.Errorf("%s: a redelivery: %v", kind, err)
	}
	<-w.events
}

// A push reaches the official client with all that it knows of packages.
func TestAPushReachesTheOfficialClient(t *testing.T) {
	t.Parallel()
	w := newHookWorld(t)
	c := w.calls(t)["organization"]
	if _, _, err := c.create(&github.Hook{Config: w.config(), Events: []string{"*"}}); err != nil {
		t.Fatal(err)
	}
	<-w.events
	if status, text := w.push(t, "", "acme/app"); status != 201 {
		t.Fatal(status, text)
	}
	e, ok := (<-w.events).(*github.PackageEvent)
	if !ok {
		t.Fatal("the first event is no package")
	}
	v := e.GetPackage().GetPackageVersion()
	if e.GetAction() != "published" || e.GetPackage().GetName() != "app" || e.GetOrg().GetLogin() != "acme" || e.GetSender().GetLogin() != "admin" ||
		v.GetContainerMetadata().GetTag().GetName() != "1" || v.GetVersion() != v.GetContainerMetadata().GetTag().GetDigest() || v.GetCreatedAt().IsZero() {
		t.Errorf("told %s", github.Stringify(e))
	}
	if _, ok := (<-w.events).(*github.RegistryPackageEvent); !ok {
		t.Error("the second event is no registry_package")
	}
}

// Users and packages have the same calls, at addresses of our own; to those who
// may not rule a hook there is none.
func TestHooksOfUsersAndPackages(t *testing.T) {
	t.Parallel()
	w := newHookWorld(t)
	if status, text := w.push(t, "", "acme/app/part"); status != 201 {
		t.Fatal(status, text)
	}
	body := func() string {
		return `{"config":{"url":"` + w.url + `","content_type":"json","secret":"` + hookSecret + `","insecure_ssl":0}}`
	}
	for _, at := range []string{
		"/user", "/orgs/acme/packages/container/app%2Fpart", "/users/acme/packages/container/app/part",
	} {
		res, text := w.ask(t, "POST", "", "/api/v3"+at+"/hooks", asAdmin(), strings.NewReader(body()))
		if res.StatusCode != 201 || strings.Contains(text, hookSecret) {
			t.Fatal(at, res.StatusCode, text)
		}
		if _, ok := (<-w.events).(*github.PingEvent); !ok {
			t.Errorf("%s: no ping", at)
		}
		if res, text := w.ask(t, "GET", "", "/api/v3"+at+"/hooks", asAdmin(), nil); res.StatusCode != 200 || !strings.Contains(text, `"secret":"********"`) {
			t.Errorf("%s: %d %s", at, res.StatusCode, text)
		}
		if res, _ := w.ask(t, "GET", "", "/api/v3"+at+"/hooks", nil, nil); res.StatusCode != 401 {
			t.Errorf("%s: nobody gets %d", at, res.StatusCode)
		}
	}
	for body, want := range map[string]int{
		`{}`:                                   422,
		`{"config":{"url":"ftp://x.example"}}`: 422,
		`{"config":{"url":"https://x.example","insecure_ssl":"maybe"}}`: 422,
		`{"config":{"url":"https://x.example"},"name":"email"}`:         422,
		`{"config":{"url":"https://x.example"},"events":["push"]}`:      422,
		`{"config":{"url":7}}`: 422,
		`{`:                    400,
	} {
		if res, text := w.ask(t, "POST", "", "/api/v3/user/hooks", asAdmin(), strings.NewReader(body)); res.StatusCode != want {
			t.Errorf("%s: %d %s", body, res.StatusCode, text)
		}
	}
	for path, want := range map[string]int{
		"/orgs/none/hooks": 404, "/orgs/admin/hooks": 404, "/repos/acme/none/hooks": 404, "/user/hooks/x": 400, "/user/hooks/99": 404,
		"/orgs/acme/packages/container/none/hooks": 404, "/user/hooks/1/deliveries?cursor=x": 400, "/user/hooks/1/deliveries?status=x": 400,
	} {
		if res, text := w.ask(t, "GET", "", "/api/v3"+path, asAdmin(), nil); res.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", path, res.StatusCode, text, want)
		}
	}
}
