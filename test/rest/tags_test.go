package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// call sends a body and decodes the answer into v, unless that is nil.
func (w *world) call(t *testing.T, method, path, body string, v any) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.URL+"/api/v3"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	res, err := w.transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(content, v); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, content)
		}
	}
	return res.StatusCode
}

// tags goes through this server's own calls about tags and sizes.
func tags(t *testing.T, w *world) {
	one := w.push(t, "containers", "acme/tagged/app:v1", "one")
	two := w.push(t, "containers", "acme/tagged/app:v2", "two")
	const at = "/orgs/acme/packages/container/tagged%2Fapp"
	type tag struct {
		Name, Digest string
		VersionID    int64 `json:"version_id"`
		Size         int64
		TotalSize    int64  `json:"total_size"`
		SetBy        string `json:"set_by"`
		Since        string
	}
	want := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	var latest tag
	want("add", w.call(t, "POST", at+"/tags", `{"tag":"latest","reference":"v1"}`, &latest), 201)
	want("latest", latest.Digest+latest.SetBy, one+"ann")
	want("move", w.call(t, "PUT", at+"/tags/latest", `{"reference":"`+two+`"}`, &latest), 200)
	want("latest", latest.Digest, two)
	var list []tag
	want("list", w.call(t, "GET", at+"/tags?sort=newest&match="+url.QueryEscape("[lv]*"), "", &list), 200)
	want("tags", len(list), 3)
	if list[0].Name != "latest" || list[0].Size == 0 || list[0].TotalSize <= list[0].Size || list[0].VersionID == 0 || list[0].Since == "" {
		t.Errorf("%+v", list)
	}
	var history []struct {
		Digest  string
		Until   *string
		Present bool
	}
	want("history", w.call(t, "GET", at+"/tags/latest/history", "", &history), 200)
	if len(history) != 2 || history[0].Digest != two || history[1].Digest != one || history[1].Until == nil || !history[1].Present {
		t.Errorf("%+v", history)
	}
	want("restore", w.call(t, "POST", at+"/tags/latest/restore", `{"digest":"`+one+`"}`, &latest), 200)
	want("latest", latest.Digest, one)
	want("untag", w.call(t, "DELETE", at+"/tags/latest", "", nil), 204)
	want("untag again", w.call(t, "DELETE", at+"/tags/latest", "", nil), 404)
	want("get", w.call(t, "GET", at+"/tags/latest", "", nil), 404)
	want("get", w.call(t, "GET", at+"/tags/v1", "", &latest), 200)
	for body, status := range map[string]int{
		`{"tag":"a b","reference":"v1"}`: 422, `{"tag":"x","reference":""}`: 422, `{"tag":"x","reference":"none"}`: 404, `{`: 400,
	} {
		want(body, w.call(t, "POST", at+"/tags", body, nil), status)
	}
	want("restore to nothing", w.call(t, "POST", at+"/tags/v1/restore", `{"digest":"v1"}`, nil), 422)
	want("restore to what it never was", w.call(t, "POST", at+"/tags/v1/restore", `{"digest":"`+two+`"}`, nil), 404)

	var sizes struct {
		Bytes, Versions int64
		Freed           int64 `json:"freed_if_deleted"`
	}
	want("sizes", w.call(t, "GET", at+"/sizes", "", &sizes), 200)
	if sizes.Versions != 2 || sizes.Bytes == 0 || sizes.Freed > sizes.Bytes {
		t.Errorf("%+v", sizes)
	}
	all := sizes.Bytes
	want("sizes of a version", w.call(t, "GET", fmt.Sprintf("%s/versions/%d/sizes", at, latest.VersionID), "", &sizes), 200)
	if sizes.Versions != 1 || sizes.Bytes == 0 || sizes.Bytes >= all {
		t.Errorf("%+v of %d", sizes, all)
	}
	if res, body := w.ask(t, "GET", at+"/tags", w.Account(t, "tags-stranger")); res.StatusCode != 404 {
		t.Errorf("tags to a stranger: %d %s", res.StatusCode, body)
	}
}
