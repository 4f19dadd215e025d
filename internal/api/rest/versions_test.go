package rest

import (
	"net/http/httptest"
	"testing"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// Whoever follows rel="next" sees every version: behind the last page that can
// be asked for by number, the links go on by id.
func TestLinksLeadToTheLastVersion(t *testing.T) {
	t.Parallel()
	h := newHandler(t, time.Now)
	const at = "https://host.test/api/v3/versions"
	for query, want := range map[string]struct {
		total int
		next  int64
		link  string
	}{
		"":                                    {3, 0, ""},
		"page=2&per_page=2":                   {5, 7, `<` + at + `?page=1&per_page=2>; rel="prev", <` + at + `?page=3&per_page=2>; rel="next", <` + at + `?page=3&per_page=2>; rel="last", <` + at + `?page=1&per_page=2>; rel="first"`},
		"page=99&per_page=100":                {10_001, 300, `<` + at + `?page=98&per_page=100>; rel="prev", <` + at + `?page=100&per_page=100>; rel="next", <` + at + `?page=100&per_page=100>; rel="last", <` + at + `?page=1&per_page=100>; rel="first"`},
		"page=100&per_page=100":               {10_001, 200, `<` + at + `?page=99&per_page=100>; rel="prev", <` + at + `?page=1&per_page=100>; rel="first", <` + at + `?after=200&page=1&per_page=100>; rel="next"`},
		"page=333":                            {10_001, 12, `<` + at + `?page=332>; rel="prev", <` + at + `?page=1>; rel="first", <` + at + `?after=12&page=1>; rel="next"`},
		"page=100&per_page=100&state=deleted": {10_000, 0, `<` + at + `?page=99&per_page=100&state=deleted>; rel="prev", <` + at + `?page=1&per_page=100&state=deleted>; rel="first"`},
		"after=200&page=1&per_page=100&tagged=true": {10_001, 100, `<` + at + `?after=100&page=1&per_page=100&tagged=true>; rel="next"`},
		"after=100&per_page=100":                    {10_001, 0, ""},
	} {
		r := httptest.NewRequest("GET", "/versions?"+query, nil)
		c := &call{h: h, w: httptest.NewRecorder(), r: r, q: r.URL.Query()}
		p, err := c.page()
		if err != nil {
			t.Fatal(err)
		}
		q, err := c.versionQuery(p)
		if err != nil {
			t.Fatal(err)
		}
		c.versionLinks(p, q, packages.VersionPage{Total: want.total, Next: want.next})
		if got := c.w.Header().Get("Link"); got != want.link {
			t.Errorf("%q:\n%s\nwant\n%s", query, got, want.link)
		}
	}
}

func TestWhichVersionsAreAskedFor(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"state=lost", "tagged=maybe", "after=x", "after=0", "after=-1"} {
		r := httptest.NewRequest("GET", "/versions?"+query, nil)
		c := &call{r: r, q: r.URL.Query()}
		if _, err := c.versionQuery(pageOf{1, 30}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q is taken: %v", query, err)
		}
	}
	r := httptest.NewRequest("GET", "/versions?state=deleted&tagged=false&after=7", nil)
	c := &call{r: r, q: r.URL.Query()}
	q, err := c.versionQuery(pageOf{2, 50})
	if err != nil || !q.Deleted || q.Tagged == nil || *q.Tagged || q.After != 7 || q.Page != 2 || q.PerPage != 50 {
		t.Errorf("%+v %v", q, err)
	}
}
