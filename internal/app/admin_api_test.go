package app

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/jobs"
	"packhouse/internal/token"
)

// siteAdmin asks as an administrator of the site and reads the answer into v.
func (w *matrixWorld) siteAdmin(status int, method, path string, v any) (link string) {
	w.t.Helper()
	if w.secrets["site admin"] == "" {
		w.secrets["site admin"] = w.personal("admin", token.NewToken{Scopes: access.EveryScope})
	}
	res, text := w.ask(w.t, method, "", "/api/v3"+path, bearerHeader(w.secrets["site admin"]), nil)
	if res.StatusCode != status {
		w.t.Fatalf("%s %s: %d, want %d: %s", method, path, res.StatusCode, status, text)
	}
	if v != nil {
		w.check(json.Unmarshal([]byte(text), v))
	}
	return res.Header.Get("Link")
}

func TestJobsOverREST(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	type job struct {
		ID    int64
		Kind  string
		State string
		Args  map[string]int
	}
	var ids []int64
	for i := range 3 {
		id, err := w.app.Store.InsertJob(t.Context(), jobs.Insert{Kind: "of.nobody", Args: map[string]int{"n": i}}, time.Now())
		w.check(err)
		ids = append(ids, id)
	}
	var list []job
	link := w.siteAdmin(200, "GET", "/admin/jobs?kind=of.nobody&per_page=2", &list)
	if len(list) != 2 || list[0].ID != ids[2] || list[0].State != "available" || list[0].Args["n"] != 2 {
		t.Fatalf("%+v", list)
	}
	_, next, _ := strings.Cut(link, "/api/v3")
	next, _, _ = strings.Cut(next, ">")
	w.siteAdmin(200, "GET", next, &list)
	if len(list) != 1 || list[0].ID != ids[0] {
		t.Errorf("behind %s: %+v", link, list)
	}
	at := "/admin/jobs/" + strconv.FormatInt(ids[0], 10)
	var one job
	w.siteAdmin(200, "POST", at+"/cancel", &one)
	w.siteAdmin(409, "POST", at+"/cancel", nil)
	if w.siteAdmin(200, "GET", at, &one); one.State != "cancelled" {
		t.Errorf("%+v", one)
	}
	w.siteAdmin(200, "GET", "/admin/jobs?kind=of.nobody&state=cancelled", &list)
	if len(list) != 1 || list[0].ID != ids[0] {
		t.Errorf("cancelled: %+v", list)
	}
	if w.siteAdmin(200, "POST", at+"/retry", &one); one.State != "available" {
		t.Errorf("%+v", one)
	}
	w.siteAdmin(404, "GET", "/admin/jobs/999999", nil)
	w.siteAdmin(400, "GET", "/admin/jobs/first", nil)
	w.siteAdmin(400, "GET", "/admin/jobs?state=done", nil)
}

func TestStorageOverREST(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	var all struct {
		Bytes  int64
		Blobs  struct{ Live struct{ Count, Bytes int64 } }
		Owners []struct {
			Owner string
			Bytes int64
		}
	}
	w.siteAdmin(200, "GET", "/admin/storage?per_page=2", &all)
	if all.Bytes == 0 || all.Blobs.Live.Count == 0 || len(all.Owners) != 2 || all.Owners[0].Bytes < all.Owners[1].Bytes {
		t.Errorf("%+v", all)
	}
	var own struct {
		Owner    string
		Bytes    int64
		Count    int `json:"package_count"`
		Packages []struct {
			Name  string
			Bytes int64
		}
	}
	link := w.siteAdmin(200, "GET", "/orgs/ACME/storage?per_page=1", &own)
	if own.Owner != "acme" || len(own.Packages) != 1 || own.Count < 2 || own.Packages[0].Bytes == 0 || !strings.Contains(link, `rel="last"`) {
		t.Errorf("%+v %s", own, link)
	}
	w.siteAdmin(404, "GET", "/orgs/nothing/storage", nil)
}
