package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// nobody takes no credential but "good", which is ann's.
type nobody struct{}

func (nobody) Authenticate(_ context.Context, r *http.Request) (access.Principal, error) {
	switch r.Header.Get("Authorization") {
	case "":
		return access.Principal{}, nil
	case "Bearer good":
		return access.Principal{AccountID: 1, Login: "ann", TokenID: 7, Scopes: access.ReadPackages | access.Repo}, nil
	}
	return access.Principal{}, errs.New(errs.Unauthenticated, "no")
}

func newHandler(t *testing.T, now func() time.Time) *Handler {
	t.Helper()
	h, err := New(Deps{
		Authenticator: nobody{}, Base: "https://host.test/api/v3", Site: "https://host.test",
		RateLimit: 2, AnonymousRateLimit: 1, Now: now,
		Client: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, path, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Who has a network of IPv6 has one limit for all of it.
func TestTheLimitOfAnAddressIsThatOfItsNetwork(t *testing.T) {
	t.Parallel()
	h := newHandler(t, func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })
	for _, c := range []struct {
		from string
		want int
	}{
		{"2001:db8:0:1::1", 200}, {"2001:db8:0:1:ffff::2", 429}, {"2001:db8:0:2::1", 200},
		{"::ffff:192.0.2.1", 200}, {"192.0.2.1", 429}, {"192.0.2.2", 200},
	} {
		h.Client = func(*http.Request) netip.Addr { return netip.MustParseAddr(c.from) }
		if w := ask(h, "GET", "/rate_limit", ""); w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.from, w.Code, c.want)
		}
	}
}

func TestRoutesAreFound(t *testing.T) {
	t.Parallel()
	at := func(method, pattern string) route {
		return route{method, pattern, func(*call) error { return nil }, open()}
	}
	routes := []route{
		at("GET", "/users/{username}/packages/{package_type}/{package_name...}"),
		at("DELETE", "/users/{username}/packages/{package_type}/{package_name...}"),
		at("GET", "/users/{username}/packages/{package_type}/{package_name...}/versions"),
		at("GET", "/users/{username}/packages/{package_type}/{package_name...}/versions/{package_version_id}"),
	}
	table, err := newTable(routes)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path, pattern, name, id, allowed string }{
		{"GET", "/users/ann/packages/container/app", routes[0].pattern, "app", "", "GET DELETE"},
		{"DELETE", "/users/ann/packages/container/a%2Fb", routes[1].pattern, "a/b", "", "GET DELETE"},
		{"GET", "/users/ann/packages/container/a/b", routes[0].pattern, "a/b", "", "GET DELETE"},
		{"GET", "/users/ann/packages/container/a/b/versions", routes[2].pattern, "a/b", "", "GET"},
		{"GET", "/users/ann/packages/container/a%2fb/versions/7", routes[3].pattern, "a/b", "7", "GET"},
		{"GET", "/users/ann/packages/container/a%2Fversions", routes[0].pattern, "a/versions", "", "GET DELETE"},
		{"GET", "/users/ann/packages/container/a%2Fversions/versions", routes[2].pattern, "a/versions", "", "GET"},
		{"POST", "/users/ann/packages/container/a/b/versions", "", "", "", "GET"},
		{"GET", "/users/ann/packages/container/", "", "", "", ""},
		{"GET", "/users/ann/packages//a", "", "", "", ""},
		{"GET", "/users/ann/packages", "", "", "", ""},
		{"GET", "/", "", "", "", ""},
	} {
		found, params, allowed := table.find(c.method, c.path)
		pattern := ""
		if found != nil {
			pattern = found.pattern
		}
		if pattern != c.pattern || params["package_name"] != c.name || params["package_version_id"] != c.id || strings.Join(allowed, " ") != c.allowed {
			t.Errorf("%s %s: %q %v %v", c.method, c.path, pattern, params, allowed)
		}
	}
}

func TestARouteWithoutAPolicyIsRefused(t *testing.T) {
	t.Parallel()
	for _, routes := range [][]route{
		{{"GET", "/a", func(*call) error { return nil }, policy{}}},
		{{"GET", "/a", nil, open()}},
		{{"GET", "/{a...}/{b...}", func(*call) error { return nil }, open()}},
		{{"GET", "/a", func(*call) error { return nil }, open()}, {"GET", "/a", func(*call) error { return nil }, open()}},
	} {
		if _, err := newTable(routes); err == nil {
			t.Errorf("%+v is taken", routes)
		}
	}
}

func TestHeadersAndLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	h := newHandler(t, func() time.Time { return now })
	w := ask(h, "GET", "/rate_limit", "token good")
	for name, want := range map[string]string{
		"X-OAuth-Scopes": "read:packages, repo", "X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "1", "X-RateLimit-Used": "1",
		"X-RateLimit-Reset": "1767326400", "X-RateLimit-Resource": "core", "X-GitHub-Media-Type": "github.v3; format=json",
		"Content-Type": "application/json; charset=utf-8",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for i, c := range []struct {
		authorization, message string
		status                 int
	}{
		{"Bearer good", "", 200},
		{"Bearer good", "API rate limit exceeded: 2 requests an hour.", 429},
		{"", "", 200},
		{"", "API rate limit exceeded: 1 requests an hour.", 429},
		{"Bearer bad", "Bad credentials", 401},
	} {
		w := ask(h, "GET", "/rate_limit", c.authorization)
		var f failure
		if w.Code != 200 {
			if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || f.Status == "" || f.DocumentationURL == "" {
				t.Errorf("%d: %s, %v", i, w.Body, err)
			}
		}
		if w.Code != c.status || f.Message != c.message || (w.Code == 429) != (w.Header().Get("Retry-After") == "3600") {
			t.Errorf("%d: %d %q %v", i, w.Code, f.Message, w.Header())
		}
	}
	now = now.Add(window)
	if w := ask(h, "GET", "/rate_limit", ""); w.Code != 200 {
		t.Errorf("an hour later: %d", w.Code)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHandler(t, time.Now)
	h.RateLimit, h.AnonymousRateLimit = 0, 0
	for path, want := range map[string]int{"//": 404, "/nothing": 404, "/rate_limit/": 404, "/rate_limit?%zz": 400} {
		if w := ask(h, "GET", path, ""); w.Code != want || !strings.Contains(w.Body.String(), `"status":`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	w := ask(h, "DELETE", "/rate_limit", "")
	if w.Code != 405 || w.Header().Get("Allow") != "GET" {
		t.Errorf("another method: %d %v", w.Code, w.Header())
	}
	if w := ask(h, "HEAD", "/rate_limit", ""); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := newHandler(t, time.Now)
	for query, want := range map[string]struct {
		page  pageOf
		total int
		link  string
		bad   bool
	}{
		"":                          {pageOf{1, 30}, 30, "", false},
		"per_page=2":                {pageOf{1, 2}, 5, "next=2 last=3", false},
		"per_page=2&page=2":         {pageOf{2, 2}, 5, "prev=1 next=3 last=3 first=1", false},
		"per_page=2&page=3":         {pageOf{3, 2}, 5, "prev=2 first=1", false},
		"per_page=2&page=9":         {pageOf{9, 2}, 5, "prev=3 first=1", false},
		"per_page=1000":             {pageOf{1, 100}, 50_000, "next=2 last=100", false},
		"page=101&per_page=99":      {pageOf{101, 99}, 50_000, "prev=100 first=1", false},
		"page=101&per_page=100":     {bad: true},
		"page=x":                    {bad: true},
		"page=99999999999999999999": {bad: true},
		"page=0&per_page=-1":        {pageOf{1, 1}, 1, "", false},
	} {
		r := httptest.NewRequest("GET", "/list?"+query, nil)
		c := &call{h: h, w: httptest.NewRecorder(), r: r, q: r.URL.Query()}
		p, err := c.page()
		if (err != nil) != want.bad {
			t.Errorf("%q: %v", query, err)
		}
		if want.bad {
			continue
		}
		c.links(p, want.total)
		if got := linkSummary(c.w.Header().Get("Link")); p != want.page || got != want.link {
			t.Errorf("%q: %+v %q, want %q", query, p, got, want.link)
		}
	}
}

// linkSummary shortens a Link header to its relations and pages.
func linkSummary(header string) string {
	var out []string
	for one := range strings.SplitSeq(header, ", ") {
		_, after, _ := strings.Cut(one, "&page=")
		if after == "" {
			_, after, _ = strings.Cut(one, "?page=")
		}
		number, rest, ok := strings.Cut(after, ">; rel=\"")
		number, _, _ = strings.Cut(number, "&")
		if !ok {
			continue
		}
		out = append(out, strings.TrimSuffix(rest, `"`)+"="+number)
	}
	return strings.Join(out, " ")
}

func TestBodies(t *testing.T) {
	t.Parallel()
	h := newHandler(t, time.Now)
	for body, want := range map[string]struct {
		name string
		kind errs.Kind
	}{
		`{"name":"x","unknown":1}`: {"x", 0},
		``:                         {"", 0},
		`{"name":1}`:               {"", errs.Invalid},
		`{`:                        {"", errs.Invalid},
		`{} {}`:                    {"", errs.Invalid},
		`{"name":"` + strings.Repeat("x", 2<<20) + `"}`: {"", errs.TooLarge},
	} {
		c := &call{h: h, w: httptest.NewRecorder(), r: httptest.NewRequest("POST", "/", strings.NewReader(body))}
		var v struct{ Name string }
		err := c.body(&v)
		if want.kind == 0 && err != nil || want.kind != 0 && !errs.Is(err, want.kind) {
			t.Errorf("%.30q: %v", body, err)
		}
		if err == nil && cmp.Diff(want.name, v.Name) != "" {
			t.Errorf("%.30q: %q", body, v.Name)
		}
	}
}

func TestAFaultSaysNothingOfItself(t *testing.T) {
	t.Parallel()
	h := newHandler(t, time.Now)
	w := httptest.NewRecorder()
	h.encode(w, nil, errors.New("secret path"))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
